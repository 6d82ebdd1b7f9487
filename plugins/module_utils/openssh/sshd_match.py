# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the Match lines of other files could single out: for them settings may differ from those of their class."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .. import layout
from ..resources import Group, User
from .sshd_config import Setting
from .sshd_effective import matches_pattern

_ADDRESS_CRITERIA = ("address",)
_CRITERION = re.compile(r"(?P<name>[A-Za-z-]+)[ \t\r]*(?:=[ \t\r]*|[ \t\r]+)(?P<value>[^ \t\r]+)")

C = t.TypeVar("C", bound=t.Hashable)


def foreign(settings: t.Iterable[Setting]) -> t.List[str]:
    """The Match lines of other files that have a setting below them, each once."""
    lines = (setting.match for setting in settings if setting.file != layout.SSHD_DROP_IN)
    return list(dict.fromkeys(line for line in lines if line is not None))


def representatives(
    lines: t.Sequence[str], classes: t.Mapping[C, t.Sequence[str]], groups: t.Mapping[str, t.AbstractSet[str]]
) -> t.List[t.Tuple[C, str]]:
    """Of each class, one account for each set of Match lines that can hold for some of its accounts."""
    naming = [line for line in lines if any(name in ("user", "group") for name, _value in criteria(line))]
    found = []
    for cls, names in classes.items():
        seen = {frozenset[str]()} if not naming else set()
        for name in names:
            hit = frozenset(line for line in naming if can_hold(line, name, groups.get(name, frozenset())))
            if hit not in seen:
                seen.add(hit)
                found.append((cls, name))
    return found


def can_hold(line: str, user: str, groups: t.AbstractSet[str]) -> bool:
    """Whether the line can hold for this user: it does from somewhere, at some port."""
    for name, value in criteria(line):
        if name == "user" and not in_list(value, {user}):
            return False
        if name == "group" and not in_list(value, groups):
            return False
    return True


def in_list(patterns: str, names: t.AbstractSet[str]) -> bool:
    """sshd's lists: a pattern with ``!`` that matches ends it."""
    listed = patterns.split(",")
    if any(matches_pattern(item[1:], name) for item in listed if item.startswith("!") for name in names):
        return False
    return any(matches_pattern(item, name) for item in listed if not item.startswith("!") for name in names)


def addresses(lines: t.Iterable[str]) -> t.List[str]:
    """An address of each source that a Match line names."""
    named = [value for line in lines for name, value in criteria(line) if name in _ADDRESS_CRITERIA]
    found = (_an_address(item) for value in named for item in value.split(",") if not item.startswith("!"))
    return list(dict.fromkeys(address for address in found if address is not None))


def groups_by_user(users: t.Mapping[str, User], groups: t.Mapping[str, Group]) -> t.Dict[str, t.Set[str]]:
    """The primary group and every other, for all users at once."""
    primary: t.Dict[int, str] = {group.gid: group.name for group in groups.values()}
    found = {user.name: {primary[user.gid]} if user.gid in primary else set() for user in users.values()}
    for group in groups.values():
        for member in group.members:
            found.setdefault(member, set()).add(group.name)
    return found


def criteria(line: str) -> t.List[t.Tuple[str, str]]:
    return [(found["name"].lower(), found["value"]) for found in _CRITERION.finditer(line)]


def _an_address(pattern: str) -> t.Optional[str]:
    """An address that the pattern matches, if it is a network, an address, or an address with ``*`` or ``?``."""
    candidates = [pattern]
    plain = pattern.replace("*", "1").replace("?", "1")
    candidates += [plain + ".1" * missing for missing in range(4)] if plain != pattern else []
    for candidate in candidates:
        try:
            return str(ipaddress.ip_network(candidate, strict=False)[0])
        except ValueError:
            continue
    return None
