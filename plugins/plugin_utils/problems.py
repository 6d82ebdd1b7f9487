# SPDX-License-Identifier: GPL-3.0-or-later
"""How validation says no: a check raises ``Wrong`` about one value, and all are collected with their places."""

from __future__ import annotations

import collections.abc as c
import difflib
import functools
import re
import typing as t

_T = t.TypeVar("_T")

_SHOWN = 60
_RESEMBLED = 200  # among more names, looking for a resembling one takes longer than all of the validation
# What is never repeated in a message, wherever somebody has put it: private keys and password hashes.
_SECRET = re.compile(
    r"PRIVATE KEY|PuTTY-User-Key-File|\$[0-9a-z]{1,9}\$"
    # and how the body of a private key starts: of OpenSSH, and of PEM (PKCS#8, EC, RSA)
    r"|b3BlbnNzaC1rZXkt|\bM[A-Za-z0-9+/]{1,6}(?:AgE|CAQ|IBA)[A-Za-z0-9+/]{12}"
)
_DIGITS = re.compile(r"([0-9]+)")


class Wrong(ValueError):
    """One value is wrong; the message says why and what would be right."""


class Invalid(Exception):
    """The model is invalid. ``problems`` holds every error, each with its place."""

    def __init__(self, problems: c.Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class Item(dict[str, t.Any]):
    """A mapping of the model with its defaults filled in, which knows its place in what was written."""

    __slots__ = ("misshapen", "place")

    def __init__(self, place: str, values: c.Mapping[str, t.Any]) -> None:
        super().__init__(values)
        self.place = place
        self.misshapen: frozenset[str] = frozenset()

    def gives(self, option: str) -> bool:
        """Something is there, if only an empty text, or so wrong that nothing of it is left."""
        return bool(self[option]) or self[option] == "" or option in self.misshapen


class Problems:
    """Everything that is wrong, as ``PLACE: why`` sentences."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, place: str, why: str) -> None:
        end = "" if why.endswith("?") else "."
        self._found[f"{place}: {why}{end}"] = None

    def check(self, item: Item, option: str, function: c.Callable[..., _T], *arguments: t.Any) -> _T | None:
        """What ``function`` makes of an option's value, or ``None`` if there is no value or it is wrong."""
        value = item[option]
        if value is None:
            return None
        try:
            return function(value, *arguments)
        except Wrong as wrong:
            self.add(f"{item.place}.{option}", str(wrong))
            return None

    def check_each(self, item: Item, option: str, function: c.Callable[..., _T], *arguments: t.Any) -> tuple[_T, ...]:
        """The same for every element of a list; a repeated element is wrong too."""
        values: dict[_T, None] = {}
        for position, value in enumerate(item[option] or ()):
            if value is None:  # it was wrong already
                continue
            try:
                made = function(value, *arguments)
                if made in values:
                    raise Wrong(f"repeats {shown(value)}; list it once")
                values[made] = None
            except Wrong as wrong:
                self.add(f"{item.place}.{option}[{position}]", str(wrong))
        return tuple(values)

    def unique(self, items: c.Iterable[Item], option: str) -> None:
        """No two items may have the same value of an option."""
        first: dict[t.Any, str] = {}
        for item in items:
            value = item[option]
            if value is None:
                continue
            if value in first:
                self.add(f"{item.place}.{option}", f"repeats {shown(value)} of {first[value]}; give it once")
            else:
                first[value] = item.place

    def finish(self) -> None:
        """Raise everything that was found, in the order of the places."""
        if self._found:
            raise Invalid(sorted(self._found, key=_natural))


def shown(value: t.Any) -> str:
    """A value as a message may show it: on one line, not too long, and never a secret."""
    text = str(value)
    if _SECRET.search(text):
        return "(hidden, since it looks like a secret)"
    if len(text) > _SHOWN:
        text = text[:_SHOWN] + "…"
    return ascii(text) if not text.isprintable() else f'"{text}"'


@functools.lru_cache(maxsize=4096)
def suggestion(name: str, known: frozenset[str]) -> str:
    """The known name that a misspelt one resembles, or all of them."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"there is {', '.join(sorted(known))}"


def known(value: str, names: c.Collection[str], what: str, where: str) -> str:
    """A reference to something that the model declares elsewhere."""
    if value in names:
        return value
    close = difflib.get_close_matches(value, sorted(names), n=1, cutoff=0.6) if len(names) <= _RESEMBLED else []
    remedy = f"did you mean {shown(close[0])[1:-1]}?" if close else "declare it there"
    raise Wrong(f"{shown(value)} is no {what} of {where}; {remedy}")


def _natural(problem: str) -> list[tuple[int, t.Any]]:
    """Sorts by place, the tenth element after the second."""
    place = problem.partition(": ")[0]
    return [(1, int(part)) if part.isdecimal() else (0, part) for part in _DIGITS.split(place)]
