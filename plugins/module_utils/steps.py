# SPDX-License-Identifier: GPL-3.0-or-later
"""How each step of a transaction is made, and unmade: two functions a step.

What unmakes goes by what the host has now, never by how far the making came: the run that made it may have been killed
anywhere in between, and its journal is all that is left of it.
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

Gate = t.Callable[[File], t.ContextManager[None]]


@dataclass(frozen=True)
class Ports:
    """What a transaction needs from the host besides files, users and mounts.

    ``gates`` are context managers for the files that a daemon obeys, by path: entered with the candidate before it is
    swapped in (to validate and prove it) and left after it was (to prove it installed, and to reload). ``take_up``
    makes a daemon read such a file again after it was removed, ``take_back`` after it was put back. ``prove`` is called
    once when all that confines is in place, before anything opens a way in; ``opened`` when the keys are in place too.
    """

    known: State
    gates: t.Mapping[str, Gate]
    prove: t.Callable[[], None]
    take_up: t.Mapping[str, t.Callable[[], None]]
    take_back: t.Mapping[str, t.Callable[[], None]]
    systemd: bool
    sysusers: bool
    opened: t.Callable[[], None] = lambda: None
    recovering: bool = False  # after a run that died: nobody knows what its daemons have read


def _create_groups(actions: t.List[Action], ports: Ports) -> None:
    users.create([t.cast(Group, action.after) for action in actions], [], ports.sysusers)


def _uncreate_groups(actions: t.List[Action], ports: Ports) -> None:
    _remove_groups_that_exist([t.cast(Group, action.after) for action in actions])


def _remove_groups_that_exist(groups: t.Sequence[Group]) -> None:
    present = users.read()[1]
    for group in groups:
        if group.name in present and present[group.name].gid == group.gid:
            users.remove_group(group.name)


def _create_or_change_users(actions: t.List[Action], ports: Ports) -> None:
    new = [t.cast(User, action.after) for action in actions if action.before is None]
    if new:
        users.create([], new, ports.sysusers)
        _verify_identities(new)
        users.settle_new(new)
    for action in actions:
        if action.before is not None:
            users.change(t.cast(User, action.before), t.cast(User, action.after))


def _uncreate_or_change_back_users(actions: t.List[Action], ports: Ports) -> None:
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
        raise Refused(
            [
                f"user {user.name}: the host would not give it uid {user.uid} and gid {user.gid}; "
                "start again if somebody has just taken them, or give it another `uid`"
                for user in wrong
            ]
        )


def _change_members(actions: t.List[Action], ports: Ports) -> None:
    joining, leaving = _joining_and_leaving(actions)
    users.add_members(joining, ports.sysusers)
    users.remove_members(leaving)


def _change_members_back(actions: t.List[Action], ports: Ports) -> None:
    joining, leaving = _joining_and_leaving(actions)
    users.add_members(_missing(leaving), sysusers=False)
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


def _make_directories(actions: t.List[Action], ports: Ports) -> None:
    for action in actions:
        directory = t.cast(Directory, action.after)
        files.make_directory(directory, *_owner(directory, ports.known))
    files.settle(t.cast(Directory, action.after).path for action in actions)


def _unmake_directories(actions: t.List[Action], ports: Ports) -> None:
    stays = []
    for action in reversed(actions):
        before, after = t.cast(t.Optional[Directory], action.before), t.cast(Directory, action.after)
        if before is not None:
            files.make_directory(before, *_owner(before, ports.known))
        elif os.path.lexists(after.path):
            try:
                files.unmake_directory(after)
            except files.NotEmpty as error:
                stays.append(str(error))
    if stays:
        raise files.NotEmpty("; ".join(stays))


def _swap_files(actions: t.List[Action], ports: Ports) -> None:
    paths = [t.cast(File, action.after).path for action in actions]
    for action in actions:
        file = t.cast(File, action.after)
        files.stage(file, *_owner(file, ports.known))
    with contextlib.ExitStack() as gates:
        for action in actions:
            file = t.cast(File, action.after)
            if file.path in ports.gates:
                gates.enter_context(ports.gates[file.path](file))
        for path in paths:
            files.keep(path)
            files.swap_in(path)
        files.settle(paths)
        _tell_systemd(paths, ports)
        _restart_timers(paths, ports)


def _remove_files(actions: t.List[Action], ports: Ports) -> None:
    paths = [t.cast(File, action.before).path for action in actions]
    _stop_timers(paths, ports)
    for path in paths:
        files.set_aside(path)
    files.settle(paths)
    _tell_systemd(paths, ports)
    _read_again(paths, ports.take_up)


def _put_back(actions: t.List[Action], ports: Ports) -> None:
    """The files as they were before, and nothing where there were none."""
    paths = [t.cast(File, action.resource).path for action in actions]
    new = {path for path, action in zip(paths, actions) if action.before is None}
    _stop_timers(new, ports)
    for path in paths:
        files.discard(path)
    changed = [path for path in paths if files.put_back(path, existed=path not in new)]
    files.settle(paths)
    told = paths if ports.recovering else changed
    _tell_systemd(told, ports)
    _read_again(told, ports.take_back)
    _restart_timers(set(told) - new, ports)


def _read_again(paths: t.Sequence[str], by_path: t.Mapping[str, t.Callable[[], None]]) -> None:
    for path in paths:
        if path in by_path:
            by_path[path]()


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


def _swap_links(actions: t.List[Action], ports: Ports) -> None:
    for action in actions:
        _put_link(t.cast(Link, action.resource).path, t.cast(t.Optional[Link], action.after), ports)


def _swap_links_back(actions: t.List[Action], ports: Ports) -> None:
    for action in reversed(actions):
        _put_link(t.cast(Link, action.resource).path, t.cast(t.Optional[Link], action.before), ports)


def _put_link(path: str, wanted: t.Optional[Link], ports: Ports) -> None:
    files.discard(path)
    if wanted is None:
        files.remove(path)
    else:
        files.stage_link(path, wanted.target)
        files.swap_in(path)
    files.settle([path])
    _tell_systemd([path], ports)


def _mount(actions: t.List[Action], ports: Ports) -> None:
    changed = [t.cast(Mount, action.before).target for action in actions if action.before is not None]
    for target in reversed(changed):
        mounting.remove(target)
    mounting.apply(layout.MOUNT_TABLE, ports.systemd)


def _unmount(actions: t.List[Action], ports: Ports) -> None:
    """What was mounted before comes back with its table."""
    for action in reversed(actions):
        mounting.remove(t.cast(Mount, action.after).target)


def _remove_mounts(actions: t.List[Action], ports: Ports) -> None:
    for action in actions:
        mounting.remove(t.cast(Mount, action.before).target)


def _set_passwords(actions: t.List[Action], ports: Ports) -> None:
    users.set_passwords({user.name: user.password for user in (t.cast(User, action.after) for action in actions)})


def _set_passwords_back(actions: t.List[Action], ports: Ports) -> None:
    users.set_passwords({user.name: user.password for user in (t.cast(User, action.before) for action in actions)})


def _end_sessions(actions: t.List[Action], ports: Ports) -> None:
    sessions.end([t.cast(User, action.before).uid for action in actions])


def _remove_directories(actions: t.List[Action], ports: Ports) -> None:
    """A directory that holds something stays: what customers left there is kept."""
    for action in actions:
        files.remove_directory(t.cast(Directory, action.before).path)


def _bring_back_directories(actions: t.List[Action], ports: Ports) -> None:
    for action in reversed(actions):
        before = t.cast(Directory, action.before)
        files.make_directory(before, *_owner(before, ports.known))


def _remove_users(actions: t.List[Action], ports: Ports) -> None:
    for action in actions:
        users.remove_user(t.cast(User, action.before).name)


def _bring_back_users(actions: t.List[Action], ports: Ports) -> None:
    """Each with its ids and its password, and its group, which ``userdel`` may have taken along."""
    present, groups = users.read()
    gids = {group.gid for group in groups.values()}
    for user in (t.cast(User, action.before) for action in actions):
        if user.name not in present:
            users.create([] if user.gid in gids else [Group(user.name, user.gid)], [user], ports.sysusers)
            users.settle_new([user])


def _remove_groups(actions: t.List[Action], ports: Ports) -> None:
    _remove_groups_that_exist([t.cast(Group, action.before) for action in actions])


def _bring_back_groups(actions: t.List[Action], ports: Ports) -> None:
    present = users.read()[1]
    gone = [group for group in (t.cast(Group, action.before) for action in actions) if group.name not in present]
    users.create(gone, [], ports.sysusers)
    users.add_members({group.name: group.members for group in gone}, ports.sysusers)


def _nothing(actions: t.List[Action], ports: Ports) -> None:
    """Sessions that were ended do not come back; mounts do, with their table."""


def _owner(resource: t.Union[Directory, File], known: State) -> t.Tuple[int, int]:
    try:
        return known.users[resource.owner].uid, known.groups[resource.group].gid
    except KeyError as missing:
        raise Refused([f"{label(resource)}: {missing} is not on the host yet; apply `accounts` first"]) from None


Do = t.Callable[[t.List[Action], Ports], None]

STEPS: t.Mapping[Step, t.Tuple[Do, Do]] = {
    Step.GROUP: (_create_groups, _uncreate_groups),
    Step.USER: (_create_or_change_users, _uncreate_or_change_back_users),
    Step.MEMBERS: (_change_members, _change_members_back),
    Step.DIRECTORY: (_make_directories, _unmake_directories),
    Step.FILE: (_swap_files, _put_back),
    Step.LINK: (_swap_links, _swap_links_back),
    Step.MOUNT: (_mount, _unmount),
    Step.SUDO: (_swap_files, _put_back),
    Step.SSHD: (_swap_files, _put_back),
    Step.KEY: (_swap_files, _put_back),
    Step.REMOVE_LINK: (_swap_links, _swap_links_back),
    Step.REMOVE_FILE: (_remove_files, _put_back),
    Step.RECORD: (_swap_files, _put_back),
    Step.PASSWORD: (_set_passwords, _set_passwords_back),
    Step.SESSION: (_end_sessions, _nothing),
    Step.REMOVE_MOUNT: (_remove_mounts, _nothing),
    Step.REMOVE_DIRECTORY: (_remove_directories, _bring_back_directories),
    Step.REMOVE_USER: (_remove_users, _bring_back_users),
    Step.REMOVE_GROUP: (_remove_groups, _bring_back_groups),
    Step.FINAL_RECORD: (_swap_files, _put_back),
}
