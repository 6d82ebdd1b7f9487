# SPDX-License-Identifier: GPL-3.0-or-later
"""The campaigns by name, in their order: each takes nothing and returns its report."""

from __future__ import annotations

import concurrent.futures
import functools
import subprocess
import tempfile
import traceback
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

from . import concurrency, faults, plays, races, secrets, transfers
from .machine import Machine, fresh
from .report import ROOT, Report

Part = t.Callable[[Machine], Report]


def _on_hosts(name: str, *parts: Part) -> t.Callable[[], Report]:
    """Each part has a host of its own, and all of them go on at once."""

    def on_a_host(number: int, part: Part) -> Report:
        with fresh(f"torture-{name}-{number}" if len(parts) > 1 else f"torture-{name}") as machine:
            return part(machine)

    def run() -> Report:
        report = Report(name)
        with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
            for future in [pool.submit(on_a_host, number, part) for number, part in enumerate(parts)]:
                try:
                    report.include(future.result())
                except Exception:  # the others go on
                    report.defects.append(f"it did not come to its end: {traceback.format_exc()}")
        return report.ended()

    return run


def hostile() -> Report:
    """Hostile values and the long fuzz of the model: tests of their own (tests/unit/hostile)."""
    report = Report("hostile")
    with tempfile.TemporaryDirectory() as directory:
        results = Path(directory) / "results.xml"
        done = subprocess.run(
            ["pytest", "--quiet", f"--junit-xml={results}", "tests/unit/hostile"],
            cwd=ROOT,
            env={**plays.environment(), "SALLYPORT_FUZZ": "long"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        suite = ET.parse(results).getroot().find("testsuite") if results.exists() else None
    if suite is None:
        report.defects.append(f"pytest ended with {done.returncode}: {done.stdout[-2000:]}")
        return report.ended()
    report.add("tests", int(suite.get("tests", 0)))
    for case in suite.iter("testcase"):
        for found in case.iter("property"):
            report.add(str(found.get("name")), int(found.get("value", 0)))
        for problem in (*case.findall("failure"), *case.findall("error")):
            report.defects.append(f"{case.get('name')}: {(problem.get('message') or '')[:500]}")
    return report.ended()


CAMPAIGNS: t.Mapping[str, t.Callable[[], Report]] = {
    "transfers": _on_hosts("transfers", transfers.run),
    "races": _on_hosts("races", races.run),
    "secrets": _on_hosts("secrets", secrets.run),
    "concurrency": _on_hosts(
        "concurrency",
        concurrency.at_once,
        *(functools.partial(concurrency.cut_off, moments=range(first, concurrency.MOMENTS, 2)) for first in range(2)),
    ),
    "faults": faults.run,
    "hostile": hostile,
}
# One stage after the other. What stands beside each other in a stage goes on at the same time: there, what waits for
# hosts most of the time beside what needs a processor and no host. The others need the machine for themselves.
STAGES = (
    (("transfers",),),
    (("races",),),
    (("secrets", "concurrency"), ("hostile",)),
    (("faults",),),
)
