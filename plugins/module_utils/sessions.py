# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending the live sessions of users: every process that runs under their uids (see expirer.py for how)."""

from __future__ import annotations

import typing as t

from . import expirer


def end(uids: t.Collection[int]) -> None:
    """End all processes of these uids; raises ``OSError`` if some outlive even SIGKILL."""
    left = expirer.end(uids)
    if left:
        raise OSError(f"processes {', '.join(map(str, left))} do not end")
