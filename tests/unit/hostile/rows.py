# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row of the tables is."""

from __future__ import annotations

import typing as t


class Refused(t.NamedTuple):
    """A value that is wrong where it stands in the valid model of models.py."""

    place: str
    value: t.Any
    says: str  # a part of the message
    at: str = ""  # the place that the message names, if it is another one

    @property
    def said_at(self) -> str:
        return self.at or self.place


class Accepted(t.NamedTuple):
    """A value that looks hostile and is right: what it becomes in the resolved model."""

    place: str
    value: t.Any
    where: str = ""  # in the resolved model; nothing: at the same place
    becomes: t.Any = None  # nothing: the value itself

    @property
    def found_at(self) -> str:
        return self.where or self.place

    @property
    def expected(self) -> t.Any:
        value = self.value if self.becomes is None else self.becomes
        return tuple(value) if isinstance(value, list) else value


def new(place: str, says: str, option: str, value: t.Any, **others: t.Any) -> Refused:
    """An item that is added, with one wrong option."""
    return Refused(place, {**others, option: value}, says, f"{place}.{option}")


# One of each kind of sign that some file, program or eye misreads, with what a message about it calls it.
SIGNS: t.Dict[str, str] = {
    "line end": "\n",
    "tab": "\t",
    "space": " ",
    "double quote": '"',
    "quote": "'",
    "backslash": "\\",
    "percent": "%",
    "hash": "#",
    "exclamation mark": "!",
    "asterisk": "*",
    "question mark": "?",
    "comma": ",",
    "colon": ":",
    "at": "@",
    "plus": "+",
    "dollar": "$",
    "backtick": "`",
    "substitution": "$(id)",
    "slash": "/",
    "bar": "|",
    "semicolon": ";",
    "ampersand": "&",
    "less": "<",
    "parenthesis": "(",
    "bracket": "[",
    "brace": "{",
    "equals": "=",
    "caret": "^",
    "tilde": "~",
    "next line": "\x85",
    "line separator": "\u2028",
    "no-break space": "\xa0",
    "byte order mark": "\ufeff",
    "zero width space": "\u200b",
    "right to left override": "\u202e",
    "Cyrillic a": "\u0430",
    "fullwidth a": "\uff41",
    "Arabic digit": "\u0661",
    "composed": "\xe9",
    "decomposed": "e\u0301",
    "beyond the first plane": "\U0001f600",
}
# What is in no text at all.
CONTROLS: t.Dict[str, str] = {
    "NUL": "\0",
    "carriage return": "\r",
    "escape sequence": "\x1b[2J",
    "backspace": "\b",
    "form feed": "\f",
    "delete": "\x7f",
}
HALF = "\ud800"
