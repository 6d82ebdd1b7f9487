# SPDX-License-Identifier: GPL-3.0-or-later
"""Strikes one run after the other, and looks each time: at that instant, and after the next run.

A run is struck on the way from either model to the other; the next run completes it, so that the host is then at the
other model, where the next strike goes the other way.
"""

from __future__ import annotations

import functools
import json
import sys
import time
import typing as t
from collections import deque
from dataclasses import dataclass

from sallyport import journal

from . import looks, picture, tools, work
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


# the proofs of these runs are left out: their calls are struck in the others, and they take half of the time
UNPROVEN = (TOOLS, OUTLIVED, "no inode from there on", "read-only from there on")
UNDISTURBED = "a run that nothing disturbs"


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
            print(f"{kind}: {len(found)} points", file=sys.stderr, flush=True)
            queues[TOWARDS[kind]].extend(found)
        while any(queues.values()):
            towards = OTHER[self.at]
            if queues[towards]:
                self.strike(queues[towards].popleft(), towards)
            else:
                self.go(towards)
        self.say_if_differing("at the end", self.at)

    def prepare(self) -> None:
        """Both ways twice: what is made only once, such as directories of systemd, is there from then on."""
        for name in ("a", "b", "a", "b", "a"):
            self.go(name)
            self.golden[name] = picture.take()
            for path, content in looks.contents().items():
                self.whole.setdefault(path, set()).add(content)
        said = looks.broken(self.whole)
        if said:
            raise RuntimeError(f"the host is not fit for this any more: {said}")

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
        if point.prepare:
            done(point.prepare)
        ended = done(point.work, point.strike.options)
        for text in looks.broken(self.whole):
            self.defect(point, f"at that instant: {text}")
        result[self.outcome(point, ended, towards)] += 1
        self.go(towards, point)
        if self.say_if_differing(point, towards):
            self.prepare()  # or all that follows would differ as well
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
            if point.kind.startswith("killed"):
                self.defect(point, "was not reached")
            return "kept"
        if ended.code == 1 and "Traceback" in ended.said:
            self.defect(point, f"unclear: {ended.said}")
        elif ended.code != work.REMAINS:
            for text in self.differing(OTHER[towards]):
                if not text.endswith(picture.ORDER):  # who was removed and comes back comes last
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

    def say_if_differing(self, what: t.Union[Point, str], name: str) -> bool:
        found = self.differing(name)
        for text in found[:10]:
            self.defect(what, text)
        picture.forget_left_over(found)
        return bool(found)

    def differing(self, name: str) -> t.List[str]:
        return picture.differences(picture.take(), self.golden[name])

    def defect(self, what: t.Union[Point, str], said: str) -> None:
        self.defects.append(f"{what}: {said}")
        print(f"DEFECT {what}: {said}", file=sys.stderr, flush=True)


def main() -> None:
    with open("/run/faults/job.json", encoding="utf-8") as file:
        job = json.load(file)
    campaign = Campaign(job)
    campaign.run()
    print(json.dumps({"results": campaign.results, "defects": campaign.defects}))
