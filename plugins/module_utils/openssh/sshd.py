# SPDX-License-Identifier: GPL-3.0-or-later
"""sshd itself: its version, whether it takes a configuration, and what that comes to for a user."""

from __future__ import annotations

import grp
import os
import pwd
import re
import typing as t

from ..nouns.sshd_settings import Version
from ..system.processes import Failed, Outcome, run
from .sshd_effective import parse

_NO_DIRECTORY = re.compile(r"Missing privilege separation directory: (/run/\S+)")


def version() -> Version:
    """(9, 2); (0, 0) without an sshd. An old one that does not know -V says its version along with the usage."""
    said = run(["sshd", "-V"])
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", said.out + said.err)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def test(config: str) -> Outcome:
    return _sshd(["-t", "-f", config])


def effective(
    config: str, user: str, host: str, address: str, port: int = 22, local: str = "127.0.0.1"
) -> t.Dict[str, t.List[str]]:
    """What a configuration comes to for a user who comes from an address to this port of a local address."""
    connection = f"user={user},host={host},addr={address},laddr={local},lport={port}"
    outcome = _sshd(["-T", "-f", config, "-C", connection])
    if not outcome.ok:
        raise Failed(["sshd", "-T", "-f", config], outcome)
    return parse(outcome.out)


def groups_of(user: str) -> t.FrozenSet[str]:
    """As sshd sees them: the primary group and every other; none for a user who does not exist."""
    names = set()
    try:
        gids = os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    except KeyError:
        return frozenset()
    for gid in gids:
        try:
            names.add(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue  # a gid without a name, which no pattern matches
    return frozenset(names)


def _sshd(arguments: t.Sequence[str]) -> Outcome:
    """sshd checks nothing without a directory of its own in /run, which its unit makes only when it starts."""
    outcome = run(["sshd", *arguments])
    missing = _NO_DIRECTORY.search(outcome.err)
    if missing and not os.path.lexists(missing[1]):
        os.mkdir(missing[1], 0o755)
        return run(["sshd", *arguments])
    return outcome
