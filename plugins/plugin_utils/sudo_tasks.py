# SPDX-License-Identifier: GPL-3.0-or-later
"""Sudo tasks: a service, a pattern of services, or fixed commands, and nothing through which more could be had."""

from __future__ import annotations

import collections.abc as c
import re

from ..module_utils.model import SudoTask
from ..module_utils.nouns.escapes import escape
from . import names, paths
from .problems import Item, Problems, Wrong, shown

_KINDS = ("service", "service_pattern", "commands")

_SERVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_:.@-]*")
_OTHER_UNIT = re.compile(r".*\.(target|socket|device|mount|automount|swap|timer|path|slice|scope)")
# Services with which one could lock everybody out, or get a shell as root.
_FORBIDDEN = (
    "ssh sshd dbus dbus-broker polkit debug-shell emergency rescue console-getty systemd-logind systemd-journald "
    "systemd-networkd systemd-resolved systemd-udevd systemd-reboot systemd-poweroff systemd-halt systemd-kexec "
    "systemd-exit getty@tty1 serial-getty@ttyS0 user@0 user@1000 sallyport-mounts sallyport-expiry networking "
    "NetworkManager systemd-user-sessions systemd-suspend systemd-hibernate systemd-hybrid-sleep "
    "systemd-suspend-then-hibernate systemd-soft-reboot dbus-org.freedesktop.login1"
).split()

# The part of regular expressions that says the same in Python and in a shell, and that cannot run wild: signs that
# stand for themselves, \. for a dot, classes of plain signs, and repetitions of one of these.
_ATOM = re.compile(
    r"(?P<sign>[A-Za-z0-9_:@-]|\\\.)|\[(?P<set>(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|[A-Za-z0-9_])+-?)\]"
)
_FIXED = re.compile(r"\{[0-9]+\}")
_MOST_VARYING = 4  # the time to find that a name does not match grows with this power of its length
_LONGEST_WORD = 4096
_REPEAT = re.compile(r"[?*+]|\{[0-9]{1,2}(?:,[0-9]{0,2})?\}")


def resolve(contract: Item, problems: Problems) -> tuple[SudoTask, ...]:
    problems.unique(contract["sudo_tasks"], "name")
    return tuple(_task(item, problems) for item in contract["sudo_tasks"])


def _task(item: Item, problems: Problems) -> SudoTask:
    kinds = [kind for kind in _KINDS if item.gives(kind)]
    if len(kinds) != 1:
        has = f"has {' and '.join(kinds)}" if kinds else "does nothing"
        problems.add(item.place, f"{has}; give exactly one of {', '.join(_KINDS)}")
    for kind in kinds[:1]:
        _fits(item, kind, problems)
    pattern = problems.check(item, "service_pattern", service_pattern)
    return SudoTask(
        name=problems.check(item, "name", names.task) or "",
        service=problems.check(item, "service", service),
        service_pattern=pattern,
        protected=problems.check_each(item, "protected", _protected, pattern),
        actions=problems.check_each(item, "actions", str),
        run_as=problems.check(item, "run_as", _run_as) or "",
        commands=_commands(item, problems),
    )


def _fits(item: Item, kind: str, problems: Problems) -> None:
    """Only what belongs to a kind of task is given with it."""
    if kind == "commands":
        if item["actions"]:
            problems.add(f"{item.place}.actions", "has no meaning for commands; leave it out")
    else:
        if not item.gives("actions"):
            problems.add(f"{item.place}.actions", "is missing; list what may be done, such as [status, restart]")
        if item["run_as"] != "root":
            problems.add(f"{item.place}.run_as", "has no meaning for a service, which root starts; leave it out")
    if kind != "service_pattern" and item["protected"]:
        problems.add(f"{item.place}.protected", f"has no meaning for {kind}; it needs a service_pattern")


def service(name: str) -> str:
    """The name of a systemd service, with or without .service."""
    if len(name) > 200 or not _SERVICE.fullmatch(name):
        raise Wrong(f"{shown(name)} is no name of a service; use letters, digits and _ : . @ -")
    if _OTHER_UNIT.fullmatch(name):
        raise Wrong(f"{shown(name)} is a unit of another kind; name a service")
    bare = name.removesuffix(".service")
    if bare in _FORBIDDEN or bare.endswith("@") or bare.startswith("sallyport"):
        raise Wrong(f"{shown(name)} could lock everybody out or give a root shell; leave this service to admins")
    return name


def service_pattern(text: str) -> str:
    """A pattern for whole names of services."""
    if not text:
        raise Wrong("is empty; write it like worker@[0-9]+")
    if text.startswith("^") or text.endswith("$"):
        raise Wrong(f"{shown(text)} has ^ or $; leave them out, the whole name must match anyhow")
    if len(text) > 128:
        raise Wrong(f"has {len(text)} characters; use 128 at most")
    _check_subset(text)
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError) as error:
        raise Wrong(f"{shown(text)} is no regular expression: {error}; write it like worker@[0-9]+") from None
    caught = [name for name in _FORBIDDEN if pattern.fullmatch(name) or pattern.fullmatch(f"{name}.service")]
    if caught:
        raise Wrong(f"{shown(text)} matches {caught[0]} too; make it narrower")
    if _OTHER_UNIT.fullmatch(text.replace("\\", "")):
        raise Wrong(f"{shown(text)} matches units of another kind; match services")
    return text


def _check_subset(text: str) -> None:
    at = varying = 0
    while at < len(text):
        atom = _ATOM.match(text, at)
        if not atom:
            if text[at] == ".":
                raise Wrong(f"{shown(text)} has a dot that stands for any sign; write \\. for a dot")
            raise Wrong(
                f"{shown(text)} has {shown(text[at:])} where a letter, digit, _ : @ - \\. or a class like [0-9] may "
                "stand; write it like worker@[0-9]+"
            )
        repeat = _REPEAT.match(text, atom.end())
        if at == 0 and (repeat or not atom["sign"] or not text[0].isalnum()):
            raise Wrong(f"{shown(text)} starts with anything; start it with a letter or digit that stands for itself")
        varying += bool(repeat and not _FIXED.fullmatch(repeat[0]))
        if varying > _MOST_VARYING:
            raise Wrong(f"{shown(text)} repeats more than {_MOST_VARYING} parts, which takes long to match; use fewer")
        at = repeat.end() if repeat else atom.end()


def _protected(name: str, pattern: str | None) -> str:
    service(name)
    if pattern is not None and not re.fullmatch(pattern, name):
        raise Wrong(
            f"{shown(name)} does not match {shown(pattern)}, so it is protected from nothing; correct one of them"
        )
    return name


def _run_as(name: str) -> str:
    return name if name == "root" else names.sudo_user(name)


def _commands(item: Item, problems: Problems) -> tuple[tuple[str, ...], ...]:
    commands = []
    for position, argv in enumerate(item["commands"]):
        place = f"{item.place}.commands[{position}]"
        if argv is None:  # it was wrong already, as may be some of its words
            continue
        if not argv:
            problems.add(place, "is empty; write a program and its arguments")
            continue
        words = [word or "" for word in argv]
        for number, word in enumerate(argv):
            if word is None:
                continue
            try:
                _word(word) if number else program(words)
            except Wrong as wrong:
                problems.add(f"{place}[{number}]", str(wrong))
        if paths.within(words[0], "/") and words[0].endswith("/systemctl") and "edit" in words:
            problems.add(place, "opens an editor; leave out edit")
        commands.append(tuple(words))
    return tuple(commands)


def program(argv: c.Sequence[str]) -> None:
    """A command starts a program that does one thing, whatever its terminal."""
    path = paths.absolute(argv[0])
    if argv[0].endswith("/"):
        raise Wrong(f"{shown(path)} is a directory; give the path of a program")
    kind = escape(argv)
    if kind:
        raise Wrong(f"{shown(path)} is {kind}, through which more can be done; call a program that does one thing")


def _word(word: str) -> str:
    if not word:
        raise Wrong("is empty; leave it out")
    if not word.isprintable():
        raise Wrong(f"{shown(word)} holds a control character; remove it")
    if len(word) > _LONGEST_WORD:
        raise Wrong(f"has {len(word)} characters; use {_LONGEST_WORD} at most")
    return word
