# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a run may change on the host, by path, so that two pictures can be compared byte for byte."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import typing as t

TREES = (
    "/etc",
    "/srv",
    "/data",
    "/home",
    "/root",
    "/usr/local",
    "/var/lib/sallyport",
    "/tmp",
    "/var/tmp",
    "/run/sallyport",
)
DATABASES = ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")
# what is compared apart from its bytes, and why
IGNORED = re.compile(
    "|".join(
        (
            r"/etc/\.pwd\.lock",  # the lock of the user database: made at its first change
            rf"/etc/({'|'.join(DATABASES)})-",  # what the tools that change it keep of the version before
            r"/tmp/systemd-private-.*|/var/tmp/systemd-private-.*",  # of services of the host
            r"/run/sallyport/lock",  # in memory, as what a trial leaves in /run/sallyport-proof until the next one
            # a killed tool of the host leaves its locks, which the next one takes over, and what it had not yet renamed
            rf"/etc/({'|'.join(DATABASES)})(\.lock|\.\d+|\+)|/etc/\.#({'|'.join(DATABASES)}).*",
        )
    )
)

MEMBERS = ("/etc/group", "/etc/gshadow")  # whose order says nothing, and who comes back to a group comes last
ORDER = "another order of lines"
GONE = ("leavesh", "comesh")  # shell accounts of one model; homes stay when accounts go

Picture = t.Dict[str, str]


def take() -> Picture:
    found = {}
    for tree in TREES:
        for directory, names, files in os.walk(tree):
            for path in (directory, *(os.path.join(directory, name) for name in names + files)):
                if not IGNORED.fullmatch(path):
                    found[path] = _describe(path)
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        for line in mounts:
            fields = line.split()
            if not fields[4].startswith("/run/"):  # of logins, and of services that are being started
                found[f"mount {fields[4]}"] = f"{fields[3]} {fields[5]} {' '.join(fields[8:9])}"
    return found


def forget_homes() -> None:
    """Of accounts that are gone: another one would come after them, with another id."""
    with open("/etc/passwd", encoding="utf-8") as file:
        present = {line.partition(":")[0] for line in file}
    for name in GONE:
        if name not in present:
            shutil.rmtree(f"/home/{name}", ignore_errors=True)


def _describe(path: str) -> str:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return "is gone again"
    content = ""
    if stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            data = file.read()
        if path in MEMBERS:
            data = b"\n".join(map(_with_sorted_members, data.split(b"\n")))
        readable = path.startswith(
            ("/etc/passwd", "/etc/group", "/etc/gshadow", "/etc/shadow", "/var/lib/sallyport/record")
        )
        content = data.decode("utf-8", "replace") if readable else hashlib.sha256(data).hexdigest()
    return f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid} {content}"


def _with_sorted_members(line: bytes) -> bytes:
    """groupadd and systemd-sysusers have their own word each for a group that no password opens."""
    start, colon, members = line.replace(b":!*:", b":!:").rpartition(b":")
    return start + colon + b",".join(sorted(members.split(b",")))


def differences(found: Picture, golden: Picture) -> t.List[str]:
    """In words, short: the paths, and the lines of those that are text."""
    return [
        _difference(path, golden.get(path), found.get(path))
        for path in sorted(found.keys() | golden.keys())
        if found.get(path) != golden.get(path)
    ]


def _difference(path: str, wanted: t.Optional[str], found: t.Optional[str]) -> str:
    if wanted is None or found is None:
        return f"{path} is {'missing' if found is None else 'left over'}"
    if "\n" not in wanted + found:
        return f"{path} is {found}, not {wanted}"
    one, other = found.split("\n"), wanted.split("\n")
    lines = [f"+{line}" for line in one if line not in other] + [f"-{line}" for line in other if line not in one]
    return f"{path}: {', '.join(lines) if lines else ORDER}"


def forget_left_over(found: t.Sequence[str]) -> None:
    """What has been told is not told again."""
    for path in (text.partition(" is left over")[0] for text in found if text.endswith("is left over")):
        if path.startswith(("/tmp/", "/var/tmp/")):
            shutil.rmtree(path, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                os.unlink(path)
