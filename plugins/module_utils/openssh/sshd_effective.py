# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging what ``sshd -T`` shows: against what was expected, and for who may log in at all."""

from __future__ import annotations

import ipaddress
import re
import typing as t

Effective = t.Mapping[str, t.Sequence[str]]  # keyword in lower case -> the values of its lines

ADDRESSES = ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1")  # reserved for documentation


def parse(text: str) -> t.Dict[str, t.List[str]]:
    """What -T prints; the case of its keywords depends on the version."""
    values: t.Dict[str, t.List[str]] = {}
    for line in text.rstrip("\n").split("\n"):
        keyword, _space, value = line.partition(" ")
        values.setdefault(keyword.lower(), []).append(value)
    return values


def mismatches(expected: t.Mapping[str, str], found: Effective) -> t.Dict[str, t.Tuple[str, str]]:
    """Of every keyword that differs: what was expected, and what is."""
    values = {keyword: " ".join(found.get(keyword, ())) for keyword in expected}
    return {keyword: (value, values[keyword]) for keyword, value in expected.items() if value != values[keyword]}


def refused_by(found: Effective, user: str, groups: t.AbstractSet[str]) -> t.Optional[str]:
    """The keyword that keeps a user out before any authentication, by sshd's own rule and in its order."""
    for denying, allowing, names in (("denyusers", "allowusers", {user}), ("denygroups", "allowgroups", groups)):
        if _lists(found.get(denying, ()), names):
            return denying
        if found.get(allowing) and not _lists(found[allowing], names):
            return allowing
    return None


def sample_addresses(sources: t.Sequence[str], more: t.Iterable[str] = ()) -> t.List[t.Tuple[str, bool]]:
    """Addresses to try, these ones as well, and whether each is one of the sources; no sources: everywhere is."""
    networks = [ipaddress.ip_network(source, strict=False) for source in sources]

    def inside(text: str) -> bool:
        return not networks or any(ipaddress.ip_address(text) in network for network in networks)

    first = str(networks[0][0]) if networks else ADDRESSES[0]
    outside = [text for text in ADDRESSES if not inside(text)]
    return [(text, inside(text)) for text in dict.fromkeys([first, *outside[:1], *more])]


def _lists(patterns: t.Iterable[str], names: t.AbstractSet[str]) -> bool:
    """USER@HOST counts for its user wherever that one comes from."""
    return any(matches_pattern(pattern.partition("@")[0], name) for pattern in patterns for name in names)


def matches_pattern(pattern: str, name: str) -> bool:
    """sshd's patterns: ``*`` and ``?``."""
    translated = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(translated, name, re.DOTALL) is not None
