# SPDX-License-Identifier: GPL-3.0-or-later
"""The SFTP client, beside the real sftp-server of this machine."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.logins import sftp
from ansible_collections.sallyport.ssh.plugins.module_utils.logins.sftp import Client, Refused
from ansible_collections.sallyport.ssh.plugins.module_utils.logins.sftp_packets import Attributes, Broken

SERVER = "/usr/lib/openssh/sftp-server"

Start = t.Callable[..., Client]


@pytest.fixture
def start(tmp_path: Path) -> t.Iterator[Start]:
    started = []

    def server(*arguments: str, program: str = SERVER, patience: float = 10.0) -> Client:
        process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        started.append(process)
        return Client(process, patience)

    yield server
    for process in started:
        process.kill()
        process.communicate()


def test_a_file_from_its_upload_to_its_end(start: Start, tmp_path: Path) -> None:
    client, data = start(), bytes(range(256)) * 300
    path = str(tmp_path / "file")
    client.put(path, data, 0o640)
    assert (tmp_path / "file").read_bytes() == data
    assert client.get(path) == data
    assert client.get(path, most=1000) == data[:1000]
    attributes = client.stat(path)
    assert (attributes.size, attributes.uid, attributes.mode) == (len(data), os.getuid(), stat.S_IFREG | 0o640)
    client.rename(path, path + "2")
    client.posix_rename(path + "2", path)
    client.remove(path)
    assert list(tmp_path.iterdir()) == []


def test_a_handle(start: Start, tmp_path: Path) -> None:
    client, path = start(), tmp_path / "file"
    handle = client.open(str(path), sftp.WRITE | sftp.READ | sftp.CREATE, 0o600)
    client.write(handle, 0, b"some text")
    client.fsetstat(handle, Attributes(mode=0o604, accessed=5, modified=7))
    found = client.fstat(handle)
    assert (found.size, stat.S_IMODE(found.mode or 0), found.accessed, found.modified) == (9, 0o604, 5, 7)
    assert client.read(handle, 5) == b"text"
    assert client.read(handle, 9) == b""
    client.close(handle)
    with pytest.raises(Refused):
        client.close(handle)


def test_directories(start: Start, tmp_path: Path) -> None:
    client, top = start(), str(tmp_path)
    client.mkdir(f"{top}/inner", 0o750)
    assert stat.S_IMODE((tmp_path / "inner").stat().st_mode) == 0o750
    for number in range(300):  # more than one answer
        (tmp_path / "inner" / f"{number} ä").touch()
    assert client.listing(f"{top}/inner").keys() == {f"{number} ä" for number in range(300)}
    assert client.realpath(f"{top}/inner/..") == top
    with pytest.raises(Refused):
        client.rmdir(f"{top}/inner")


def test_links(start: Start, tmp_path: Path) -> None:
    client, top = start(), str(tmp_path)
    (tmp_path / "file").write_text("text")
    client.symlink("file", f"{top}/soft")
    client.hardlink(f"{top}/file", f"{top}/hard")
    assert os.readlink(tmp_path / "soft") == client.readlink(f"{top}/soft") == "file"
    assert (tmp_path / "hard").stat().st_nlink == 2
    assert stat.S_ISLNK(client.lstat(f"{top}/soft").mode or 0)
    assert stat.S_ISREG(client.stat(f"{top}/soft").mode or 0)
    client.lsetstat(f"{top}/soft", Attributes(accessed=3, modified=4))
    assert (os.lstat(tmp_path / "soft").st_mtime, client.lstat(f"{top}/soft").modified) == (4, 4)
    client.setstat(f"{top}/hard", Attributes(size=2))
    assert (tmp_path / "file").read_text() == "te"


REFUSALS: t.Mapping[str, t.Callable[[Client, str], object]] = {
    "open-write": lambda client, top: client.open(f"{top}/file", sftp.WRITE),
    "open-create": lambda client, top: client.open(f"{top}/new", sftp.WRITE | sftp.CREATE),
    "mkdir": lambda client, top: client.mkdir(f"{top}/new"),
    "rmdir": lambda client, top: client.rmdir(f"{top}/directory"),
    "remove": lambda client, top: client.remove(f"{top}/file"),
    "rename": lambda client, top: client.rename(f"{top}/file", f"{top}/new"),
    "posix-rename": lambda client, top: client.posix_rename(f"{top}/file", f"{top}/new"),
    "setstat": lambda client, top: client.setstat(f"{top}/file", Attributes(mode=0o777)),
    "fsetstat": lambda client, top: client.fsetstat(client.open(f"{top}/file", sftp.READ), Attributes(mode=0o777)),
    "lsetstat": lambda client, top: client.lsetstat(f"{top}/file", Attributes(mode=0o777)),
    "symlink": lambda client, top: client.symlink("file", f"{top}/new"),
    "hardlink": lambda client, top: client.hardlink(f"{top}/file", f"{top}/new"),
}


@pytest.mark.parametrize("request_", REFUSALS)
def test_a_server_that_only_reads_refuses(start: Start, tmp_path: Path, request_: str) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "directory").mkdir()
    client = start("-R")
    with pytest.raises(Refused) as refused:
        REFUSALS[request_](client, str(tmp_path))
    assert (refused.value.code, str(refused.value)) == (sftp.PERMISSION_DENIED, "Permission denied")
    assert client.get(f"{tmp_path}/file") == b"text"  # the session goes on
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory", "file"]


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        pytest.param(lambda client: client.lstat("/nowhere"), sftp.NO_SUCH_FILE, id="no such file"),
        pytest.param(lambda client: client.get("/nowhere"), sftp.NO_SUCH_FILE, id="no such file to read"),
        pytest.param(lambda client: client.listing("/nowhere"), sftp.NO_SUCH_FILE, id="no such directory"),
        pytest.param(lambda client: client.put("/etc/passwd", b""), sftp.FAILURE, id="a file that is there"),
        pytest.param(lambda client: client.readlink("/etc/passwd"), 5, id="no link"),
    ],
)
def test_a_refusal_has_its_status(start: Start, ask: t.Callable[[Client], object], code: int) -> None:
    with pytest.raises(Refused) as refused:
        ask(start())
    assert refused.value.code == code


def test_a_server_that_is_silent_is_given_up(start: Start) -> None:
    with pytest.raises(Broken, match=r"no answer within 0\.2 seconds"):
        start("5", program="/bin/sleep", patience=0.2)


def answering(tmp_path: Path, *packets: bytes) -> str:
    """A server that has its answers ready."""
    answers, program = tmp_path / "answers", tmp_path / "server"
    answers.write_bytes(b"".join(struct.pack(">I", len(packet)) + packet for packet in packets))
    program.write_text(f"#!/bin/sh\ncat {answers}\nexec cat > /dev/null\n")
    program.chmod(0o755)
    return str(program)


VERSION = b"\x02" + struct.pack(">I", 3)


@pytest.mark.parametrize(
    ("packets", "complaint"),
    [
        pytest.param([VERSION, b"\x65" + struct.pack(">II", 7, 0)], "an answer to request 7, not to 1", id="another's"),
        pytest.param([VERSION, b"\x66" + struct.pack(">II", 1, 0)], "an answer of type 102", id="another kind"),
        pytest.param([VERSION, b"\x69" + struct.pack(">II", 1, 4)], "ends too early", id="too short"),
        pytest.param([VERSION, b"\x68" + struct.pack(">II", 1, 2**31)], "an answer of type 104", id="too many names"),
        pytest.param([b"Welcome to this host!\n"], "does not speak SFTP", id="a greeting"),
    ],
)
def test_a_strange_answer_breaks_the_session(
    start: Start, tmp_path: Path, packets: t.Sequence[bytes], complaint: str
) -> None:
    with pytest.raises(Broken, match=complaint):
        start(program=answering(tmp_path, *packets)).lstat("/")


def test_what_talks_before_it_serves_does_not_speak_sftp(start: Start) -> None:
    with pytest.raises(Broken, match="does not speak SFTP"):
        start("This service allows sftp connections only.", program="/bin/echo")


def test_a_session_that_ends(start: Start) -> None:
    with pytest.raises(Broken, match="the session ended"):
        start(program="/bin/true")
