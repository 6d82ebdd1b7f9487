# SPDX-License-Identifier: GPL-3.0-or-later
"""What a campaign found: counts, figures and defects; kept in .cache/torture.json, and from there in docs/safety.md."""

from __future__ import annotations

import datetime
import json
import re
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / ".cache/torture.json"
PAGE = ROOT / "docs/safety.md"
SECTION = re.compile(r"(?<=<!-- written by make torture -->\n).*?(?=<!-- until here -->)", re.DOTALL)
TOTAL = "total"
BOUND = 3600  # seconds that all campaigns together may take, on two processors that do nothing else

Kept = dict[str, dict[str, t.Any]]


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

    def include(self, part: Report) -> None:
        """What one of several hosts found; all that it counts are sums."""
        for what, number in part.counts.items():
            self.add(what, number)
        self.defects += part.defects

    def ended(self) -> Report:
        self.seconds = round(time.monotonic() - self._began, 1)
        return self

    @property
    def line(self) -> str:
        state = f"{len(self.defects)} DEFECTS" if self.defects else "no defect"
        counts = ", ".join(f"{number:g} {what}" for what, number in self.counts.items())
        return f"{self.campaign}: {state} in {self.seconds:.0f} s: {counts}"


def keep(report: Report, path: Path = RESULTS) -> None:
    """Beside the results of campaigns that did not run this time."""
    kept = load(path)
    date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
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


def load(path: Path = RESULTS) -> Kept:
    kept: Kept = json.loads(path.read_text()) if path.exists() else {}
    return kept


def table(kept: Kept, names: t.Iterable[str]) -> str:
    """Of the campaigns of these names that have run, in Markdown, which a terminal shows as well."""
    rows = [["Campaign", "seconds", "defects", "what was done"]]
    for name in names:
        if name in kept:
            counts = ", ".join(f"{number:,} {what}" for what, number in kept[name]["counts"].items())
            if name == TOTAL:
                counts = f"all of them, side by side in part; at most {BOUND:,} where nothing else is done"
            rows.append([name, f"{kept[name]['seconds']:,.0f}", str(len(kept[name]["defects"])), counts])
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [[text.ljust(width) for text, width in zip(row, widths)] for row in rows]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def publish(text: str) -> None:
    page = PAGE.read_text()
    if not SECTION.search(page):
        raise SystemExit(f"tools/torture: {PAGE.name} has lost the comments between which the table stands")
    PAGE.write_text(SECTION.sub(lambda _: f"\n{text}\n", page))
