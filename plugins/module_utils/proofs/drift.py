# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a host differs from its model, and what it has that nobody declared. Reads, and changes nothing."""

from __future__ import annotations

import contextlib
import os
import stat
import typing as t

from .. import engine, layout
from ..errors import Refused
from ..host import Host
from ..model import Model
from ..nouns import accounts, sudo_tasks
from ..nouns.shares import jailed
from ..nouns.sudo_tasks import Rule
from ..openssh import sshd_tree
from ..resources import State
from ..system import mounting, sudo
from ..system.processes import Failed
from . import drift_mounts, sshd_proof


def find(given: Model, model: Model, host: Host) -> t.List[str]:
    """``given`` is the model of this run, ``model`` what ``engine.look`` has made of it."""
    found = [*_undone(given, drift_mounts.wanted(model, host, accounts.identify(model, host)))]
    found += undeclared_keys(_files_in(layout.KEYS), model)
    found += undeclared_members(model, host.state)
    found += undeclared_mounts(mounting.active().keys(), _wanted_mounts(model, host), model)
    found += undeclared_owners(_jails_on_host(model), model, host.state)
    found += _undeclared_rules(model)
    found += _foreign_settings(model, host)
    return list(dict.fromkeys(found))


def _undone(given: Model, wants: t.Mapping[str, drift_mounts.Wanted]) -> t.Iterator[str]:
    """What a run would change, or why there can be none."""
    try:
        result = engine.run(given, check=True)
    except Refused as refused:
        yield from refused.problems
        return
    mounted = mounting.active()
    yield from (drift_mounts.told(action, wants, mounted) or f"a run would {action}" for action in result.actions)
    yield from (note for note in result.notes if "An earlier run" in note)


def undeclared_keys(present: t.Iterable[str], model: Model) -> t.List[str]:
    """Files of keys that open nobody whom the model has."""
    listed = {account.name for account in model.accounts if account.state != "absent"}
    return [
        f"{layout.keys_file(name)}: is the key file of no account: remove it, or declare the account {name}"
        for name in sorted(present)
        if name not in listed
    ]


def undeclared_members(model: Model, present: State) -> t.List[str]:
    """Who may log in, or falls under a policy, without being declared: by the lists of groups and by primary group."""
    if not model.server.only_listed:
        return []
    declared = {account.name for account in model.accounts} | set(model.server.admins)
    group = present.groups.get(layout.LOGIN_GROUP)
    if group is None:
        return []
    members = set(group.members) | {user.name for user in present.users.values() if user.gid == group.gid}
    return [
        f"group {layout.LOGIN_GROUP}: has the member {name}, who is neither an account nor an admin: "
        f"gpasswd --delete {name} {layout.LOGIN_GROUP}, or declare the account"
        for name in sorted(members - declared)
    ]


def undeclared_mounts(present: t.Iterable[str], wanted: t.Collection[str], model: Model) -> t.List[str]:
    """What is mounted inside a jail by somebody else."""
    top = model.server.jails.rstrip("/") + "/"
    return [
        f"{target}: is a mount in a jail that nobody declared: umount {target}"
        for target in sorted(present)
        if target.startswith(top) and target not in wanted
    ]


def undeclared_owners(owners: t.Mapping[str, int], model: Model, present: State) -> t.List[str]:
    """What lies at the top of a jail, or beside the jails, and is a user's who has no business there."""
    names = {user.uid: user.name for user in present.users.values()}
    declared = {jail + grant.at for account, jail in jailed(model) for grant in account.grants if not grant.hidden}
    return [
        f"{path}: belongs to {names.get(uid, f'uid {uid}')}, and no private folder is declared there: "
        f"see what it holds, and move it away"
        for path, uid in sorted(owners.items())
        if uid != 0 and path not in declared
    ]


def _wanted_mounts(model: Model, host: Host) -> t.Set[str]:
    ours = set(host.record.everything.mounts)
    visible = {jail + grant.at for account, jail in jailed(model) for grant in account.grants if not grant.private}
    return ours | visible


def _files_in(directory: str) -> t.List[str]:
    with contextlib.suppress(FileNotFoundError):
        return [name for name in os.listdir(directory) if not name.startswith(".sallyport-")]
    return []


def _jails_on_host(model: Model) -> t.Dict[str, int]:
    """The jails and what is in each, not deeper; of mounted ones nothing, since their owners are the accounts."""
    top = model.server.jails.rstrip("/")
    mounted = mounting.active()
    found: t.Dict[str, int] = {}
    for jail in _entries(top):
        found[jail] = _owner(jail)
        if stat.S_ISDIR(os.lstat(jail).st_mode):
            found.update((path, _owner(path)) for path in _entries(jail) if path not in mounted)
    return found


def _entries(directory: str) -> t.List[str]:
    with contextlib.suppress(OSError):
        return [f"{directory}/{name}" for name in os.listdir(directory)]
    return []


def _owner(path: str) -> int:
    with contextlib.suppress(OSError):
        return os.lstat(path).st_uid
    return 0


def _undeclared_rules(model: Model) -> t.Iterator[str]:
    """Accounts of every kind: one that has no tasks is to be allowed nothing."""
    active = sudo.active()
    if active is None:
        return
    expected: t.Dict[str, t.AbstractSet[Rule]] = {
        account.name: frozenset() for account in model.accounts if account.state != "absent"
    }
    expected.update(sudo_tasks.expected_rules(model))
    yield from sudo.prove(expected, active)


def _foreign_settings(model: Model, host: Host) -> t.List[str]:
    """Settings that win over ours: for a member of every class, and for all whom a Match of somebody else's names."""
    if host.tools.openssh == (0, 0):
        return []  # which is a problem of its own
    try:
        return sshd_proof.settings_problems(sshd_tree.INSTALLED, model, host)
    except Failed as failed:
        return [str(failed)]
