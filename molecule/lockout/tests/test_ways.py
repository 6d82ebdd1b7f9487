# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to lock everybody out is refused, and who may log in does so before, meanwhile and afterwards."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from boxes import Box, Watch, differences, watching
from conftest import SEEN, population
from runs import PICTURE, Model, Result, Target, run, sh
from ways import FAMILIES, Way

# whatever became of a way, the next one starts with an sshd that has read what is there
READ_AGAIN = "systemctl reload ssh"

Outcomes = t.Dict[str, "Outcome"]


class Outcome(t.NamedTuple):
    """What came of a way: it was made, somebody ran a model, and it was ended."""

    made: Result
    before: Result
    ran: Result
    after: Result
    ended: Result

    def lost(self, watch: Watch) -> list[str]:
        """Who was kept out meanwhile."""
        start, end = (_epoch(text) for text in (self.made["start"], self.ended["end"]))
        return [
            refusal.said for refusal in watch.lost if start <= refusal.since + refusal.seconds and refusal.since <= end
        ]


@pytest.fixture(scope="module")
def tried(populated: Box, target: Target, wanted: Model) -> t.Callable[[str], tuple[Outcomes, Watch]]:
    """The outcomes of all ways of a family, one after the other in one play."""
    controller = populated.admin("echo $SSH_CONNECTION").text.split()[0]
    kept: dict[str, tuple[Outcomes, Watch]] = {}

    def tasks(way: Way, number: int) -> list[Model]:
        def script(text: str) -> Model:
            return sh(text.replace("CONTROLLER", controller).replace("HOST", populated.address))

        model = {
            "server": {"confirm_within": "20s", **way.server},
            "accounts": [*wanted["accounts"], *way.accounts],
            "sudo_tasks": [*wanted["sudo_tasks"], *way.sudo_tasks],
        }
        steps = [script(way.make), PICTURE, run("access", model), PICTURE, script(f"{way.end}\n{READ_AGAIN}")]
        ran = f"result_{number * (len(steps) + 2) + 2}"
        repair = [run("access", population(populated.keys)), sh("rm -rf /home/newcomer")]
        return [*steps, *({**step, "when": f"{ran} is not failed"} for step in repair)]

    def outcomes(family: str) -> tuple[Outcomes, Watch]:
        if family not in kept:
            ways = FAMILIES[family]
            with watching(populated, SEEN) as watch:
                results = target.do(*(task for number, way in enumerate(ways.values()) for task in tasks(way, number)))
            each = len(results) // len(ways)
            parts = [results[first : first + 5] for first in range(0, len(results), each)]
            kept[family] = {name: Outcome(*part) for name, part in zip(ways, parts)}, watch
        return kept[family]

    return outcomes


CASES = [pytest.param(family, name, way, id=name) for family, ways in FAMILIES.items() for name, way in ways.items()]


@pytest.mark.on("debian13")
@pytest.mark.parametrize(("family", "name", "way"), CASES)
def test_refused(tried: t.Callable[[str], tuple[Outcomes, Watch]], family: str, name: str, way: Way) -> None:
    outcomes, watch = tried(family)
    outcome = outcomes[name]
    assert (outcome.made.ok, outcome.ended.ok) == (True, True)
    print(outcome.ran.message)
    assert not outcome.ran.ok
    assert outcome.lost(watch) == []
    assert [text for text in way.said if text not in outcome.ran.message] == []
    assert differences(outcome.before.picture, outcome.after.picture) == {}


@pytest.mark.on("debian13")
def test_everybody_still_gets_in(populated: Box) -> None:
    assert populated.refusals() == {}


def _epoch(text: str) -> float:
    """Of a time that a task tells, on the clock that this machine and its containers share."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()
