# SPDX-License-Identifier: GPL-3.0-or-later
"""Which paths root may work below, and which ones sshd accepts for a jail."""

from __future__ import annotations

import typing as t

from .host import PathStat, components
from .resources import Directory, User

Paths = t.Mapping[str, PathStat]


def jail_faults(path: str, paths: Paths) -> t.List[str]:
    """What sshd's safely_chroot() refuses in the whole path of a jail; what is not there yet is no fault.

    sshd follows links that lead to such directories; a jail may not lie behind one all the same.
    """
    faults: t.List[str] = []
    for component in components(path):
        stat = paths.get(component)
        if stat is None:
            continue
        fault = kind_fault(component, stat)
        if fault:
            return [*faults, fault]
        if stat.uid != 0:
            faults.append(f"{component} belongs to uid {stat.uid}, sshd wants root: chown root {component}")
        if stat.others_write:
            faults.append(
                f"{component} has mode {stat.mode & 0o7777:04o}, sshd wants nobody but root to write there: "
                f"chmod go-w {component} (an ACL that lets others write counts too: setfacl -b {component})"
            )
    return faults


def parent_faults(path: str, owner: int, paths: Paths, users: t.Collection[User] = ()) -> t.List[str]:
    """What lets somebody other than root and the owner replace the directory ``path``; ``users`` have names."""
    faults: t.List[str] = []
    for component in components(path)[:-1]:
        stat = paths.get(component)
        if stat is None:
            continue
        fault = kind_fault(component, stat)
        if fault:
            return [*faults, fault]
        if stat.uid not in (0, owner):
            faults.append(
                f"{component} belongs to {called(stat.uid, users)}, who could replace what lies below: "
                f"give it to root or to the owner of {path}, or choose another place"
            )
        if stat.others_write:
            faults.append(
                f"{component} has mode {stat.mode & 0o7777:04o}, so that others could replace what lies below: "
                f"chmod go-w {component}, or choose another place"
            )
    fault = kind_fault(path, paths.get(path))
    return [*faults, fault] if fault else faults


def called(uid: int, users: t.Iterable[User]) -> str:
    name = next((user.name for user in users if user.uid == uid), None)
    return f"uid {uid}" if name is None else f"{name} (uid {uid})"


def missing_parents(path: str, paths: Paths, made: t.AbstractSet[str]) -> t.List[Directory]:
    """The parents that are not there, and those that earlier runs made: root's, open to pass through."""
    return [Directory(parent, 0o755) for parent in components(path)[1:-1] if parent not in paths or parent in made]


def kind_fault(path: str, stat: t.Optional[PathStat]) -> t.Optional[str]:
    """Why something that is there cannot serve as a directory."""
    if stat is None or stat.is_directory:
        return None
    if stat.is_link:
        return f"{path} is a link, and none is followed: put a directory there, or choose another place"
    if not stat.mode:
        return f"{path} is a mount that root may not look into: unmount it, or choose another place"
    return f"{path} is no directory: move it away, or choose another place"
