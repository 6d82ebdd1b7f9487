# SPDX-License-Identifier: GPL-3.0-or-later
"""What a campaign found: counts, figures and defects; kept in .cache/torture.json for docs/safety.md to quote."""

from __future__ import annotations

import datetime
import json
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / ".cache/torture.json"


@dataclass
class Report:
    """``counts`` are what was done and seen; ``defects`` are sentences, none: all that was promised held."""

    campaign: str
    counts: dict[str, float] = field(default_factory=dict)
    defects: list[str] = field(default_factory=list)
    seconds: float = 0
    _began: float = field(default_factory=time.monotonic, repr=False)

    def add(self, what: str, number: float = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def demand(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.defects.append(otherwise)

    def ended(self) -> Report:
        self.seconds = round(time.monotonic() - self._began, 1)
        return self

    @property
    def line(self) -> str:
        state = f"{len(self.defects)} DEFECTS" if self.defects else "no defect"
        counts = ", ".join(f"{number:g} {what}" for what, number in self.counts.items())
        return f"{self.campaign}: {state} in {self.seconds:.0f} s: {counts}"


def keep(reports: t.Sequence[Report], path: Path = RESULTS) -> None:
    """Beside the results of campaigns that did not run this time."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    for report in reports:
        kept[report.campaign] = {
            "date": date,
            "seconds": report.seconds,
            "counts": report.counts,
            "defects": report.defects,
        }
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(kept, indent=2) + "\n")
    temporary.replace(path)


def table(reports: t.Sequence[Report]) -> str:
    """In Markdown, which a terminal shows as well."""
    rows = [["Campaign", "seconds", "defects", "what was done"]]
    for report in reports:
        counts = ", ".join(f"{number:,g} {what}" for what, number in report.counts.items())
        rows.append([report.campaign, f"{report.seconds:.0f}", str(len(report.defects)), counts])
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
