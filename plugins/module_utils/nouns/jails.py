# SPDX-License-Identifier: GPL-3.0-or-later
"""Jails: the root-owned tree that one sftp account sees, with a mount point for everything that it is granted.

A mount point without its mount is an empty directory of root's: nothing can be stored there by mistake.
"""

from __future__ import annotations

import typing as t

from ..host import Host, components
from ..model import Account, Grant, Model
from ..paths import jail_faults, kind_fault, missing_parents
from ..resources import Directory, State, of
from . import mounts
from .shares import jailed


def desired(model: Model, host: Host, known: State) -> State:
    items: t.List[Directory] = []
    made = host.record.everything.directories
    group_of = {group.gid: name for name, group in known.groups.items()}
    for account, jail in jailed(model):
        items.extend(missing_parents(jail, host.paths, made))
        items.append(Directory(jail, 0o755))
        for grant in _visible(account):
            inner = _inside(jail, grant)
            items.extend(Directory(path, 0o755) for path in inner)
            if grant.private:
                user = known.users.get(account.name)
                group = group_of.get(user.gid, account.name) if user else account.name
                items.append(Directory(inner[-1], 0o700, account.name, group))
    return of(*items).merged(mounts.desired(model, host, known))


def paths_needed(model: Model) -> t.List[str]:
    """The paths that the rules of this file and of mounts.py look at."""
    inner = [path for account, jail in jailed(model) for grant in _visible(account) for path in _inside(jail, grant)]
    return [jail for _account, jail in jailed(model)] + inner + mounts.paths_needed(model)


def problems(model: Model, host: Host, known: State) -> t.List[str]:
    """What sshd would refuse, and what stands in the way of a mount point; what a run puts right is left out."""
    found: t.List[str] = []
    made = host.record.everything.directories
    foreign = {path: stat for path, stat in host.paths.items() if path not in made or not stat.is_directory}
    for account, jail in jailed(model):
        found.extend(f"access_server.jails: {fault}" for fault in jail_faults(jail, foreign))
        for grant in _visible(account):
            faults = [kind_fault(path, host.paths.get(path)) for path in _inside(jail, grant)]
            faults.append(_somebody_else_s(jail + grant.at, host) if grant.private else None)
            found.extend(f"access_accounts: {account.name}: {grant.at}: {fault}" for fault in faults if fault)
    return list(dict.fromkeys(found)) + mounts.problems(model, host, known)


def _somebody_else_s(path: str, host: Host) -> t.Optional[str]:
    """Why a private folder that is there cannot become the account's: a removed account left its files in it."""
    stat = host.paths.get(path)
    if stat is None or stat.uid not in host.record.tombstones:
        return None
    return (
        f"{path} holds what a removed account left (uid {stat.uid}): move it away, "
        f"or give it to root first (chown root {path}) if its files are to be seen by this account"
    )


def _visible(account: Account) -> t.Iterator[Grant]:
    return (grant for grant in account.grants if not grant.hidden)


def _inside(jail: str, grant: Grant) -> t.List[str]:
    return [jail + part for part in components(grant.at)[1:]]
