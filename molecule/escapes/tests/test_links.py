# SPDX-License-Identifier: GPL-3.0-or-later
"""Links that the application planted in a folder that it shares: a customer goes through them to where they point."""

from __future__ import annotations

import typing as t

import pytest
from conftest import Accounts, Application
from logins import Answer
from packets import (
    CREATING,
    EMPTYING,
    MKDIR,
    NOTHING,
    OPENDIR,
    REMOVE,
    RENAME,
    RMDIR,
    SETSTAT,
    STAT,
    WRITING,
    Attributes,
    Packets,
    Reply,
    mode,
)

KIND = "sftp"  # of the accounts that attempt these

GRANTS = {
    "/shared": "/data/shared",
    "/over": "/opt/transfer/over",
    "/catalog": "/data/catalog",
    "/prices": "/opt/transfer/prices",
}
OUTSIDE = "/srv/outside"  # where everybody may do everything
FILES = {
    "the users": "/etc/passwd",
    "the users, upwards": "../../../../../../etc/passwd",
    "the users, through a process": "/proc/self/root/etc/passwd",
    "another process": "/proc/1/cmdline",
    "everybody's file": f"{OUTSIDE}/file",
    "everybody's file, upwards": f"../../../..{OUTSIDE}/file",
    "the folder's own file from the host's side": "GRANT/file",
    "another folder's file from the host's side": "/data/catalog/file",
    "a neighbour's file": "/srv/sftp/neighbour/own/file",
    "another application's file": "/data/other/secret",
    "a device": "/dev/zero",
}


PICTURE = f"find {OUTSIDE} -printf '%p %M %u %s\\n' | sort"
FORBIDDEN = {"/data/other/secret", "/srv/sftp/neighbour/own/file"}  # to the application, too


@pytest.fixture(scope="module", autouse=True)
def planted(accounts: Accounts) -> str:
    """In every grant a directory of links, and a place that nothing but the jail keeps a customer from."""
    assert accounts.packets("neighbour").written("/own/file", WRITING | CREATING).ok
    assert accounts.root(
        f"install -d -m 0777 {OUTSIDE} {OUTSIDE}/dir && echo outside > {OUTSIDE}/file && chmod 0666 {OUTSIDE}/file"
    ).ok
    for directory in GRANTS.values():
        assert Application(accounts, "app", directory).run("echo content > file").ok
    for directory in GRANTS.values():
        links = [
            f"ln -sfn {target.replace('GRANT', directory)} {number}" for number, target in enumerate(FILES.values())
        ]
        links += [f"ln -sfn {OUTSIDE} out", f"ln -sfn ../../../../..{OUTSIDE} up", "ln -sfn /own own"]
        reads = [f"head -c 9 {number}" for number, target in enumerate(FILES.values()) if target not in FORBIDDEN]
        script = f"mkdir -p links; cd links; {'; '.join(links)}; {' && '.join(reads)}"
        assert Application(accounts, "app", directory).run(f"{{ {script}; }} >/dev/null") == Answer(0, "")
    return accounts.root(PICTURE).text


@pytest.mark.parametrize("at", GRANTS)
@pytest.mark.parametrize("number", range(len(FILES)), ids=FILES.keys())
def test_a_customer_reads_through_a_link_to(accounts: Accounts, at: str, number: int) -> None:
    """The application can, as far as it may (see above)."""
    customer, link = accounts.packets("customer"), f"{at}/links/{number}"
    for reply in (customer.read(link), customer.ask(STAT, link), customer.listed(link)):
        assert not reply.ok
    assert customer.read(f"{at}/file").texts == ["content\n"]


WRITES: dict[str, tuple[str, t.Callable[[Packets, str], Reply]]] = {
    "reads a file in": ("cat {}/file", lambda packets, out: packets.read(f"{out}/file")),
    "writes to a file in": ("printf '' >> {}/file", lambda packets, out: packets.written(f"{out}/file", WRITING)),
    "creates a file in": (
        "touch {}/app && rm {}/app",
        lambda packets, out: packets.written(f"{out}/new", WRITING | CREATING | EMPTYING),
    ),
    "lists": ("ls {}/", lambda packets, out: packets.ask(OPENDIR, out)),
    "makes a directory in": (
        "mkdir {}/app && rmdir {}/app",
        lambda packets, out: packets.ask(MKDIR, f"{out}/new", Attributes(NOTHING)),
    ),
    "removes a file from": ("touch {}/app && rm {}/app", lambda packets, out: packets.ask(REMOVE, f"{out}/file")),
    "removes a directory from": ("mkdir {}/app && rmdir {}/app", lambda packets, out: packets.ask(RMDIR, f"{out}/dir")),
    "moves a file into": (
        "touch mine && mv mine {}/ && rm {}/mine",
        lambda packets, out: packets.ask(RENAME, "/own/mine", f"{out}/new"),
    ),
    "moves a file out of": (
        "touch {}/mine && mv {}/mine . && rm mine",
        lambda packets, out: packets.ask(RENAME, f"{out}/file", "/own/stolen"),
    ),
    "changes a mode in": (
        "touch {}/app && chmod 0600 {}/app && rm {}/app",
        lambda packets, out: packets.ask(SETSTAT, f"{out}/file", Attributes(mode(0o600))),
    ),
}


@pytest.mark.parametrize("at", ["/shared", "/over"])
@pytest.mark.parametrize("link", ["out", "up"])
@pytest.mark.parametrize(("control", "attempt"), WRITES.values(), ids=WRITES.keys())
def test_through_a_link_to_a_directory_a_customer(
    accounts: Accounts,
    planted: str,
    at: str,
    link: str,
    control: str,
    attempt: t.Callable[[Packets, str], Reply],
) -> None:
    """The application, through the same link, may."""
    application = Application(accounts, "app", GRANTS[at])
    assert application.run(control.replace("{}", f"links/{link}")).ok
    customer = accounts.packets("customer")
    assert customer.written("/own/mine", WRITING | CREATING).ok
    assert not attempt(customer, f"{at}/links/{link}").ok
    assert accounts.root(PICTURE) == Answer(0, planted)


@pytest.mark.control
@pytest.mark.parametrize("at", ["/shared", "/over"])
def test_a_link_to_a_place_in_the_jail_leads_there(accounts: Accounts, at: str) -> None:
    customer = accounts.packets("customer")
    assert customer.written("/own/mine", WRITING | CREATING).ok
    assert "mine" in customer.listed(f"{at}/links/own").texts


HARD = {
    "a file of root's": "/etc/hostname",
    "a neighbour's file": "/data/other/secret",
    "another application's folder": "/data/other",
}


@pytest.mark.parametrize("target", HARD.values(), ids=HARD.keys())
def test_the_application_plants_a_hard_link_to(accounts: Accounts, target: str) -> None:
    """What it may not change itself, it cannot hand on: the kernel sees to that (fs.protected_hardlinks)."""
    application = Application(accounts, "app", "/data/shared")
    assert application.run("echo x > mine; ln mine its-own; rm its-own mine").ok
    assert not application.run(f"ln {target} hard").ok
    assert not accounts.root("ls -d /data/shared/hard").ok
