# SPDX-License-Identifier: GPL-3.0-or-later
"""Confirming a change over a new connection: whoever still gets in afterwards was not locked out."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

PAUSE = 1.0  # seconds between two attempts
UNDOING = 60.0  # seconds that the host is given to go back, and to let us in again

Answer = t.Dict[str, t.Any]
Ask = t.Callable[[str], Answer]  # calls the module on the host with this confirmation


def confirm(connection: ConnectionBase, ask: Ask, transaction: str, seconds: float) -> Answer:
    """What the host says to the confirmation; a failed result when no new connection came about in time."""
    deadline = time.monotonic() + seconds
    while True:
        with _new_connections(connection):
            answer, reason = _attempt(ask, f"confirm {transaction}")
        if answer is not None:
            return answer
        if time.monotonic() >= deadline:
            break
        time.sleep(PAUSE)
    return {"failed": True, "msg": f"{_outcome(connection, ask, transaction)}\n- {reason}", "problems": [reason]}


def _outcome(connection: ConnectionBase, ask: Ask, transaction: str) -> str:
    """What became of the change that nobody could confirm, in one sentence."""
    failed = "After the change no new connection to the host came about in time"
    deadline = time.monotonic() + UNDOING
    while time.monotonic() < deadline:
        answer, _reason = _attempt(ask, f"outcome {transaction}")
        if answer is not None and not answer["waiting"]:
            with _new_connections(connection):
                again, _reason = _attempt(ask, f"outcome {transaction}")
            if again is not None:
                return f"{failed}: the host has undone the change, and is as it was."
            return (
                f"{failed}: the host has undone the change, but still lets no new connection in. Another file keeps it "
                "out that sshd had not read before: look at it over the connection that is still open."
            )
        time.sleep(PAUSE)
    return f"{failed}: the host undoes the change by itself, and could not be reached since."


def _attempt(ask: Ask, what: str) -> t.Tuple[t.Optional[Answer], str]:
    """The module's answer, or why there is none: anything but the module's own words counts as no answer."""
    try:
        answer = ask(what)
    except AnsibleConnectionFailure as error:
        return None, f"connection: {error}"
    if "confirmed" in answer:
        return answer, ""
    said = "; ".join(str(answer[key]).strip() for key in ("msg", "module_stderr", "module_stdout") if answer.get(key))
    return None, f"module: {said or 'no answer'}"


@contextlib.contextmanager
def _new_connections(connection: ConnectionBase) -> t.Iterator[None]:
    """Every command over a connection of its own: one that is shared was made before the change."""
    if connection.transport != "ssh":
        connection.reset()
        yield
        return
    usual = connection.get_option("ssh_extra_args")
    # of -o the first one counts, of -S the last one
    connection.set_option("ssh_extra_args", f"{usual or ''} -S none".strip())
    try:
        yield
    finally:
        connection.set_option("ssh_extra_args", usual)
