# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to lock everybody out is refused, and who may log in does so before, meanwhile and afterwards."""

from __future__ import annotations

import datetime
import functools
import typing as t

import pytest
from boxes import PICTURE, Watch, differences, watching
from campaign import TRIALS, Campaign, Place
from runs import Model, Result, run, script
from testinfra.host import Host
from ways import FAMILIES, HOSTS, Way

# whatever became of a way, the next one starts with an sshd that has read what is there
READ_AGAIN = "if [ -d /run/systemd/system ]; then systemctl reload ssh; else kill -HUP $(cat /run/sshd.pid); fi"
LONG = 5.0  # seconds; in less the turn may not come to a login of the admin
LOOK = f"python3 - <<'END OF PROGRAM'\n{PICTURE.read_text()}\nEND OF PROGRAM"


class Outcome(t.NamedTuple):
    """What came of a way: it was made, somebody ran a model, and it was ended."""

    made: Result  # with a picture of the host
    ran: Result
    ended: Result  # with another
    watch: Watch

    @property
    def time(self) -> tuple[float, float]:
        return _epoch(self.made["start"]), _epoch(self.ended["end"])


def try_all(ways: t.Mapping[str, Way], place: Place) -> dict[str, Outcome]:
    """One way after the other, in one play."""
    controller = place.box.admin("echo $SSH_CONNECTION").text.split()[0]
    steps = [task for number, way in enumerate(ways.values()) for task in _tasks(way, number, controller, place)]
    with watching(place.box) as watch:
        results = place.target.do(*steps)
    each = len(results) // len(ways)
    parts = [results[first : first + 3] for first in range(0, len(results), each)]
    return {name: Outcome(*part, watch) for name, part in zip(ways, parts)}


def _tasks(way: Way, number: int, controller: str, place: Place) -> list[Model]:
    def here(text: str) -> str:
        return text.replace("CONTROLLER", controller).replace("HOST", place.box.address)

    wanted = place.wanted
    model = {
        "server": {"confirm_within": "20s", **way.server},
        "accounts": [*wanted["accounts"], *way.accounts],
        "sudo_tasks": [*wanted["sudo_tasks"], *way.sudo_tasks],
        "proof": "none",
    }
    steps = [
        script(f"(\n{here(way.make)}\n) >&2\n{LOOK}"),
        run("access", model),
        script(f"{LOOK}\n(\n{here(way.end)}\n{READ_AGAIN}\n) >&2"),
    ]
    ran = f"result_{number * (len(steps) + 1) + 1}"
    return [*steps, run("access", place.population, when=f"{ran} is not failed")]


TRIALS.update({family: functools.partial(try_all, ways) for family, ways in FAMILIES.items()})
CASES = [
    pytest.param(family, name, way, id=name, marks=pytest.mark.on(HOSTS[family]))
    for family, ways in FAMILIES.items()
    for name, way in ways.items()
]


@pytest.mark.parametrize(("trial", "name", "way"), CASES)
def test_refused(campaign: Campaign, host: Host, trial: str, name: str, way: Way) -> None:
    outcome: Outcome = campaign.outcome(host.backend.get_hostname(), trial)[name]
    assert (outcome.made.ok, outcome.ended.ok) == (True, True)
    print(outcome.ran.message)
    assert not outcome.ran.ok
    assert outcome.watch.lost(*outcome.time) == []
    start, end = outcome.time
    assert end - start < LONG or outcome.watch.admin_got_in(start, end)
    assert [text for text in way.said if text not in outcome.ran.message] == []
    found = differences(outcome.made.picture, outcome.ended.picture)
    assert {path: both for path, both in found.items() if path not in way.meanwhile} == {}


def _epoch(text: str) -> float:
    """Of a time that a task tells, on the clock that this machine and its containers share."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()
