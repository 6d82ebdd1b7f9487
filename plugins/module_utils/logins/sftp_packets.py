# SPDX-License-Identifier: GPL-3.0-or-later
"""What SFTP packets are made of, and how an answer is taken apart: version 3 of the protocol."""

from __future__ import annotations

import struct
import typing as t
from dataclasses import dataclass

_SIZE, _OWNER, _PERMISSIONS, _TIMES, _MORE = 0x1, 0x2, 0x4, 0x8, 0x80000000


class Broken(Exception):
    """No answer, or none that belongs to the request."""


@dataclass(frozen=True)
class Attributes:
    """Of a file; ``None``: not said, or not to be set."""

    size: t.Optional[int] = None
    uid: t.Optional[int] = None
    gid: t.Optional[int] = None
    mode: t.Optional[int] = None  # with the type of the file, as in st_mode
    accessed: t.Optional[int] = None
    modified: t.Optional[int] = None


class Answer:
    """What is left of one, taken from its beginning."""

    def __init__(self, rest: bytes) -> None:
        self.rest = rest

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self._take(size), "big")

    def string(self) -> bytes:
        return self._take(self.number())

    def text(self) -> str:
        return self.string().decode("utf-8", "surrogateescape")

    def names(self) -> t.List[t.Tuple[str, Attributes]]:
        found = []
        for _index in range(self.number()):
            name, _long = self.text(), self.string()
            found.append((name, self.attributes()))
        if not found:
            raise Broken("a list without a name")
        return found

    def attributes(self) -> Attributes:
        flags = self.number()
        size = self.number(8) if flags & _SIZE else None
        uid, gid = (self.number(), self.number()) if flags & _OWNER else (None, None)
        mode = self.number() if flags & _PERMISSIONS else None
        accessed, modified = (self.number(), self.number()) if flags & _TIMES else (None, None)
        for _index in range(self.number() if flags & _MORE else 0):
            self.string(), self.string()
        return Attributes(size, uid, gid, mode, accessed, modified)

    def _take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise Broken("an answer that ends too early")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken


def pack_string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def pack_text(value: str) -> bytes:
    return pack_string(value.encode("utf-8", "surrogateescape"))


def pack_attributes(given: Attributes) -> bytes:
    """Owner with group, and both times, go together or not at all."""
    flags, packed = 0, b""
    if given.size is not None:
        flags, packed = flags | _SIZE, packed + struct.pack(">Q", given.size)
    if given.uid is not None and given.gid is not None:
        flags, packed = flags | _OWNER, packed + struct.pack(">II", given.uid, given.gid)
    if given.mode is not None:
        flags, packed = flags | _PERMISSIONS, packed + struct.pack(">I", given.mode)
    if given.accessed is not None and given.modified is not None:
        flags, packed = flags | _TIMES, packed + struct.pack(">II", given.accessed, given.modified)
    return struct.pack(">I", flags) + packed
