# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounting and unmounting on the host, and what its kernel and filesystems can do (see mounter.py for how)."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import stat
import typing as t

from .. import layout
from ..host import components
from ..nouns import mounts
from ..resources import Mount
from . import mounter, processes
from .mounter import MountInfo

PATIENCE = 600.0  # seconds: a table of thousands of mounts on a busy host


class Failed(OSError):
    """What could not be mounted or unmounted, why, and what to do."""


def active() -> t.Mapping[str, MountInfo]:
    """The mounts of the host by target, in one read."""
    return mounter.active(mounter.read_mountinfo())


def active_targets() -> t.AbstractSet[str]:
    return active().keys()


def present(mount: Mount, info: t.Optional[MountInfo]) -> bool:
    """Whether a mount is active as it is wanted: another source, other restrictions or another mapping is a change."""
    return mounter.present(mounter.Entry(mount.source, mount.target, mount.type, mount.options), info)


def have(table: str, mounted: t.Mapping[str, MountInfo]) -> t.Dict[str, Mount]:
    """What a table lists and is active as it says: whom a mount maps and what it hides, the table alone can tell."""
    listed = mounts.parse(table)
    return {target: mount for target, mount in listed.items() if present(mount, mounted.get(target))}


def apply(table: str, systemd: bool) -> None:
    """Mount what the table lists; under systemd in the unit, so that bindfs outlives the session that started it."""
    if systemd and processes.run(["systemctl", "reload-or-restart", layout.MOUNT_UNIT], timeout=PATIENCE).ok:
        return
    # where the unit failed this finds the rest mounted, and says what is missing and why
    outcome = processes.run([*mounts.PROGRAM, table], timeout=PATIENCE)
    if not outcome.ok:
        raise Failed(outcome.said)


def remove(target: str) -> None:
    """Unmount a target with all that is mounted in it; nothing is done to a target that is not mounted.

    A customer who is connected keeps no mount: sessions in the jail around one that is in use end. Whoever else holds
    it keeps what is open, and finds the mount gone.
    """
    inside = [path for path in active() if path == target or path.startswith(target + "/")]
    for path in sorted(inside, reverse=True):
        try:
            mounter.unmount(path)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise Failed(f"{path} cannot be unmounted: {mounter.reason(error)}") from error
            for pid in jailed_around(path):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            mounter.detach(path)


def jailed_around(path: str) -> t.List[int]:
    """The processes that are confined to a directory above a path, as a session is to its jail."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            root = os.readlink(f"/proc/{pid}/root")
            if root != "/" and path.startswith(root + "/"):
                found.append(int(pid))
    return found


def idmap_supported() -> bool:
    """Whether this kernel has idmapped mounts and lets us make them; a filesystem may still have none."""
    return _linux() >= (5, 12) and _can_idmap("/proc") is not None


def bindfs_supported() -> bool:
    """Whether bindfs can be used: its program, /dev/fuse, and a kernel that can confine it."""
    return processes.find("bindfs") is not None and os.path.exists("/dev/fuse") and _linux() >= (5, 2)


def unmappable(paths: t.Iterable[str]) -> t.Dict[str, str]:
    """Those of the paths whose filesystem has no idmapped mounts, each with the filesystem's type.

    A path that is not there yet is judged by the directory that it will be made in. One try for every filesystem:
    an idmapped mount is made, attached nowhere, and dropped.
    """
    mounted = active()
    answers: t.Dict[int, t.Optional[bool]] = {}
    found = {}
    for path in paths:
        nearest, device = next(filter(None, map(_directory, reversed(components(path)))))
        if device not in answers:
            answers[device] = _can_idmap(nearest)
        if answers[device] is False:
            found[path] = next(mounted[part].type for part in reversed(components(nearest)) if part in mounted)
    return found


def _directory(path: str) -> t.Optional[t.Tuple[str, int]]:
    """The path with the number of its filesystem, if it is a directory at this moment."""
    with contextlib.suppress(OSError):
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return path, status.st_dev
    return None


def _can_idmap(path: str) -> t.Optional[bool]:
    """``None``: not the filesystem's fault, this system does not let us try."""
    try:
        with mounter.opened(path) as directory, mounter.closing(mounter.clone(directory)) as tree:
            mounter.idmap(tree, "u:1000:1001:1 g:1000:1001:1")
    except OSError as error:
        return False if error.errno == errno.EINVAL else None
    return True


def _linux() -> t.Tuple[int, int]:
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int(re.sub(r"\D.*", "", minor))
