# SPDX-License-Identifier: GPL-3.0-or-later
"""On what the figures were taken: without it they mean nothing."""

from __future__ import annotations

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path


def describe(suite: str) -> str:
    processor = field("/proc/cpuinfo", "model name")
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    today = datetime.date.today().isoformat()
    return (
        f"Taken on {today} with {os.cpu_count()} processors ({processor}), {memory:.0f} GiB, "
        f"Linux {platform.release()}, "
        f"ansible-core {metadata.version('ansible-core')} on Python {platform.python_version()}; "
        f"controller and {suite} containers on the same machine, its load before: {os.getloadavg()[0]:.1f}.\n"
    )


def field(path: str, name: str) -> str:
    lines = (line.partition(":") for line in Path(path).read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "unknown 0")
