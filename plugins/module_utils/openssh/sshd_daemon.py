# SPDX-License-Identifier: GPL-3.0-or-later
"""The running sshd: what listens for it, and having it read its configuration again."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t

from .. import layout
from ..system import files
from ..system.processes import Failed, must, run
from . import sshd

PID_FILE = "/run/sshd.pid"
UNITS = ("ssh.service", "sshd.service")
TURN = 5.0  # seconds that sshd may take to read its configuration again
LOGIN = 2.0  # seconds that are left to a login to get in
# how sshd calls what serves a login: until it has said its version, and then the part that has no rights
_ACCEPTED, _UNPRIVILEGED = "[accepted]", ("[net]", "[session-auth]")


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


def let_in(seconds: float = LOGIN) -> None:
    """Wait until the logins that are under way have got in, if sshd was told of our file in this transaction.

    They go by the configuration that it had when they began: whoever loses a group of ours meanwhile is refused. Who
    connects and says nothing is not waited for longer than that.
    """
    if not os.path.lexists(layout.RELOADED):
        return
    deadline = time.monotonic() + seconds
    begun = _logins()
    while begun and time.monotonic() < deadline:
        time.sleep(0.02)
        begun &= _logins()


def _logins() -> t.Set[int]:
    """The processes of this host's sshds that have not let in whom they serve yet."""
    found = set()
    ours = ("", _namespace("self"))
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if not _text(f"/proc/{pid}/comm").startswith("sshd") or _namespace(pid) not in ours:
            continue
        title = _text(f"/proc/{pid}/cmdline").replace("\0", " ").split()
        if title[-1:] == [_ACCEPTED] or "-R" in title:
            found.add(int(pid))
        elif title and title[-1] in _UNPRIVILEGED:  # what decides is the process above it, which goes on
            found.update(map(int, _text(f"/proc/{pid}/stat").rpartition(")")[2].split()[1:2]))
    return found


def _namespace(pid: str) -> str:
    """Of its process numbers: a container has its own, and is none of ours. Nothing where that cannot be seen."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


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
