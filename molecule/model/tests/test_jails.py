# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account sees in its jail, and what it does not: several grants, the directories between, hidden parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from clients import Paramiko, Sftp
from conftest import Application, Logins
from logins import Answer
from testinfra.host import Host

TREES = {
    "a mapped folder": ("/data/tree", "/deep/down/tree"),
    "a folder on the overlay": ("/opt/transfer/over", "/deep/over"),
}


def test_an_account_sees_its_grants_and_the_directories_between(logins: Logins) -> None:
    sftp = Sftp(logins.key("mapper"))
    assert sftp.ls("/") == Answer(0, "deep")
    assert sftp.ls("/deep") == Answer(0, "down\nover\nown")
    assert sftp.ls("/deep/down") == Answer(0, "tree")
    assert sftp.ls("/deep/down/tree") == Answer(0, "in\ninternal")


@pytest.mark.parametrize("directory", ["/", "/deep", "/deep/down"])
def test_nothing_is_made_or_moved_between_the_grants(logins: Logins, local: Path, directory: str) -> None:
    sftp = Sftp(logins.key("mapper"))
    new = f"{directory.rstrip('/')}/new"
    assert not sftp.put(local, new).ok
    assert not sftp.mkdir(new).ok
    assert not sftp.rename("/deep/down/tree", new).ok
    assert not sftp.rename("/deep/own", new).ok


def test_an_account_starts_where_it_is_to_start(logins: Logins) -> None:
    [answer] = Sftp(logins.key("mapper")).each("pwd")
    assert answer.strip() == "Remote working directory: /deep/down/tree"
    [answer] = Sftp(logins.key("other", "ben")).each("pwd")
    assert answer.strip() == "Remote working directory: /"


@pytest.mark.parametrize(("directory", "at"), TREES.values(), ids=TREES.keys())
def test_a_hidden_part_shows_nothing_and_takes_nothing(
    host: Host, logins: Logins, local: Path, directory: str, at: str
) -> None:
    worker = Application(host, "worker", f"{directory}/internal")
    assert worker.run("echo secret > secret && mkdir -p sub") == Answer(0, "")
    sftp = Sftp(logins.key("mapper"))
    listed = sftp.ls(f"{at}/internal")
    assert "secret" not in listed.text
    assert not sftp.get(f"{at}/internal/secret", local.with_name("stolen")).ok
    assert not sftp.put(local, f"{at}/internal/secret").ok
    assert not sftp.put(local, f"{at}/internal/sub/new").ok
    assert not sftp.mkdir(f"{at}/internal/new").ok
    assert not sftp.rename(f"{at}/internal", f"{at}/shown").ok
    assert not sftp.rename(f"{at}/internal/secret", f"{at}/secret").ok
    with Paramiko(logins.key("mapper")).session() as session, pytest.raises(OSError, match=r".+"):
        session.rmdir(f"{at}/internal")
    assert worker.run("cat secret; echo more >> secret; cat secret; mv secret done; rm done; ls") == Answer(
        0, "secret\nsecret\nmore\nsub\n"
    )


def test_a_private_folder_is_the_accounts_alone(host: Host, logins: Logins, local: Path) -> None:
    assert Sftp(logins.key("mapper")).put(local, "/deep/own/file").ok
    found = host.file("/srv/sftp/mapper/deep/own")
    assert (found.user, found.mode) == ("mapper", 0o700)
    assert host.run("runuser -u other -- ls /srv/sftp/mapper/deep/own").failed
    assert Sftp(logins.key("other", "ben")).ls("/own") == Answer(0, "")


def test_a_read_only_grant_stands_beside_others(logins: Logins, local: Path) -> None:
    sftp = Sftp(logins.key("other", "ben"))
    assert not sftp.put(local, "/tree/in/file").ok
    assert not sftp.mkdir("/tree/new").ok
    assert not sftp.rename("/tree/in", "/tree/out").ok
    assert sftp.put(local, "/over/in/file").ok
    assert sftp.rm("/over/in/file").ok


def test_no_link_is_made_and_no_file_moved_to_another_account(logins: Logins, local: Path) -> None:
    with Paramiko(logins.key("mapper")).session() as session:
        for link in (session.symlink, lambda old, new: session._request(200, "hardlink@openssh.com", old, new)):
            with pytest.raises(OSError, match=r".+"):
                link("/etc/passwd", "/deep/own/link")
