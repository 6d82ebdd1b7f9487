# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures as tables in Markdown, which a terminal shows as well, and their place in the documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .figures import Figures
from .hosts import ROOT

PAGE = ROOT / "docs/performance.md"
SECTION = re.compile(r"(?<=<!-- written by make bench -->\n).*?(?=<!-- until here -->)", re.DOTALL)


@dataclass(frozen=True)
class Ratio:
    """How many times longer one method takes than another, and the target from so many accounts on."""

    title: str
    occasion: str
    longer: str
    shorter: str
    at_least: float = 0
    at_most: float = float("inf")
    accounts: int = 1

    def value(self, figures: Figures) -> float:
        return figures.seconds(self.occasion, self.longer) / figures.seconds(self.occasion, self.shorter)

    def target(self) -> str:
        if self.at_least:
            return f"at least {self.at_least:g} for {self.accounts:,} accounts"
        return f"at most {self.at_most:g}" if self.at_most < float("inf") else ""

    def reached(self, accounts: int, figures: Figures) -> bool:
        return accounts < self.accounts or self.at_least <= self.value(figures) <= self.at_most

    def cell(self, accounts: int, figures: Figures) -> str:
        text = number(self.value(figures))
        if not self.target() or accounts < self.accounts:
            return text
        return f"{text} (reached)" if self.reached(accounts, figures) else f"**{text} (missed)**"


RATIOS = (
    Ratio("cold: loop / sallyport", "cold", "loop", "sallyport", at_least=100, accounts=1000),
    Ratio("cold: shell / sallyport", "cold", "shell", "sallyport"),
    Ratio("no change: loop / sallyport", "no change", "loop", "sallyport", at_least=250, accounts=1000),
    Ratio("no change: sallyport / ping", "no change", "sallyport", "ping", at_most=2.5),
)


COLUMNS = (
    ("cold", "loop"),
    ("cold", "shell"),
    ("cold", "sallyport"),
    ("no change", "loop"),
    ("no change", "shell"),
    ("no change", "sallyport"),
    ("no change", "ping"),
)


def render(results: Mapping[int, Figures]) -> str:
    seconds = [["Seconds", *(f"{occasion}: {method}" for occasion, method in COLUMNS)]]
    ratios = [
        ["Ratios", *(ratio.title for ratio in RATIOS)],
        ["target", *(ratio.target() for ratio in RATIOS)],
    ]
    for accounts, figures in results.items():
        title = f"{accounts:,} accounts"
        seconds.append([title, *(cell(figures, occasion, method) for occasion, method in COLUMNS)])
        ratios.append([title, *(ratio.cell(accounts, figures) for ratio in RATIOS)])
    return f"{table(seconds)}\n{table(ratios)}"


def cell(figures: Figures, occasion: str, method: str) -> str:
    return "≈ " * (method in figures.extended) + number(figures.seconds(occasion, method))


def table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in rows]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def missed(results: Mapping[int, Figures]) -> list[str]:
    return [
        f"{ratio.title} is {number(ratio.value(figures))} for {accounts:,} accounts, not {ratio.target()}"
        for accounts, figures in results.items()
        for ratio in RATIOS
        if not ratio.reached(accounts, figures)
    ]


def keep(text: str) -> None:
    page = PAGE.read_text()
    if not SECTION.search(page):
        raise SystemExit(f"tools/bench: {PAGE.name} has lost the comments between which the tables stand")
    PAGE.write_text(SECTION.sub(lambda _: f"\n{text}\n", page))
