# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending the live sessions of users: every process that runs under their uids, those and no others."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t

GRACE = 2.0  # seconds between asking and insisting


def end(uids: t.Collection[int]) -> None:
    """End all processes of these uids; raises ``OSError`` if some outlive even SIGKILL."""
    wanted = frozenset(uids)
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + GRACE
        for pid in processes_of(wanted):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while processes_of(wanted) and time.monotonic() < deadline:
            time.sleep(0.05)
    left = processes_of(wanted)
    if left:
        raise OSError(f"processes {', '.join(map(str, left))} do not end")


def processes_of(uids: t.FrozenSet[int]) -> t.List[int]:
    """The processes whose real uid is one of these, in ascending order."""
    pids = (name for name in os.listdir("/proc") if name.isdigit())
    return sorted(int(pid) for pid in pids if _real_uid(pid) in uids)


def _real_uid(pid: str) -> t.Optional[int]:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            for line in status:
                if line.startswith("Uid:"):
                    return int(line.split()[1])
                if line.startswith("State:") and line.split()[1] == "Z":
                    return None
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None
