# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried with files, beside the real sftp-server of this machine and an application that works as we do."""

from __future__ import annotations

import os
import secrets
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.logins.sftp import Client
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import application, transfer
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.application import (
    PREFIX,
    Application,
    Applications,
    Places,
)
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.grounds import Ground
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.promises import LINKS, WRITES

SERVER = "/usr/lib/openssh/sftp-server"
REQUESTS = {f"write {name}" for name in WRITES}

Serve = t.Callable[..., Client]


@pytest.fixture
def serve() -> t.Iterator[Serve]:
    started = []

    def start(*arguments: str) -> Client:
        process = subprocess.Popen([SERVER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        return Client(process)

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def user() -> t.Iterator[Application]:
    process = Applications()
    yield process.user(os.getuid())
    process.close()


def ground(path: Path, rights: str = "read_write", sharing: str = "mapped") -> Ground:
    """The same path in the jail and on the host: there is no jail here."""
    return Ground(str(path), str(path), rights, sharing, os.getuid(), (os.getuid(), None))


def tried(client: Client, where: Ground, user: Application, leave: bool = False) -> t.Dict[str, str]:
    """What was found, by act; nothing may be left, and the times are as they were."""
    names = transfer.Names(secrets.token_hex(4))
    before = os.stat(where.path).st_mtime_ns
    places = Places()
    with places.held(where.path) as here:
        if where.is_shared:
            found = transfer.shared(client, where, names, here, user, lambda status: f"uid {status.st_uid}")
        else:
            found = transfer.private(client, where, names, here, lambda status: f"uid {status.st_uid}")
        application.clean(here, names)
    places.close()
    assert [name for name in os.listdir(where.path) if name.startswith(PREFIX)] == []
    assert os.stat(where.path).st_mtime_ns == before
    assert all(at == where.at for _act, at in found)
    return {act: answer.found for (act, _at), answer in found.items()}


def test_a_server_that_does_everything(serve: Serve, user: Application, tmp_path: Path) -> None:
    found = tried(serve("-P", "symlink,hardlink"), ground(tmp_path), user)
    assert found.pop("keeps") == f"uid {os.getuid()}"
    links = {f"write {name}" for name in LINKS}
    assert {act for act, answer in found.items() if answer == "refused"} == links
    assert {answer for act, answer in found.items() if act not in links} == {"works"}


def test_a_private_folder(serve: Serve, user: Application, tmp_path: Path) -> None:
    found = tried(serve(), ground(tmp_path, sharing="private"), user)
    assert found.pop("keeps") == f"uid {os.getuid()}"
    refused = {act for act, answer in found.items() if answer != "works"}
    assert refused == {"write hardlink"}  # of the application's file, which is not there


def test_a_server_that_only_reads(serve: Serve, user: Application, tmp_path: Path) -> None:
    found = tried(serve("-R"), ground(tmp_path, "read_only"), user)
    assert {act for act, answer in found.items() if answer == "refused"} == REQUESTS
    assert found["seen"] == found["reads"] == found["application makes"] == "works"


@pytest.mark.parametrize("request_", WRITES)
def test_each_request_that_works_where_it_must_not_is_found(
    serve: Serve, user: Application, tmp_path: Path, request_: str
) -> None:
    """A server that refuses all others, so that none stands in for another."""
    names = {"open-write": "open", "open-create": "open"}
    others = {names.get(name, name) for name in WRITES if names.get(name, name) != names.get(request_, request_)}
    others -= {"open"} if request_ == "fsetstat" else set()  # which takes an open file
    found = tried(serve("-P", ",".join(sorted(others))), ground(tmp_path, "read_only"), user)
    assert found[f"write {request_}"] == "works"


def test_a_hidden_part_that_shows(serve: Serve, user: Application, tmp_path: Path) -> None:
    assert tried(serve("-R"), ground(tmp_path, "hidden"), user)["seen"] == "works"


def test_a_hidden_part_that_is_empty(serve: Serve, user: Application, tmp_path: Path) -> None:
    shown, behind = tmp_path / "shown", tmp_path / "behind"
    shown.mkdir()
    behind.mkdir()
    where = Ground(str(shown), str(behind), "hidden", "mapped", os.getuid(), (None, None))
    assert tried(serve(), where, user)["seen"] == "refused"
    (shown / "file").touch()
    assert tried(serve(), where, user)["seen"] == "works"


def test_another_directory_than_the_folder_is_found(serve: Serve, user: Application, tmp_path: Path) -> None:
    """As where the mount is missing, and what the account uploads reaches nobody."""
    jail, folder = tmp_path / "jail", tmp_path / "folder"
    jail.mkdir()
    folder.mkdir()
    found = tried(serve(), Ground(str(jail), str(folder), "read_write", "mapped", os.getuid(), (None, None)), user)
    missing = {"seen", "reads", "edits", "deletes", "application reads", "application edits", "application deletes"}
    assert {found[act] for act in missing} == {"refused"}
    assert found["keeps"] == "no such file"


def test_the_jail_s_own_directories(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    found = transfer.whole(serve("-d", str(tmp_path)), {str(tmp_path): (), str(tmp_path / "one"): (), "/nowhere": ()})
    assert found["start", ""].found == str(tmp_path)
    assert found["listing", str(tmp_path)].found == "one, two"
    assert found["listing", str(tmp_path / "one")].found == "nothing"
    assert found["listing", "/nowhere"].found == "refused"


def test_somebody_else_s_change_stays_visible_in_the_time(user: Application, tmp_path: Path) -> None:
    os.utime(tmp_path, (1, 1))
    places = Places()
    with places.held(str(tmp_path)) as here, places.held(str(tmp_path)):
        user.make(here, PREFIX + "x", "text", 0o600)
        (tmp_path / "theirs").touch()
        application.clean(here, [PREFIX + "x"])
    places.close()
    assert os.stat(tmp_path).st_mtime > 1
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_no_link_is_followed_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    places = Places()
    with pytest.raises(Exception, match="is a link or no directory"), places.held(str(tmp_path / "link")):
        pass
    places.close()


def test_the_application_follows_no_link(user: Application, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("text")
    (tmp_path / "name").symlink_to("secret")
    directory = os.open(tmp_path, os.O_RDONLY)
    for work in (
        lambda: user.read(directory, "name"),
        lambda: user.append(directory, "name", "x"),
        lambda: user.make(directory, "name", "x", 0o600),
    ):
        with pytest.raises(application.Refused):
            work()
    os.close(directory)
    assert (tmp_path / "secret").read_text() == "text"


def test_what_is_none_of_ours_is_never_cleaned(tmp_path: Path) -> None:
    (tmp_path / "theirs").touch()
    directory = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(ValueError, match="none of ours"):
        application.clean(directory, ["theirs"])
    os.close(directory)
    assert (tmp_path / "theirs").exists()
