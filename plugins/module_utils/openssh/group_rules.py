# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of somebody else's on the group of those who may log in: they would hold for admins as soon as they join it."""

from __future__ import annotations

import glob
import grp
import re
import typing as t

from .. import layout
from ..system import files

SUDOERS = ("/etc/sudoers", "/etc/sudoers.d/*")
ACCESS = ("/etc/security/*.conf", "/etc/security/access.d/*.conf")  # what pam_access reads
PAM = ("/etc/pam.d/*",)
SSHD = (layout.SSHD_CONFIG, "/etc/ssh/sshd_config.d/*.conf")

_GROUP = re.escape(layout.LOGIN_GROUP)
_WORD = rf"(?<![\w./-]){_GROUP}(?![\w./-])"
_REFUSAL = re.compile(rf"^\s*-\s*:.*(\({_GROUP}\)|[\s:]{_GROUP}[\s:])")
_PAM_RULE = re.compile(rf"^[^#]*{_WORD}")
_SSHD_RULE = re.compile(rf"^\s*(?:DenyGroups|Match\s(?:.*\s)?Group)\b[^#]*{_WORD}", re.IGNORECASE)


def read() -> t.Tuple[str, ...]:
    """The places of rules that sudo or sshd has for the group, and of those by which PAM refuses it."""
    return (
        *_places(SUDOERS, sudo_rule(_gid())),
        *_places(ACCESS, _REFUSAL),
        *_places(PAM, _PAM_RULE),
        *_places(SSHD, _SSHD_RULE),
    )


def sudo_rule(gid: str) -> t.Pattern[str]:
    """A line about the group, in a list or an alias as well. A number after ``%`` makes no comment."""
    return re.compile(rf"^(?:[^#]|%#)*%:?(?:{_GROUP}|#{gid})(?![\w.-])")


def _gid() -> str:
    try:
        return str(grp.getgrnam(layout.LOGIN_GROUP).gr_gid)
    except KeyError:
        return "none"


def _places(patterns: t.Iterable[str], rule: t.Pattern[str]) -> t.Iterator[str]:
    for path in (path for pattern in patterns for path in sorted(glob.glob(pattern))):
        if path not in (layout.SUDOERS, layout.SSHD_DROP_IN):
            yield from (f"{path}, line {number}" for number in found_in(_text(path), rule))


def found_in(text: str, rule: t.Pattern[str]) -> t.List[int]:
    return [number for number, line in enumerate(text.split("\n"), 1) if rule.search(line)]


def _text(path: str) -> str:
    try:
        return files.read(path) or ""
    except OSError:
        return ""  # a directory, or a link: sudo says itself what it cannot read
