# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH, message by message: what no client would send, and whether the server grants it."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t
from pathlib import Path

import paramiko
from logins import SECONDS
from paramiko.common import cMSG_CHANNEL_REQUEST

Field = t.Union[bytes, str, int, bool]


def connection(address: str) -> socket.socket:
    """To a host's sshd. Nothing small waits for what the other side has received: an answer would take 50 ms."""
    found = socket.create_connection((address, 22), timeout=SECONDS)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


class Wire(paramiko.Transport):
    """A connection of one account, over which anything can be asked for."""

    def __init__(self, address: str, user: str, key: Path) -> None:
        super().__init__(connection(address))
        self.daemon = True
        self.notices: list[str] = []  # what sshd says why something is refused
        self._more: tuple[Field, ...] = ()
        self._opening = threading.Lock()
        self.start_client(timeout=SECONDS)
        self.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(str(key)))

    def opens(self, kind: str, *fields: Field) -> bool:
        """Whether the server opens a channel of a kind; with the fields that the kind has."""
        try:
            self.channel(kind, *fields).close()
        except paramiko.ChannelException:
            return False
        return True

    def channel(self, kind: str = "session", *fields: Field) -> paramiko.Channel:
        if kind == "direct-tcpip":  # this one paramiko fills in itself
            host, port, source, source_port = fields
            return self.open_channel(kind, (host, port), (source, source_port), timeout=SECONDS)
        with self._opening:
            self._more = fields
            return self.open_channel(kind, timeout=SECONDS)

    def grants(self, request: str, *fields: Field) -> bool:
        """What the server answers to a request that concerns the connection."""
        return self.global_request(request, fields, wait=True) is not None

    def execute(self, command: str, terminal: bool = False, typed: str = "") -> Ran:
        """What a command ended with and printed; on a small terminal if it is to have one."""
        channel = self.channel()
        if terminal:
            channel.get_pty(width=20, height=3)
        channel.set_combine_stderr(True)
        channel.settimeout(SECONDS)
        channel.exec_command(command)
        with contextlib.suppress(OSError):  # it may have ended already
            channel.sendall(typed.encode())
        with channel.makefile("rb") as output:
            text = output.read().decode(errors="replace")
        return Ran(channel.recv_exit_status(), text)

    def _send_user_message(self, data: paramiko.Message) -> None:
        more, self._more = self._more, ()
        _add(data, more)
        super()._send_user_message(data)

    def _parse_debug(self, message: paramiko.Message) -> None:
        message.get_boolean()
        self.notices.append(message.get_text())


class Ran(t.NamedTuple):
    code: int
    text: str


def accepts(channel: paramiko.Channel, request: str, *fields: Field) -> bool:
    """Whether the server grants a channel what is asked for it; paramiko closes a channel that was refused it."""
    _request(channel, request, fields, wanted=True)
    try:
        channel._wait_for_event()
    except paramiko.SSHException:
        return False
    return True


def demand(channel: paramiko.Channel, request: str, *fields: Field) -> None:
    """The same without an answer, which leaves the channel open."""
    _request(channel, request, fields, wanted=False)


def _request(channel: paramiko.Channel, request: str, fields: t.Iterable[Field], wanted: bool) -> None:
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string(request)
    message.add_boolean(wanted)
    _add(message, fields)
    if wanted:
        channel._event_pending()
    channel.get_transport()._send_user_message(message)


def _add(message: paramiko.Message, fields: t.Iterable[Field]) -> None:
    for field in fields:
        if isinstance(field, bool):
            message.add_boolean(field)
        elif isinstance(field, int):
            message.add_int(field)
        else:
            message.add_string(field)
