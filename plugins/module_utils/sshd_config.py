# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of an sshd configuration, in the order in which sshd reads them across all included files.

Effective values come from sshd itself (sshd.py). This says which file and line a value comes from, which sshd does not.
"""

from __future__ import annotations

import fnmatch
import os.path
import re
import typing as t
from dataclasses import dataclass

Read = t.Callable[[str], t.Optional[str]]  # the text of a file, None if there is none
Glob = t.Callable[[str], t.Sequence[str]]  # the files that match an absolute pattern, sorted

DIRECTORY = "/etc/ssh"  # relative Includes start here, wherever the file lies that has them
DEEPEST = 16  # nested Includes; sshd gives up there as well
ACCUMULATE = frozenset({"allowusers", "denyusers", "allowgroups", "denygroups", "acceptenv", "port", "listenaddress"})

_LINE = re.compile(r"\s*(?P<keyword>[^\s=\"#]+)(?:\s*=\s*|\s+|(?=\")|$)(?P<rest>.*)", re.DOTALL)
_ARGUMENT = re.compile(r"(?P<comment>(?<!\S)#.*)|(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+")


@dataclass(frozen=True)
class Setting:
    """One line: ``match`` is the Match line that it depends on, None if it holds for everybody."""

    file: str
    line: int
    keyword: str  # lower case
    arguments: t.Tuple[str, ...]
    match: t.Optional[str] = None

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def value(self) -> str:
        return " ".join(self.arguments)


def split(line: str) -> t.Optional[t.Tuple[str, t.Tuple[str, ...]]]:
    """A line as its keyword in lower case and its arguments; None for an empty line or a comment."""
    found = _LINE.match(line.strip())
    if found is None:
        return None
    arguments = []
    for part in _ARGUMENT.finditer(found["rest"]):
        if part["comment"] is not None:
            break
        arguments.append(re.sub(r"\"([^\"]*)\"|'([^']*)'", lambda quoted: quoted[1] or quoted[2] or "", part[0]))
    return found["keyword"].lower(), tuple(arguments)


def absolute(pattern: str) -> str:
    return pattern if pattern.startswith("/") else f"{DIRECTORY}/{pattern}"


def walk(main: str, read: Read, glob: Glob) -> t.List[Setting]:
    """Every setting of the tree, the Include lines themselves among them, in the order of reading."""
    return list(_walk(main, read, glob, None, 0))


def _walk(path: str, read: Read, glob: Glob, match: t.Optional[str], depth: int) -> t.Iterator[Setting]:
    # A Match that an included file opens ends with that file; one that is open where it is included holds in it too.
    for number, line in enumerate((read(path) or "").splitlines(), 1):
        parsed = split(line)
        if parsed is None:
            continue
        keyword, arguments = parsed
        if keyword == "match":
            match = " ".join(arguments)
            continue
        yield Setting(path, number, keyword, arguments, match)
        if keyword == "include" and depth < DEEPEST:
            for pattern in arguments:
                for included in glob(absolute(pattern)):
                    yield from _walk(included, read, glob, match, depth + 1)


def covers(pattern: str, path: str) -> bool:
    """Whether an Include's pattern takes in the path: as glob(3), ``*`` never crosses a slash."""
    parts, names = absolute(pattern).split("/"), os.path.normpath(path).split("/")
    return len(parts) == len(names) and all(map(fnmatch.fnmatchcase, names, parts))


def include_problem(settings: t.Sequence[Setting], main: str, drop_in: str) -> t.Optional[str]:
    """Why the drop-in does not hold for everybody, or None: no Include takes it in, or one inside a Match."""
    remedy = f"write 'Include {os.path.dirname(drop_in)}/*.conf' as the first line of {main}"
    takes_in = [
        setting
        for setting in settings
        if setting.keyword == "include" and any(covers(pattern, drop_in) for pattern in setting.arguments)
    ]
    if not takes_in:
        return f"{main}: nothing includes {drop_in}, so sshd would not read it: {remedy}"
    first = takes_in[0]
    if first.match is not None:
        return f"{first.place}: this Include depends on 'Match {first.match}' above it: {remedy}"
    return None


def shadowing(
    settings: t.Sequence[Setting], keyword: str, drop_in: str, found: t.Optional[str] = None
) -> t.Optional[Setting]:
    """The foreign setting that wins over the drop-in's: the first that has the value found, or else the first.

    The first setting that sshd reads wins, a Match block over what holds for everybody; a few accumulate, wherever they
    stand. What our drop-in does not set may come from anywhere as well.
    """
    ours = [setting for setting in settings if setting.file == drop_in and setting.keyword == keyword]
    foreign = [setting for setting in settings if setting.file != drop_in and setting.keyword == keyword]
    if ours and keyword not in ACCUMULATE:
        foreign = [setting for setting in foreign if settings.index(setting) < settings.index(ours[0])]
    if any(setting.match is not None for setting in ours):
        foreign = [setting for setting in foreign if setting.match is not None]
    return min(foreign, key=lambda setting: setting.value != found, default=None)
