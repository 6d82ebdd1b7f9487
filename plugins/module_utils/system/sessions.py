# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending the live sessions of users: every process that runs under their uids (see expirer.py for how)."""

from __future__ import annotations

import os
import typing as t

from . import expirer


def live(uids: t.Collection[int]) -> t.AbstractSet[int]:
    """Those of the uids under which something runs."""
    found = {expirer.real_uid(name) for name in os.listdir("/proc") if name.isdigit()} if uids else set()
    return frozenset(uids) & found


def end(uids: t.Collection[int]) -> None:
    """End all processes of these uids; raises ``OSError`` if some outlive even SIGKILL."""
    left = expirer.end(uids)
    if left:
        raise OSError(f"processes {', '.join(map(str, left))} do not end")
