# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a new connection notices is undone: by the run itself, or by the host when the run is not there any more.

New connections are refused on the way to the host, so that nothing on the host can tell. The run goes on over the
connection that it had before.
"""

from __future__ import annotations

import contextlib
import tempfile
import typing as t
from pathlib import Path

import pytest
from boxes import Box, differences, eventually, watching
from conftest import SEEN, accounts, populate
from runs import Model, Running, Target, kill, run, sh

WINDOW = {"confirm_within": "5s"}
READY, GO = "/run/lockout-ready", "/run/lockout-go"
WAIT_FOR_US = sh(f"touch {READY}; for i in $(seq 300); do test ! -e {GO} || exit 0; sleep 0.1; done; exit 1")
CONNECTIONS = (
    "INPUT",
    "-i",
    "eth0",
    "-p",
    "tcp",
    "--dport",
    "22",
    "--syn",
    "-j",
    "REJECT",
    "--reject-with",
    "tcp-reset",
)


@pytest.fixture(autouse=True)
def _connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setenv("ANSIBLE_SSH_CONTROL_PATH_DIR", directory)
        yield


@contextlib.contextmanager
def refused_on_the_way(box: Box) -> t.Iterator[None]:
    box.wire("iptables", "-A", *CONNECTIONS)
    try:
        yield
    finally:
        box.wire("iptables", "-D", *CONNECTIONS)


@contextlib.contextmanager
def under_way(box: Box, target: Target, model: Model) -> t.Iterator[Running]:
    """A run whose connection is there already; from now on nobody gets a new one."""
    box.console(f"rm -f {READY} {GO}")
    with target.start(WAIT_FOR_US, run("access", model)) as running:
        try:
            assert eventually(lambda: box.has(READY))
            with refused_on_the_way(box):
                box.console(f"touch {GO}")
                yield running
        finally:
            kill(running)
            box.console(f"rm -f {READY} {GO}")


def applied(box: Box) -> bool:
    """The change has been made and is not confirmed."""
    return box.has("/etc/ssh/authorized_keys.d/newcomer")


def test_a_change_that_nobody_confirms_is_undone(box: Box, target: Target, wanted: Model) -> None:
    before = box.picture()
    with under_way(box, target, {**wanted, "server": WINDOW}) as running:
        result = running.results()[1]
    assert not result.ok
    assert "no new connection to the host came about in time" in result.message
    assert "has undone the change" in result.message
    assert box.admin_gets_in()
    assert differences(before, box.picture()) == {}


def test_a_run_that_is_killed_is_undone(box: Box, target: Target, wanted: Model) -> None:
    before = box.picture()
    with under_way(box, target, {**wanted, "server": WINDOW}) as running:
        assert eventually(lambda: applied(box))
        kill(running)
    assert eventually(lambda: not applied(box))
    assert eventually(box.admin_gets_in)
    assert eventually(lambda: differences(before, box.picture()) == {}, 5)


def test_a_controller_that_vanishes_is_undone(box: Box, target: Target, wanted: Model) -> None:
    before = box.picture()
    controller = box.admin("echo $SSH_CONNECTION").text.split()[0]
    with under_way(box, target, {**wanted, "server": WINDOW}):
        assert eventually(lambda: applied(box))
        box.wire("ip", "route", "add", "blackhole", controller)
        try:
            assert eventually(lambda: not applied(box))
        finally:
            box.wire("ip", "route", "del", "blackhole", controller)
    assert eventually(box.admin_gets_in)
    assert eventually(lambda: differences(before, box.picture()) == {}, 5)


def test_a_reboot_undoes_and_the_next_run_converges(populated: Box, target: Target, wanted: Model) -> None:
    box = populated
    started_at_boot = "plain" not in box.name  # else the next run undoes, when the time is up
    before = box.picture()
    window = {"confirm_within": "10m" if started_at_boot else "10s"}
    with under_way(box, target, {**wanted, "server": window}) as running:
        assert eventually(lambda: applied(box))
        kill(running)
    box.reboot()
    assert box.admin_gets_in()
    if started_at_boot:
        assert differences(before, box.picture()) == {}
    with watching(box, SEEN) as watch:
        first, second = target.done(run("access", wanted), run("access", wanted))
    assert (first.changed, second.changed) == (True, False)
    assert watch.lost == []
    assert box.refusals() == {}


@pytest.mark.on("debian13")
def test_an_admin_who_loses_root_with_the_change_is_undone(box: Box, target: Target, keys: Path) -> None:
    """The group that the run gives him is forbidden everything by a file of somebody else's."""
    box.console("umask 227; echo '%sallyport ALL=(ALL:ALL) !ALL' >/etc/sudoers.d/zz")
    try:
        before = box.picture()
        with watching(box, SEEN) as watch:
            [result] = target.do(run("access", {"server": WINDOW, "accounts": accounts(keys)}))
        assert not result.ok
        print(result.message)
        assert differences(before, box.picture()) == {}
        assert watch.lost == []
    finally:
        box.console("rm -f /etc/sudoers.d/zz")
        if "deploy" in box.console("getent group sallyport || true"):
            populate(box, target)
