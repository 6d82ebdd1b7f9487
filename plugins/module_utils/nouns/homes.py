# SPDX-License-Identifier: GPL-3.0-or-later
"""The home that the user database names: of a shell account a directory, of a jailed one a place in its jail."""

from __future__ import annotations

import typing as t

from ..chains import chain
from ..host import Host
from ..model import Account, Model
from ..paths import called, missing_parents, parent_faults
from ..resources import Directory, State, User

NOWHERE = "/nonexistent"


def home_of(account: Account) -> str:
    """sshd starts a jailed session in its home, inside the jail: it is ``start_in``."""
    if account.kind == "sftp":
        return account.start_in
    if account.kind == "tunnel":
        return NOWHERE
    return account.home or f"/home/{account.name}"


def desired(account: Account, host: Host, known: State) -> t.List[Directory]:
    """The home as its user has it, or a new one: once made, its mode is its user's own business."""
    path, user = home_of(account), known.users[account.name]
    present = host.paths.get(path)
    if faults(account, host, known):  # it would be another thing by the time that it is changed
        return []
    parents = missing_parents(path, host.paths, host.record.everything.directories)
    if present is not None:
        return [*parents, Directory(path, present.mode & 0o7777, account.name, _group(user, known))]
    return [*parents, Directory(path, 0o750, account.name, _group(user, known), skeleton=True)]


def _group(user: User, known: State) -> str:
    """Its primary one, which most often bears its name."""
    own = known.groups.get(user.name)
    if own is not None and own.gid == user.gid:
        return own.name
    return next((group.name for group in known.groups.values() if group.gid == user.gid), str(user.gid))


def problems(account: Account, host: Host, known: State) -> t.List[str]:
    """Nothing that has come about since an earlier run keeps this one from going on, nor a run from closing."""
    if account.kind == "sftp" and account.is_open:
        return list(_start_problems(account, host))
    if account.kind == "shell" and not _goes_on_without(account, host):
        return faults(account, host, known)
    return []


def notes(model: Model, host: Host) -> t.List[str]:
    """Homes that a run goes on without."""
    return [
        f"access_accounts: {account.name}: {fault}. See who changed it; the run leaves the home as it is"
        for account in model.accounts
        if account.kind == "shell" and account.state != "absent" and _goes_on_without(account, host)
        for fault in faults(account, host, host.state)
    ]


def _goes_on_without(account: Account, host: Host) -> bool:
    """It is closed, or was open with this home after an earlier run."""
    before = host.record.accounts.get(account.name)
    if before is None or not account.is_open:
        return not account.is_open
    return before.is_open and before.kind == "shell" and home_of(before) == home_of(account)


def faults(account: Account, host: Host, known: State) -> t.List[str]:
    """What is wrong with the home of a shell account, or with the directories above it: who owns one can swap it."""
    path, user = home_of(account), known.users.get(account.name)
    present = host.paths.get(path)
    if user is None:
        return []
    found = [f"home: {fault}" for fault in parent_faults(path, user.uid, host.paths, known.users.values())]
    if not found and present is not None and present.uid != user.uid:
        found.append(
            f"home: {path} belongs to {called(present.uid, known.users.values())}, not to uid {user.uid}: "
            f"chown {user.uid} {path}, or choose another place"
        )
    return found


def _start_problems(account: Account, host: Host) -> t.Iterator[str]:
    """Why ``start_in`` cannot be the home of the user database: outside the jail it is a place of the host's.

    At every login systemd starts what it finds in ``~/.config`` there, as the account and with no jail around it;
    mail systems and PAM read files in it too.
    """
    for step in chain(home_of(account), host.paths.get):
        found = host.paths.get(step)
        if found is not None and (found.uid != 0 or (found.others_write and not found.is_link)):
            yield (
                f"start_in {account.start_in} is a directory of the host, too, and others than root can write {step}: "
                "what is put there would run outside the jail; grant it `at` another path, or start in another one"
            )
            return
