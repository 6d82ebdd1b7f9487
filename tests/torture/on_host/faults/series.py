# SPDX-License-Identifier: GPL-3.0-or-later
"""Which calls each kind of fault strikes: one strike for every call, none left out."""

from __future__ import annotations

import typing as t

from .strikes import CHANGING, COMMANDS, CREATING, Call, Strike

MARK = "getpgid"  # called where undoing begins, and nowhere else
BEGINNING = "pipe2"  # a command begins with a pipe that tells whether it could be started
RUNNING = "getsid"  # called when a command runs, by work.py
OPENING = "openat"
TRACED = (*CHANGING, *COMMANDS, MARK, BEGINNING, RUNNING, OPENING)

# What can fail for want of space, of a filesystem that can be written, of descriptors. A fault that no kernel
# would answer so proves nothing.
_RENAMING = ("rename", "renameat", "renameat2")
_FULL = ("write", "fsync", *CREATING, *_RENAMING)
_READ_ONLY = (
    *(*CREATING, *_RENAMING, "unlink", "unlinkat", "rmdir"),
    *("fchmod", "fchmodat", "fchown", "fchownat"),
)


def killed(calls: t.Sequence[Call]) -> t.List[Strike]:
    """At every call that changes something or starts a command, and once while each command runs."""
    return [Strike("signal=KILL", (call,)) for call in _struck(calls)]


def killed_undoing(calls: t.Sequence[Call]) -> t.List[Strike]:
    undoing = next(place for place, call in enumerate(calls) if call.name == MARK)
    return killed(calls[undoing:])


def full(calls: t.Sequence[Call]) -> t.List[Strike]:
    return [Strike("error=ENOSPC", (call,)) for call in calls if call.name in _FULL and _is_of_a_file(call)]


def no_inodes(calls: t.Sequence[Call]) -> t.List[Strike]:
    """From here on nothing can be created."""
    return _lasting("error=ENOSPC", calls, CREATING)


def read_only(calls: t.Sequence[Call]) -> t.List[Strike]:
    return [Strike("error=EROFS", (call,)) for call in calls if call.name in _READ_ONLY]


def read_only_from_here(calls: t.Sequence[Call]) -> t.List[Strike]:
    """As a filesystem that has met an error."""
    return _lasting("error=EROFS", calls, _READ_ONLY)


def no_descriptors(calls: t.Sequence[Call]) -> t.List[Strike]:
    """For what is written, for directories that are brought to disk or worked in, and for commands."""
    pairs = zip([Call("", 0), *calls], calls)
    return [
        Strike("error=EMFILE", (call,))
        for before, call in pairs
        if call.name == "openat2"
        or (call.name == BEGINNING and before.name != BEGINNING)
        or (call.name == OPENING and "O_DIRECTORY" in call.arguments and '"/proc' not in call.arguments)
    ]


def _struck(calls: t.Sequence[Call]) -> t.List[Call]:
    return [call for call in calls if call.name in (*COMMANDS, *CHANGING, RUNNING)]


def _lasting(how: str, calls: t.Sequence[Call], names: t.Collection[str]) -> t.List[Strike]:
    """Each with the next call of every name: of those that only undoing makes as well."""
    counts = dict.fromkeys(names, 0)
    found = []
    for call in (call for call in calls if call.name in names):
        others = (Call(name, count + 1) for name, count in counts.items() if name != call.name)
        found.append(Strike(how, (call, *others), lasting=True))
        counts[call.name] += 1
    return found


def _is_of_a_file(call: Call) -> bool:
    """A pipe, a socket and the kernel's own files have room whatever the disk has."""
    if call.name != "write":
        return True
    path = call.arguments.partition("<")[2]
    return path.startswith("/") and not path.startswith(("/proc", "/sys", "/dev"))


KINDS: t.Mapping[str, t.Callable[[t.Sequence[Call]], t.List[Strike]]] = {
    "killed": killed,
    "killed while undoing": killed_undoing,
    "killed while recovering": killed,
    "no space": full,
    "no inode from there on": no_inodes,
    "read-only": read_only,
    "read-only from there on": read_only_from_here,
    "no descriptor": no_descriptors,
}
