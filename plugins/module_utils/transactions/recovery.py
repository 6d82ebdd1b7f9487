# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a transaction whose run did not end: undone, unless it had come so far that it is kept.

The next run looks before anything else. The same is a program on the host (see safety_net.py), which runs at boot and
when a change has not been confirmed in time: ``sallyport-recover [TRANSACTION [SECONDS]]``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import time
import typing as t

from .. import layout
from ..errors import Refused
from ..resources import State
from ..system import daemons, files, users
from . import journal, safety_net, transaction
from .journal import Journal
from .ports import Ports

PATIENCE = 60.0  # seconds that a run waits for the confirmation of another one
LONGEST = 3600.0  # seconds that the program goes on, whatever happens to the clock


@contextlib.contextmanager
def turn(patience: float = PATIENCE) -> t.Iterator[None]:
    """The lock, and a host on which no transaction is under way: one that was interrupted is undone first."""
    deadline = time.monotonic() + patience
    while True:
        with transaction.locked():
            pending = journal.read()
            left = _left(pending)
            if left <= 0:
                if pending is not None:
                    settle(pending, ports())
                else:
                    _tidy()
                yield
                return
        if time.monotonic() >= deadline:
            raise Refused(
                [f"another run waits {left:.0f} seconds more for its confirmation; start again when it has ended"]
            )
        time.sleep(min(left, 0.5))


def settle(pending: Journal, here: Ports) -> t.List[str]:
    """Bring what was interrupted to its end, under the lock: what stays although it was made in vain."""
    if pending.state == journal.KEPT:
        transaction.end(pending, here.systemd)
        return []
    remains = transaction.undo(pending.actions, here, pending)
    if journal.read() is not None:
        raise Refused(["an earlier run was interrupted and cannot be undone yet: " + "; ".join(remains)])
    return remains


def _tidy() -> None:
    """What a run left that could not even begin: the disk took nothing any more, not even that it was taken away."""
    with contextlib.suppress(OSError):
        safety_net.remove()
        files.discard(layout.JOURNAL)


def ports() -> Ports:
    """Of a host as it is now: nothing is proven when what was there before comes back."""
    known = State(*users.read())
    systemd = os.path.isdir("/run/systemd/system")
    return Ports(
        known=known,
        gates={},
        prove=lambda: None,
        take_up={},
        take_back=daemons.take_up(systemd, undoing=True),
        systemd=systemd,
        sysusers=users.have_sysusers(),
        recovering=True,
    )


def main() -> int:
    """Without arguments at boot, where all daemons are still to start; else when the time of a transaction is up."""
    identity, delay = (*sys.argv[1:], "", "")[:2]
    time.sleep(float(delay or 0))
    deadline = time.monotonic() + LONGEST
    while True:
        with transaction.locked(patience=LONGEST):
            pending = journal.read()
            if pending is None or identity not in ("", pending.id):
                return 0
            left = _left(pending) if identity and time.monotonic() < deadline else 0
            if left <= 0:
                return _settle(pending, at_boot=not identity)
        time.sleep(min(left, 1.0))


def _settle(pending: Journal, at_boot: bool) -> int:
    here = ports()
    if at_boot and here.systemd:
        here = dataclasses.replace(here, take_back={})
    try:
        remains = settle(pending, here)
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    state = "is kept" if pending.state == journal.KEPT else "was not confirmed, and is undone"
    sys.stderr.write("; ".join([f"transaction {pending.id} {state}", *remains]) + "\n")
    return 0


def _left(pending: t.Optional[Journal]) -> float:
    """Seconds for which the transaction may still be confirmed: after a reboot nobody does."""
    if pending is None or pending.state != journal.WAITING or pending.boot != journal.this_boot():
        return 0
    return pending.until - time.time()
