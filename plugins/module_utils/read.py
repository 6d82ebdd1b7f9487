# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a host, in two passes whatever the number of accounts: what decides, then what is compared."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
import typing as t

from . import layout, records
from .chains import chain
from .errors import Refused
from .host import Host, PathStat, Tools
from .openssh import connection, group_rules, sshd, sshd_tree
from .records import Made, Record
from .resources import Directory, File, Group, Link, Mount, State, User
from .system import files, mounter, mounting, pam, sessions, sudo, users


def record() -> Record:
    """The state of record; an empty one where the collection has never been."""
    text = files.read(layout.RECORD)
    return records.parse(text) if text is not None else Record()


def tools() -> Tools:
    active = sudo.active()
    return Tools(
        openssh=sshd.version(),
        idmapped_mounts=mounting.idmap_supported(),
        bindfs=mounting.bindfs_supported(),
        systemd=os.path.isdir("/run/systemd/system"),
        sudo=active.path if active else None,
        sysusers=users.have_sysusers(),
        pam_umask=pam.uses("sshd", "pam_umask.so"),
        sshd_ports=sshd_tree.read_ports(),
    )


def host(earlier: Record, present: State, needed: t.Iterable[str], shared: t.Iterable[str]) -> Host:
    """What decides: the tools, every component of the paths that the rules look at, the filesystems of shared ones."""
    return Host(
        state=present,
        record=earlier,
        tools=tools(),
        paths=paths(needed),
        unmappable=mounting.unmappable(shared),
        now=int(time.time()),
        connection=connection.current(),
        group_rules=group_rules.read(),
    )


def identities(named: t.Collection[str]) -> State:
    """All users and groups of the host's own files, and those ``named`` that it knows from elsewhere."""
    present, groups = users.read()
    return State(users={**present, **users.known_elsewhere(set(named) - present.keys())}, groups=groups)


def paths(needed: t.Iterable[str]) -> t.Dict[str, PathStat]:
    """Every step that the kernel takes on the way to these paths, links followed; what is not there is left out."""
    found: t.Dict[str, t.Optional[PathStat]] = {}

    def step(path: str) -> t.Optional[PathStat]:
        if path not in found:
            found[path] = _path_stat(path)
        return found[path]

    for path in needed:
        chain(path, step)
    step("/")
    return {path: status for path, status in found.items() if status is not None}


def _path_stat(path: str) -> t.Optional[PathStat]:
    """A user may swap what lies there meanwhile, or mount something that root may not look into: that is no error."""
    try:
        status = _lstat(path)
    except PermissionError:
        return PathStat(0, -1, -1)
    if status is None:
        return None
    target = None
    if stat.S_ISLNK(status.st_mode):
        with contextlib.suppress(OSError):  # it is no link any more
            target = os.readlink(path)
    return PathStat(status.st_mode, status.st_uid, status.st_gid, target)


def observe(want: State, made: Made, known: State, closed: t.Collection[str] = ()) -> State:
    """What the host has of all that is wanted, or was made by earlier runs; and who of the closed is logged in."""
    names = {user.uid: user.name for user in known.users.values()}
    group_names = {group.gid: group.name for group in known.groups.values()}
    present, groups = users.read()
    active = mounting.active()
    as_listed = mounting.have(files.read(layout.MOUNT_TABLE) or "", active)

    def directory(path: str) -> t.Optional[Directory]:
        if path in active:  # its attributes are those of what is mounted there
            return want.directories.get(path, Directory(path, 0o755))
        status = _lstat(path)
        if status is None:
            return None
        owner, group = names.get(status.st_uid, str(status.st_uid)), group_names.get(status.st_gid, str(status.st_gid))
        return Directory(path, stat.S_IMODE(status.st_mode), owner, group)

    def file(path: str) -> t.Optional[File]:
        status = _lstat(path)
        if status is None:
            return None
        owner, group = names.get(status.st_uid, str(status.st_uid)), group_names.get(status.st_gid, str(status.st_gid))
        content = files.read(path) if stat.S_ISREG(status.st_mode) else None
        return File(path, content or "", stat.S_IMODE(status.st_mode), owner, group)

    def link(path: str) -> t.Optional[Link]:
        return Link(path, os.readlink(path)) if os.path.islink(path) else None

    def mount(target: str) -> t.Optional[Mount]:
        if target not in active:
            return None
        info = active[target]
        return as_listed.get(target, Mount(target, info.root, info.type, tuple(sorted(info.options))))

    stale = _emptied(made.directories - want.directories.keys(), made.files - want.files.keys(), active)
    return State(
        users=_some(want.users.keys() | made.users, present.get),
        groups=groups,
        directories=_some(want.directories.keys() | stale, directory),
        files=_some(want.files.keys() | made.files, file),
        links=_some(want.links.keys() | made.links, link),
        mounts=_some(want.mounts.keys() | made.mounts, mount),
        busy=_busy(closed, present),
    )


def _busy(closed: t.Collection[str], present: t.Mapping[str, User]) -> t.FrozenSet[str]:
    uids = {name: present[name].uid for name in closed if name in present}
    live = sessions.live(uids.values())
    return frozenset(name for name, uid in uids.items() if uid in live)


EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # which says nothing about what was to be read


def _emptied(directories: t.Collection[str], ours: t.Collection[str], mounted: t.Collection[str]) -> t.Set[str]:
    """Those of the directories that hold nothing once these files and each other are gone: the rest is kept."""
    gone = set(ours)
    for path in sorted(directories, reverse=True):
        if path in mounted:
            gone.add(path)
            continue
        try:
            with contextlib.suppress(Refused), files.opened(path) as directory:
                if all(f"{path}/{name}" in gone for name in os.listdir(directory)):
                    gone.add(path)
        except OSError as error:
            if error.errno in EXHAUSTED:
                raise
    return gone - set(ours)


_V = t.TypeVar("_V", User, Group, Directory, File, Link, Mount)


def _some(keys: t.Iterable[str], read: t.Callable[[str], t.Optional[_V]]) -> t.Dict[str, _V]:
    pairs = ((key, read(key)) for key in keys)
    return {key: value for key, value in pairs if value is not None}


def _lstat(path: str) -> t.Optional[os.stat_result]:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in mounter.BINDFS_DIED:  # its mount point is there, and is mounted anew
            return None
        raise
