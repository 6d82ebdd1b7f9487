# SPDX-License-Identifier: GPL-3.0-or-later
"""The twelve operations that change something: in grants that are read only, in hidden parts, and around them."""

from __future__ import annotations

import itertools
import os
import typing as t

import pytest
from conftest import Accounts, Application
from logins import Answer
from packets import (
    CREATING,
    EMPTYING,
    MKDIR,
    NOTHING,
    REMOVE,
    RENAME,
    RMDIR,
    SETSTAT,
    SYMLINK,
    WRITING,
    Attributes,
    Packets,
    Reply,
    mode,
    owner,
    times,
)

KIND = "sftp"  # of the accounts that attempt these

Operation = t.Callable[[Packets, str], Reply]
_numbers = itertools.count()

# On a directory in which there are `file` and an empty `dir`.
OPERATIONS: dict[str, Operation] = {
    "writes to a file": lambda packets, at: packets.written(f"{at}/file", WRITING),
    "creates a file": lambda packets, at: packets.written(f"{at}/new", WRITING | CREATING | EMPTYING),
    "makes a directory": lambda packets, at: packets.ask(MKDIR, f"{at}/new", Attributes(NOTHING)),
    "removes a directory": lambda packets, at: packets.ask(RMDIR, f"{at}/dir"),
    "removes a file": lambda packets, at: packets.ask(REMOVE, f"{at}/file"),
    "renames a file": lambda packets, at: packets.ask(RENAME, f"{at}/file", f"{at}/new"),
    "renames a file over others": lambda packets, at: packets.extended(
        "posix-rename@openssh.com", f"{at}/file", f"{at}/new"
    ),
    "changes a mode": lambda packets, at: packets.ask(SETSTAT, f"{at}/file", Attributes(mode(0o777))),
    "changes a mode by handle": lambda packets, at: packets.set_by_handle(f"{at}/file", mode(0o777)),
    "changes times without following links": lambda packets, at: packets.extended(
        "lsetstat@openssh.com", f"{at}/file", Attributes(times(1, 1))
    ),
    "makes a link": lambda packets, at: packets.ask(SYMLINK, f"{at}/file", f"{at}/new"),
    "makes a hard link": lambda packets, at: packets.extended("hardlink@openssh.com", f"{at}/file", f"{at}/new"),
}
PLACES = {name: f"place{number}" for number, name in enumerate(OPERATIONS)}  # so that none undoes what another needs
LINKS = {"makes a link", "makes a hard link"}
assert len(OPERATIONS) == 12

CLOSED = {
    "a read-only folder": ("customer", "/catalog"),
    "a read-only folder of bindfs": ("customer", "/prices"),
    "a read-only folder that has no other beside it": ("reader", "/catalog"),
    "a read-only folder of bindfs that has no other beside it": ("reader", "/prices"),
    "a hidden part": ("customer", "/shared/internal"),
    "a hidden part of bindfs": ("customer", "/over/internal"),
}
BEHIND = {
    "/data/catalog": "app",
    "/opt/transfer/prices": "app",
    "/data/shared/internal": "app",
    "/opt/transfer/over/internal": "app",
}
PICTURE = f"""
find {" ".join(BEHIND)} -printf '%p %M %u %g %s %T@\\n'
cat {" ".join(f"{path}/file {path}/place*/file" for path in BEHIND)}
find /srv/sftp/customer /srv/sftp/customer/* -maxdepth 0 -printf '%p %M %u %g\\n'
"""


@pytest.fixture(scope="module", autouse=True)
def before(accounts: Accounts) -> str:
    """What there is to change, as its applications made it."""
    for directory, user in BEHIND.items():
        each = "rm -rf $place; mkdir -p $place/dir; echo content > $place/file; chmod 0664 $place/file"
        script = f"rm -f file; echo content > file; for place in {' '.join(PLACES.values())}; do {each}; done"
        assert Application(accounts, user, directory).run(script).ok
    return accounts.root(PICTURE).text


@pytest.mark.control
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_with_a_shell_one(accounts: Accounts, operation: Operation) -> None:
    """The control of all that follow: each operation is one that works."""
    assert operation(*_sandbox(accounts.packets("keeper"), "/home/keeper")).ok


@pytest.mark.control
@pytest.mark.parametrize(("name", "operation"), OPERATIONS.items(), ids=OPERATIONS.keys())
@pytest.mark.parametrize("at", ["/own", "/shared", "/over"])
def test_in_its_folders_a_customer(accounts: Accounts, at: str, name: str, operation: Operation) -> None:
    """All but links, which lead somewhere else for the application than in the jail."""
    assert operation(*_sandbox(accounts.packets("customer"), at)).ok is (name not in LINKS)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS.items(), ids=OPERATIONS.keys())
@pytest.mark.parametrize(("account", "at"), CLOSED.values(), ids=CLOSED.keys())
def test_in_a_closed_place_an_account(
    accounts: Accounts, account: str, at: str, name: str, operation: Operation
) -> None:
    assert not operation(accounts.packets(account), f"{at}/{PLACES[name]}").ok


def _sandbox(packets: Packets, parent: str) -> tuple[Packets, str]:
    at = f"{parent}/sandbox-{os.getpid()}-{next(_numbers)}"
    assert packets.ask(MKDIR, at, Attributes(NOTHING)).ok
    assert packets.ask(MKDIR, f"{at}/dir", Attributes(NOTHING)).ok
    assert packets.written(f"{at}/file", WRITING | CREATING).ok
    return packets, at


# The jail's own directories, which are root's
AROUND: dict[str, Operation] = {
    "creates a file in the jail": lambda packets, _: packets.written("/new", WRITING | CREATING),
    "creates a file above the jail": lambda packets, _: packets.written("/../new", WRITING | CREATING),
    "makes a directory in the jail": lambda packets, _: packets.ask(MKDIR, "/new", Attributes(NOTHING)),
    "makes a link in the jail": lambda packets, _: packets.ask(SYMLINK, "/etc", "/new"),
    "makes /etc in the jail": lambda packets, _: packets.ask(MKDIR, "/etc", Attributes(NOTHING)),
    "opens the jail to everybody": lambda packets, _: packets.ask(SETSTAT, "/", Attributes(mode(0o777))),
    "opens the jail to everybody by handle": lambda packets, _: packets.set_by_handle("/", mode(0o777)),
    "takes the jail": lambda packets, _: packets.ask(SETSTAT, "/", Attributes(owner(1000, 1000))),
    "renames the mount point": lambda packets, at: packets.ask(RENAME, at, "/new"),
    "renames the mount point over another": lambda packets, at: packets.extended(
        "posix-rename@openssh.com", at, "/catalog" if at != "/catalog" else "/own"
    ),
    "moves the mount point into a folder": lambda packets, at: packets.extended(
        "posix-rename@openssh.com", at, "/own/new" if at != "/own" else "/shared/new"
    ),
    "removes the mount point": lambda packets, at: packets.ask(RMDIR, at),
    "removes the mount point as a file": lambda packets, at: packets.ask(REMOVE, at),
    "gives the mount point to root": lambda packets, at: packets.ask(SETSTAT, at, Attributes(owner(0, 0))),
}
POINTS = ["/own", "/shared", "/over", "/catalog", "/shared/internal", "/over/internal"]


@pytest.mark.parametrize(
    ("operation", "at"),
    [
        pytest.param(operation, at, id=name.replace("the mount point", at))
        for name, operation in AROUND.items()
        for at in (POINTS if "the mount point" in name else [""])
    ],
)
def test_around_its_folders_a_customer(customer: Packets, operation: Operation, at: str) -> None:
    assert not operation(customer, at).ok


# From a grant into another, or out of all of them: the source, which is there, and the target.
MOVES = {
    "out of a read-only folder": ("/catalog/file", "/own/moved"),
    "out of a read-only folder of bindfs": ("/prices/file", "/own/moved"),
    "into a read-only folder": ("/own/mine", "/catalog/moved"),
    "over a file in a read-only folder": ("/own/mine", "/catalog/file"),
    "out of a hidden part": ("/shared/internal/file", "/shared/moved"),
    "into a hidden part": ("/own/mine", "/shared/internal/moved"),
    "into a hidden part within its folder": ("/shared/mine", "/shared/internal/moved"),
    "out of the jail": ("/own/mine", "/../../../tmp/moved"),
    "to a neighbour": ("/own/mine", "/../neighbour/own/moved"),
    "to a neighbour's real place": ("/own/mine", "/srv/sftp/neighbour/own/moved"),
    "from a neighbour": ("/../neighbour/own/file", "/own/moved"),
    "from the host": ("/etc/passwd", "/own/moved"),
}
WAYS = {
    "renames": lambda packets, old, new: packets.ask(RENAME, old, new),
    "renames over": lambda packets, old, new: packets.extended("posix-rename@openssh.com", old, new),
    "links": lambda packets, old, new: packets.extended("hardlink@openssh.com", old, new),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize(("old", "new"), MOVES.values(), ids=MOVES.keys())
def test_a_customer_moves(customer: Packets, old: str, new: str, way: t.Callable[[Packets, str, str], Reply]) -> None:
    for mine in ("/own/mine", "/shared/mine"):
        assert customer.written(mine, WRITING | CREATING).ok
    assert not way(customer, old, new).ok
    if way is not WAYS["links"]:
        assert way(customer, "/own/mine", "/own/yours").ok
        assert customer.ask(REMOVE, "/own/yours").ok


@pytest.mark.parametrize("at", ["/own", "/shared", "/over"])
@pytest.mark.parametrize("user", ["root", "app", "neighbour", "partner"])
def test_a_customer_gives_its_file_to(accounts: Accounts, at: str, user: str) -> None:
    ids = [int(each) for each in accounts.root(f"id -u {user}; id -g {user}").text.split()]
    packets, sandbox = _sandbox(accounts.packets("customer"), at)
    assert not packets.ask(SETSTAT, f"{sandbox}/file", Attributes(owner(*ids))).ok
    assert not packets.set_by_handle(f"{sandbox}/file", owner(*ids)).ok
    assert packets.set_by_handle(f"{sandbox}/file", mode(0o600)).ok


@pytest.mark.control
def test_all_is_as_before(accounts: Accounts, before: str) -> None:
    """Whatever the replies said: after the attempts above nothing that is closed has changed."""
    assert accounts.root(PICTURE) == Answer(0, before)
