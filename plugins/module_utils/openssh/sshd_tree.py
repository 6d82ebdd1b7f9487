# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an sshd configuration as a whole: those that are installed, and a complete copy of them to try."""

from __future__ import annotations

import glob
import os
import re
import typing as t
from dataclasses import dataclass, replace

from .. import layout
from . import sshd_config
from .sshd_config import Setting

_PORT = re.compile(r"(?:\d+(?:\.\d+){3}:|\[[^\]\s]+\]:|[A-Za-z*][^:\s]*:)?(?P<port>\d+)")


@dataclass(frozen=True)
class Tree:
    """A configuration: the installed one, or a copy of it below ``prefix``."""

    main: str = layout.SSHD_CONFIG
    prefix: str = ""

    def settings(self) -> t.List[Setting]:
        """Every setting, at its place in the original."""
        return [
            replace(item, file=self.original(item.file), arguments=tuple(map(self.original, item.arguments)))
            for item in self._settings()
        ]

    def size(self) -> int:
        includes = [setting for setting in self._settings() if setting.keyword == "include"]
        patterns = [sshd_config.absolute(pattern) for setting in includes for pattern in setting.arguments]
        files = {self.main}.union(*map(_files, patterns))
        return sum(os.path.getsize(file) for file in files)

    def _settings(self) -> t.List[Setting]:
        return sshd_config.walk(self.main, _read, _files)

    def original(self, text: str) -> str:
        return text.replace(self.prefix, "") if self.prefix else text


INSTALLED = Tree()


def read_ports(root: str = "/") -> t.Tuple[int, ...]:
    """The ports that the configuration names without our drop-in; none: sshd listens on its default."""
    source = _Source(root, {layout.SSHD_DROP_IN: None})
    ports = set()
    for setting in sshd_config.walk(layout.SSHD_CONFIG, source.read, source.glob):
        named = _PORT.fullmatch(setting.arguments[0]) if setting.arguments else None
        if setting.keyword in ("port", "listenaddress") and named:
            ports.add(int(named["port"]))
    return tuple(sorted(ports))


def build_candidate(
    target: str,
    changes: t.Mapping[str, t.Optional[str]],
    root: str = "/",
    edit: t.Callable[[str, str], str] = lambda _path, line: line,
) -> Tree:
    """A complete copy of the tree below ``target``, with the changes (path: new text, or None for no file) made in it.

    Every Include leads to the copies. All other paths stay, so that host keys and key files are the real ones.
    ``edit`` makes another line of each line of a file.
    """
    source = _Source(root, changes)
    target = target.rstrip("/")
    os.makedirs(target, mode=0o700, exist_ok=True)
    copied: t.Set[str] = set()

    def copy(path: str) -> str:
        if path not in copied:
            copied.add(path)
            text = "".join(rewritten(path, line) + "\n" for line in sshd_config.lines(source.read(path) or ""))
            os.makedirs(os.path.dirname(target + path), exist_ok=True)
            descriptor = os.open(target + path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
                stream.write(text)
        return target + path

    def rewritten(path: str, line: str) -> str:
        # One line stays one line, so that the number sshd names in the copy is that of the original.
        parsed = sshd_config.split(line)
        if parsed is None or parsed[0] != "include" or not parsed[1]:
            return edit(path, line)
        paths = [found for pattern in parsed[1] for found in source.glob(sshd_config.absolute(pattern))]
        return " ".join(["Include", *(f'"{copy(found)}"' for found in paths)]) if paths else f"# no file: {line}"

    return Tree(copy(layout.SSHD_CONFIG), target)


class _Source:
    """The files of a tree below a root, with changes laid over them."""

    def __init__(self, root: str, changes: t.Mapping[str, t.Optional[str]]) -> None:
        self._root = root.rstrip("/")
        self._changes = changes

    def read(self, path: str) -> t.Optional[str]:
        return self._changes[path] if path in self._changes else _read(self._root + path)

    def glob(self, pattern: str) -> t.List[str]:
        present = {path[len(self._root) :] for path in glob.glob(glob.escape(self._root) + pattern)}
        changed = {path for path in self._changes if sshd_config.covers(pattern, path)}
        return sorted(path for path in present | changed if self._changes.get(path, "") is not None)


def _files(pattern: str) -> t.List[str]:
    return sorted(glob.glob(pattern))


def _read(path: str) -> t.Optional[str]:
    """As sshd reads it: a link is followed."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
