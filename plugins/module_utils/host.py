# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as it was read: the input of every pure function of the engine. Reading is done elsewhere (read.py)."""

from __future__ import annotations

import stat
import typing as t
from dataclasses import dataclass, field

from .records import Record
from .resources import State


@dataclass(frozen=True)
class PathStat:
    """One path component as ``lstat`` shows it; with an ACL the group bits are the ACL's mask."""

    mode: int
    uid: int
    gid: int
    target: t.Optional[str] = None  # of a link: where it points, as written in it

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)

    @property
    def others_write(self) -> bool:
        """Group or others may write: what sshd refuses in a jail's path."""
        return bool(self.mode & 0o022)


@dataclass(frozen=True)
class Connection:
    """A connection as sshd sees it: what it comes from, and which of sshd's own addresses it reached."""

    address: str
    local_address: str
    local_port: int
    user: str = ""  # who logged in, as the session's environment says


@dataclass(frozen=True)
class Tools:
    """The programs of a host that decide what can be had there; ``None`` or false: not there."""

    openssh: t.Tuple[int, int] = (0, 0)  # (9, 2)
    idmapped_mounts: bool = False  # Linux >= 5.12; our own program mounts, so util-linux does not matter
    bindfs: bool = False  # the program and /dev/fuse
    systemd: bool = False  # is running as the service manager
    sudo: t.Optional[str] = None  # the real path of the active sudo, classic or sudo-rs
    sysusers: bool = False
    pam_umask: bool = False  # sshd's sessions take their umask from the user database
    utc: bool = True  # the host's own time zone is UTC
    sshd_ports: t.Tuple[int, ...] = ()  # that sshd's configuration names without us; none: 22


@dataclass(frozen=True)
class Host:
    """What a host has.

    ``state`` holds all its users and groups, and of files, directories and mounts those that the model or the record
    names. ``paths`` holds every component of the paths that the model names; absent ones are missing from it.
    """

    state: State = State()
    record: Record = Record()
    tools: Tools = Tools()
    paths: t.Mapping[str, PathStat] = field(default_factory=dict)
    unmappable: t.Mapping[str, str] = field(default_factory=dict)  # folders and sources on a filesystem, here named,
    # that has no idmapped mounts (mounting.unmappable)
    now: int = 0
    connection: t.Optional[Connection] = None  # that this run came over
    group_rules: t.Tuple[str, ...] = ()  # where others have rules on our group (group_rules.read)


def components(path: str) -> t.List[str]:
    """``/a/b`` as ``["/", "/a", "/a/b"]``."""
    parts = [part for part in path.split("/") if part]
    return ["/"] + ["/" + "/".join(parts[: count + 1]) for count in range(len(parts))]
