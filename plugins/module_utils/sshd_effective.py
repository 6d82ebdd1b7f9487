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
    for line in text.splitlines():
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


def sample_addresses(sources: t.Sequence[str]) -> t.List[t.Tuple[str, bool]]:
    """Addresses to try, and whether each is one of the sources; no sources: everywhere is."""
    if not sources:
        return [(ADDRESSES[0], True)]
    networks = [ipaddress.ip_network(source, strict=False) for source in sources]
    inside = [(str(networks[0][0]), True)]
    outside = [(text, False) for text in ADDRESSES if not any(ipaddress.ip_address(text) in net for net in networks)]
    return inside + outside[:1]


def _lists(patterns: t.Iterable[str], names: t.AbstractSet[str]) -> bool:
    """USER@HOST counts for its user wherever that one comes from."""
    return any(_matches(pattern.partition("@")[0], name) for pattern in patterns for name in names)


def _matches(pattern: str, name: str) -> bool:
    translated = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(translated, name, re.DOTALL) is not None
