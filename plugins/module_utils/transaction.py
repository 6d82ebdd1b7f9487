# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan applied as a whole: staged, validated, swapped in, proven, or undone. Decides nothing.

Every step leaves its inverse on a stack. When one fails, the stack is unwound, so that the host is as it was; what
cannot be undone is said. Removals come last, when all that was to be proven has been.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import time
import typing as t

from . import layout
from .errors import Refused
from .plan import Action, Step
from .steps import STEPS, Ports, Push, Undo

LOCK_PATIENCE = 60.0  # seconds to wait for another run


class Undone(Exception):
    """A step failed and what came before it was undone; ``remains`` says what could not be."""

    def __init__(self, cause: BaseException, remains: t.Sequence[str]) -> None:
        self.cause, self.remains = cause, tuple(remains)
        state = "the host is as it was" if not remains else "NOT undone: " + "; ".join(remains)
        super().__init__(f"{cause} ({state})")


@contextlib.contextmanager
def locked(path: str = layout.LOCK, patience: float = LOCK_PATIENCE) -> t.Iterator[None]:
    """Hold the lock that keeps a second run out; wait for the first one at most ``patience`` seconds."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Refused(
                        [f"another run holds {path} for more than {patience:g} seconds; start again when it has ended"]
                    ) from None
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def run(actions: t.Sequence[Action], ports: Ports) -> None:
    """Carry out the actions in their order, or raise ``Undone``."""
    with contextlib.ExitStack() as staged:
        undo: t.List[Undo] = []
        try:
            confining = [action for action in actions if action.step <= Step.SSHD]
            _carry_out(confining, ports, undo.append, staged)
            ports.prove()
            _carry_out(actions[len(confining) :], ports, undo.append, staged)
        except Exception as error:
            undo.append(staged.close)  # goes first: a directory made for staged files must be empty to be unmade
            raise Undone(error, _unwind(undo)) from error


def _carry_out(actions: t.Sequence[Action], ports: Ports, push: Push, staged: contextlib.ExitStack) -> None:
    for step, batch in itertools.groupby(actions, key=lambda action: action.step):
        STEPS[step](list(batch), ports, push, staged)


def _unwind(undo: t.Sequence[Undo]) -> t.List[str]:
    remains = []
    for step in reversed(undo):
        try:
            step()
        except Exception as error:
            remains.append(str(error))
    return remains
