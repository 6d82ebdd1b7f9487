# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the running sshd answers where its configuration says."""

from __future__ import annotations

import re
import socket
import time
import typing as t

from .sshd_effective import Effective

Place = t.Tuple[str, int]

PATIENCE = 10.0  # seconds; while it starts anew after a reload it answers nowhere
ONE_PATIENCE = 2.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on

_LISTENS = re.compile(r"\[?(?P<address>[^\[\]]+?)\]?:(?P<port>\d+)(?: rdomain .*)?")


def places(found: Effective) -> t.List[Place]:
    """Where to try a configuration, by what ``sshd -T`` shows of it."""
    listens = [_LISTENS.fullmatch(value) for value in found.get("listenaddress", ())]
    return [(EVERYWHERE.get(item["address"], item["address"]), int(item["port"])) for item in listens if item]


def answering(where: t.Iterable[Place]) -> t.Set[Place]:
    """Of each port the first place where an SSH server says so now: sshd notes every such visit in its log."""
    found: t.Dict[int, Place] = {}
    for place in where:
        if place[1] not in found and _answers(place):
            found[place[1]] = place
    return set(found.values())


def lost(before: t.Set[Place], now: t.Sequence[Place], port: int, reloaded: bool) -> t.List[str]:
    """A sentence for each place where sshd answered and does not any more, or if it does not on its port.

    Without a reload (socket activation) something else listens, on what it was told: only what answered has to.
    """
    wanted = [[place] for place in now if place in before]
    own = sorted((place for place in now if place[1] == port), key=lambda place: ":" in place[0])
    if reloaded and own and not before.intersection(own):
        wanted.append(own[:1])  # of another program's port it may get one address family and not the other
    return [
        f"sshd: it does not answer on {places[0][0]} port {places[0][1]} after it has read the new configuration; "
        f"look at what it says: journalctl -u ssh -u sshd"
        for places in wanted
        if not _answers_in_time(places)
    ]


def _answers_in_time(where: t.Sequence[Place]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not answering(where):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _answers(place: Place) -> bool:
    try:
        with socket.create_connection(place, ONE_PATIENCE) as connection:
            connection.settimeout(ONE_PATIENCE)
            answers = b"SSH-" in connection.recv(4096)
            connection.sendall(b"SSH-2.0-Sallyport\r\n")  # without it, it would be an error in the log
            return answers
    except OSError:
        return False
