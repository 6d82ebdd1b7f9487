# SPDX-License-Identifier: GPL-3.0-or-later
"""What the long campaigns do, for some seconds each."""

from __future__ import annotations

import typing as t

import pytest
from testinfra.host import Host
from torture import concurrency, machine, races, secrets, transfers


@pytest.fixture(scope="module")
def host_to_torment(host: Host) -> t.Iterator[machine.Machine]:
    with machine.reached(host.backend.get_hostname()) as reached:
        yield reached


def test_transfers_go_on_while_runs_change_other_accounts(host_to_torment: machine.Machine) -> None:
    report = transfers.run(host_to_torment, transfers=40, runs=4, seconds=8)
    assert not report.defects, "\n".join(report.defects)
    assert report.counts["transfers"] >= 40


def test_no_secret_is_seen_anywhere(host_to_torment: machine.Machine) -> None:
    report = secrets.run(host_to_torment, short=True)
    assert not report.defects, "\n".join(report.defects)
    assert report.counts["programs of the host"] > 100


def test_nothing_outside_changes_when_users_swap_what_runs_work_on(host_to_torment: machine.Machine) -> None:
    report = races.run(host_to_torment, runs=9)
    assert not report.defects, "\n".join(report.defects)
    assert report.counts["swaps"] > 1000


def test_runs_at_once_and_an_administrator_lose_nothing(host_to_torment: machine.Machine) -> None:
    report = concurrency.at_once(host_to_torment, rounds=1)
    assert not report.defects, "\n".join(report.defects)
    assert report.counts["users that a human made meanwhile"] > 0


def test_power_that_goes_in_the_middle_of_a_run_costs_nothing(host_to_torment: machine.Machine) -> None:
    report = concurrency.cut_off(host_to_torment, moments=[6])
    assert not report.defects, "\n".join(report.defects)
    assert report.counts["power cuts"] == 1
