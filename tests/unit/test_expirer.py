# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that closes what has expired, run for real on users and with a chage of its own."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import expiry
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import State
from ansible_collections.sallyport.ssh.plugins.module_utils.system import expirer, sessions

NOW = int(time.time())
PAST, FUTURE = NOW - 1, NOW + 10 * expirer.DAY
DAY = PAST // expirer.DAY
OPEN = DAY + 1  # what a run sets before the moment
UIDS = {"erp": 61011, "shop": 61012, "system": 999}
CHAGE = """#!/bin/sh
[ "$3" != shop ] || [ ! -e {0}/busy ] || {{ echo "cannot lock /etc/shadow" >&2; exit 1; }}
echo "$@" >>{0}/log
sed -E -i "s/^$3:(([^:]*:){{6}})[^:]*:/$3:\\1$2:/" {0}/shadow
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for processes of other users")


@dataclass(frozen=True)
class Etc:
    """Three users, a table, and a chage that writes down what it was called with."""

    path: Path

    def expires(self, **days: object) -> None:
        lines = [f"{name}:*:19000:0:99999:7::{days.get(name, OPEN)}:" for name in UIDS]
        (self.path / "shadow").write_text("\n".join(["+::::::::", *lines, ""]))

    def table(self, *lines: str) -> None:
        (self.path / "table").write_text("\n".join(["# " + layout.HEADER.strip(), *lines, ""]))

    @property
    def arguments(self) -> list[str]:
        return [str(self.path / name) for name in ("table", "lock", "", "chage")]

    @property
    def calls(self) -> list[str]:
        log = self.path / "log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Etc:
    users = [f"{name}:x:{uid}:{uid}::/:/bin/sh" for name, uid in UIDS.items()]
    (tmp_path / "passwd").write_text("\n".join(["+::::::", *users, ""]))
    (tmp_path / "chage").write_text(CHAGE.format(tmp_path))
    (tmp_path / "chage").chmod(0o755)
    made = Etc(tmp_path)
    made.expires()
    monkeypatch.setattr(expirer, "PAUSE", 0.05)
    return made


@pytest.mark.parametrize(
    ("lines", "expires", "calls"),
    [
        pytest.param((f"{PAST} erp", f"{FUTURE} shop"), {}, [f"--expiredate {DAY} erp"], id="only what is past"),
        pytest.param((f"{PAST} erp", f"{PAST} shop"), {}, [f"--expiredate {DAY} {name}" for name in ("erp", "shop")],
                     id="all that is past"),
        pytest.param((f"{PAST} erp",), {"erp": ""}, [f"--expiredate {DAY} erp"], id="opened by hand"),
        pytest.param((f"{PAST} erp",), {"erp": 0}, [f"--expiredate {DAY} erp"], id="day 0 may mean never"),
        pytest.param((f"{PAST} erp",), {"erp": -1}, [f"--expiredate {DAY} erp"], id="-1 means never"),
        pytest.param((f"{PAST} erp",), {"erp": DAY}, [], id="closed already"),
        pytest.param((f"{PAST} erp",), {"erp": 1}, [], id="suspended"),
        pytest.param(("30 erp",), {}, ["--expiredate 1 erp"], id="never day 0"),
        pytest.param((f"{PAST} gone",), {}, [], id="nobody of the host any more"),
        pytest.param((f"{PAST} system",), {}, [], id="a system user by now"),
        pytest.param((), {}, [], id="empty"),
    ],
)  # fmt: skip
def test_what_is_closed(etc: Etc, lines: t.Sequence[str], expires: dict[str, object], calls: list[str]) -> None:
    etc.expires(**expires)
    etc.table(*lines)
    assert expirer.main(*etc.arguments) == 0
    assert etc.calls == calls
    assert expirer.main(*etc.arguments) == 0
    assert etc.calls == calls


def test_without_a_table_there_is_nothing_to_do(etc: Etc) -> None:
    assert expirer.main(*etc.arguments) == 0


def test_one_that_cannot_be_closed_keeps_no_other_one_open(etc: Etc, capsys: pytest.CaptureFixture[str]) -> None:
    (etc.path / "busy").touch()
    etc.table(f"{PAST} shop", f"{PAST} erp")
    assert expirer.main(*etc.arguments) == 1
    assert etc.calls == [f"--expiredate {DAY} erp"]
    said = ["erp has expired and is closed", "shop is not closed: cannot lock /etc/shadow"]
    assert capsys.readouterr().err.splitlines() == said


def test_a_run_that_is_under_way_is_followed_to_its_end(etc: Etc) -> None:
    """It puts back, before it gives up the lock, what it had read before the moment."""
    etc.table(f"{PAST} erp")
    lock = os.open(etc.path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    program = threading.Thread(target=expirer.main, args=etc.arguments)
    program.start()
    deadline = time.monotonic() + 10
    while not etc.calls and time.monotonic() < deadline:
        time.sleep(0.01)
    assert etc.calls == [f"--expiredate {DAY} erp"]
    etc.expires()
    os.close(lock)
    program.join(10)
    assert etc.calls == [f"--expiredate {DAY} erp"] * 2


def test_a_lock_that_is_never_given_up_does_not_hold_it_for_ever(etc: Etc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expirer, "PATIENCE", 0.2)
    etc.table(f"{PAST} erp")
    with open(etc.path / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert expirer.main(*etc.arguments) == 0
    assert etc.calls == [f"--expiredate {DAY} erp"]


@pytest.mark.parametrize("planted", ["link", "fifo", "directory"])
def test_what_somebody_put_in_the_place_of_the_lock_is_no_lock(etc: Etc, planted: str) -> None:
    path = etc.path / "lock"
    if planted == "link":
        path.symlink_to(etc.path / "passwd")
    elif planted == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert not expirer.is_held(str(path))


def process_of(uid: int, *, stubborn: bool = False) -> subprocess.Popen[bytes]:
    """A process of this user that has begun its work; a stubborn one does not listen to SIGTERM."""
    ignore = "trap '' TERM; " if stubborn else ""
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"{ignore}echo; while :; do sleep 0.1; done"], stdout=subprocess.PIPE, user=uid
    )
    assert process.stdout
    process.stdout.readline()
    return process


@as_root
def test_the_installed_program_ends_the_sessions_of_what_it_closes_and_no_others(etc: Etc) -> None:
    account = Account("erp", "sftp", password_hash="$6$a$b", expires=NOW - NOW % expirer.DAY + 1)
    state = expiry.desired(Model(Server("h"), accounts=(account,)), Host(tools=Tools(systemd=True)), State())
    program = etc.path / "program"
    program.write_text(state.files[layout.EXPIRY_PROGRAM].content)
    etc.table(f"{PAST} erp", f"{FUTURE} shop")
    expired, other = process_of(UIDS["erp"]), process_of(UIDS["shop"])
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", program, *etc.arguments], check=False, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "erp has expired and is closed\n")
        assert expired.wait(5) == -signal.SIGTERM
        assert other.poll() is None
    finally:
        for process in (expired, other):
            process.kill()
            process.wait()


@as_root
def test_processes_of_who_was_closed_before_go_on(etc: Etc) -> None:
    etc.expires(erp=DAY)
    etc.table(f"{PAST} erp")
    process = process_of(UIDS["erp"])
    try:
        assert expirer.main(*etc.arguments) == 0
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


@as_root
def test_who_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expirer, "GRACE", 0.3)
    process = process_of(UIDS["erp"], stubborn=True)
    try:
        sessions.end([UIDS["erp"]])
        assert process.wait(5) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()


@as_root
def test_who_is_in_no_list_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one who forks without pause: gone whenever the list is read to its end."""
    monkeypatch.setattr(expirer, "processes_of", lambda uids: [])
    process, other = process_of(UIDS["erp"]), process_of(UIDS["shop"])
    try:
        assert expirer.end([UIDS["erp"]]) == []
        assert process.wait(5) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for running in (process, other):
            running.kill()
            running.wait()


def test_without_uids_nobody_is_ended() -> None:
    assert expirer.processes_of(frozenset()) == []
