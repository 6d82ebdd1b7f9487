# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of somebody else's on the group of those who may log in: they would hold for admins as soon as they join it."""

from __future__ import annotations

import glob
import re
import typing as t

from . import files, layout

SUDOERS = ("/etc/sudoers", "/etc/sudoers.d/*")
ACCESS = ("/etc/security/*.conf", "/etc/security/access.d/*.conf")  # what pam_access reads

_GROUP = re.escape(layout.LOGIN_GROUP)
_SUDO_RULE = re.compile(rf"^\s*%{_GROUP}\s")
_REFUSAL = re.compile(rf"^\s*-\s*:.*(\({_GROUP}\)|[\s:]{_GROUP}[\s:])")


def read() -> t.Tuple[str, ...]:
    """The places of rules that sudo has for the group, and of those by which PAM refuses it."""
    return (*_places(SUDOERS, _SUDO_RULE), *_places(ACCESS, _REFUSAL))


def _places(patterns: t.Iterable[str], rule: t.Pattern[str]) -> t.Iterator[str]:
    for path in (path for pattern in patterns for path in sorted(glob.glob(pattern))):
        if path != layout.SUDOERS:
            yield from (f"{path}, line {number}" for number in found_in(_text(path), rule))


def found_in(text: str, rule: t.Pattern[str]) -> t.List[int]:
    return [number for number, line in enumerate(text.split("\n"), 1) if rule.search(line)]


def _text(path: str) -> str:
    try:
        return files.read(path) or ""
    except OSError:
        return ""  # a directory, or a link: sudo says itself what it cannot read
