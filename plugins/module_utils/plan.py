# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: the ordered actions that turn what a host has into what the model wants.

``diff(state, state) == []`` for every state: an empty plan means converged.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

from . import layout
from .records import Made
from .resources import Directory, File, Group, Link, Mount, State, User
from .system.expirer import FIRST_DAY as CLOSED

Resource = t.Union[User, Group, Directory, File, Link, Mount]


class Step(enum.IntEnum):
    """When an action is carried out.

    What closes a way in comes first, so that whoever is shut out cannot disturb the rest; what opens one comes after
    what confines it; what removes comes last.
    """

    CLOSE = 0
    GROUP = 1
    USER = 2
    MEMBERS = 3
    DIRECTORY = 4
    FILE = 5
    LINK = 6
    MOUNT = 7
    SUDO = 8
    SSHD = 9
    KEY = 10
    REMOVE_LINK = 11
    REMOVE_FILE = 12
    RECORD = 13  # up to here a run that dies is undone; what follows, the next run completes
    PASSWORD = 14
    SESSION = 15
    REMOVE_MOUNT = 16
    REMOVE_DIRECTORY = 17
    REMOVE_USER = 18
    REMOVE_GROUP = 19
    FINAL_RECORD = 20


@dataclass(frozen=True)
class Action:
    """One change. ``before`` is what the host has (``None``: nothing), ``after`` what it gets (``None``: nothing)."""

    step: Step
    before: t.Optional[Resource]
    after: t.Optional[Resource]
    detail: str = ""

    @property
    def resource(self) -> Resource:
        return t.cast(Resource, self.after or self.before)

    def __str__(self) -> str:
        if self.step is Step.SESSION:
            return f"end the sessions of {label(self.resource)}"
        verb = "create" if self.before is None else "remove" if self.after is None else "change"
        text = f"{verb} {label(self.resource)}"
        return f"{text} ({self.detail})" if self.detail else text


def could_lock_out(actions: t.Iterable[Action], admins: t.Collection[str]) -> bool:
    """Whether a new connection has to show afterwards that people still get in."""
    keys = {layout.keys_file(admin) for admin in admins}
    return any(
        action.step in (Step.SSHD, Step.SUDO)
        or key_of(action.resource) in (layout.SSHD_DROP_IN, layout.SUDOERS, *keys)
        or (isinstance(action.resource, User) and action.resource.name in admins)
        or (action.step is Step.MEMBERS and _shuts_out(action))
        for action in actions
    )


def named(actions: t.Iterable[Action], jails: str) -> t.Set[str]:
    """Whom the actions concern: users, members that come or go, owners of key files, and of jails."""
    found: t.Set[str] = set()
    for action in actions:
        key = key_of(action.resource)
        if isinstance(action.resource, User):
            found.add(key)
        elif isinstance(action.resource, Group):
            before, after = (side.members if isinstance(side, Group) else frozenset() for side in _sides(action))
            found |= before ^ after
        else:
            parents = [parent for parent in (layout.KEYS, jails.rstrip("/")) if key.startswith(parent + "/")]
            found.update(key[len(parent) + 1 :].partition("/")[0] for parent in parents)
    return found


def _sides(action: Action) -> t.Tuple[t.Optional[Resource], t.Optional[Resource]]:
    return action.before, action.after


def _shuts_out(action: Action) -> bool:
    before, after = t.cast(Group, action.before), t.cast(Group, action.after)
    return after.name == layout.LOGIN_GROUP and bool(before.members - after.members)


def label(resource: Resource) -> str:
    """``user alice``, ``file /etc/…``: how a resource is called in actions, diffs and errors."""
    return f"{type(resource).__name__.lower()} {key_of(resource)}"


def key_of(resource: Resource) -> str:
    if isinstance(resource, (User, Group)):
        return resource.name
    return resource.target if isinstance(resource, Mount) else resource.path


def diff(have: State, want: State, made: Made = Made(), ours: t.AbstractSet[str] = frozenset()) -> t.List[Action]:
    """The actions in the order in which they are carried out.

    ``made`` names what earlier runs created: of that, what is not wanted any more is removed. ``ours`` are the users
    that the collection created: only their memberships are taken away from groups of the host.
    """
    actions = [
        *_groups(have, want, ours),
        *_closing(have, want, made),
        *_users(have, want),
        *_compare(have.directories, want.directories, Step.DIRECTORY),
        *_files(have, want),
        *_compare(have.links, want.links, Step.LINK),
        *_compare(have.mounts, want.mounts, Step.MOUNT),
        *_stale(have.links, want.links, made.links, Step.REMOVE_LINK),
        *_stale(have.files, want.files, made.files, Step.REMOVE_FILE),
        *_sessions(have, want, made),
        *_stale(have.mounts, want.mounts, made.mounts, Step.REMOVE_MOUNT),
        *_stale(have.directories, want.directories, made.directories, Step.REMOVE_DIRECTORY),
        *_stale(have.users, want.users, made.users, Step.REMOVE_USER),
        *_stale(have.groups, want.groups, made.groups, Step.REMOVE_GROUP),
    ]
    # children go before their parents, and come after them
    return sorted(actions, key=lambda action: action.step)


_R = t.TypeVar("_R", bound=Resource)


def _compare(have: t.Mapping[str, _R], want: t.Mapping[str, _R], step: Step) -> t.Iterator[Action]:
    for key in sorted(want):
        before = have.get(key)
        if before != want[key]:
            yield Action(step, before, want[key], _changes(before, want[key]))


def _stale(
    have: t.Mapping[str, _R], want: t.Mapping[str, _R], made: t.AbstractSet[str], step: Step
) -> t.Iterator[Action]:
    for key in sorted(made - want.keys(), reverse=True):
        if key in have:
            yield Action(step, have[key], None)


def _files(have: State, want: State) -> t.Iterator[Action]:
    for action in _compare(have.files, want.files, Step.FILE):
        yield Action(_step_of(action.resource), action.before, action.after, action.detail)


def _step_of(file: Resource) -> Step:
    path = key_of(file)
    if path == layout.SUDOERS:
        return Step.SUDO
    if path == layout.SSHD_DROP_IN:
        return Step.SSHD
    return Step.KEY if path.startswith(layout.KEYS + "/") else Step.FILE


def _groups(have: State, want: State, ours: t.AbstractSet[str]) -> t.Iterator[Action]:
    for name in sorted(want.groups):
        before, after = have.groups.get(name), want.groups[name]
        if before is None:
            yield Action(Step.GROUP, None, Group(name, after.gid), f"gid {after.gid}")
        present = before.members if before else frozenset()
        kept = present if _is_foreign(name) else frozenset()
        leaving = frozenset(member for member in present - after.members if member in ours or not kept)
        members = (present | after.members) - leaving
        if members != present:
            yield Action(
                Step.MEMBERS,
                Group(name, after.gid, present),
                Group(name, after.gid, members),
                _member_changes(members - present, leaving),
            )
    for name in sorted(have.groups.keys() - want.groups.keys()):
        leaving = have.groups[name].members & ours
        if leaving and _is_foreign(name):
            before = have.groups[name]
            after = Group(name, before.gid, before.members - leaving)
            yield Action(Step.MEMBERS, before, after, _member_changes(frozenset(), leaving))


def _is_foreign(group: str) -> bool:
    return group != layout.LOGIN_GROUP and not group.startswith(layout.CLASS_GROUP)


def _member_changes(joining: t.AbstractSet[str], leaving: t.AbstractSet[str]) -> str:
    parts = [f"add {_some(joining)}"] if joining else []
    return "; ".join([*parts, *([f"remove {_some(leaving)}"] if leaving else [])])


def _some(names: t.AbstractSet[str], most: int = 10) -> str:
    shown = sorted(names)[:most]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _closing(have: State, want: State, made: Made) -> t.Iterator[Action]:
    """Users who are suspended, and those who go: half removed, they must not get in."""
    for name, user in sorted(have.users.items()):
        after = want.users.get(name)
        closes = after.expires == CLOSED if after else name in made.users
        if closes and user.expires != CLOSED:
            yield Action(Step.CLOSE, user, _closed(user), _changes(user, _closed(user)))


def _closed(user: User) -> User:
    return User(**{**vars(user), "expires": CLOSED})


def _users(have: State, want: State) -> t.Iterator[Action]:
    """A user's identity and its password are two actions: the password opens a way in, and comes later."""
    for name in sorted(want.users):
        before, after = have.users.get(name), want.users[name]
        if before is not None and after.expires == CLOSED:
            before = _closed(before)
        locked = User(**{**vars(after), "password": before.password if before else "*"})
        if before is None:
            yield Action(Step.USER, None, locked, f"uid {after.uid}")
        elif before != locked:
            yield Action(Step.USER, before, locked, _changes(before, locked))
        if locked != after:
            yield Action(Step.PASSWORD, locked, after, "password")


def _sessions(have: State, want: State, made: Made) -> t.Iterator[Action]:
    """Users whose live sessions end: those that this plan closes, and those who are closed and still logged in."""
    for name, user in sorted(have.users.items()):
        after = want.users.get(name)
        leaving = after is None and name in made.users
        closing = after is not None and after.expires == CLOSED and user.expires != CLOSED
        if leaving or closing or name in have.busy:
            yield Action(Step.SESSION, user, after)


def _changes(before: t.Optional[Resource], after: Resource) -> str:
    """Which fields differ, without the values that are secret or long."""
    if before is None:
        return ""
    hidden = ("content", "options", "password")
    return ", ".join(
        name if name in hidden else f"{name} {_shown(name, old)} → {_shown(name, new)}"
        for (name, old), new in zip(vars(before).items(), vars(after).values())
        if old != new and name != "skeleton"
    )


def _shown(name: str, value: t.Any) -> str:
    if name == "mode":
        return f"{value:04o}"
    return ",".join(value) if isinstance(value, tuple) else str(value)
