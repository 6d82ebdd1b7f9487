# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of what was written: known options, right types, choices, nothing missing; defaults filled in.

It walks the argument_spec of the contract, compiled once into functions, since 10,000 accounts have to pass in a
moment. What is wrong is reported and replaced by the default, so that the other checks can go on and report theirs.
The outcome is made of plain types: Ansible hands over subclasses of them that carry tags.
"""

from __future__ import annotations

import collections.abc as c
import datetime
import functools
import typing as t

from .problems import Item, Problems, Wrong, shown, suggestion
from .unavailable import ANY, UNAVAILABLE

# Takes a value, its place and the problems; gives the value in plain types, or None if it is wrong.
Take = c.Callable[[t.Any, str, Problems], t.Any]

# Options for which null does not mean the default but "none".
_NULLABLE = frozenset({"server.ban", "server.idle_timeout"})

# What no option needs more of: a number that a host can store, and a value of lists in lists.
_LARGEST = 2**63
_DEEPEST = 4

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def compiled(spec: c.Mapping[str, c.Mapping[str, t.Any]], path: str = "") -> Take:
    """A function that takes a mapping of these options.

    The place of the whole contract is the prefix of its variables' names, "access_" or nothing.
    """
    takes: dict[str, Take] = {}
    defaults: dict[str, t.Any] = {}
    nested: dict[str, Take] = {}
    required = []
    nullable = set()
    for name, option in spec.items():
        where = f"{path}.{name}".lstrip(".")
        takes[name] = _compiled_option(option, where)
        defaults[name] = option.get("default")
        if option["type"] == "dict":
            nested[name] = takes[name]
        if option.get("required"):
            required.append(name)
        if where in _NULLABLE:
            nullable.add(name)
    names = frozenset(takes)

    def take(value: t.Any, place: str, problems: Problems) -> Item | None:
        if not isinstance(value, c.Mapping):
            problems.add(place, f"is {_kind(value)}; write a mapping of options")
            return None
        item = Item(place, defaults)
        dot = f"{place}." if path else place
        for name, given in value.items():
            if name not in takes:
                problems.add(f"{dot}{shown(name)[1:-1]}", f"is no option; {suggestion(str(name), names)}")
            elif given is not None:
                before = len(problems)
                made = takes[name](given, dot + name, problems)
                if made is not None:
                    item[str(name)] = made
                if len(problems) != before:
                    item.misshapen |= {str(name)}
            elif name in nullable:
                item[str(name)] = None
        for name in required:
            if not item.gives(name) and value.get(name) is None:
                problems.add(f"{dot}{name}", "is missing; it has no default")
        for name, take_nested in nested.items():
            if item[name] is None and not (name in nullable and value.get(name, "") is None):
                item[name] = take_nested({}, dot + name, problems)
        return item

    return take


def _compiled_option(option: c.Mapping[str, t.Any], path: str) -> Take:
    kind = option["type"]
    if kind == "dict":
        return compiled(option["options"], path)
    if kind == "list":
        return _list_of(_compiled_elements(option, path), in_place=option["elements"] != "dict")
    if option.get("no_log"):
        return _scalar(secret)
    checks: list[c.Callable[[t.Any], t.Any]] = [{"str": text, "int": number, "bool": truth, "raw": _same}[kind]]
    if "choices" in option:
        checks.append(functools.partial(_chosen, choices=tuple(option["choices"])))
    if path in UNAVAILABLE:
        checks.append(functools.partial(_available, what=UNAVAILABLE[path], default=option.get("default")))
    take = _scalar(*checks)
    return _of_any_shape(take) if kind == "raw" else take


def _compiled_elements(option: c.Mapping[str, t.Any], path: str) -> Take:
    if path in UNAVAILABLE:
        return _scalar(functools.partial(_available, what=ANY, default=None))
    if option["elements"] == "dict":
        return compiled(option["options"], path)  # each knows its place by itself
    if option["elements"] == "list":
        return _list_of(_scalar(text), in_place=True)
    if "choices" in option:
        return _scalar(text, functools.partial(_chosen, choices=tuple(option["choices"])))
    return _scalar(text)


def _scalar(*checks: c.Callable[[t.Any], t.Any]) -> Take:
    def take(value: t.Any, place: str, problems: Problems) -> t.Any:
        try:
            for check in checks:
                value = check(value)
        except Wrong as wrong:
            problems.add(place, str(wrong))
            return None
        return value

    return take


def _of_any_shape(take: Take) -> Take:
    def take_plain(value: t.Any, place: str, problems: Problems) -> t.Any:
        before = len(problems)
        made = plain(value, place, problems)
        if len(problems) == before:
            return take(made, place, problems)
        # the other texts of a list can still be looked at
        is_list = isinstance(made, list) and all(each is None or isinstance(each, str) for each in made)
        return made if is_list else None

    return take_plain


def _list_of(element: Take, in_place: bool) -> Take:
    """With ``in_place`` None stands for what is wrong, so that the others keep their positions."""

    def take(value: t.Any, place: str, problems: Problems) -> list[t.Any] | None:
        if not isinstance(value, (list, tuple)):
            problems.add(place, f"is {_kind(value)}; write a list, even of one element: [ … ]")
            return None
        made = (element(given, f"{place}[{position}]", problems) for position, given in enumerate(value))
        return [each for each in made if in_place or each is not None]

    return take


def text(value: t.Any) -> str:
    """Text, and nothing that YAML has made something else of."""
    if not isinstance(value, str):
        raise Wrong(f"is {_kind(value)}, not text; {_remedy(value)}")
    if "{{" in value or "{%" in value:
        raise Wrong("still holds a template, which nothing resolves; give its value")
    if not value.isprintable():
        if any((ord(char) < 32 and char not in "\n\t") or ord(char) == 127 for char in value):
            raise Wrong("holds a control character; remove it")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise Wrong("holds half a character, which no file can; write it anew")
    return str(value)


def secret(value: t.Any) -> str:
    """Text that no message may show, not even when it is no text."""
    if not isinstance(value, str):
        raise Wrong("is not text, though it may look so in YAML; put it in quotes")
    return text(value)


def number(value: t.Any) -> int:
    """A whole number, also as text of digits, which is what the command line gives."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or _is_huge(value):
        raise Wrong(f"is {_kind(value)}; write a whole number")
    return int(value)


def truth(value: t.Any) -> bool:
    """A boolean, also as text, which is what the command line gives."""
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, (str, int)) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Wrong(f"is {_kind(value)}; write true or false")


def plain(value: t.Any, place: str, problems: Problems, deepest: int = _DEEPEST) -> t.Any:
    """The same value in plain types, whatever its shape; None for what is wrong in it."""
    try:
        if deepest == 0:  # it may even be in itself
            raise Wrong("has too many lists or mappings inside one another; write what it is to be")
        if isinstance(value, str):
            return text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return number(value)
    except Wrong as wrong:
        problems.add(place, str(wrong))
        return None
    if isinstance(value, float):
        return float(value)
    if isinstance(value, c.Mapping):
        named = ((shown(name)[1:-1], given) for name, given in value.items())
        return {name: plain(given, f"{place}.{name}", problems, deepest - 1) for name, given in named}
    if isinstance(value, (list, tuple)):
        return [plain(given, f"{place}[{position}]", problems, deepest - 1) for position, given in enumerate(value)]
    return value


def _same(value: t.Any) -> t.Any:
    return value


def _chosen(value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise Wrong(f"is {shown(value)}; choose one of {', '.join(choices)}")
    return value


def _available(value: t.Any, what: frozenset[str] | None, default: t.Any) -> t.Any:
    if what is ANY and value != default:
        raise Wrong("is not available in this version; leave it out")
    if what is not ANY and value in what:
        raise Wrong(f"{value} is not available in this version; choose another value")
    return value


def _kind(value: t.Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return "a number of too many digits" if _is_huge(value) else f"the number {value}"
    if isinstance(value, (datetime.date, datetime.time)):
        return f"the date {value}"
    if isinstance(value, str):
        return "text"
    if isinstance(value, c.Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else "something else"


def _is_huge(value: float) -> bool:
    """Python refuses to write such an integer down, even in a message."""
    return isinstance(value, int) and not -_LARGEST <= value < _LARGEST


def _remedy(value: t.Any) -> str:
    if isinstance(value, bool):
        return "YAML reads unquoted yes, no, on, off, true and false so: put it in quotes"
    if isinstance(value, int):
        return 'YAML reads unquoted digits so, and 0770 even as an octal number: put it in quotes, like "0770"'
    if isinstance(value, (float, datetime.date, datetime.time)):
        return "YAML reads it so without quotes: put it in quotes"
    return "write text"
