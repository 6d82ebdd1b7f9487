# SPDX-License-Identifier: GPL-3.0-or-later
"""`sharing: group`: a setgid directory with a common group, with what it can do, and what it says it cannot."""

from __future__ import annotations

import itertools
import typing as t
from pathlib import Path

import pytest
from clients import Paramiko, Scp, Sftp, SftpPreserving
from conftest import Application, Logins
from logins import Answer
from testinfra.host import Host

_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    return f"item{next(_numbers)}"


@pytest.fixture(scope="module")
def worker(host: Host) -> Application:
    return Application(host, "worker", "/data/space")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    (path / "deep").mkdir(parents=True)
    (path / "deep/file").write_text("from the customer\n")
    for each in (path / "deep/file", path / "deep", path):
        each.chmod(0o700 if each.is_dir() else 0o644)
    return path


def test_the_application_and_the_other_account_change_what_one_uploads(
    worker: Application, logins: Logins, local: Path, name: str
) -> None:
    local.chmod(0o664)
    one, other = Sftp(logins.key("sharer1")), Sftp(logins.key("sharer2", "ben"))
    assert one.put(local, f"/space/{name}").ok
    assert worker.run(f"cat {name} && echo more >> {name}") == Answer(0, "from the customer\n")
    assert other.put(local, f"/space/{name}").ok
    assert other.rename(f"/space/{name}", f"/space/{name}.done").ok
    assert worker.run(f"rm {name}.done") == Answer(0, "")


@pytest.mark.parametrize("client", [Sftp, SftpPreserving, Scp], ids=["put -r", "put -pr", "scp -r"])
def test_setgid_survives_a_recursive_upload(
    host: Host, worker: Application, logins: Logins, tree: Path, name: str, client: t.Callable[..., t.Any]
) -> None:
    client(logins.key("sharer1")).put_tree(tree, f"/space/{name}")
    for directory in ("", "/deep"):
        found = host.file(f"/data/space/{name}{directory}")
        assert (found.group, found.mode & 0o2000) == ("space-files", 0o2000), directory
    assert host.file(f"/data/space/{name}/deep/file").group == "space-files"


def test_a_file_with_mode_0644_is_read_by_the_others_and_one_with_0600_is_not(
    worker: Application, logins: Logins, local: Path, name: str
) -> None:
    """The documented limit: here the customer's mode counts."""
    sftp = Sftp(logins.key("sharer1"))
    assert sftp.put(local, f"/space/{name}-closed").ok
    local.chmod(0o644)
    assert sftp.put(local, f"/space/{name}-open").ok
    assert worker.run(f"cat {name}-open") == Answer(0, "from the customer\n")
    assert "Permission denied" in worker.run(f"cat {name}-closed").text


def test_the_application_deletes_what_it_cannot_read(
    worker: Application, logins: Logins, local: Path, name: str
) -> None:
    assert Sftp(logins.key("sharer1")).put(local, f"/space/{name}").ok
    assert worker.run(f"rm -f {name}") == Answer(0, "")


def test_the_accounts_change_what_the_application_makes(worker: Application, logins: Logins, name: str) -> None:
    assert worker.run(f"umask 007; mkdir {name}; echo from the application > {name}/file").ok
    with Paramiko(logins.key("sharer1")).session() as sftp:
        with sftp.open(f"/space/{name}/file", "a") as file:
            file.write("from the customer\n")
        sftp.posix_rename(f"/space/{name}/file", f"/space/{name}/done")
        sftp.mkdir(f"/space/{name}/new")
    with Paramiko(logins.key("sharer2", "ben")).session() as sftp:
        sftp.remove(f"/space/{name}/done")
        sftp.rmdir(f"/space/{name}/new")


def test_new_files_keep_everybody_else_out(host: Host, logins: Logins, local: Path, name: str) -> None:
    local.chmod(0o666)
    assert Sftp(logins.key("sharer1")).put(local, f"/space/{name}").ok
    assert host.file(f"/data/space/{name}").mode & 0o007 == 0
    assert host.run("runuser -u nobody -- cat %s", f"/data/space/{name}").failed


def test_no_client_takes_the_folder_s_mode(host: Host, logins: Logins) -> None:
    Sftp(logins.key("sharer1")).each("chmod 0777 /space", "chmod 0700 /space")
    found = host.file("/data/space")
    assert (found.user, found.group, found.mode) == ("worker", "space-files", 0o2770)
