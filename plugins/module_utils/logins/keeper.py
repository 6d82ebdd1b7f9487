# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that keeps programs for us and ends every one of them, with all they started, when we end: killed as well.

It has its own view of the host (see own_view.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import time
import typing as t

from . import own_view

SET_DEATH_SIGNAL, SET_SUBREAPER = 1, 36
PATIENCE = 2.0  # seconds for sessions to end by themselves
LONGEST = 64 * 1024


class Keeper:
    """Start it before threads: it forks. ``directory`` is removed at its end."""

    def __init__(self, directory: str) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = os.fork()
        if self._pid == 0:
            _keep(theirs, directory)
        theirs.close()
        self._ours.recv(LONGEST)  # it is ready

    def start(self, argv: t.Sequence[str], log: str, sign: str, patience: float) -> t.Optional[int]:
        """Start a program and wait for the sign in its log: its process id. None: it ended, or gave no sign in time."""
        self._ours.settimeout(patience + PATIENCE)
        self._ours.send(json.dumps([list(argv), log, sign, patience]).encode())
        return int(self._ours.recv(LONGEST)) or None

    def end(self) -> None:
        self._ours.close()
        os.waitpid(self._pid, 0)


def log_of(directory: str) -> str:
    """Where the keeper writes what its programs tell the system log."""
    return os.path.join(directory, "system-log")


def children(parent: int) -> t.List[int]:
    try:
        with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as stream:
            return [int(pid) for pid in stream.read().split()]
    except FileNotFoundError:  # of a kernel without it, or because it has ended
        return [pid for pid, above in _parents().items() if above == parent]


def _keep(asked: socket.socket, directory: str) -> t.NoReturn:
    code = 1
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _close_all_but(asked.fileno())
        _prctl(SET_SUBREAPER, 1)
        view, system_log = os.path.join(directory, "view"), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        os.mkdir(view, 0o700)
        log_socket = os.path.join(view, "socket")
        system_log.bind(log_socket)
        os.chmod(log_socket, 0o666)  # noqa: S103 - as that of the system log
        with contextlib.suppress(OSError):  # where nobody may mount, logins leave traces
            own_view.enter(view, log_socket)
        with open(os.open(log_of(directory), os.O_WRONLY | os.O_CREAT, 0o600), "wb", 0) as written:
            _serve(asked, system_log, written)
        code = 0
    finally:
        _end_all()
        shutil.rmtree(directory, ignore_errors=True)
        os._exit(code)


def _close_all_but(kept: int) -> None:
    """Nothing of ours stays open here: neither a lock nor the pipe whose end our caller waits for."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor != kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _serve(asked: socket.socket, system_log: socket.socket, written: t.BinaryIO) -> None:
    asked.send(b"0")  # is ready
    while True:
        for ready in select.select([asked, system_log], [], [], 0.2)[0]:
            request = ready.recv(LONGEST)
            if ready is system_log:
                written.write(request + b"\n")
            elif not request:
                return
            else:
                asked.send(str(_start(*json.loads(request))).encode())
        _reap()


def _start(argv: t.List[str], log: str, sign: str, patience: float) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            _prctl(SET_DEATH_SIGNAL, signal.SIGTERM)
            os.execv(argv[0], argv)  # noqa: S606 - of a list, and no shell
        finally:
            os._exit(127)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if sign in _text(log):
            return pid
        if os.waitpid(pid, os.WNOHANG)[0]:
            return 0
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    return 0


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


def _end_all() -> None:
    """Listeners first; sessions whose clients have gone end by themselves, and are made to if they do not."""
    for pid in children(os.getpid()):
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while _reap() and time.monotonic() < deadline:
        time.sleep(0.005)
    deadline = time.monotonic() + PATIENCE
    while _reap() and time.monotonic() < deadline:
        for pid in _descendants():
            _signal(pid, signal.SIGKILL)
        time.sleep(0.005)


def _reap() -> bool:
    """Whether anything that we keep is left: as the reaper we have the orphans of our programs as children."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _descendants() -> t.List[int]:
    found, new = [], [os.getpid()]
    parents = _parents()
    while new:
        new = [pid for pid, parent in parents.items() if parent in new]
        found += new
    return found


def _parents() -> t.Dict[int, int]:
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as stream:
            parents[int(name)] = int(stream.read().rpartition(b")")[2].split()[1])
    return parents


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
