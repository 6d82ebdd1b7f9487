# SPDX-License-Identifier: GPL-3.0-or-later
"""Having the running sshd read its configuration again, and waiting until it has."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd, sshd_daemon
from ansible_collections.sallyport.ssh.plugins.module_utils.system.processes import Failed, Outcome


@pytest.fixture(autouse=True)
def note(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(layout, "RELOADED", str(tmp_path / "reloaded"))
    return tmp_path / "reloaded"


class Programs:
    """systemctl and sshd, with what they are asked."""

    def __init__(self, active: t.Collection[str], valid: bool) -> None:
        self.asked: t.List[str] = []
        self._active, self._valid = active, valid

    def run(self, argv: t.Sequence[str], *_more: t.Any) -> Outcome:
        self.asked.append(" ".join(argv))
        if argv[0] == "sshd":
            return Outcome(0 if self._valid else 255, "", "" if self._valid else "bad")
        return Outcome(0 if argv[1] != "is-active" or argv[-1] in self._active else 3, "", "")


@pytest.fixture(name="signals")
def signals_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> t.List[t.Tuple[int, int]]:
    sent: t.List[t.Tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    monkeypatch.setattr(sshd_daemon, "PID_FILE", str(tmp_path / "sshd.pid"))
    return sent


def installed(monkeypatch: pytest.MonkeyPatch, active: t.Collection[str] = (), valid: bool = True) -> Programs:
    programs = Programs(active, valid)
    monkeypatch.setattr(sshd, "run", programs.run)
    monkeypatch.setattr(sshd_daemon, "run", programs.run)
    monkeypatch.setattr(sshd_daemon, "must", programs.run)
    return programs


@pytest.mark.parametrize("unit", sshd_daemon.UNITS)
def test_the_active_unit_is_reloaded(
    monkeypatch: pytest.MonkeyPatch, signals: t.List[t.Tuple[int, int]], unit: str
) -> None:
    programs = installed(monkeypatch, [unit])
    sshd_daemon.reload(systemd=True)
    assert programs.asked[-1] == f"systemctl reload {unit}"
    assert not any("restart" in asked for asked in programs.asked)
    assert signals == []


@pytest.mark.parametrize("unit", sshd_daemon.UNITS)
def test_one_that_was_handed_its_socket_is_started_anew(monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    programs = installed(monkeypatch, [unit, unit.replace("service", "socket")])
    sshd_daemon.reload(systemd=True)
    assert programs.asked[-2:] == [f"systemctl reset-failed {unit}", f"systemctl try-restart {unit}"]
    assert not any("reload" in asked for asked in programs.asked)


@pytest.mark.parametrize("systemd", [True, False])
def test_nothing_is_done_where_none_runs(
    monkeypatch: pytest.MonkeyPatch, signals: t.List[t.Tuple[int, int]], systemd: bool
) -> None:
    programs = installed(monkeypatch)
    sshd_daemon.reload(systemd)
    assert not any("reload" in asked for asked in programs.asked)
    assert signals == []


@pytest.mark.parametrize(
    ("comm", "sent"), [("sshd\n", [(4242, signal.SIGHUP)]), ("cron\n", [])], ids=["ours", "reused"]
)
def test_without_systemd_the_listener_gets_a_signal(
    monkeypatch: pytest.MonkeyPatch,
    signals: t.List[t.Tuple[int, int]],
    comm: str,
    sent: t.List[t.Tuple[int, int]],
) -> None:
    installed(monkeypatch)
    texts = {sshd_daemon.PID_FILE: "4242\n", "/proc/4242/comm": comm}
    monkeypatch.setattr(sshd_daemon, "_text", lambda path: texts.get(path, ""))
    sshd_daemon.reload(systemd=False)
    assert signals == sent


@pytest.mark.parametrize("systemd", [True, False])
def test_a_bad_configuration_is_never_loaded(
    monkeypatch: pytest.MonkeyPatch, signals: t.List[t.Tuple[int, int]], systemd: bool
) -> None:
    programs = installed(monkeypatch, sshd_daemon.UNITS, valid=False)
    with pytest.raises(Failed, match="bad"):
        sshd_daemon.reload(systemd)
    assert programs.asked == [f"sshd -t -f {layout.SSHD_CONFIG}"]
    assert signals == []


def test_what_sshd_has_not_read_does_not_come_into_force_by_an_undo(
    monkeypatch: pytest.MonkeyPatch, note: pathlib.Path
) -> None:
    """Another file may have come since sshd last read any: our own undo must not be what turns it on."""
    programs = installed(monkeypatch, ["ssh.service"])
    sshd_daemon.reload_again(systemd=True)
    assert programs.asked == []
    assert not note.exists()
    sshd_daemon.reload(systemd=True)
    assert note.exists()
    programs.asked.clear()
    sshd_daemon.reload_again(systemd=True)
    assert programs.asked[-1] == "systemctl reload ssh.service"


def test_a_reload_is_over_when_the_sockets_are_new(
    monkeypatch: pytest.MonkeyPatch, signals: t.List[t.Tuple[int, int]]
) -> None:
    """Until then it lets in by the old configuration, or nobody."""
    seen = iter([{"socket:[1]"}, {"socket:[1]"}, set(), {"socket:[2]"}])
    last: t.List[t.Set[str]] = []

    def sockets(_pid: str) -> t.Set[str]:
        last.append(next(seen))
        return last[-1]

    monkeypatch.setattr(sshd_daemon, "_sockets", sockets)
    installed(monkeypatch, ["ssh.service"])
    sshd_daemon.reload(systemd=True)
    assert last[-1] == {"socket:[2]"}


# Logins that are under way, of a real sshd


class Daemon(t.NamedTuple):
    port: int
    key: pathlib.Path  # that lets root in

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 10)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), self.connect() as connection:
            return connection.recv(4) == b"SSH-"
        return False


@pytest.fixture(name="daemon", scope="module")
def real_sshd(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Daemon]:
    if sshd.version() == (0, 0) or os.geteuid() != 0:
        pytest.skip("needs sshd, and root to run it")
    place = tmp_path_factory.mktemp("sshd")
    for name in ("key", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        daemon = Daemon(free.getsockname()[1], place / "client")
    (place / "config").write_text(
        f"HostKey {place}/key\nListenAddress 127.0.0.1:{daemon.port}\nPidFile none\nUsePAM yes\nPermitRootLogin yes\n"
        f"AuthorizedKeysFile {place}/client.pub\nStrictModes no\n"
    )
    host_key = (place / "key.pub").read_text()
    (place / "known_hosts").write_text(f"[127.0.0.1]:{daemon.port} {host_key}")
    assert sshd.test(str(place / "config")).ok  # makes the directory that sshd misses where none has run yet
    with subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(place / "config")], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(daemon.answers)
            wait_until(lambda: not sshd_daemon._logins())
            yield daemon
        finally:
            process.terminate()


def wait_until(what: t.Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def waited(seconds: float) -> float:
    start = time.monotonic()
    sshd_daemon.let_in(seconds)
    return time.monotonic() - start


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-here\r\n"], ids=["said nothing yet", "said its version"])
def test_a_login_that_is_under_way_is_waited_for_and_one_that_stays_is_not(
    daemon: Daemon, said: bytes, note: pathlib.Path
) -> None:
    note.touch()
    with daemon.connect() as connection:
        connection.recv(100)
        connection.sendall(said)
        connection.recv(100) if said else None
        assert len(sshd_daemon._logins()) == 1
        assert 0.3 <= waited(0.3) < 2
        threading.Timer(0.3, connection.shutdown, [socket.SHUT_RDWR]).start()
        assert 0.2 <= waited(20) < 10
    assert not sshd_daemon._logins()


def test_whoever_connects_later_is_not_waited_for(daemon: Daemon, note: pathlib.Path) -> None:
    note.touch()
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(daemon.connect())
        first.recv(100)

        def go_on() -> None:
            stack.enter_context(daemon.connect()).recv(100)
            first.shutdown(socket.SHUT_RDWR)

        threading.Timer(0.3, go_on).start()
        assert waited(20) < 10
    wait_until(lambda: not sshd_daemon._logins())


def test_whoever_is_in_is_not_waited_for(daemon: Daemon, note: pathlib.Path) -> None:
    note.touch()
    known = daemon.key.with_name("known_hosts")
    options = ["-F", "none", f"-oUserKnownHostsFile={known}", "-oBatchMode=yes", "-oIdentitiesOnly=yes"]
    login = ["ssh", *options, "-i", str(daemon.key), "-p", str(daemon.port), "root@127.0.0.1", "echo in; cat"]
    with subprocess.Popen(login, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as session:
        assert session.stdout
        assert session.stdout.readline() == b"in\n", session.stderr and session.stderr.read()
        assert waited(20) < 1
        session.communicate(b"", timeout=10)


def test_nobody_is_waited_for_where_sshd_was_told_nothing(daemon: Daemon, note: pathlib.Path) -> None:
    with daemon.connect() as connection:
        connection.recv(100)
        assert not note.exists()
        assert waited(20) < 1


def test_whoever_is_asked_for_a_password_is_waited_for(
    daemon: Daemon, note: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    note.touch()
    asked, program = tmp_path / "asked", tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {asked}\nexec sleep 60\n")
    program.chmod(0o700)
    options = ["-F", "none", f"-oUserKnownHostsFile={daemon.key.with_name('known_hosts')}", "-oPubkeyAuthentication=no"]
    login = ["ssh", *options, "-p", str(daemon.port), "nobody@127.0.0.1", "true"]
    own = {**os.environ, "SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}
    with subprocess.Popen(login, env=own, stderr=subprocess.DEVNULL, start_new_session=True) as session:
        wait_until(asked.exists)
        assert len(sshd_daemon._logins()) == 1
        assert 0.3 <= waited(0.3) < 2
        threading.Timer(0.3, os.killpg, [session.pid, signal.SIGKILL]).start()
        assert 0.2 <= waited(20) < 10
