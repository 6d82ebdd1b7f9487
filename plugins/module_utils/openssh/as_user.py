# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading key files as sshd does: with the user's own rights, and only where nobody else can change them."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from dataclasses import dataclass

from ..resources import User

LARGEST = 1024 * 1024


@dataclass(frozen=True)
class Read:
    text: str = ""
    refused: str = ""  # why sshd would not take the file; "" if it would


Files = t.Dict[str, Read]  # by path


def read(wanted: t.Mapping[User, t.Sequence[str]], strict: bool = True, groups: bool = True) -> t.Dict[str, Files]:
    """What each user reads of its paths, by the user's name. All in one process, which changes its rights in between.

    ``strict`` as in StrictModes: otherwise anybody may change them. Without ``groups`` only the primary group counts,
    which spares a look at the whole user database for each user.
    """
    near, far = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(near)
            with open(far, "w", encoding="ascii") as stream:
                json.dump([_as(user, paths, strict, groups) for user, paths in wanted.items()], stream)
        finally:
            os._exit(0)
    os.close(far)
    with open(near, encoding="ascii") as stream:
        said = stream.read()
    os.waitpid(pid, 0)
    if not said:
        raise OSError("the process that reads as users gave no answer")
    answers = zip(wanted, json.loads(said))
    return {user.name: {path: Read(*one) for path, one in found.items()} for user, found in answers}


def _as(user: User, paths: t.Sequence[str], strict: bool, groups: bool) -> t.Dict[str, t.Tuple[str, str]]:
    if groups:
        os.initgroups(user.name, user.gid)
    else:
        os.setgroups([user.gid])
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        return {path: _one(path, user, strict) for path in paths}
    finally:
        os.seteuid(0)
        os.setegid(0)


def _one(path: str, user: User, strict: bool) -> t.Tuple[str, str]:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                return "", "it is no plain file"
            wrong = unsafe(path, status, user.uid, user.home) if strict else ""
            return stream.read(LARGEST).decode("utf-8", "surrogateescape"), wrong
    except OSError as error:
        return "", error.strerror or str(error)


def unsafe(path: str, status: os.stat_result, uid: int, home: str) -> str:
    """Who else could change the file, by sshd's own rule: it looks at all directories up to the home, or the root."""
    real, home = os.path.realpath(path), os.path.realpath(home)
    if _others_change(status, uid):
        return f"others than its user can change {real}"
    above = real
    while above not in ("/", home):
        above = os.path.dirname(above)
        if _others_change(os.lstat(above), uid):
            return f"others than its user can change {above}"
    return ""


def _others_change(status: os.stat_result, uid: int) -> bool:
    return status.st_uid not in (0, uid) or bool(status.st_mode & 0o022)
