# SPDX-License-Identifier: GPL-3.0-or-later
"""What is promised of an account that no login through a side sshd shows: its own key file, its password, its sudo."""

from __future__ import annotations

import os
import pwd
import stat
import typing as t

from .. import layout
from ..host import components
from ..model import Account, Model
from ..nouns import sudo_tasks
from ..nouns.sshd_policy import classes
from ..nouns.sshd_settings import PolicyClass
from ..openssh import sshd
from ..openssh.sshd_effective import ADDRESSES
from ..system import sudo
from .promises import EXACTLY, REFUSED, WORKS
from .transfer import Answer, Found

ACTS = frozenset({"key file", "password", "sudo"})


class Look:
    """Asks sshd once for every policy class; whom another file's Match names by himself is a matter of drift.py."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._class_of = {name: cls for cls, names in classes(model).items() for name in names}
        self._passwords: t.Dict[PolicyClass, Answer] = {}
        self._sudo = sudo.active()

    def at(self, account: Account, acts: t.AbstractSet[str]) -> Found:
        found: Found = {}
        if "key file" in acts:
            user = pwd.getpwnam(account.name)
            groups = os.getgrouplist(user.pw_name, user.pw_gid)
            fault = key_file_fault(layout.keys_file(account.name), user.pw_uid, groups)
            found["key file", ""] = Answer(REFUSED, fault) if fault else Answer(WORKS)
        if "password" in acts:
            cls = self._class_of[account.name]
            if cls not in self._passwords:
                self._passwords[cls] = _password(account, self._model)
            found["password", ""] = self._passwords[cls]
        if "sudo" in acts:
            found["sudo", ""] = _allowed(account, self._model, self._sudo)
        return found


def key_file_fault(
    path: str, uid: int, groups: t.Collection[int], stat_of: t.Callable[[str], os.stat_result] = os.stat
) -> t.Optional[str]:
    """Why sshd would not take the keys in a file: it opens it as its user, and trusts only who cannot be overruled."""
    for component in components(path):
        try:
            status = stat_of(component)
        except FileNotFoundError:
            return f"{component} is not there"
        is_file = component == path
        if status.st_uid not in (0, uid):
            return f"{component} belongs to uid {status.st_uid}: chown root {component}"
        if status.st_mode & 0o022:
            return f"others than its owner can write {component}: chmod go-w {component}"
        if not _allows(status, uid, groups, 4 if is_file else 1):
            verb, mode = ("read", "a+r") if is_file else ("pass", "a+x")
            return f"its user cannot {verb} {component}: chmod {mode} {component}"
        if is_file and not stat.S_ISREG(status.st_mode):
            return f"{component} is no file"
    return None


def _allows(status: os.stat_result, uid: int, groups: t.Collection[int], bit: int) -> bool:
    shift = 6 if status.st_uid == uid else 3 if status.st_gid in groups else 0
    return bool(status.st_mode & bit << shift)


def _password(account: Account, model: Model) -> Answer:
    """sshd's own word for this account: a try would need a password, and count as a failure."""
    found = sshd.effective(layout.SSHD_CONFIG, account.name, model.server.address, ADDRESSES[0])
    methods = " ".join(found.get("authenticationmethods", ()))
    offered = [name for name in ("password", "kbdinteractive") if found.get(f"{name}authentication") != ["no"]]
    if methods == "publickey" or not offered:
        return Answer(REFUSED)
    return Answer(WORKS, f"sshd takes {', '.join(offered)}")


def _allowed(account: Account, model: Model, active: t.Optional[sudo.Sudo]) -> Answer:
    if active is None:
        return Answer("no sudo")
    rules = sudo_tasks.expected_rules(model).get(account.name, frozenset())
    problems = sudo.prove({account.name: rules}, active)
    return Answer("something else", "; ".join(problems)) if problems else Answer(EXACTLY)
