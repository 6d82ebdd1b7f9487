# SPDX-License-Identifier: GPL-3.0-or-later
"""A small SFTP client: version 3 of the protocol and OpenSSH's extensions, over two pipes.

Each method is one request and its answer. What the server refuses is raised with its status; a server that gives no
answer until the deadline, or one that no server would give, is a ``Broken`` connection.
"""

from __future__ import annotations

import contextlib
import os
import select
import struct
import time
import typing as t

from .sftp_packets import Answer, Attributes, Broken, pack_attributes, pack_string, pack_text

VERSION = 3
LARGEST_PACKET = 256 * 1024  # as OpenSSH: whoever announces more does not speak SFTP
PIECE = 32 * 1024  # of a file, in one request
MOST_NAMES = 100_000  # in one directory

READ, WRITE, APPEND, CREATE, TRUNCATE, EXCLUSIVE = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20

OK, END_OF_FILE, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE = range(5)

_INIT, _VERSION = 1, 2
_OPEN, _CLOSE, _READ, _WRITE, _LSTAT, _FSTAT, _SETSTAT, _FSETSTAT, _OPENDIR, _READDIR = range(3, 13)
_REMOVE, _MKDIR, _RMDIR, _REALPATH, _STAT, _RENAME, _READLINK, _SYMLINK = range(13, 21)
_STATUS, _HANDLE, _DATA, _NAME, _ATTRIBUTES = range(101, 106)
_EXTENDED = 200


class Refused(Exception):
    """The server said no: its status code and its own words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message or f"status {code}")
        self.code = code


class Pipes(t.Protocol):
    """The server's ends, such as those of a process; binary, and read by nobody else."""

    @property
    def stdin(self) -> t.Optional[t.IO[bytes]]: ...

    @property
    def stdout(self) -> t.Optional[t.IO[bytes]]: ...


class Client:
    """One session. ``patience`` is for each answer, in seconds."""

    def __init__(self, pipes: Pipes, patience: float = 10.0) -> None:
        if pipes.stdin is None or pipes.stdout is None:
            raise ValueError("an SFTP session needs both pipes")
        self._out, self._in = pipes.stdin.fileno(), pipes.stdout.fileno()
        self._patience = patience
        self._number = 0
        with contextlib.suppress(Broken):  # whoever says something and ends is told by what it said
            self._send(_INIT, struct.pack(">I", VERSION))
        kind, body = self._packet()
        if kind != _VERSION or len(body.rest) < 4:
            raise Broken("the other side does not speak SFTP")
        self.version = body.number()
        self.extensions: t.Dict[str, str] = {}
        while body.rest:
            name = body.text()
            self.extensions[name] = body.text()

    # Files

    def open(self, path: str, flags: int, mode: t.Optional[int] = None) -> bytes:
        asked = pack_text(path) + struct.pack(">I", flags) + pack_attributes(Attributes(mode=mode))
        return self._expect(_HANDLE, _OPEN, asked).string()

    def read(self, handle: bytes, offset: int, length: int = PIECE) -> bytes:
        """At most so many bytes; none at the end."""
        try:
            return self._expect(_DATA, _READ, pack_string(handle) + struct.pack(">QI", offset, length)).string()
        except Refused as refused:
            if refused.code == END_OF_FILE:
                return b""
            raise

    def write(self, handle: bytes, offset: int, data: bytes) -> None:
        self._do(_WRITE, pack_string(handle) + struct.pack(">Q", offset) + pack_string(data))

    def close(self, handle: bytes) -> None:
        self._do(_CLOSE, pack_string(handle))

    def lstat(self, path: str) -> Attributes:
        return self._expect(_ATTRIBUTES, _LSTAT, pack_text(path)).attributes()

    def stat(self, path: str) -> Attributes:
        return self._expect(_ATTRIBUTES, _STAT, pack_text(path)).attributes()

    def fstat(self, handle: bytes) -> Attributes:
        return self._expect(_ATTRIBUTES, _FSTAT, pack_string(handle)).attributes()

    def setstat(self, path: str, attributes: Attributes) -> None:
        self._do(_SETSTAT, pack_text(path) + pack_attributes(attributes))

    def fsetstat(self, handle: bytes, attributes: Attributes) -> None:
        self._do(_FSETSTAT, pack_string(handle) + pack_attributes(attributes))

    def lsetstat(self, path: str, attributes: Attributes) -> None:
        self._extended("lsetstat@openssh.com", pack_text(path) + pack_attributes(attributes))

    def remove(self, path: str) -> None:
        self._do(_REMOVE, pack_text(path))

    def rename(self, old: str, new: str) -> None:
        """Onto nothing: version 3 replaces no file."""
        self._do(_RENAME, pack_text(old) + pack_text(new))

    def posix_rename(self, old: str, new: str) -> None:
        self._extended("posix-rename@openssh.com", pack_text(old) + pack_text(new))

    def hardlink(self, old: str, new: str) -> None:
        self._extended("hardlink@openssh.com", pack_text(old) + pack_text(new))

    def symlink(self, target: str, path: str) -> None:
        """OpenSSH has the two the other way round than the draft, and so has every client since."""
        self._do(_SYMLINK, pack_text(target) + pack_text(path))

    def readlink(self, path: str) -> str:
        return self._expect(_NAME, _READLINK, pack_text(path)).names()[0][0]

    # Directories

    def mkdir(self, path: str, mode: int = 0o700) -> None:
        self._do(_MKDIR, pack_text(path) + pack_attributes(Attributes(mode=mode)))

    def rmdir(self, path: str) -> None:
        self._do(_RMDIR, pack_text(path))

    def opendir(self, path: str) -> bytes:
        return self._expect(_HANDLE, _OPENDIR, pack_text(path)).string()

    def readdir(self, handle: bytes) -> t.List[t.Tuple[str, Attributes]]:
        """Some names more; none at the end."""
        try:
            return self._expect(_NAME, _READDIR, pack_string(handle)).names()
        except Refused as refused:
            if refused.code == END_OF_FILE:
                return []
            raise

    def realpath(self, path: str) -> str:
        return self._expect(_NAME, _REALPATH, pack_text(path)).names()[0][0]

    # Several requests

    def listing(self, path: str) -> t.Dict[str, Attributes]:
        """What is in a directory, without itself and its parent."""
        handle = self.opendir(path)
        found: t.Dict[str, Attributes] = {}
        try:
            while len(found) < MOST_NAMES:
                names = self.readdir(handle)
                if not names:
                    break
                found.update(names)
        finally:
            self.close(handle)
        return {name: attributes for name, attributes in found.items() if name not in (".", "..")}

    def put(self, path: str, data: bytes, mode: int = 0o600) -> None:
        """A new file; one that is there already is refused."""
        handle = self.open(path, WRITE | CREATE | EXCLUSIVE, mode)
        try:
            for offset in range(0, len(data), PIECE):
                self.write(handle, offset, data[offset : offset + PIECE])
        finally:
            self.close(handle)

    def get(self, path: str, most: int = 1024 * 1024) -> bytes:
        """A file from its beginning, no more than ``most`` bytes of it."""
        handle = self.open(path, READ)
        data = b""
        try:
            while len(data) < most:
                piece = self.read(handle, len(data), min(PIECE, most - len(data)))
                if not piece:
                    break
                data += piece
        finally:
            self.close(handle)
        return data

    # Packets

    def _extended(self, name: str, asked: bytes) -> None:
        self._do(_EXTENDED, pack_text(name) + asked)

    def _do(self, kind: int, asked: bytes) -> None:
        self._expect(_STATUS, kind, asked)

    def _expect(self, wanted: int, kind: int, asked: bytes) -> Answer:
        self._number += 1
        self._send(kind, struct.pack(">I", self._number) + asked)
        said, body = self._packet()
        number = body.number()
        if number != self._number:
            raise Broken(f"an answer to request {number}, not to {self._number}")
        if said == _STATUS:
            code = body.number()
            if code != OK:
                raise Refused(code, body.text() if body.rest else "")
        if said != wanted:
            raise Broken(f"an answer of type {said}, where {wanted} was expected")
        return body

    def _send(self, kind: int, body: bytes) -> None:
        packet = struct.pack(">IB", len(body) + 1, kind) + body
        try:
            while packet:
                packet = packet[os.write(self._out, packet) :]
        except OSError as error:
            raise Broken(f"the session ended: {error.strerror}") from error

    def _packet(self) -> t.Tuple[int, Answer]:
        deadline = time.monotonic() + self._patience
        length = int.from_bytes(self._bytes(4, deadline), "big")
        if not 1 <= length <= LARGEST_PACKET:
            raise Broken("the other side does not speak SFTP")
        packet = self._bytes(length, deadline)
        return packet[0], Answer(packet[1:])

    def _bytes(self, count: int, deadline: float) -> bytes:
        data = b""
        poll = select.poll()
        poll.register(self._in, select.POLLIN)
        while len(data) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise Broken(f"no answer within {self._patience:g} seconds")
            piece = os.read(self._in, count - len(data))
            if not piece:
                raise Broken("the session ended")
            data += piece
        return data
