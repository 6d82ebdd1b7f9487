# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried over a connection besides the transfer of files: sessions and forwards."""

from __future__ import annotations

import re
import secrets
import typing as t

from ..logins import mux, sftp, sftp_packets
from ..logins.side import Connection
from .promises import REFUSED, WORKS
from .transfer import Answer, Found

_TERMINAL = re.compile(r"/dev/pts/\d+")


def shell(connection: Connection) -> Found:
    """One command says four things; what the user's own files say before it does not count."""
    token = secrets.token_hex(8)
    outcome = connection.run(f"echo {token}; id -un; pwd; umask")
    _before, found, after = outcome.out.partition(token + "\n")
    lines = after.splitlines()
    if not found or len(lines) < 3:
        return {("command", ""): Answer(REFUSED, outcome.said)}
    umask = lines[2].strip().rjust(4, "0")
    return {
        ("command", ""): Answer(WORKS),
        ("user", ""): Answer(lines[0]),
        ("home", ""): Answer(lines[1]),
        ("umask", ""): Answer(umask),
    }


def _command(connection: Connection, _place: str) -> Answer:
    token = secrets.token_hex(8)
    outcome = connection.run(f"echo {token}")
    return Answer(WORKS if token in outcome.out else REFUSED, outcome.said[:200])


def _terminal(connection: Connection, _place: str) -> Answer:
    outcome = connection.run("tty", tty=True)
    return Answer(WORKS if _TERMINAL.search(outcome.out) else REFUSED, outcome.said[:200])


def _subsystem(connection: Connection, _place: str) -> Answer:
    """Any answer would be one too many."""
    try:
        with connection.subsystem("netconf") as channel:
            return Answer(WORKS if channel.stdout.read(1) else REFUSED)
    except mux.Failed as failed:
        return Answer(REFUSED, str(failed))


def _sftp(connection: Connection, _place: str) -> Answer:
    try:
        with connection.subsystem("sftp") as channel:
            sftp.Client(channel)
    except (mux.Failed, sftp_packets.Broken) as failed:
        return Answer(REFUSED, str(failed))
    return Answer(WORKS)


def _reach(connection: Connection, place: str) -> Answer:
    """What is closed was let through: nothing listens there."""
    answer = connection.reach(place)
    return Answer(REFUSED if answer == "prohibited" else WORKS, answer)


def _listen(connection: Connection, place: str) -> Answer:
    return Answer(WORKS if connection.listen(place) else REFUSED)


ACTS: t.Mapping[str, t.Callable[[Connection, str], Answer]] = {
    "command": _command,
    "terminal": _terminal,
    "subsystem": _subsystem,
    "sftp": _sftp,
    "reach": _reach,
    "listen": _listen,
    "agent": lambda connection, _place: Answer(WORKS if connection.agent() else REFUSED),
    "x11": lambda connection, _place: Answer(WORKS if connection.x11() else REFUSED),
}
