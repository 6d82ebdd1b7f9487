# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a new connection notices is undone: by the run itself, or by the host when the run is not there any more.

New connections are refused on the way to the host, so that nothing on the host can tell. The run goes on over the
connection that it had before.
"""

from __future__ import annotations

import contextlib
import tempfile
import typing as t

import pytest
from boxes import Box, differences, eventually, watching
from campaign import NEWCOMER, TRIALS, Campaign, Place, trial
from runs import Model, Running, kill, run, script
from testinfra.host import Host

WINDOW = {"confirm_within": "5s"}
READY, GO = "/run/lockout-ready", "/run/lockout-go"
WAIT_FOR_US = script(f"touch {READY}; for i in $(seq 300); do test ! -e {GO} || exit 0; sleep 0.1; done; exit 1")
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


@contextlib.contextmanager
def refused_on_the_way(box: Box) -> t.Iterator[None]:
    box.wire("iptables", "-A", *CONNECTIONS)
    try:
        yield
    finally:
        box.wire("iptables", "-D", *CONNECTIONS)


@contextlib.contextmanager
def under_way(place: Place, model: Model) -> t.Iterator[Running]:
    """A run whose connection is there already; from now on nobody gets a new one."""
    box = place.box
    box.console(f"rm -f {READY} {GO}")
    with contextlib.ExitStack() as stack:
        own = {"ansible_control_path_dir": stack.enter_context(tempfile.TemporaryDirectory())}
        running = stack.enter_context(place.target.start(WAIT_FOR_US, run("access", model), vars=own))
        try:
            assert box.comes(READY)
            with refused_on_the_way(box):
                box.console(f"touch {GO}")
                yield running
        finally:
            kill(running)
            box.console(f"rm -f {READY} {GO}")


@trial
def a_change_that_nobody_confirms_is_undone(place: Place) -> None:
    box, wanted = place.box, place.wanted
    before = box.picture()
    with under_way(place, {**wanted, "server": WINDOW}) as running:
        result = running.results()[1]
    assert not result.ok
    assert "no new connection to the host came about in time" in result.message
    assert "has undone the change" in result.message
    assert box.admin_gets_in()
    assert differences(before, box.picture()) == {}


@trial
def a_run_that_is_killed_is_undone(place: Place) -> None:
    box, wanted = place.box, place.wanted
    before = box.picture()
    with under_way(place, {**wanted, "server": WINDOW}) as running:
        assert box.comes(NEWCOMER)
        kill(running)
    assert box.comes(NEWCOMER, there=False)
    assert eventually(box.admin_gets_in)
    assert eventually(lambda: differences(before, box.picture()) == {}, 5)


@trial
def a_controller_that_vanishes_is_undone(place: Place) -> None:
    box, wanted = place.box, place.wanted
    before = box.picture()
    controller = box.admin("echo $SSH_CONNECTION").text.split()[0]
    with under_way(place, {**wanted, "server": WINDOW}):
        assert box.comes(NEWCOMER)
        box.wire("ip", "route", "add", "blackhole", controller)
        try:
            assert box.comes(NEWCOMER, there=False)
        finally:
            box.wire("ip", "route", "del", "blackhole", controller)
    assert eventually(box.admin_gets_in)
    assert eventually(lambda: differences(before, box.picture()) == {}, 5)


@trial
def a_reboot_undoes_and_the_next_run_converges(place: Place) -> None:
    box, wanted = place.box, place.wanted
    started_at_boot = "plain" not in box.name  # else the next run undoes, when the time is up
    before = box.picture()
    window = {"confirm_within": "10m" if started_at_boot else "10s"}
    with under_way(place, {**wanted, "server": window}) as running:
        assert box.comes(NEWCOMER)
        kill(running)
    box.reboot()
    assert box.admin_gets_in()
    if started_at_boot:
        assert differences(before, box.picture()) == {}
    with watching(box) as watch:
        first, second = place.target.done(run("access", wanted), run("access", wanted))
    assert (first.changed, second.changed) == (True, False)
    assert watch.lost() == []
    assert box.refusals() == {}


@pytest.mark.on("debian13", "debian11", "socket", "plain")
@pytest.mark.parametrize("trial", [name for name, function in TRIALS.items() if function.__module__ == __name__])
def test_confirmed_or_undone(campaign: Campaign, host: Host, trial: str) -> None:
    campaign.outcome(host.backend.get_hostname(), trial)
