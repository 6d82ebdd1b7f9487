# SPDX-License-Identifier: GPL-3.0-or-later
"""What the long campaigns do, for some seconds each: some on one host, the others on another one at the same time."""

from __future__ import annotations

import concurrent.futures
import functools
import typing as t

import pytest
from testinfra.host import Host
from torture import concurrency, machine, races, secrets, transfers
from torture.report import Report

Reports = dict[str, Report]
Part = t.Callable[[machine.Machine], Report]

HERE: dict[str, Part] = {
    "transfers": functools.partial(transfers.run, slots=40, at_once=10, runs=4, seconds=20),
    "races": functools.partial(races.run, runs=9),
}
BESIDE: dict[str, Part] = {
    "secrets": functools.partial(secrets.run, short=True),
    "runs at once": functools.partial(concurrency.at_once, rounds=1),
    "a power cut": functools.partial(concurrency.cut_off, moments=[6]),
}


@pytest.fixture(scope="module")
def reports(host: Host) -> Reports:
    name = host.backend.get_hostname()
    with (
        machine.reached(name) as one,
        machine.fresh("campaigns-twin", group="campaigns") as other,
        concurrent.futures.ThreadPoolExecutor(2) as pool,
    ):
        lanes = [pool.submit(_one_by_one, *lane) for lane in ((HERE, one), (BESIDE, other))]
        return {name: report for lane in lanes for name, report in lane.result().items()}


def _one_by_one(parts: dict[str, Part], where: machine.Machine) -> Reports:
    return {name: part(where) for name, part in parts.items()}


@pytest.mark.parametrize(
    ("name", "what", "least"),
    [
        ("transfers", "transfers", 40),
        ("races", "swaps", 1000),
        ("secrets", "programs of the host", 100),
        ("runs at once", "users that a human made meanwhile", 1),
        ("a power cut", "power cuts", 1),
    ],
    ids=[
        "transfers go on while runs change other accounts",
        "nothing outside changes when users swap what runs work on",
        "no secret is seen anywhere",
        "runs at once and an administrator lose nothing",
        "power that goes in the middle of a run costs nothing",
    ],
)
def test_of(reports: Reports, name: str, what: str, least: int) -> None:
    assert not reports[name].defects, "\n".join(reports[name].defects)
    assert reports[name].counts[what] >= least
