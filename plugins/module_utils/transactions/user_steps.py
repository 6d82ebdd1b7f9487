# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a transaction that change users and groups: each made by one function, unmade by another."""

from __future__ import annotations

import contextlib
import typing as t

from ..errors import Overtaken
from ..openssh import sshd_daemon
from ..plan import Action
from ..resources import Group, User
from ..system import sessions, users
from .ports import Ports


def create_groups(actions: t.List[Action], ports: Ports) -> None:
    users.create([t.cast(Group, action.after) for action in actions], [], ports.sysusers)


def uncreate_groups(actions: t.List[Action], ports: Ports) -> None:
    _remove_groups_that_exist([t.cast(Group, action.after) for action in actions])


def _remove_groups_that_exist(groups: t.Sequence[Group]) -> None:
    present = users.read()[1]
    for group in groups:
        if group.name in present and present[group.name].gid == group.gid:
            users.remove_group(group.name)


def close(actions: t.List[Action], ports: Ports) -> None:
    """Who is logged in ends here, and cannot disturb the rest of the run; what is left, ``end_sessions`` ends."""
    _change_users(actions)
    with contextlib.suppress(OSError):
        end_sessions(actions, ports)


def _change_users(actions: t.List[Action]) -> None:
    for action in actions:
        users.change(t.cast(User, action.before), t.cast(User, action.after))


def create_or_change_users(actions: t.List[Action], ports: Ports) -> None:
    new = [t.cast(User, action.after) for action in actions if action.before is None]
    if new:
        users.create([], new, ports.sysusers)
        _verify_identities(new)
        users.settle_new(new)
    _change_users([action for action in actions if action.before is not None])


def uncreate_or_change_back_users(actions: t.List[Action], ports: Ports) -> None:
    """A user that was made may have logged in by now; its keys are gone again."""
    present = users.read()[0]
    changed = [(t.cast(User, action.before), t.cast(User, action.after)) for action in actions if action.before]
    for before, after in reversed(changed):
        if before.name in present:
            users.change(after, before)
    made = [t.cast(User, action.after) for action in actions if action.before is None]
    made = [user for user in made if user.name in present and present[user.name].uid == user.uid]
    sessions.end([user.uid for user in made])
    for user in made:
        users.remove_user(user.name)


def _verify_identities(new: t.Sequence[User]) -> None:
    """systemd-sysusers gives another id, without a word, where one is taken: by somebody else since we read, or in a
    place that we do not read. Such a user is ours, and goes: what undoes the step takes it for another one."""
    present = users.read()[0]
    wrong = [
        user
        for user in new
        if user.name not in present or (present[user.name].uid, present[user.name].gid) != (user.uid, user.gid)
    ]
    for user in wrong:
        if user.name in present:
            users.remove_user(user.name)
    if wrong:
        raise Overtaken(
            [
                f"user {user.name}: the host would not give it uid {user.uid} and gid {user.gid}; "
                "start again if somebody has just taken them, or give it another `uid`"
                for user in wrong
            ]
        )


def change_members(actions: t.List[Action], ports: Ports) -> None:
    joining, leaving = _joining_and_leaving(actions)
    users.add_members(joining, ports.sysusers)
    users.remove_members(leaving)


def change_members_back(actions: t.List[Action], ports: Ports) -> None:
    joining, leaving = _joining_and_leaving(actions)
    users.add_members(_missing(leaving), sysusers=False)
    sshd_daemon.let_in()  # who began to log in under what is being undone
    users.remove_members(joining)


_Members = t.Dict[str, t.FrozenSet[str]]


def _joining_and_leaving(actions: t.List[Action]) -> t.Tuple[_Members, _Members]:
    pairs = [(t.cast(Group, action.before), t.cast(Group, action.after)) for action in actions]
    joining = {after.name: after.members - before.members for before, after in pairs}
    leaving = {after.name: before.members - after.members for before, after in pairs}
    return joining, leaving


def _missing(members: _Members) -> _Members:
    """Those who are not in the groups that are there."""
    present = users.read()[1]
    return {group: names - present[group].members for group, names in members.items() if group in present}


def set_passwords(actions: t.List[Action], ports: Ports) -> None:
    users.set_passwords({user.name: user.password for user in (t.cast(User, action.after) for action in actions)})


def set_passwords_back(actions: t.List[Action], ports: Ports) -> None:
    users.set_passwords({user.name: user.password for user in (t.cast(User, action.before) for action in actions)})


def end_sessions(actions: t.List[Action], ports: Ports) -> None:
    sessions.end([t.cast(User, action.before).uid for action in actions])


def remove_users(actions: t.List[Action], ports: Ports) -> None:
    for action in actions:
        users.remove_user(t.cast(User, action.before).name)


def bring_back_users(actions: t.List[Action], ports: Ports) -> None:
    """Each with its ids and its password, and its group, which ``userdel`` may have taken along."""
    present, groups = users.read()
    gids = {group.gid for group in groups.values()}
    for user in (t.cast(User, action.before) for action in actions):
        if user.name not in present:
            users.create([] if user.gid in gids else [Group(user.name, user.gid)], [user], ports.sysusers)
            users.settle_new([user])


def remove_groups(actions: t.List[Action], ports: Ports) -> None:
    _remove_groups_that_exist([t.cast(Group, action.before) for action in actions])


def bring_back_groups(actions: t.List[Action], ports: Ports) -> None:
    present = users.read()[1]
    gone = [group for group in (t.cast(Group, action.before) for action in actions) if group.name not in present]
    users.create(gone, [], ports.sysusers)
    users.add_members({group.name: group.members for group in gone}, ports.sysusers)
