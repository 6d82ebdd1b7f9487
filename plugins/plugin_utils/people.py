# SPDX-License-Identifier: GPL-3.0-or-later
"""Persons and teams, resolved to the keys that they open accounts with."""

from __future__ import annotations

import collections.abc as c
from dataclasses import dataclass

from ..module_utils.model import Key
from ..module_utils.openssh.fingerprints import sha256
from . import keys, names, networks, times
from .problems import Item, Problems, known, shown


@dataclass(frozen=True)
class People:
    """The keys of every person, those of absent ones being none; the persons of every team; the global keys."""

    keys: c.Mapping[str, tuple[Key, ...]]
    teams: c.Mapping[str, tuple[str, ...]]
    everywhere: tuple[Key, ...]
    names: frozenset[str]
    team_names: frozenset[str]


class Owners:
    """Who owns which key: nobody else's may be the same, or the log could not say who came."""

    def __init__(self) -> None:
        self._owner: dict[str, tuple[str, str]] = {}

    def claim(self, item: Item, key: Key, problems: Problems) -> None:
        """The key belongs to one owner from now on, and to one entry of that owner."""
        owner, place = self._owner.setdefault(key.blob, (key.owner, item.place))
        if place != item.place:
            whose = f"{shown(owner)} at {place}" if owner != key.owner else place
            problems.add(
                f"{item.place}.key",
                f"is the same key ({sha256(key.blob)}) as that of {whose}; "
                "everybody needs a key of their own, named once",
            )

    def lend(self, item: Item, key: Key, problems: Problems) -> None:
        """An account's own key may open other accounts as their own, and cannot be a person's."""
        if key.blob in self._owner:
            self.claim(item, key, problems)


def of_owner(owner: str, items: list[Item], problems: Problems) -> list[tuple[Item, Key]]:
    """The valid keys of one owner with their entries."""
    problems.unique(items, "name")
    found = []
    for item in items:
        name = problems.check(item, "name", names.label)
        public = problems.check(item, "key", keys.public)
        expires = problems.check(item, "expires", times.instant)
        sources = problems.check_each(item, "from", networks.network)
        if public:
            found.append((item, Key(*public, owner, name or "", sources, expires)))
    return found


def resolve(contract: Item, owners: Owners, problems: Problems) -> People:
    """Everybody of the model."""
    return People(
        keys=dict(_persons(contract, owners, problems)),
        teams=_teams(contract, problems),
        everywhere=_own("global", contract["server"], "global_keys", owners, problems),
        names=frozenset(item["name"] for item in contract["people"] if item["name"]),
        team_names=frozenset(item["name"] for item in contract["teams"] if item["name"]),
    )


def _persons(contract: Item, owners: Owners, problems: Problems) -> c.Iterator[tuple[str, tuple[Key, ...]]]:
    problems.unique(contract["people"], "name")
    for item in contract["people"]:
        name = problems.check(item, "name", names.person)
        found = _own(name or "", item, "keys", owners, problems)
        if name:
            yield name, found if item["state"] == "present" else ()


def _own(owner: str, item: Item, option: str, owners: Owners, problems: Problems) -> tuple[Key, ...]:
    found = of_owner(owner, item[option], problems)
    for entry, key in found:
        owners.claim(entry, key, problems)
    return tuple(key for _place, key in found)


def _teams(contract: Item, problems: Problems) -> dict[str, tuple[str, ...]]:
    problems.unique(contract["teams"], "name")
    people = frozenset(item["name"] for item in contract["people"] if item["name"])
    teams = {}
    for item in contract["teams"]:
        name = problems.check(item, "name", names.label)
        members = problems.check_each(item, "people", known, people, "person", f"{contract.place}people")
        if name:
            teams[name] = members
    return teams
