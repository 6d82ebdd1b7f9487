# SPDX-License-Identifier: GPL-3.0-or-later
"""`sharing: mapped` where the file system maps by itself (/data) and where bindfs does (/opt): the same promises."""

from __future__ import annotations

import itertools
import typing as t
from pathlib import Path

import pytest
from clients import Paramiko, Sftp, SftpPreserving
from conftest import Application, Logins
from logins import Answer
from testinfra.host import Host

_numbers = itertools.count()


class Place(t.NamedTuple):
    """A directory as its application and as an account see it."""

    user: str
    group: str
    directory: str
    account: str
    at: str
    type: str


PLACES = {
    "a folder": Place("worker", "worker", "/data/tree", "mapper", "/deep/down/tree", "idmap"),
    "a folder on the overlay": Place("worker", "worker", "/opt/transfer/over", "mapper", "/deep/over", "bindfs"),
    "a source": Place("worker", "worker", "/data/sources/plain", "sourced", "/plain", "idmap"),
    "a source with another group": Place("worker", "extra-files", "/data/sources/named", "sourced", "/named", "idmap"),
    "a source on the overlay": Place("worker", "worker", "/opt/sources/plain", "sourced", "/opt/plain", "bindfs"),
    "a source in a home": Place("planter", "planter", "/data/planter/outbox", "planted", "/data", "idmap"),
    "a source in an overlaid home": Place("planter", "planter", "/home/planter/outbox", "planted", "/home", "bindfs"),
}


@pytest.fixture(params=PLACES.values(), ids=PLACES.keys())
def place(request: pytest.FixtureRequest) -> Place:
    return t.cast(Place, request.param)


@pytest.fixture
def name() -> str:
    return f"item{next(_numbers)}"


def test_the_file_system_decides_how_it_is_mounted(host: Host, place: Place) -> None:
    found = host.check_output("findmnt -rno FSTYPE,OPTIONS /srv/sftp/%s%s", place.account, place.at)
    kind, options = found.split()
    assert (kind == "fuse.bindfs") is (place.type == "bindfs")
    assert {"nosuid", "nodev", "noexec"} <= set(options.split(","))


def test_the_application_owns_what_is_uploaded(
    host: Host, logins: Logins, place: Place, name: str, tmp_path: Path
) -> None:
    """Whatever modes the customer sends."""
    (tmp_path / "tree/deep").mkdir(parents=True)
    for mode in (0o600, 0o644, 0o400):
        file = tmp_path / f"tree/deep/{mode:04o}"
        file.write_text("from the customer\n")
        file.chmod(mode)
    (tmp_path / "tree/deep").chmod(0o700)
    assert SftpPreserving(logins.key(place.account)).put_tree(tmp_path / "tree", f"{place.at}/{name}").ok
    found = host.file(f"{place.directory}/{name}/deep/0600")
    assert (found.user, found.group) == (place.user, place.group)
    each = "cat $file; chmod u+w $file; echo more >> $file; mv $file ../done; rm ../done"
    work = f"set -e; cd {name}/deep; for file in 0???; do {each}; done; cd ../..; rm -r {name}"
    assert Application(host, place.user, place.directory).run(work) == Answer(0, "from the customer\n" * 3)


def test_a_file_is_renamed_while_it_is_written(host: Host, logins: Logins, place: Place, name: str) -> None:
    application = Application(host, place.user, place.directory)
    with Paramiko(logins.key(place.account)).session() as sftp, sftp.open(f"{place.at}/{name}.part", "w") as file:
        file.chmod(0o600)
        file.write("first\n")
        sftp.posix_rename(f"{place.at}/{name}.part", f"{place.at}/{name}")
        assert application.run(f"cat {name} && mv {name} {name}.taken") == Answer(0, "first\n")
        file.write("second\n")
    assert application.run(f"cat {name}.taken; rm {name}.taken") == Answer(0, "first\nsecond\n")


def test_a_customer_owns_what_the_application_makes(host: Host, logins: Logins, place: Place, name: str) -> None:
    made = Application(host, place.user, place.directory).run(
        f"umask 077; mkdir -p {name}/deep; echo from the application > {name}/deep/file"
    )
    assert made.ok, made
    with Paramiko(logins.key(place.account)).session() as sftp:
        path = f"{place.at}/{name}/deep/file"
        with sftp.open(path, "a") as file:
            file.write("from the customer\n")
        with sftp.open(path) as file:
            assert file.read() == b"from the application\nfrom the customer\n"
        sftp.chmod(path, 0o640)
        sftp.posix_rename(path, f"{place.at}/{name}/file")
        sftp.remove(f"{place.at}/{name}/file")
        sftp.rmdir(f"{place.at}/{name}/deep")
        sftp.rmdir(f"{place.at}/{name}")


@pytest.mark.parametrize("at", ["/roots", "/opt/roots"])
def test_what_root_owns_is_read_and_never_written(logins: Logins, local: Path, tmp_path: Path, at: str) -> None:
    sftp = Sftp(logins.key("sourced"))
    assert sftp.get(f"{at}/file", tmp_path / "back").ok
    assert (tmp_path / "back").read_text() == "from root\n"
    for answer in (sftp.put(local, f"{at}/new"), sftp.put(local, f"{at}/file"), sftp.mkdir(f"{at}/new")):
        assert not answer.ok
    assert not sftp.rename(f"{at}/file", f"{at}/moved").ok
    assert not sftp.rm(f"{at}/file").ok


def test_a_link_of_the_application_s_leads_out_of_no_mount(host: Host, logins: Logins, place: Place, name: str) -> None:
    application = Application(host, place.user, place.directory)
    assert application.run(f"ln -s /etc {name}; ln -s ../../../../../../../etc {name}.up").ok
    with Paramiko(logins.key(place.account)).session() as sftp:
        for link in (name, f"{name}.up"):
            with pytest.raises(OSError, match=r".+"):
                sftp.listdir(f"{place.at}/{link}")
            with pytest.raises(OSError, match=r".+"):
                sftp.open(f"{place.at}/{link}/passwd")
    assert application.run(f"rm {name} {name}.up").ok
