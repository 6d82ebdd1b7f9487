# SPDX-License-Identifier: GPL-3.0-or-later
"""An admin's ways to root by sudo, before a change and after it."""

from __future__ import annotations

import pwd
import typing as t
from dataclasses import dataclass

from ..nouns.sudo_tasks import Rule
from ..system import processes, sudo

PATIENCE = 20


@dataclass(frozen=True)
class Way:
    rules: t.FrozenSet[Rule] = frozenset()  # what sudo lists for him
    unasked: bool = False  # he becomes root without a password: a later rule may want one, whatever else is listed


def of(admins: t.Iterable[str], active: t.Optional[sudo.Sudo]) -> t.Dict[str, Way]:
    """What sudo lets each of them do. root needs none."""
    if active is None:
        return {}
    return {name: Way(sudo.listing(name, active), _unasked(name, active)) for name in admins if name != "root"}


def lost(before: t.Mapping[str, Way], after: t.Mapping[str, Way]) -> t.List[str]:
    """A sentence for each admin who could do something by sudo and cannot any more."""
    return [
        f"access_server.admins: '{name}' would lose by sudo what it could do until now: {', '.join(_gone(way, now))}; "
        f"look for a line that overrules it in {_files(way.rules)}, or in a file that comes after"
        for name, way, now in ((name, way, after.get(name, Way())) for name, way in before.items())
        if _gone(way, now)
    ]


def _gone(before: Way, after: Way) -> t.List[str]:
    gone = sorted(map(str, before.rules - after.rules))
    return gone + (["become root without a password"] if before.unasked and not after.unasked else [])


def _unasked(name: str, active: sudo.Sudo) -> bool:
    try:
        group = pwd.getpwnam(name).pw_gid
    except KeyError:
        return False
    user = ["setpriv", "--reuid", name, "--regid", str(group), "--init-groups", "--"]
    return processes.run([*user, active.path, "-n", "true"], timeout=PATIENCE).ok


def _files(rules: t.Iterable[Rule]) -> str:
    return ", ".join(sorted({rule.source for rule in rules if rule.source})) or "/etc/sudoers and /etc/sudoers.d"
