# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection through sshd that this run came over, as sshd told it to the session."""

from __future__ import annotations

import os
import typing as t

from ..host import Connection

GENERATIONS = 32  # of parents to look at: sudo, shells and Ansible's own


def current() -> t.Optional[Connection]:
    """From the environment of the nearest parent that has it, since sudo takes it out; ``None``: no sshd has a part."""
    pid = os.getpid()
    for _generation in range(GENERATIONS):
        environment = _environment(pid)
        found = parse(environment.get("SSH_CONNECTION", ""), environment.get("LOGNAME", ""))
        if found is not None or pid <= 1:
            return found
        pid = _parent(pid)
    return None


def parse(text: str, user: str = "") -> t.Optional[Connection]:
    """``ADDRESS PORT LOCAL-ADDRESS LOCAL-PORT``"""
    fields = text.split(" ")
    if len(fields) != 4 or not fields[3].isdigit():
        return None
    return Connection(fields[0], fields[2], int(fields[3]), user)


def _environment(pid: int) -> t.Dict[str, str]:
    try:
        with open(f"/proc/{pid}/environ", encoding="utf-8", errors="surrogateescape") as stream:
            pairs = (item.partition("=") for item in stream.read().split("\0"))
            return {name: value for name, _equals, value in pairs}
    except OSError:
        return {}


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="surrogateescape") as stream:
            return int(stream.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0
