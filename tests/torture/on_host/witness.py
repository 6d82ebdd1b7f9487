# SPDX-License-Identifier: GPL-3.0-or-later
"""Sees every program that a container starts and every file that it writes, however short they last.

    witness PID

Runs outside of the container whose first process has this number, as root. A program that loads shared libraries is
held for a moment when it opens their list (fanotify), so that its arguments and environment can be read; a file is
looked into whenever somebody has written to it, be it gone from its directory by then. What looks like a canary or
the hash of a password is remembered with its place, until the input ends; then all of it is printed as JSON.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import re
import select
import struct
import sys
import time

CLASS_NOTIFY, CLASS_CONTENT, CLOEXEC, UNLIMITED = 0x0, 0x4, 0x1, 0x10
MARK_ADD, MARK_MOUNT, MARK_FILESYSTEM = 0x1, 0x10, 0x100
MODIFY, CLOSE_WRITE, OPEN_PERM, OVERFLOW = 0x2, 0x8, 0x10000, 0x4000
ALLOW = 0x1
HERE = -100
EVENT = struct.Struct("=IBBHQii")
OWN = ("overlay", "tmpfs")  # filesystems that are the container's alone; of others, only its mounts are watched
LONGEST, LARGEST = 1800, 64 << 20

libc = ctypes.CDLL(None, use_errno=True)


def secrets() -> re.Pattern[bytes]:
    """A canary, its beginning in base64 at any alignment, and what follows the salt of a hash."""
    encoded = (base64.b64encode(b"x" * shift + b"Canary-") for shift in range(3))
    beginnings = [re.escape(text[4 if shift else 0 : 8]) for shift, text in enumerate(encoded)]
    known = rb"Canary-[0-9a-f]{32}|(?<=\$)[./A-Za-z0-9]{86}(?![./A-Za-z0-9])"
    return re.compile(known + b"|(?:" + b"|".join(beginnings) + rb")[A-Za-z0-9+/]{20,}")


SECRET = secrets()


class Witness:
    def __init__(self, pid: str) -> None:
        self.root = f"/proc/{pid}/root"
        self.found: set[tuple[str, str]] = set()
        self.programs = self.files = 0
        self.programs_group = group(CLASS_CONTENT)
        mark(self.programs_group, MARK_ADD, OPEN_PERM, f"{self.root}/etc/ld.so.cache")
        self.groups: dict[int, str] = {}
        for target, kind in mounts(pid):
            descriptor = group(CLASS_NOTIFY)
            with contextlib.suppress(OSError):
                how = MARK_FILESYSTEM if kind in OWN else MARK_MOUNT
                mark(descriptor, MARK_ADD | how, MODIFY | CLOSE_WRITE, self.root + target)
                self.groups[descriptor] = target.rstrip("/")

    def look(self) -> None:
        poll = select.poll()
        for descriptor in (self.programs_group, *self.groups, sys.stdin.fileno()):
            poll.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            ready = {descriptor for descriptor, _ in poll.poll(1000)}
            if self.programs_group in ready:  # somebody waits for us
                self._programs()
                continue
            for descriptor in ready & self.groups.keys():
                self._files(descriptor)
            if ready == {sys.stdin.fileno()}:
                return

    def _programs(self) -> None:
        for _mask, descriptor, pid in events(self.programs_group):
            with contextlib.suppress(OSError):
                arguments = read(f"/proc/{pid}/cmdline")
                self.programs += 1
                shown = arguments[:60].replace(b"\0", b" ").decode("latin-1")
                self._remember(f"arguments of {shown}", arguments)
                self._remember(f"environment of {shown}", read(f"/proc/{pid}/environ"))
            os.write(self.programs_group, struct.pack("=iI", descriptor, ALLOW))
            os.close(descriptor)

    def _files(self, group: int) -> None:
        for mask, descriptor, _pid in events(group):
            if mask & OVERFLOW or descriptor < 0:
                continue
            with contextlib.suppress(OSError):
                self.files += 1
                path = os.readlink(f"/proc/self/fd/{descriptor}").replace(" (deleted)", "")
                self._remember(self.groups[group] + path, os.pread(descriptor, LARGEST, 0))
            os.close(descriptor)

    def _remember(self, place: str, content: bytes) -> None:
        for match in SECRET.findall(content):
            self.found.add((place, match.decode("latin-1")))


def group(kind: int) -> int:
    flags = ctypes.c_uint(kind | CLOEXEC | UNLIMITED)
    return call(libc.fanotify_init(flags, ctypes.c_uint(os.O_RDONLY | os.O_LARGEFILE | os.O_CLOEXEC)))


def mark(descriptor: int, flags: int, mask: int, path: str) -> None:
    call(libc.fanotify_mark(descriptor, ctypes.c_uint(flags), ctypes.c_uint64(mask), HERE, os.fsencode(path)))


def call(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def events(descriptor: int) -> list[tuple[int, int, int]]:
    data, found = os.read(descriptor, 1 << 16), []
    while data:
        length, _version, _reserved, _metadata, mask, file, pid = EVENT.unpack(data[: EVENT.size])
        found.append((mask, file, pid))
        data = data[length:]
    return found


def mounts(pid: str) -> list[tuple[str, str]]:
    """Where files can be written, topmost mounts; those of the kernel's own filesystems are left out."""
    found: dict[str, str] = {}
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as lines:
        for line in lines:
            fields = line.split()
            kind = fields[fields.index("-") + 1]
            if kind in (*OWN, "ext4", "xfs", "btrfs") and "ro" not in fields[5].split(","):
                found[fields[4]] = kind
    return list(found.items())


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def main(pid: str) -> None:
    witness = Witness(pid)
    print("ready", flush=True)
    witness.look()
    found = {"found": sorted(witness.found), "programs": witness.programs, "files": witness.files}
    print(json.dumps(found))


main(sys.argv[1])
