# SPDX-License-Identifier: GPL-3.0-or-later
"""The host as it was, so that one defect does not spoil all that is struck after it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import typing as t

from . import picture, tools

PLACE = "/run/faults"
JAILS = "/srv/"


def keep(name: str) -> None:
    with tarfile.open(f"{PLACE}/{name}.tar", "w") as archive:
        for tree in picture.TREES:
            if os.path.isdir(tree):
                archive.add(tree)


def restore(name: str, golden: picture.Picture) -> None:
    """What differs is put back, and what reads it is told; mounts are made anew."""
    _unmount()
    tools.clean()
    found = picture.take()
    targets = tuple(key.split()[1] for key in golden if key.startswith(f"mount {JAILS}"))
    wanted = {path: text for path, text in golden.items() if path.startswith("/") and not path.startswith(targets)}
    there = {path: text for path, text in found.items() if path.startswith("/")}
    paths = sorted(path for path in there.keys() | wanted.keys() if there.get(path) != wanted.get(path))
    for path in reversed(paths):
        if path not in wanted:
            _remove(path)
    with tarfile.open(f"{PLACE}/{name}.tar") as archive:
        for path in (path for path in paths if path in wanted):
            _put_back(archive, path)
    for target in targets:
        os.makedirs(target, 0o755, exist_ok=True)
    for command in (["daemon-reload"], ["restart", "sallyport-mounts.service"], ["restart", "ssh.service"]):
        subprocess.run(["systemctl", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


def _unmount() -> None:
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        targets = [line.split()[4] for line in mounts]
    for target in reversed(targets):
        if target.startswith(JAILS):
            subprocess.run(["umount", "--lazy", target], timeout=60)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _put_back(archive: tarfile.TarFile, path: str) -> None:
    member = archive.getmember(path.lstrip("/"))
    if not member.isdir():
        _remove(path)
    given: t.Dict[str, t.Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
    archive.extract(member, "/", numeric_owner=True, **given)
