# SPDX-License-Identifier: GPL-3.0-or-later
"""The campaigns by name, in their order: each takes nothing and returns its report."""

from __future__ import annotations

import subprocess
import tempfile
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

from . import concurrency, faults, plays, races, secrets, transfers
from .machine import Machine, fresh
from .report import ROOT, Report


def _on_a_host(campaign: t.Callable[[Machine], Report]) -> t.Callable[[], Report]:
    def run() -> Report:
        name = campaign.__module__.rpartition(".")[2]
        with fresh(f"torture-{name}") as machine:
            return campaign(machine)

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
        for problem in (*case.findall("failure"), *case.findall("error")):
            report.defects.append(f"{case.get('name')}: {(problem.get('message') or '')[:500]}")
    return report.ended()


CAMPAIGNS: t.Mapping[str, t.Callable[[], Report]] = {
    "transfers": _on_a_host(transfers.run),
    "races": _on_a_host(races.run),
    "secrets": _on_a_host(secrets.run),
    "concurrency": _on_a_host(concurrency.run),
    "faults": faults.run,
    "hostile": hostile,
}
