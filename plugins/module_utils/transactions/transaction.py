# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan applied as a whole: staged, validated, swapped in, proven, or undone. Decides nothing.

A journal on disk names all that is about to change, before the first change. When a step fails, everything is unmade
in reverse order; when the run is killed, the next run or the next boot does that (see recovery.py). A change that
could lock people out also waits until a new connection confirms it. Removals come last, when all has been proven.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import time
import typing as t
import uuid

from .. import layout
from ..errors import Refused
from ..plan import Action, Step
from ..resources import File, Link
from ..system import files, processes
from . import journal, safety_net
from .journal import Journal
from .ports import Ports
from .steps import STEPS

LOCK_PATIENCE = 60.0  # seconds to wait for another run


class Undone(Exception):
    """A step failed and what came before it was undone; ``remains`` says what could not be."""

    def __init__(self, cause: BaseException, remains: t.Sequence[str]) -> None:
        self.cause, self.remains = cause, tuple(remains)
        state = "the host is as it was" if not remains else "NOT undone: " + "; ".join(remains)
        super().__init__(f"{cause} ({state})")


@contextlib.contextmanager
def locked(path: str = layout.LOCK, patience: float = LOCK_PATIENCE) -> t.Iterator[None]:
    """Hold the lock that keeps a second run out; wait for the first one at most ``patience`` seconds.

    The programs of a run hold it as well: what still works for a run that was killed is waited for.
    """
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
        processes.HELD.add(descriptor)
        yield
    finally:
        processes.HELD.discard(descriptor)
        os.close(descriptor)


def run(actions: t.Sequence[Action], ports: Ports, confirm_within: t.Optional[float] = None) -> t.Optional[Journal]:
    """Carry out the actions in their order, or raise ``Undone``.

    With ``confirm_within`` (seconds) only what can be undone is carried out, and the journal that waits for ``finish``
    is returned: without that in time, a timer of the host undoes all of it.
    """
    if not actions:
        return None
    until = 0.0 if confirm_within is None else time.time() + confirm_within
    under_way = journal.of(uuid.uuid4().hex[:12], actions, until)
    confining = [action for action in actions if action.step < journal.OPENING]
    opening = [action for action in actions if journal.OPENING <= action.step <= journal.LAST]
    done: t.List[Action] = []
    try:
        safety_net.install(ports.systemd)
        journal.write(under_way)
        if confirm_within is not None:
            safety_net.arm(under_way.id, confirm_within, ports.systemd)
        _carry_out(confining, ports, done)
        ports.prove()
        _carry_out(opening, ports, done)
        ports.opened()
        if confirm_within is not None:
            return journal.wait(under_way, time.time() + confirm_within)
        journal.keep()
        _carry_out(actions[len(confining) + len(opening) :], ports, done)
    except BaseException as error:
        raise Undone(error, undo(done, ports, under_way)) from error
    _let_go(under_way, ports)
    return None


def finish(waiting: Journal, actions: t.Sequence[Action], ports: Ports) -> None:
    """What a new connection has confirmed is kept, and the rest of the actions carried out; or raise ``Undone``."""
    done = list(waiting.actions)
    try:
        journal.keep()
        _carry_out([action for action in actions if action.step > journal.LAST], ports, done)
    except BaseException as error:
        raise Undone(error, undo(done, ports, waiting)) from error
    _let_go(waiting, ports)


def undo(done: t.Sequence[Action], ports: Ports, under_way: Journal) -> t.List[str]:
    """Unmake what was done or at least begun; what remains. The journal stays if trying again could do better.

    It names nothing of what is removed last. Where that cannot be brought back, for whatever reason, there is no way
    back at all: the journal goes on to say that the change is kept, and the next run completes it.
    """
    remains: t.List[str] = []
    unmaking = [(journal.names(step), _unmaking(step, batch, ports)) for step, batch in reversed(_batches(done))]
    last = [unmake for is_named, unmake in unmaking if not is_named]
    named = [unmake for is_named, unmake in unmaking if is_named]
    _unmake(last, remains)
    if remains:
        return [*remains, "all else stays as this run has made it, and the next one completes it"]
    again = _unmake([journal.reopen, *named], remains)
    try:
        if not again:
            end(under_way, ports.systemd)
    except OSError as error:
        remains.append(str(error))
    return remains


def _unmake(work: t.Iterable[t.Callable[[], None]], remains: t.List[str]) -> bool:
    """All of it, whatever fails meanwhile; whether trying again could do better."""
    again = False
    for unmake in work:
        try:
            unmake()
        except (files.NotEmpty, Refused) as error:  # a user has put something in the place, and may for ever
            remains.append(str(error))
        except Exception as error:
            remains.append(str(error))
            again = True
    return again


def end(settled: Journal, systemd: bool) -> None:
    """There is no way back any more: let go of all that was kept for it, of the journal last."""
    if settled.until:
        safety_net.disarm(settled.id, systemd)
    for action in settled.actions:
        if isinstance(action.resource, (File, Link)):
            files.discard(action.resource.path)
            files.forget(action.resource.path)
    safety_net.remove()
    journal.remove()
    files.remove_directory(layout.STATE)  # which stays when it holds a record


def _let_go(kept: Journal, ports: Ports) -> None:
    """What cannot be let go of now, the next run lets go of: the change itself is done."""
    with contextlib.suppress(OSError):
        end(kept, ports.systemd)


def _carry_out(actions: t.Sequence[Action], ports: Ports, done: t.List[Action]) -> None:
    for step, batch in _batches(actions):
        done.extend(batch)
        STEPS[step][0](batch, ports)


def _unmaking(step: Step, batch: t.List[Action], ports: Ports) -> t.Callable[[], None]:
    return lambda: STEPS[step][1](batch, ports)


def _batches(actions: t.Iterable[Action]) -> t.List[t.Tuple[Step, t.List[Action]]]:
    return [(step, list(batch)) for step, batch in itertools.groupby(actions, key=lambda action: action.step)]
