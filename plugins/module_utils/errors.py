# SPDX-License-Identifier: GPL-3.0-or-later
"""How the engine says no."""

from __future__ import annotations

import typing as t


class Refused(Exception):
    """The host cannot become what the model says. Each problem names the place, what is wrong and what to do."""

    def __init__(self, problems: t.Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Overtaken(Refused):
    """Somebody has changed the host since it was read: reading it again helps."""
