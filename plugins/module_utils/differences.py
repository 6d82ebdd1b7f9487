# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as one text before and one after, for ``--diff``: all that changes, nothing else, no secret."""

from __future__ import annotations

import typing as t

from .plan import Action, Resource, Step, key_of, label
from .resources import Directory, File, Group, Link, Mount, User


def before_and_after(actions: t.Sequence[Action]) -> t.Tuple[str, str]:
    """What the changed resources are and what they become, each in the order of its first action."""
    first: t.Dict[t.Tuple[type, str], t.Optional[Resource]] = {}
    last: t.Dict[t.Tuple[type, str], t.Optional[Resource]] = {}
    for action in actions:
        if action.step is Step.SESSION:
            continue
        key = (type(action.resource), key_of(action.resource))
        first.setdefault(key, action.before)
        last[key] = action.after
    before = "".join(_block(first[key], last[key], "set") for key in first)
    after = "".join(_block(last[key], first[key], "set, another one") for key in first)
    return before, after


def _block(resource: t.Optional[Resource], other: t.Optional[Resource], changed: str) -> str:
    if resource is None:
        return ""
    return "\n".join([label(resource), *(f"    {line}" for line in _lines(resource, other, changed)), ""])


def _lines(resource: Resource, other: t.Optional[Resource], changed: str) -> t.Iterator[str]:
    if isinstance(resource, User):
        yield f"uid {resource.uid}, gid {resource.gid}, home {resource.home}, shell {resource.shell}"
        yield f"expires: {'never' if resource.expires is None else f'on day {resource.expires} since 1970-01-01'}"
        yield f"password: {_password(resource, other, changed)}"
        if resource.ageing:
            yield "password ageing: on"
    elif isinstance(resource, Group):
        yield f"gid {resource.gid}"
        theirs = other.members if isinstance(other, Group) else frozenset()
        yield from (f"member {name}" for name in sorted(resource.members ^ (resource.members & theirs)))
    elif isinstance(resource, (Directory, File)):
        yield f"mode {resource.mode:04o}, owner {resource.owner}, group {resource.group}"
        if isinstance(resource, File):
            yield from (f"| {line}" for line in resource.content.splitlines())
    elif isinstance(resource, Link):
        yield f"to {resource.target}"
    elif isinstance(resource, Mount):
        yield f"{resource.source} ({resource.type}: {','.join(resource.options)})"


def _password(user: User, other: t.Optional[Resource], changed: str) -> str:
    """Whether there is one. ``changed`` is what to say of a password that the other side has differently."""
    if not user.password.startswith("$"):
        return "none"
    differs = isinstance(other, User) and other.password.startswith("$") and other.password != user.password
    return changed if differs else "set"
