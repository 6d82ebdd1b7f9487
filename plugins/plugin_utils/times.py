# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in time become seconds since the epoch, durations become seconds."""

from __future__ import annotations

import datetime
import re
import typing as t

from .problems import Wrong, shown

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhdw])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_EXAMPLE = "2027-01-31T00:00:00Z"
_END = 253_370_764_800  # 9999-01-01: past it, a year has five digits in some zone, which sshd cannot read
_LONGEST = 365 * 86400  # sshd counts in 32 bits


def instant(value: t.Any) -> int:
    """ISO 8601 with a zone, as text or as the timestamp that YAML makes of it."""
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, datetime.datetime):
        if isinstance(value, datetime.date):
            raise Wrong(f"{value} has no time and no zone, so it could mean two days; write {value}T00:00:00Z")
        raise Wrong(f"is no time; write it like {_EXAMPLE}")
    if value.tzinfo is None:
        raise Wrong(f"{value} has no zone; add Z for UTC, or one like +02:00")
    if value.timestamp() < 0:
        raise Wrong(f"{value} is before 1970, which no host can store; for what is closed write 1970-01-02T00:00:00Z")
    if value.timestamp() >= _END:
        raise Wrong(
            f"{value} is too far away to be written down everywhere; leave the option out, or name a year before"
        )
    return int(value.timestamp())


def _parsed(text: str) -> datetime.date:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        if _INSTANT.fullmatch(text):
            raise Wrong(f"{shown(text)} is impossible: {error}; write it like {_EXAMPLE}") from None
        raise Wrong(f"{shown(text)} is no time in ISO 8601; write it like {_EXAMPLE}") from None
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return found.date()
    if found.tzinfo is not None and not _INSTANT.fullmatch(text):
        raise Wrong(f"{shown(text)} is in an uncommon form; write it like {_EXAMPLE}")
    return found


def duration(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if not found:
        raise Wrong(f"{shown(text)} is no duration; write a number and one of s, m, h, d, w, like 15m")
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST:
        raise Wrong(f"{shown(text)} is longer than sshd can count; write 365d at most")
    return seconds
