# SPDX-License-Identifier: GPL-3.0-or-later
"""Having the running sshd read its configuration again, and waiting until it has."""

from __future__ import annotations

import os
import pathlib
import signal
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout, sshd, sshd_daemon
from ansible_collections.sallyport.ssh.plugins.module_utils.processes import Failed, Outcome


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
