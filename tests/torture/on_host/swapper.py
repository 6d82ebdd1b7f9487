# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a host as one of its users: swaps what lies at names that it may change, until its input ends.

    swapper NAME...

Each name is exchanged with a decoy beside it (renameat2 RENAME_EXCHANGE): a link to somewhere outside, another
directory, a file, a pipe. Tempers change by chance: as fast as it goes; a burst after some rest, so that who looks
first finds all in order; and on a trigger, when somebody opens or changes the directory (inotify). It leaves what it
found, and prints as JSON how often it swapped.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import select
import stat
import sys
import time

AT_FDCWD, RENAME_EXCHANGE = -100, 2
IN_OPEN, IN_ATTRIB, IN_CREATE, IN_CLOSE, IN_DELETE = 0x20, 0x4, 0x100, 0x10, 0x200
OUTSIDE = ("/etc", "/root", "/usr/local", "/data/outside", "/home/bystander", "/srv/sftp", "/", "../../../../etc")
MARK = ".decoy"  # in a directory that is one
LONGEST = 600  # seconds

libc = ctypes.CDLL(None, use_errno=True)
counts = {"swaps": 0, "triggered": 0}


def main(names: list[str]) -> None:
    chance = random.Random()
    names = sorted(names)  # what lies above goes first
    decoys = {name: decoy for name in names if (decoy := make_decoy(name, chance)) is not None}
    real = {name: number for name in names if (number := inode(name)) is not None}
    events = watch(names)
    print("ready", flush=True)
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline and not ended():
        temper = chance.choice(("fast", "burst", "burst", "triggered", "triggered"))
        until = time.monotonic() + chance.uniform(0.05, 0.6)
        some = [name for name in decoys if chance.random() < 0.3]
        if temper == "fast":
            while time.monotonic() < until:
                for name in some:
                    swap(name, decoys[name])
        elif temper == "burst":
            while time.monotonic() < until:
                time.sleep(chance.uniform(0, 0.15))
                for _ in range(chance.randrange(1, 200)):
                    for name in some:
                        swap(name, decoys[name])
                put_back(some, real)
        else:
            drain(events)
            while time.monotonic() < until:
                if select.select([events], [], [], 0.05)[0]:
                    for name in some:
                        counts["triggered"] += swap(name, decoys[name])
                    time.sleep(chance.uniform(0, 0.004))
                    put_back(some, real)
                    drain(events)
        put_back(names, real)
        time.sleep(chance.uniform(0, 0.3))
        for name in names:  # other decoys now and then, and again where a run took the directory away
            if name not in decoys or chance.random() < 0.3:
                remove(decoys.pop(name, None))
                fresh = make_decoy(name, chance)
                if fresh is not None:
                    decoys[name] = fresh
    put_back(names, real)
    for decoy in decoys.values():
        remove(decoy)
    print(json.dumps(counts))


def ended() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


def swap(name: str, decoy: str) -> int:
    result = libc.renameat2(AT_FDCWD, os.fsencode(name), AT_FDCWD, os.fsencode(decoy), RENAME_EXCHANGE)
    counts["swaps"] += result == 0
    return int(result == 0)


def put_back(names: list[str], real: dict[str, int]) -> None:
    """Others swap the same names, through mounts of theirs: the directory may lie at the place of any decoy."""
    for name in names:
        found = inode(name)
        if found is not None and name not in real:
            real[name] = found  # a run has made it
        if name not in real or found == real[name]:
            continue
        parent, base = os.path.split(name)
        with contextlib.suppress(OSError):
            for entry in os.scandir(parent):
                if entry.name.startswith(f".decoy-{base}-") and inode(entry.path) == real[name]:
                    swap(name, entry.path)
                    break
            else:
                if found is not None:  # made anew by a run
                    real[name] = found


def inode(path: str) -> int | None:
    """Of a directory that is no decoy, and of nothing else."""
    with contextlib.suppress(OSError):
        status = os.lstat(path)
        if stat.S_ISDIR(status.st_mode) and not os.path.lexists(f"{path}/{MARK}"):
            return status.st_ino
    return None


def make_decoy(name: str, chance: random.Random) -> str | None:
    """Beside the name, hidden; ``None`` where nothing can be made now."""
    decoy = f"{os.path.dirname(name)}/.decoy-{os.path.basename(name)}-{os.getpid()}"
    try:
        kind = chance.random()
        if kind < 0.6:
            os.symlink(chance.choice(OUTSIDE), decoy)
        elif kind < 0.8:
            os.mkdir(decoy, 0o777)
            os.mkdir(f"{decoy}/{MARK}")
        elif kind < 0.9:
            os.mkfifo(decoy)
        else:
            with open(decoy, "x", encoding="ascii") as file:
                file.write("a file\n")
    except OSError:
        return None
    return decoy


def remove(decoy: str | None) -> None:
    """Never the directory itself, which may lie there just now."""
    if decoy is None or inode(decoy) is not None:
        return
    with contextlib.suppress(OSError):
        os.rmdir(f"{decoy}/{MARK}")
    for way in (os.unlink, os.rmdir):
        with contextlib.suppress(OSError):
            way(decoy)


def watch(names: list[str]) -> int:
    """A descriptor that is readable when somebody opens or changes one of the names, or what lies beside it."""
    events: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    mask = IN_OPEN | IN_ATTRIB | IN_CREATE | IN_CLOSE | IN_DELETE
    for path in {*names, *map(os.path.dirname, names)}:
        libc.inotify_add_watch(events, os.fsencode(path), ctypes.c_uint32(mask))
    return events


def drain(events: int) -> None:
    try:
        while os.read(events, 65536):
            pass
    except BlockingIOError:
        pass


main(sys.argv[1:])
