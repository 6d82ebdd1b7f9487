# SPDX-License-Identifier: GPL-3.0-or-later
"""How each step of a transaction is made, and unmade: one function a step.

Each takes its actions, the ports, where to push an inverse, and a stack for what is to be cleaned up at the end. An
inverse is pushed before what it undoes, and undoes what was done of it.
"""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass

from . import files, layout, mounting, processes, sessions, users
from .errors import Refused
from .plan import Action, Step, label
from .resources import Directory, File, Group, Link, Mount, State, User

Undo = t.Callable[[], None]
Push = t.Callable[[Undo], None]
Gate = t.Callable[[File], t.ContextManager[None]]


@dataclass(frozen=True)
class Ports:
    """What a transaction needs from the host besides files, users and mounts.

    ``gates`` are context managers for the files that a daemon obeys, by path: entered with the candidate before it is
    swapped in (to validate and prove it) and left after it was (to prove it installed, and to reload). ``take_up``
    makes a daemon read such a file again after it was put back or removed. ``prove`` is called once when all that
    confines is in place, before anything opens a way in.
    """

    known: State
    gates: t.Mapping[str, Gate]
    prove: t.Callable[[], None]
    take_up: t.Mapping[str, t.Callable[[], None]]
    systemd: bool
    sysusers: bool


def _create_groups(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    groups = [t.cast(Group, action.after) for action in actions]
    push(lambda: _remove_groups_that_exist(groups))
    users.create(groups, [], ports.sysusers)


def _remove_groups_that_exist(groups: t.Sequence[Group]) -> None:
    present = users.read()[1]
    for group in groups:
        if group.name in present:
            users.remove_group(group.name)


def _create_or_change_users(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    new = [t.cast(User, action.after) for action in actions if action.before is None]
    if new:
        push(lambda: _remove_users_that_exist(new))
        users.create([], new, ports.sysusers)
        users.settle_new(new)
        _verify_identities(new)
    for action in actions:
        if action.before is not None:
            before, after = t.cast(User, action.before), t.cast(User, action.after)
            push(lambda before=before, after=after: users.change(after, before))  # type: ignore[misc]
            users.change(before, after)


def _remove_users_that_exist(new: t.Sequence[User]) -> None:
    present = users.read()[0]
    for user in new:
        if user.name in present:
            users.remove_user(user.name)


def _verify_identities(new: t.Sequence[User]) -> None:
    """systemd-sysusers gives another id, without a word, where one is taken in a place that we do not read."""
    present = users.read()[0]
    wrong = [
        f"user {user.name}: the host would not give it uid {user.uid} and gid {user.gid}; give it another `uid`"
        for user in new
        if user.name not in present or (present[user.name].uid, present[user.name].gid) != (user.uid, user.gid)
    ]
    if wrong:
        raise Refused(wrong)


def _change_members(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    pairs = [(t.cast(Group, action.before), t.cast(Group, action.after)) for action in actions]
    joining = {after.name: after.members - before.members for before, after in pairs}
    leaving = {after.name: before.members - after.members for before, after in pairs}
    push(lambda: users.remove_members(joining))
    users.add_members(joining, ports.sysusers)
    push(lambda: users.add_members(leaving, sysusers=False))
    users.remove_members(leaving)


def _make_directories(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    for action in actions:
        before, after = t.cast(t.Optional[Directory], action.before), t.cast(Directory, action.after)
        created = files.make_directory(after, *_owner(after, ports.known))
        if created:
            push(lambda after=after: files.unmake_directory(after))  # type: ignore[misc]
        elif before is not None:
            push(lambda before=before: _set_back(before, ports.known))  # type: ignore[misc]
    files.settle(action.resource.path for action in actions if isinstance(action.resource, Directory))


def _set_back(before: Directory, known: State) -> None:
    files.make_directory(before, *_owner(before, known))


def _swap_files(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    paths = []
    for action in actions:
        file = t.cast(File, action.after)
        staged.callback(files.discard, file.path)
        files.stage(file, *_owner(file, ports.known))
        paths.append(file.path)
    with contextlib.ExitStack() as gates:
        for action in actions:
            file = t.cast(File, action.after)
            if file.path in ports.gates:
                gates.enter_context(ports.gates[file.path](file))
        push(lambda: _put_back(actions, ports))
        for path in paths:
            files.swap_in(path)
        files.settle(paths)
        _tell_systemd(paths, ports)
        _restart_timers(paths, ports)


def _put_back(actions: t.Sequence[Action], ports: Ports) -> None:
    """The files as they were before: written whole again, or removed where there were none."""
    paths = [t.cast(File, action.resource).path for action in actions]
    gone = {path for path, action in zip(paths, actions) if action.before is None}
    _stop_timers(gone, ports)
    for path, action in zip(paths, actions):
        before = t.cast(t.Optional[File], action.before)
        if before is None:
            files.remove(path)
        else:
            files.stage(before, *_owner(before, ports.known))
            files.swap_in(path)
    files.settle(paths)
    _take_up(paths, ports)
    _restart_timers(set(paths) - gone, ports)


def _take_up(paths: t.Sequence[str], ports: Ports) -> None:
    _tell_systemd(paths, ports)
    for path in paths:
        if path in ports.take_up:
            ports.take_up[path]()


def _tell_systemd(paths: t.Iterable[str], ports: Ports) -> None:
    if ports.systemd and any(path.startswith(layout.UNITS + "/") for path in paths):
        processes.must(["systemctl", "daemon-reload"])


def _restart_timers(paths: t.Iterable[str], ports: Ports) -> None:
    """A timer keeps its old moments, or does not run at all, until it is started anew."""
    for timer in _timers(paths, ports):
        processes.must(["systemctl", "restart", timer])


def _stop_timers(paths: t.Iterable[str], ports: Ports) -> None:
    """Before its file goes: a timer whose service has vanished would be left behind as failed."""
    for timer in _timers(filter(os.path.exists, paths), ports):
        processes.must(["systemctl", "stop", timer])


def _timers(paths: t.Iterable[str], ports: Ports) -> t.List[str]:
    units = (os.path.basename(path) for path in sorted(paths) if os.path.dirname(path) == layout.UNITS)
    return [unit for unit in units if ports.systemd and unit.endswith(".timer")]


def _swap_links(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    for action in actions:
        link = t.cast(Link, action.resource)
        push(lambda before=action.before, link=link: _put_link(before, link, ports))  # type: ignore[misc]
        _put_link(t.cast(t.Optional[Link], action.after), link, ports)


def _put_link(wanted: t.Optional[Link], link: Link, ports: Ports) -> None:
    if wanted is None:
        files.remove(link.path)
    else:
        files.stage_link(wanted.path, wanted.target)
        files.swap_in(wanted.path)
    files.settle([link.path])
    _tell_systemd([link.path], ports)


def _mount(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    new = [t.cast(Mount, action.after).target for action in actions]
    changed = [t.cast(Mount, action.before).target for action in actions if action.before is not None]
    for target in reversed(changed):
        mounting.remove(target)
    push(lambda: _unmount(new))
    mounting.apply(layout.MOUNT_TABLE, ports.systemd)


def _unmount(targets: t.Sequence[str]) -> None:
    for target in reversed(targets):
        mounting.remove(target)


def _set_passwords(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    before = {action.before.name: action.before.password for action in actions if isinstance(action.before, User)}
    after = {action.after.name: action.after.password for action in actions if isinstance(action.after, User)}
    push(lambda: users.set_passwords(before))
    users.set_passwords(after)


def _end_sessions(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    sessions.end([t.cast(User, action.before).uid for action in actions])


def _remove_files(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    paths = [t.cast(File, action.before).path for action in actions]
    push(lambda: _put_back(actions, ports))
    _stop_timers(paths, ports)
    for path in paths:
        files.remove(path)
    files.settle(paths)
    _take_up(paths, ports)


def _remove_mounts(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    for action in actions:
        mounting.remove(t.cast(Mount, action.before).target)


def _remove_directories(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    """A directory that holds something stays: what customers left there is kept."""
    for action in actions:
        before = t.cast(Directory, action.before)
        if files.remove_directory(before.path):
            push(lambda before=before: _set_back(before, ports.known))  # type: ignore[misc]


def _remove_users(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    for action in actions:
        user = t.cast(User, action.before)
        push(lambda user=user: _bring_back(user, ports))  # type: ignore[misc]
        users.remove_user(user.name)


def _bring_back(user: User, ports: Ports) -> None:
    """The user with its ids and its password, and its group, which ``userdel`` may have taken along."""
    present, groups = users.read()
    if user.name not in present:
        own = [] if any(group.gid == user.gid for group in groups.values()) else [Group(user.name, user.gid)]
        users.create(own, [user], ports.sysusers)
        users.settle_new([user])


def _remove_groups(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    groups = [t.cast(Group, action.before) for action in actions]
    push(lambda: _bring_back_groups(groups, ports))
    _remove_groups_that_exist(groups)


def _bring_back_groups(groups: t.Sequence[Group], ports: Ports) -> None:
    present = users.read()[1]
    gone = [group for group in groups if group.name not in present]
    users.create(gone, [], ports.sysusers)
    users.add_members({group.name: group.members for group in gone}, ports.sysusers)


def _write_record(actions: t.List[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    files.make_directory(Directory(layout.STATE, 0o700), 0, 0)
    _swap_files(actions, ports, push, staged)


def _owner(resource: t.Union[Directory, File], known: State) -> t.Tuple[int, int]:
    try:
        return known.users[resource.owner].uid, known.groups[resource.group].gid
    except KeyError as missing:
        raise Refused([f"{label(resource)}: {missing} is not on the host yet; apply `accounts` first"]) from None


STEPS: t.Mapping[Step, t.Callable[[t.List[Action], Ports, Push, contextlib.ExitStack], None]] = {
    Step.GROUP: _create_groups,
    Step.USER: _create_or_change_users,
    Step.MEMBERS: _change_members,
    Step.DIRECTORY: _make_directories,
    Step.FILE: _swap_files,
    Step.LINK: _swap_links,
    Step.MOUNT: _mount,
    Step.SUDO: _swap_files,
    Step.SSHD: _swap_files,
    Step.PASSWORD: _set_passwords,
    Step.KEY: _swap_files,
    Step.SESSION: _end_sessions,
    Step.REMOVE_LINK: _swap_links,
    Step.REMOVE_FILE: _remove_files,
    Step.REMOVE_MOUNT: _remove_mounts,
    Step.REMOVE_DIRECTORY: _remove_directories,
    Step.REMOVE_USER: _remove_users,
    Step.REMOVE_GROUP: _remove_groups,
    Step.RECORD: _write_record,
}
