# SPDX-License-Identifier: GPL-3.0-or-later
"""SFTP, packet by packet: what no client would send, and the server's answer as it is."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from logins import SECONDS
from wire import Field, Wire

# SFTP 3
OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT = 3, 4, 5, 6, 7, 8, 9, 10
OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK, SYMLINK = (
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
)
EXTENDED, STATUS, HANDLE, DATA, NAME = 200, 101, 102, 103, 104
OK = 0
READING, WRITING, CREATING, EMPTYING = 0x01, 0x02, 0x08, 0x10  # how a file is opened
NOTHING = struct.pack(">I", 0)  # attributes: none given


def mode(number: int) -> bytes:
    return struct.pack(">II", 0x04, number)


def times(accessed: int, changed: int) -> bytes:
    return struct.pack(">III", 0x08, accessed, changed)


def owner(uid: int, gid: int) -> bytes:
    return struct.pack(">III", 0x02, uid, gid)


@dataclass(frozen=True)
class Reply:
    """A packet of the server's. ``code`` is that of a status, and -1 where the server hung up."""

    kind: int
    code: int = OK
    payload: bytes = b""

    @property
    def ok(self) -> bool:
        return self.code == OK

    @property
    def texts(self) -> list[str]:
        """The names, or the data, that it holds."""
        if self.kind == DATA:
            return [_strings(self.payload, 1)[0].decode(errors="replace")]
        if self.kind != NAME:
            return []
        return [name for name, _long_name in self.names]

    @property
    def names(self) -> list[tuple[str, str]]:
        """Those of a listing; behind each what ``ls -l`` would print."""
        found, rest = [], self.payload[4:]
        for _ in range(struct.unpack(">I", self.payload[:4])[0]):
            name, long_name = _strings(rest, 2)
            found.append((name.decode(errors="replace"), long_name.decode(errors="replace")))
            rest = _after_attributes(rest[8 + len(name) + len(long_name) :])
        return found


HUNG_UP = Reply(STATUS, -1)


class Packets:
    """An SFTP session, packet by packet."""

    def __init__(self, wire: Wire) -> None:
        self._channel = wire.channel()
        self._channel.settimeout(SECONDS)
        self._channel.invoke_subsystem("sftp")
        self._number = 0
        self.alive = True
        self.send(struct.pack(">BI", 1, 3))
        self.extensions = _strings(self._receive()[5:], -1)[::2]

    def ask(self, kind: int, *fields: Field) -> Reply:
        """The answer to one packet; what its fields look like, their types say."""
        self._number += 1
        packed = b"".join(_packed(field) for field in fields)
        try:
            self.send(struct.pack(">BI", kind, self._number) + packed)
            answer = self._receive()
        except OSError:
            answer = b""
        if not answer:
            self.alive = False
            return HUNG_UP
        if answer[0] == STATUS:
            return Reply(STATUS, struct.unpack(">I", answer[5:9])[0], answer[9:])
        return Reply(answer[0], OK, answer[5:])

    def extended(self, name: str, *fields: Field) -> Reply:
        return self.ask(EXTENDED, name, *fields)

    def opened(self, path: str | bytes, how: int, attributes: bytes = NOTHING) -> Reply:
        return self.ask(OPEN, path, how, Attributes(attributes))

    def read(self, path: str | bytes) -> Reply:
        """The first bytes of a file, or why there are none."""
        reply = self.opened(path, READING)
        if not reply.ok:
            return reply
        handle = _strings(reply.payload, 1)[0]
        data = self.ask(READ, handle, Offset(0), 4096)
        self.ask(CLOSE, handle)
        return data

    def written(self, path: str | bytes, how: int, data: bytes = b"from the account\n") -> Reply:
        reply = self.opened(path, how)
        if not reply.ok:
            return reply
        handle = _strings(reply.payload, 1)[0]
        answer = self.ask(WRITE, handle, Offset(0), data)
        self.ask(CLOSE, handle)
        return answer

    def listed(self, path: str | bytes) -> Reply:
        reply = self.ask(OPENDIR, path)
        if not reply.ok:
            return reply
        handle = _strings(reply.payload, 1)[0]
        answer = self.ask(READDIR, handle)
        self.ask(CLOSE, handle)
        return answer

    def set_by_handle(self, path: str | bytes, attributes: bytes) -> Reply:
        """What fchmod and fchown do; a directory can be opened like a file, too."""
        reply = self.opened(path, READING)
        if not reply.ok:
            return reply
        handle = _strings(reply.payload, 1)[0]
        answer = self.ask(FSETSTAT, handle, Attributes(attributes))
        self.ask(CLOSE, handle)
        return answer

    def send(self, packet: bytes) -> None:
        self._channel.sendall(struct.pack(">I", len(packet)) + packet)

    def _receive(self) -> bytes:
        """Nothing where the server hung up."""
        length = self._exactly(4)
        return self._exactly(struct.unpack(">I", length)[0]) if length else b""

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self._channel.recv(size - len(found))
            if not part:
                return b""
            found += part
        return found

    def close(self) -> None:
        self._channel.close()


class Attributes(bytes):
    """Goes into a packet as it is, without a length."""


class Offset(int):
    """A number of 64 bits."""


def _packed(field: Field) -> bytes:
    if isinstance(field, Attributes):
        return bytes(field)
    if isinstance(field, Offset):
        return struct.pack(">Q", field)
    if isinstance(field, int):
        return struct.pack(">I", field)
    text = field.encode() if isinstance(field, str) else field
    return struct.pack(">I", len(text)) + text


def _strings(data: bytes, count: int) -> list[bytes]:
    """The first strings of some data, or all of them (-1)."""
    found: list[bytes] = []
    while data and len(found) != count:
        size = struct.unpack(">I", data[:4])[0]
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


def _after_attributes(data: bytes) -> bytes:
    flags = struct.unpack(">I", data[:4])[0]
    sizes = {0x01: 8, 0x02: 8, 0x04: 4, 0x08: 8}
    return data[4 + sum(size for flag, size in sizes.items() if flags & flag) :]
