# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is made of, as values: every noun says what it wants in these, and reading a host yields these.

Two states are compared resource by resource (see plan.py), so a noun never says how to get there.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    gid: int
    home: str
    shell: str
    comment: str = ""
    password: str = "*"  # as in /etc/shadow; "*": no password opens it, keys do
    expires: t.Optional[int] = None  # days since the epoch: closed from that day on
    ageing: bool = False  # a password that must be changed refuses key logins as well


@dataclass(frozen=True)
class Group:
    """``members`` are those of /etc/group, never those whose primary group it is."""

    name: str
    gid: int  # -1: to be given out
    members: t.FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class Directory:
    path: str
    mode: int
    owner: str = "root"
    group: str = "root"
    skeleton: bool = field(default=False, compare=False)  # a home: starts with a copy of /etc/skel


@dataclass(frozen=True)
class File:
    path: str
    content: str
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"


@dataclass(frozen=True)
class Link:
    """A symbolic link of ours, such as the one that enables a unit."""

    path: str
    target: str


@dataclass(frozen=True)
class Mount:
    """One line of the mount table; ``target`` identifies it."""

    target: str
    source: str
    type: str  # none | fuse.bindfs
    options: t.Tuple[str, ...]


@dataclass(frozen=True)
class State:
    """What a host has, or what it is to have: every resource by its name, path or target."""

    users: t.Mapping[str, User] = field(default_factory=dict)
    groups: t.Mapping[str, Group] = field(default_factory=dict)
    directories: t.Mapping[str, Directory] = field(default_factory=dict)
    files: t.Mapping[str, File] = field(default_factory=dict)
    links: t.Mapping[str, Link] = field(default_factory=dict)
    mounts: t.Mapping[str, Mount] = field(default_factory=dict)
    busy: t.FrozenSet[str] = frozenset()  # closed users under whom something runs all the same

    def merged(self, *others: State) -> State:
        """This state and others in one. Where two name the same resource, the later one counts; members add up."""
        parts = (self, *others)
        return State(
            users={name: user for part in parts for name, user in part.users.items()},
            groups=_united(group for part in parts for group in part.groups.values()),
            directories={path: item for part in parts for path, item in part.directories.items()},
            files={path: item for part in parts for path, item in part.files.items()},
            links={path: item for part in parts for path, item in part.links.items()},
            mounts={target: item for part in parts for target, item in part.mounts.items()},
            busy=frozenset().union(*(part.busy for part in parts)),
        )


def _united(groups: t.Iterable[Group]) -> t.Dict[str, Group]:
    done: t.Dict[str, Group] = {}
    for group in groups:
        earlier = done.get(group.name, group)
        done[group.name] = Group(group.name, max(group.gid, earlier.gid), group.members | earlier.members)
    return done


def of(*items: t.Any) -> State:
    """A state made of single resources, in any order."""
    return State(
        users={item.name: item for item in items if isinstance(item, User)},
        groups={item.name: item for item in items if isinstance(item, Group)},
        directories={item.path: item for item in items if isinstance(item, Directory)},
        files={item.path: item for item in items if isinstance(item, File)},
        links={item.path: item for item in items if isinstance(item, Link)},
        mounts={item.target: item for item in items if isinstance(item, Mount)},
    )
