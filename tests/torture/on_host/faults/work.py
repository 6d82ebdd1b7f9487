# SPDX-License-Identifier: GPL-3.0-or-later
"""What is struck: runs of the engine, without Ansible around it."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import functools
import io
import json
import os
import subprocess
import sys
import typing as t

from sallyport import engine, layout
from sallyport.errors import Refused
from sallyport.model import Model, from_json
from sallyport.proofs import proof
from sallyport.transactions import journal, recovery, transaction

UNDONE, REMAINS, REFUSED = 41, 42, 43  # how a run ends besides 0
CONFIRM_WITHIN = 3
AT_FDCWD = -100
SYS_OPENAT2 = 437  # on every architecture
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def run(model: Model, confirming: bool = False) -> None:
    """As the module does it, and confirmed as if over a new connection."""
    _make_visible()
    try:
        result = engine.run(model, confirming=confirming)
        if result.waiting:
            engine.confirm(model, result.waiting)
    except transaction.Undone as undone:
        raise _Said(REMAINS if undone.remains else UNDONE, str(undone)) from undone
    except Refused as refused:
        raise _Said(REFUSED, str(refused)) from refused


def run_unproven(model: Model, opened: t.Callable[[], None] = lambda: None) -> None:
    """Without its proofs: what they call is struck in runs of other kinds. ``opened`` is the last of them."""
    usual = proof.ports

    def unproven(*given: t.Any, **named: t.Any) -> t.Any:
        ports = usual(*given, **named)
        gates = {path: functools.partial(_taken_up, ports.take_up.get(path)) for path in ports.gates}
        return dataclasses.replace(ports, gates=gates, prove=lambda: None, opened=opened)

    proof.ports = unproven
    run(model)


def complete(model: Model) -> None:
    """The next run, without its proofs and in no hurry to be on disk.

    Whether they would hold is not asked anew: the host that comes out is, byte for byte, one that has been proven.
    """
    setattr(os, "fsync", lambda _descriptor: None)  # noqa: B010 # in this process, which ends with its work
    run_unproven(model)


@contextlib.contextmanager
def _taken_up(take_up: t.Optional[t.Callable[[], None]], _candidate: t.Any) -> t.Iterator[None]:
    yield
    if take_up:
        take_up()


class _Said(Exception):
    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code = code


def run_in_vain(model: Model) -> None:
    """All of it is done, then the last proof fails, and all of it is undone."""

    def refused() -> None:
        os.getpgid(0)  # the mark from which undoing is struck
        raise Refused(["faults: a file of somebody else's wins"])

    run_unproven(model, refused)


def run_and_stop(model: Model) -> None:
    """All of it is done, and the run is gone before it says that it keeps it."""

    def gone() -> None:
        os._exit(0)

    journal.keep = gone
    run_unproven(model)


def recover() -> None:
    """What the program does at boot, or when nobody has confirmed."""
    _make_visible()
    pending = journal.read()
    sys.argv[1:] = [pending.id if pending else "none"]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = recovery.main()
    if code:
        raise _Said(REMAINS, said.getvalue())


def model_of(text: str) -> Model:
    model = from_json(text)
    return dataclasses.replace(model, server=dataclasses.replace(model.server, confirm_within=CONFIRM_WITHIN))


def forget_removed_ids() -> None:
    """Ids are never given out twice: here they have to be, or no two pictures would be the same."""
    with open(layout.RECORD, encoding="utf-8") as file:
        record = json.load(file)
    if record["tombstones"]:
        record["tombstones"] = []
        with open(layout.RECORD, "w", encoding="utf-8") as file:
            file.write(json.dumps(record, indent=1, sort_keys=True) + "\n")


def _make_visible() -> None:
    _open_for_writing_by_another_call()
    _tell_when_commands_run()


def _open_for_writing_by_another_call() -> None:
    """strace cannot tell opening for writing from opening for reading, of which there is much more."""
    usual, libc = os.open, ctypes.CDLL(None, use_errno=True)

    def opened(path: t.Any, flags: int, mode: int = 0o777, *, dir_fd: t.Optional[int] = None) -> int:
        if not flags & _WRITING:
            return usual(path, flags, mode, dir_fd=dir_fd)
        how = (ctypes.c_uint64 * 3)(flags | os.O_CLOEXEC, mode if flags & os.O_CREAT else 0, 0)
        place = AT_FDCWD if dir_fd is None else dir_fd
        found = libc.syscall(SYS_OPENAT2, place, os.fsencode(path), how, ctypes.sizeof(how))
        if found < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
        return int(found)

    os.open = opened


def _tell_when_commands_run() -> None:
    """By a call that is made once for each: how often one is waited for is never the same."""
    usual = subprocess.Popen.__init__

    def started(self: t.Any, *given: t.Any, **named: t.Any) -> None:
        usual(self, *given, **named)
        os.getsid(0)

    setattr(subprocess.Popen, "__init__", started)  # noqa: B010 # in this process, which ends with its work
