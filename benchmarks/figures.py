# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured for one number of accounts, and the straight line beyond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Figures:
    """Seconds of every run, by occasion (``cold``: on a fresh host; ``no change``: again) and method."""

    runs: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    extended: frozenset[str] = frozenset()  # methods whose figures follow from those of fewer accounts

    def add(self, occasion: str, method: str, seconds: float) -> None:
        self.runs.setdefault((occasion, method), []).append(seconds)

    def seconds(self, occasion: str, method: str) -> float:
        return median(self.runs[occasion, method])

    def __or__(self, other: Figures) -> Figures:
        return Figures(self.runs | other.runs, self.extended | other.extended)


def extend(measured: Mapping[int, Figures], size: int) -> Figures:
    """The figures for ``size`` accounts on the straight line through the two largest that were measured."""
    (less, before), (more, after) = sorted(measured.items())[-2:]
    figures = Figures(extended=frozenset(method for _, method in after.runs))
    for occasion, method in after.runs:
        low, high = before.seconds(occasion, method), after.seconds(occasion, method)
        figures.add(occasion, method, high + (high - low) / (more - less) * (size - more))
    return figures
