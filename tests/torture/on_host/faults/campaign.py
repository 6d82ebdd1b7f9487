# SPDX-License-Identifier: GPL-3.0-or-later
"""Strikes one run after the other, and looks each time: at that instant, and after the next run.

A run is struck on the way from either model to the other. Then comes the next run, which finds what is left of it:
every third wants the same again, as all do where the change was kept; the others want what was there before, which
takes little where all has been undone. Either way the host has to be what an undisturbed run makes of it.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import socket
import sys
import time
import traceback
import typing as t
from collections import deque
from dataclasses import dataclass

from sallyport.transactions import journal

from . import looks, picture, snapshot, tools, work
from .series import KINDS, TRACED
from .strikes import Call, Ended, Strike, Work, calls, done

OTHER = {"a": "b", "b": "a"}
OUTLIVED = "killed while a tool of the host goes on"
TOOLS = "a tool of the host killed"
# which way the runs of a kind go: either way takes every step
TOWARDS = {
    "killed": "b",
    "killed while undoing": "b",
    "killed while recovering": "b",
    TOOLS: "b",
    OUTLIVED: "b",
    "no space": "a",
    "no inode from there on": "a",
    "read-only": "a",
    "read-only from there on": "a",
    "no descriptor": "a",
}


AGAIN = 3

# what a run waits for may be there earlier another time: then it makes fewer calls
KILLED = ("killed", "killed while undoing", "killed while recovering")
ATTEMPTS = 5

# the proofs of these runs are left out: their calls are struck in the others, and they take half of the time
UNPROVEN = (TOOLS, OUTLIVED, "no inode from there on", "read-only from there on")
UNDISTURBED = "a run that nothing disturbs"
SHOWN_EVERY = 50


@dataclass(frozen=True)
class Point:
    kind: str
    work: Work
    strike: t.Union[Strike, tools.Strike, tools.Slow]
    prepare: t.Optional[Work] = None  # what is done undisturbed before it

    def __str__(self) -> str:
        return f"{self.kind} at {self.strike}"


class Campaign:
    def __init__(self, job: t.Mapping[str, t.Any]) -> None:
        self.models = {name: work.model_of(text) for name, text in job["models"].items()}
        self.kinds: t.List[str] = job["kinds"]
        self.first, self.every = job["first"], job["every"]
        self.at = ""
        self.struck = 0
        self.golden: t.Dict[str, picture.Picture] = {}
        self.whole: looks.Whole = {}
        self.calls: t.Dict[t.Any, t.List[Call]] = {}
        self.results: t.Dict[str, t.Dict[str, float]] = {}
        self.defects: t.List[str] = []

    def run(self) -> None:
        self.prepare()
        if self.defects:
            raise RuntimeError(f"the host is not fit for this: {self.defects}")
        queues: t.Dict[str, t.Deque[Point]] = {"a": deque(), "b": deque()}
        for kind in self.kinds:
            found = self.points(kind)
            queues[TOWARDS[kind]].extend(found)
        while any(queues.values()):
            if self.struck % SHOWN_EVERY == 0:
                say(f"{self.struck} runs struck, {sum(map(len, queues.values()))} to go")
            towards = OTHER[self.at]
            if queues[towards]:
                self.strike(queues[towards].popleft(), towards)
            else:
                self.go(towards)
        self.say_if_differing("at the end", self.at, back=True)

    def prepare(self) -> None:
        """Both ways twice: what is made only once, such as directories of systemd, is there from then on."""
        for name in ("a", "b", "a", "b", "a"):
            self.go(name)
            self.golden[name] = picture.take()
            snapshot.keep(name)
            for path, content in looks.contents().items():
                self.whole.setdefault(path, set()).add(content)
        said = looks.broken(self.whole)
        if said:
            raise RuntimeError(f"the host is not fit for this any more: {said}")

    def restore(self, name: str) -> None:
        snapshot.restore(name, self.golden[name])
        still = [*self.differing(name), *looks.broken(self.whole)]
        if still:
            raise RuntimeError(f"the host cannot be brought back to what it was: {still}")

    def points(self, kind: str) -> t.List[Point]:
        """Those of this kind that are this host's part, from an undisturbed run that is watched."""
        self.results[kind] = dict.fromkeys(("points", "undone", "kept", "defects", "seconds"), 0)
        model = self.models[TOWARDS[kind]]
        run = functools.partial(work.run_unproven if kind in UNPROVEN else work.run, model)
        found: t.List[Point]
        if kind == TOOLS:
            self.stand_before(kind)
            found = [Point(kind, functools.partial(tools.struck, strike, run), strike) for strike in tools.strikes(run)]
            self.arrived(TOWARDS[kind])
        elif kind == OUTLIVED:
            self.stand_before(kind)
            slow = dict.fromkeys(tools.Slow(strike.tool, strike.number) for strike in tools.strikes(run))
            found = [Point(kind, functools.partial(tools.outlived, strike, run), strike) for strike in slow]
            self.arrived(TOWARDS[kind])
        elif kind == "killed":
            found = self.watched(kind, functools.partial(work.run, model, confirming=True))
        elif kind == "killed while undoing":
            found = self.watched(kind, functools.partial(work.run_in_vain, model))
        elif kind == "killed while recovering":
            found = self.watched(kind, work.recover, functools.partial(work.run_and_stop, model))
        else:
            found = self.watched(kind, run)
        return found[self.first :: self.every]

    def watched(self, kind: str, doing: Work, prepare: t.Optional[Work] = None) -> t.List[Point]:
        key = (getattr(doing, "func", doing), str(getattr(doing, "keywords", "")), TOWARDS[kind])
        if key not in self.calls:
            self.stand_before(kind)
            if prepare:
                done(prepare)
            ended, self.calls[key] = calls(doing, TRACED)
            if ended.code not in (0, work.UNDONE):
                raise RuntimeError(f"{kind}: the undisturbed run ended with {ended.code}: {ended.said}")
            self.arrived(OTHER[TOWARDS[kind]] if prepare or ended.code else TOWARDS[kind])
        return [Point(kind, doing, strike, prepare) for strike in KINDS[kind](self.calls[key])]

    def stand_before(self, kind: str) -> None:
        if self.at == TOWARDS[kind]:
            self.go(OTHER[self.at])

    def strike(self, point: Point, towards: str) -> None:
        began, before = time.monotonic(), len(self.defects)
        result = self.results[point.kind]
        result["points"] += 1
        for _ in range(ATTEMPTS):
            if point.prepare:
                done(point.prepare)
            ended = done(point.work, point.strike.options)
            if point.kind not in KILLED or ended.code == -9:
                break
            self.arrived(towards)
            self.go(OTHER[towards])
            point = dataclasses.replace(point, strike=t.cast(Strike, point.strike).earlier)
        else:
            self.defect(point, "was not reached")
        for text in looks.broken(self.whole):
            self.defect(point, f"at that instant: {text}")
        outcome = self.outcome(point, ended, towards)
        result[outcome] += 1
        self.struck += 1
        wanted = towards if outcome == "kept" or self.struck % AGAIN == 0 else OTHER[towards]
        self.go(wanted, point)
        if self.say_if_differing(point, wanted, back=wanted != towards):
            self.restore(wanted)
        result["defects"] += len(self.defects) > before
        result["seconds"] += time.monotonic() - began

    def outcome(self, point: Point, ended: Ended, towards: str) -> str:
        """Whether the change is undone (or will be by the next run) or kept."""
        if ended.code == -9:
            pending = journal.read()
            if pending is not None:
                return "kept" if pending.state == journal.KEPT else "undone"
            return "undone" if not self.differing(OTHER[towards]) else "kept"
        if ended.code == 0:
            return "kept"
        if ended.code == 1 and "Traceback" in ended.said:
            self.defect(point, f"unclear: {ended.said}")
        elif ended.code != work.REMAINS:
            for text in self.differing(OTHER[towards], back=True):
                self.defect(point, f"{ended.said!r:.300} says that the host is as it was, and {text}")
        return "undone"

    def go(self, name: str, point: t.Union[Point, str] = UNDISTURBED) -> None:
        doing = work.run if point == UNDISTURBED else work.complete
        ended = done(functools.partial(doing, self.models[name]))
        if ended.code:
            self.defect(point, f"the next run ended with {ended.code}: {ended.said}")
            done(functools.partial(work.run, self.models[name]))
        self.arrived(name)

    def arrived(self, name: str) -> None:
        self.at = name
        work.forget_removed_ids()
        picture.forget_homes()
        tools.clean()

    def say_if_differing(self, what: t.Union[Point, str], name: str, back: bool = False) -> bool:
        found = self.differing(name, back)
        for text in found[:10]:
            self.defect(what, text)
        picture.forget_left_over(found)
        return bool(found)

    def differing(self, name: str, back: bool = False) -> t.List[str]:
        """On the way ``back`` who was removed and comes again comes last."""
        found = picture.differences(picture.take(), self.golden[name])
        return [text for text in found if not (back and text.endswith(picture.ORDER))]

    def defect(self, what: t.Union[Point, str], said: str) -> None:
        self.defects.append(f"{what}: {said}")
        say(f"DEFECT: {what}: {said:.300}")


def say(text: str) -> None:
    print(f"{socket.gethostname()}: {text}", file=sys.stderr, flush=True)


def main() -> None:
    with open("/run/faults/job.json", encoding="utf-8") as file:
        job = json.load(file)
    campaign = Campaign(job)
    try:
        campaign.run()
    except Exception:  # what has been found until then is told
        campaign.defect("all", f"it did not come to its end: {traceback.format_exc()}")
    print(json.dumps({"results": campaign.results, "defects": campaign.defects}))
