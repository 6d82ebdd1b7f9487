# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths that mean the same to sshd_config, a mount table and a shell, and that stay clear of the system."""

from __future__ import annotations

import collections.abc as c
import re

from .problems import Item, Problems, Wrong, shown

_PATH = re.compile(r"(/[A-Za-z0-9._@+=,:~-]+)+|/")
_SSHD_READS = re.compile(r"(/[A-Za-z0-9._-]+)+")
_PLAIN = re.compile(r"[A-Za-z0-9_@+=,:~.-]+")
_MODE = re.compile(r"[0-7]{3,4}")

_SYSTEM = tuple(
    f"{path}/"
    for path in """/bin /boot /dev /efi /etc /lib /lib32 /lib64 /libx32 /lost+found /nix /proc /root /run /sbin /selinux
    /snap /sys /usr /var/lib/apt /var/lib/dpkg /var/lib/rpm /var/lib/sallyport /var/lib/systemd /var/lib/sudo /var/lock
    /var/run /var/spool/at /var/spool/cron /var/cache/apt /var/mail""".split()
)
# Everybody may rename and delete what is theirs in here, and so replace it by something else.
_ANYBODYS = ("/tmp/", "/var/tmp/")  # noqa: S108
# Others' directories lie in these: they may hold a folder, and cannot be one.
_PARENTS = frozenset({"/home", "/media", "/mnt", "/opt", "/srv", "/var", "/var/lib", "/var/log"})


def absolute(text: str) -> str:
    """An absolute path without detours; a slash at its end is dropped."""
    path = text if text == "/" else text.removesuffix("/")
    if not text.startswith("/"):
        raise Wrong(f"{shown(text)} is not absolute; start it with /")
    if "//" in text:
        raise Wrong(f"{shown(text)} holds //; write one slash")
    if any(part in (".", "..") for part in path.split("/")):
        raise Wrong(f"{shown(text)} holds . or .. as a part; write the path that it leads to")
    if not _PATH.fullmatch(path):
        raise Wrong(
            f"{shown(text)} holds a character that sshd or a mount table misreads; use letters, digits and ._@+=,:~-"
        )
    if len(path) > 1024 or max(map(len, path.split("/"))) > 255:
        raise Wrong(f"has {len(path)} characters; use 1024 at most, and 255 between two slashes")
    return path


def ours(text: str) -> str:
    """The path of a directory on the host that accounts, or a jail, may be given."""
    path = absolute(text)
    slashed = path.rstrip("/") + "/"
    for system in _SYSTEM:
        if slashed.startswith(system) or system.startswith(slashed):
            relation = "in" if slashed.startswith(system) else "above"
            raise Wrong(
                f"{shown(text)} lies {relation} {system[:-1]}, which belongs to the system; choose another place"
            )
    if slashed.startswith(_ANYBODYS):
        raise Wrong(f"{shown(text)} lies where anybody can put something else in its place; choose another place")
    if path in _PARENTS:
        raise Wrong(f"{shown(text)} holds what belongs to others; choose a directory in it")
    return path


def jails(text: str) -> str:
    """The parent of the jails, which stands in sshd_config."""
    path = ours(text)
    if not _SSHD_READS.fullmatch(path):
        raise Wrong(f"{shown(text)} holds a character that sshd may misread; use letters, digits and ._-")
    return path


def of_user(path: str) -> str:
    """A path that stands in the user database, whose fields end with a colon."""
    if ":" in path:
        raise Wrong(f"{shown(path)} holds a colon, which ends a field of the user database; choose another path")
    return path


def outside(text: str, jails: str) -> str:
    """The path of a folder or source, which cannot lie in or above the jails."""
    path = ours(text)
    if jails and related(path, jails):
        raise Wrong(f"{shown(text)} lies in or above the jails ({jails}); choose another place, or move the jails")
    return path


def plain_name(text: str) -> str:
    """One part of a path."""
    if text in ("", ".", "..") or not _PLAIN.fullmatch(text) or text.startswith("-") or len(text) > 255:
        raise Wrong(f"{shown(text)} is no plain name; use letters, digits and ._@+=,:~-, without a slash")
    return text


def within(path: str, parent: str) -> bool:
    """A path is within itself."""
    return path == parent or path.startswith(parent.rstrip("/") + "/")


def related(one: str, other: str) -> bool:
    return within(one, other) or within(other, one)


def separate(items: c.Iterable[tuple[str, Item, str]], problems: Problems) -> None:
    """No path may equal another, or lie in it; each comes with its item and option."""
    last: tuple[str, Item] | None = None
    for path, item, option in sorted(items, key=lambda each: each[0].rstrip("/") + "/"):
        if last and within(path, last[0]):
            problems.add(
                f"{item.place}.{option}",
                f"{shown(path)} overlaps {shown(last[0])} of {last[1].place}; give each a place of its own",
            )
        else:
            last = (path, item)


def folder_mode(text: str, sharing: str) -> str:
    """Four octal digits that let the owner in and keep everybody else from writing."""
    mode = _octal(text)
    if mode & 0o002:
        raise Wrong(f"{text} lets everybody write; use 2770")
    if mode & 0o5000:
        raise Wrong(f"{text} has the setuid or sticky bit, with which sharing does not work; use 2770")
    if mode & 0o700 != 0o700:
        raise Wrong(f"{text} keeps the owner out; use 2770")
    if sharing == "group" and mode & 0o2070 != 0o2070:
        raise Wrong(f"{text} keeps the group out, which sharing group relies on; use 2770")
    return format(mode, "04o")


def umask(text: str) -> str:
    mask = _octal(text)
    if mask & 0o7700:
        raise Wrong(f"{text} keeps the account from its own files; use 0007 or 0077")
    if not mask & 0o002:
        raise Wrong(f"{text} lets everybody write to new files; use 0007 or 0022")
    return format(mask, "04o")


def _octal(text: str) -> int:
    if not _MODE.fullmatch(text):
        raise Wrong(f'{shown(text)} is no mode; write three or four octal digits in quotes, like "2770"')
    return int(text, 8)
