# SPDX-License-Identifier: GPL-3.0-or-later
"""An sftp account reads what lies outside its folders, by every name that could lead there."""

from __future__ import annotations

import contextlib
import struct
import typing as t

import pytest
from conftest import Accounts
from logins import SECONDS
from packets import FSTAT, HANDLE, LSTAT, OPEN, OPENDIR, READ, READLINK, STAT, STATUS, WRITE, Offset, Packets
from wire import Wire

KIND = "sftp"  # of the accounts that attempt these

# What a customer asks for, and where it is for a user with a shell, who may read it; nowhere for what is a mere name.
FILES: dict[str, tuple[bytes, bytes | None]] = {
    "an absolute path": (b"/etc/passwd", b"/etc/passwd"),
    "a way up from the start": (b"../../../../etc/passwd", b"../../../../etc/passwd"),
    "a way up from a mapped folder": (b"/shared/../../../../etc/passwd", b"/home/../../../../etc/passwd"),
    "a way up from its own folder": (b"/own/../../../../etc/passwd", b"/home/../../../../etc/passwd"),
    "a way up with dots and slashes": (b"/.//own/./..//../etc/./passwd", b"/.//home/./..//../etc/./passwd"),
    "a way up of 1,000 steps": (b"../" * 1000 + b"etc/passwd", b"../" * 1000 + b"etc/passwd"),
    "a way up that is too long": (b"../" * 3000 + b"etc/passwd", None),
    "a name of 5,000 characters": (b"/own/" + b"x" * 5000, None),
    "an encoded way up": (b"/own/%2e%2e/%2e%2e/%2e%2e/etc/passwd", None),
    "an encoded slash": (b"/own/..%2f..%2f..%2fetc%2fpasswd", None),
    "an overlong encoding": (b"/own/\xc0\xae\xc0\xae/\xc0\xae\xc0\xae/etc/passwd", None),
    "wide dots": (b"/own/\xef\xbc\x8e\xef\xbc\x8e/\xef\xbc\x8e\xef\xbc\x8e/etc/passwd", None),
    "backslashes": (b"\\..\\..\\etc\\passwd", None),
    "a NUL before the way up": (b"/own/file\0/../../../etc/passwd", None),
    "a NUL after the path": (b"/etc/passwd\0.txt", None),
    "a line's end": (b"/own/file\n/etc/passwd", None),
    "a home": (b"~root/../etc/passwd", None),
    "a variable": (b"$HOME/../../etc/passwd", None),
    "a URL": (b"file:///etc/passwd", None),
    "the root of a process": (b"/proc/self/root/etc/passwd", b"/proc/self/root/etc/passwd"),
    "the directory of a process": (b"/proc/self/cwd/../../etc/passwd", b"/proc/self/cwd/../../etc/passwd"),
    "the mounts": (b"/proc/self/mountinfo", b"/proc/self/mountinfo"),
    "another process": (b"/proc/1/cmdline", b"/proc/1/cmdline"),
    "a device": (b"/dev/zero", b"/dev/zero"),
    "the kernel": (b"/sys/kernel/mm/transparent_hugepage/enabled", b"/proc/version"),
    "its own keys": (b"/etc/ssh/authorized_keys.d/customer", b"/etc/ssh/authorized_keys.d/customer"),
    "the host's settings": (b"/etc/ssh/sshd_config", b"/etc/ssh/sshd_config"),
    "the mount table": (b"/etc/sallyport/fstab", b"/etc/sallyport/fstab"),
    "a program": (b"/usr/bin/id", b"/usr/bin/id"),
}


@pytest.mark.parametrize(("path", "control"), FILES.values(), ids=FILES.keys())
def test_a_customer_reads(accounts: Accounts, customer: Packets, path: bytes, control: bytes | None) -> None:
    assert control is None or accounts.packets("keeper").read(control).ok
    for reply in (customer.read(path), accounts.packets("customer").read(path.replace(b"/own", b"/shared"))):
        assert not reply.ok
        assert b"root:" not in reply.payload


# Files of others, whose names a customer may know; root sees that they are there.
OTHERS = {
    "its own folder from the host's side": "/srv/sftp/customer/own",
    "the application's folder from the host's side": "/data/shared",
    "another account's jail": "/srv/sftp/neighbour",
    "another account's private folder": "/srv/sftp/neighbour/own",
    "another application's folder": "/data/other/secret",
    "a hidden part from the host's side": "/data/shared/internal",
    "the home of root": "/root/secret",
    "the home of a shell account": "/home/keeper",
    "the state of record": "/var/lib/sallyport/record.json",
}
LOOKS: dict[str, t.Callable[[Packets, str], bool]] = {
    "read": lambda packets, path: packets.read(path).ok,
    "list": lambda packets, path: packets.listed(path).ok,
    "stat": lambda packets, path: packets.ask(STAT, path).ok,
    "lstat": lambda packets, path: packets.ask(LSTAT, path).ok,
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
@pytest.mark.parametrize("path", OTHERS.values(), ids=OTHERS.keys())
def test_a_customer_looks_at(
    accounts: Accounts, customer: Packets, path: str, look: t.Callable[[Packets, str], bool]
) -> None:
    assert accounts.root(f"test -e {path}").ok
    for name in (path, f"/shared/../../../..{path}", f"/own/../../neighbour/../../..{path}"):
        assert not look(customer, name)
    assert any(try_(customer, "/own") for try_ in LOOKS.values())


@pytest.mark.parametrize("path", ["/", "/..", "/../../..", ".", "/own/../..", "/shared/in/../../../..", "//"])
def test_a_customer_lists_what_is_above_its_folders(accounts: Accounts, customer: Packets, path: str) -> None:
    assert set(customer.listed(path).texts) == {".", "..", "shared", "over", "catalog", "prices", "own"}
    assert "etc" in accounts.packets("keeper").listed("/..").texts


@pytest.mark.parametrize(
    "path", ["/proc", "/dev", "/sys", "/etc", "/srv", "/srv/sftp", "/data", "/home", "/run", "/tmp"]
)
def test_a_customer_lists(accounts: Accounts, customer: Packets, path: str) -> None:
    assert accounts.packets("keeper").listed(path).ok
    assert not customer.listed(path).ok
    assert not customer.listed(f"/shared/../..{path}").ok


@pytest.mark.parametrize("link", ["/proc/self/root", "/proc/self/exe", "/proc/self/cwd", "/dev/stdin"])
def test_a_customer_reads_the_link(accounts: Accounts, customer: Packets, link: str) -> None:
    assert accounts.packets("keeper").ask(READLINK, link).ok
    assert not customer.ask(READLINK, link).ok


@pytest.mark.parametrize("path", ["/", "/..", "/shared", "/over", "/catalog", "/prices", "/own", "/shared/in"])
def test_a_customer_learns_the_names_of_owners_by_listing(accounts: Accounts, customer: Packets, path: str) -> None:
    """It learns their numbers, which are root's and its own."""

    def owners(packets: Packets, path: str) -> set[str]:
        return {column for _name, line in packets.listed(path).names for column in line.split()[2:4]}

    assert "root" in owners(accounts.packets("keeper"), "/")
    own = accounts.root("id -u customer; id -g customer").text.split()
    assert owners(customer, path) <= {"0", *own}


# Extensions that newer servers offer, and what a user with a shell learns by them.
PACKED = struct.Struct(">II")
EXTENSIONS: dict[str, tuple[str, tuple[t.Any, ...], bytes]] = {
    "the home of root": ("home-directory", ("root",), b"/root"),
    "the home of a neighbour": ("home-directory", ("neighbour",), b"/"),
    "the home of root by a tilde": ("expand-path@openssh.com", ("~root",), b"/root"),
    "the names of users": ("users-groups-by-id@openssh.com", (PACKED.pack(0, 1), b""), b"root"),
    "the names of groups": ("users-groups-by-id@openssh.com", (b"", PACKED.pack(0, 42)), b"shadow"),
    "the disk of the host": ("statvfs@openssh.com", ("/etc",), b""),
    "the disk of another application": ("statvfs@openssh.com", ("/data",), b""),
}


@pytest.mark.parametrize(("name", "fields", "learned"), EXTENSIONS.values(), ids=EXTENSIONS.keys())
def test_a_customer_learns_by_an_extension(
    accounts: Accounts, customer: Packets, name: str, fields: tuple[t.Any, ...], learned: bytes
) -> None:
    keeper = accounts.packets("keeper")
    control = keeper.extended(name, *fields)
    assert control.ok is (name.encode() in keeper.extensions)
    assert not control.ok or learned in control.payload
    answer = customer.extended(name, *fields)
    assert not answer.ok or (learned not in answer.payload and b"/" not in answer.payload)


def _forged(packets: Packets) -> t.Iterator[bool]:
    for number in range(8):
        yield packets.ask(READ, struct.pack(">I", number), Offset(0), 100).ok
        yield packets.ask(FSTAT, struct.pack(">I", number)).ok


def _of_another_session(packets: Packets, other: Packets) -> t.Iterator[bool]:
    handle = other.ask(OPENDIR, "/").payload[4:]
    yield packets.ask(12, handle).ok
    yield packets.ask(WRITE, handle, Offset(0), b"x").ok


def test_a_customer_uses_handles_that_nobody_gave_it(accounts: Accounts) -> None:
    fresh = Packets(accounts.wire("customer"))
    assert not any(_forged(fresh))
    assert not any(_of_another_session(fresh, accounts.packets("neighbour")))
    assert fresh.listed("/").ok
    fresh.close()


BROKEN = {
    "a request before the greeting": struct.pack(">BII", OPEN, 1, 11) + b"/etc/passwd" + bytes(8),
    "a greeting of another version": struct.pack(">BI", 1, 0xFFFFFFFF),
    "an unknown request": struct.pack(">BI", 99, 1),
    "an empty packet": b"",
    "a string that is longer than its packet": struct.pack(">BII", OPEN, 1, 0x7FFFFFFF) + b"/etc/passwd",
    "a packet of a megabyte": struct.pack(">BII", OPEN, 1, 1 << 20) + b"/" * (1 << 20),
}


# What comes after it, in case the server takes it: a greeting, /etc/passwd to be opened, and a last word
SOUND = (
    struct.pack(">BI", 1, 3),
    struct.pack(">BII", OPEN, 2, 11) + b"/etc/passwd" + struct.pack(">II", 1, 0),
    struct.pack(">BII", FSTAT, LAST := 3, 0),
)


@pytest.mark.parametrize("packet", BROKEN.values(), ids=BROKEN.keys())
def test_a_customer_sends(accounts: Accounts, packet: bytes) -> None:
    assert HANDLE in _kinds(accounts.wire("keeper"), *SOUND)
    assert HANDLE not in _kinds(accounts.wire("customer"), packet, *SOUND)
    assert accounts.packets("customer").listed("/own").ok  # the next session is as any other


def _kinds(wire: Wire, *packets: bytes) -> list[int]:
    """What kinds of packets answer, up to the last one, or until the server has had enough."""
    found = []
    with wire.channel() as channel:
        channel.settimeout(SECONDS)
        channel.invoke_subsystem("sftp")
        with contextlib.suppress(OSError):
            channel.sendall(b"".join(struct.pack(">I", len(packet)) + packet for packet in packets))
        with channel.makefile("rb") as answers:
            while header := answers.read(9):
                length, kind, number = struct.unpack(">IBI", header)
                answers.read(length - 5)
                found.append(kind)
                if (kind, number) == (STATUS, LAST):
                    break
    return found
