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

BLANK = " \t\r"  # what sshd takes for it, and no more: Python knows ends of lines and blanks that are text to sshd
# As sshd's strdelim(): a keyword ends at a blank, a quote or one equals sign, and may be quoted itself.
_KEYWORD = re.compile(r"([^ \t\r\"=]*)(?:\"([^\"]*)\"[ \t\r]*|[ \t\r]+=?[ \t\r]*|=[ \t\r]*|$)(.*)", re.DOTALL)
_LOST = re.compile(r"\0[^\n]*(?:\n[ \t\r]*)?")  # what follows a NUL, with the end of its line


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
    keyword, rest = _keyword(line.rstrip(BLANK + "\f").lstrip(BLANK))
    if not keyword:
        keyword, rest = _keyword(rest)
    if not keyword or keyword.startswith("#"):
        return None
    return keyword.lower(), tuple(_arguments(rest))


def lines(text: str) -> t.List[str]:
    """A file's lines as sshd ends them: at line feeds alone."""
    found = _LOST.sub("", text).split("\n")
    return found if found[-1] else found[:-1]


def _keyword(text: str) -> t.Tuple[str, str]:
    """It and the rest; nothing where a quote is left open, since sshd passes over such a line."""
    found = _KEYWORD.fullmatch(text)
    return (found[1] + (found[2] or ""), found[3]) if found else ("", "")


def _arguments(text: str) -> t.List[str]:
    """As sshd's argv_split(): quotes of two kinds, a backslash before a quote, a backslash or a blank, a comment."""
    words: t.List[str] = []
    quote, inside, escaped = "", False, False
    for char, ahead in zip(text, text[1:] + "\0"):
        if escaped:
            words[-1], escaped = words[-1] + char, False
        elif not quote and char in " \t":
            inside = False
        elif not inside and char == "#":
            break
        else:
            if not inside:
                words.append("")
            inside = True
            escaped = char == "\\" and (ahead in "'\"\\" or (ahead == " " and not quote))
            if not quote and char in "'\"":
                quote = char
            elif quote and char == quote:
                quote = ""
            elif not escaped:
                words[-1] += char
    return words if not quote else []  # which sshd refuses


def absolute(pattern: str) -> str:
    return pattern if pattern.startswith("/") else f"{DIRECTORY}/{pattern}"


def walk(main: str, read: Read, glob: Glob) -> t.List[Setting]:
    """Every setting of the tree, the Include lines themselves among them, in the order of reading."""
    return list(_walk(main, read, glob, None, 0))


def _walk(path: str, read: Read, glob: Glob, match: t.Optional[str], depth: int) -> t.Iterator[Setting]:
    # A Match that an included file opens ends with that file; one that is open where it is included holds in it too.
    for number, line in enumerate(lines(read(path) or ""), 1):
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
