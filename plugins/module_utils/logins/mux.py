# SPDX-License-Identifier: GPL-3.0-or-later
"""The multiplexing protocol of OpenSSH's client: sessions and forwards over a login that an ``ssh`` process holds.

Asking that process directly saves a process for each session (see PROTOCOL.mux of OpenSSH).
"""

from __future__ import annotations

import socket
import struct
import typing as t

VERSION = 4
HELLO = 1
NEW_SESSION, OPEN_FORWARD, CLOSE_FORWARD, NEW_STDIO_FORWARD = 0x10000002, 0x10000006, 0x10000007, 0x10000008
OK, DENIED, FAILURE, EXIT, OPENED, REMOTE_PORT, NO_TTY = (0x80000000 + number for number in (1, 2, 3, 4, 6, 7, 8))
REMOTE = 2
NO_ESCAPE = 0xFFFFFFFF
NO_EXIT = 255  # as ssh says it, when a session ends without an exit code
LONGEST = 256 * 1024


class Failed(Exception):
    """The other side would not: its own words."""


class Link:
    """One conversation with the process that holds the login: one session, or one forward."""

    def __init__(self, path: str, timeout: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(path)
            self._send(_words(HELLO, VERSION))
            self._receive()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def session(
        self,
        command: str,
        streams: t.Tuple[int, int, int],
        tty: bool = False,
        subsystem: bool = False,
        agent: bool = False,
        x11: bool = False,
    ) -> None:
        """Open a session whose standard streams are these descriptors."""
        wants = _words(tty, x11, agent, subsystem, NO_ESCAPE)
        self._request(_words(NEW_SESSION, 0) + _text("") + wants + _text("vt100") + _text(command), streams)

    def exit_code(self) -> t.Optional[int]:
        """Read one message of a session: its exit code, None if it is another message."""
        message = self._receive()
        if message is None:
            return NO_EXIT
        kind = _word(message)
        return _word(message, 8) if kind == EXIT else None

    def connect(self, host: str, port: int, streams: t.Tuple[int, int]) -> None:
        """Connect these descriptors to what the other side reaches there."""
        self._request(_words(NEW_STDIO_FORWARD, 0) + _text("") + _text(host) + _words(port), streams)

    def listen(self, host: str, port: int) -> None:
        """Have the other side listen there; what connects is refused here."""
        self._request(_words(OPEN_FORWARD, 0, REMOTE) + _text(host) + _words(port) + _text("127.0.0.1") + _words(1))

    def listen_no_more(self, host: str, port: int) -> None:
        self._request(_words(CLOSE_FORWARD, 0, REMOTE) + _text(host) + _words(port) + _text("127.0.0.1") + _words(1))

    def _request(self, payload: bytes, streams: t.Sequence[int] = ()) -> None:
        self._send(payload)
        for descriptor in streams:
            socket.send_fds(self._socket, [b"\0"], [descriptor])
        answer = self._receive()
        if answer is None:
            raise Failed("the connection was closed")
        if _word(answer) in (FAILURE, DENIED):
            raise Failed(answer[12 : 12 + _word(answer, 8)].decode(errors="replace"))

    def _send(self, payload: bytes) -> None:
        self._socket.sendall(_words(len(payload)) + payload)

    def _receive(self) -> t.Optional[bytes]:
        head = self._exactly(4)
        if head is None:
            return None
        length = _word(head)
        if not 4 <= length <= LONGEST:
            raise Failed(f"a message of {length} bytes")
        return self._exactly(length)

    def _exactly(self, length: int) -> t.Optional[bytes]:
        # Never more, so that who waits for the socket misses no message.
        data = b""
        while len(data) < length:
            try:
                more = self._socket.recv(length - len(data))
            except ConnectionResetError:
                return None
            if not more:
                return None
            data += more
        return data


def _words(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def _word(data: bytes, offset: int = 0) -> int:
    return int(struct.unpack_from(">I", data, offset)[0])


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return _words(len(data)) + data
