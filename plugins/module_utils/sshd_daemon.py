# SPDX-License-Identifier: GPL-3.0-or-later
"""The running sshd: what listens for it, and having it read its configuration again."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t

from . import files, layout, sshd
from .processes import Failed, must, run

PID_FILE = "/run/sshd.pid"
UNITS = ("ssh.service", "sshd.service")
TURN = 5.0  # seconds that sshd may take to read its configuration again


def reload_again(systemd: bool) -> None:
    """After its file was put back: only if it has read the one that is gone."""
    if os.path.lexists(layout.RELOADED):
        reload(systemd)


def listener(systemd: bool) -> t.Union[str, int, None]:
    """What listens for the host's own sshd: its unit, or else its process; None: nothing does (socket activation)."""
    for unit in UNITS if systemd else ():
        if run(["systemctl", "is-active", "--quiet", unit]).ok:
            return unit
    pid = _text(PID_FILE).strip()
    return int(pid) if pid.isdigit() and _text(f"/proc/{pid}/comm").strip() == "sshd" else None


def _socket_of(unit: str) -> str:
    return unit.replace(".service", ".socket")


def reload(systemd: bool) -> None:
    """Have the running sshd read its configuration again; without one there is nothing to do.

    It would die of a bad configuration, and not every unit looks first. That it was told is noted: what it has not read
    since, of anybody's, must not come into force when a run is undone.
    """
    checked = sshd.test(layout.SSHD_CONFIG)
    if not checked.ok:
        raise Failed(["sshd", "-t"], checked)
    files.note(layout.RELOADED)
    found = listener(systemd)
    if isinstance(found, str) and run(["systemctl", "is-active", "--quiet", _socket_of(found)]).ok:
        # It was handed its socket, cannot bind it itself, and would die of a reload. Sessions outlive it, and whoever
        # connects meanwhile waits in the socket. Without the reset, five in ten seconds would fail the socket as well.
        must(["systemctl", "reset-failed", found])
        must(["systemctl", "try-restart", found])
    elif isinstance(found, str):
        with _turning():
            must(["systemctl", "reload", found])
    elif found is not None:
        with _turning():
            os.kill(found, signal.SIGHUP)


def listens(systemd: bool) -> bool:
    """Whether sshd itself does: what systemd hands it does not depend on its configuration."""
    found = listener(systemd)
    handed = isinstance(found, str) and run(["systemctl", "is-active", "--quiet", _socket_of(found)]).ok
    return found is not None and not handed


@contextlib.contextmanager
def _turning() -> t.Iterator[None]:
    """A reload only asks for it: until sshd has opened its sockets anew, it still goes by what it read before."""
    pid = _text(PID_FILE).strip()
    before = _sockets(pid)
    yield
    deadline = time.monotonic() + TURN
    while before and time.monotonic() < deadline:
        now = _sockets(_text(PID_FILE).strip())
        if now and not now & before:
            return
        time.sleep(0.02)


def _sockets(pid: str) -> t.Set[str]:
    try:
        links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return set()
    listed = _text("/proc/net/tcp") + _text("/proc/net/tcp6")
    listening = {row.split()[9] for row in listed.splitlines() if row.split()[3] == "0A"}
    return {link for link in links if link[:8] == "socket:[" and link[8:-1] in listening}


def _text(path: str) -> str:
    try:
        return files.read(path) or ""
    except OSError:
        return ""
