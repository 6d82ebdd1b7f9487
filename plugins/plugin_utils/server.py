# SPDX-License-Identifier: GPL-3.0-or-later
"""The sshd of the host."""

from __future__ import annotations

import re

from ..module_utils.model import Ban, Server
from . import names, networks, paths, times
from .problems import Item, Problems, Wrong, shown

_INVENTORY_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
_STARTUPS = re.compile(r"([1-9][0-9]{0,5})(?::([1-9][0-9]?|100):([1-9][0-9]{0,5}))?", re.ASCII)


def resolve(item: Item, hostname: str, problems: Problems) -> Server:
    """The server without its admins."""
    return Server(
        address=_address(item, hostname, problems),
        port=problems.check(item, "port", _between, 1, 65535) or 0,
        only_listed=item["only_listed"],
        crypto=item["crypto"],
        log_transfers=item["log_transfers"],
        idle_timeout=problems.check(item, "idle_timeout", times.duration),
        max_auth_tries=problems.check(item, "max_auth_tries", _between, 1, 100) or 0,
        max_startups=problems.check(item, "max_startups", _startups) or "",
        confirm_within=problems.check(item, "confirm_within", _window) or 0,
        ban=_ban(item["ban"], problems),
        jails=problems.check(item, "jails", paths.jails) or "",
    )


def _address(item: Item, hostname: str, problems: Problems) -> str:
    """What customers type. The inventory's own name may have underscores, and nothing that sshd misreads."""
    if item.gives("address"):
        return problems.check(item, "address", networks.address) or ""
    if not _INVENTORY_NAME.fullmatch(hostname):
        problems.add(
            f"{item.place}.address",
            f"defaults to the host's name in the inventory, {shown(hostname)}, which is none; give what customers type",
        )
    return hostname


def policy(item: Item, problems: Problems) -> Item:
    """The password policy, within what a password can meet."""
    found: Item = item["password_policy"]
    for option, low, high in (("min_length", 8, 128), ("min_classes", 1, 4)):
        if problems.check(found, option, _between, low, high) is None:
            found[option] = low  # what cannot be met is no reason to refuse a password
    return found


def admins(item: Item, connecting_user: str, through_sshd: bool, problems: Problems) -> tuple[str, ...]:
    """Who must still be able to log in after every change; among them the user whom Ansible itself uses."""
    place = f"{item.place}.admins"
    if item["admins"] is None and "admins" not in item.misshapen:
        try:
            return (names.login(connecting_user),)
        except Wrong as wrong:
            problems.add(place, f"defaults to the connecting user: {wrong}")
            return ()
    listed = problems.check_each(item, "admins", names.login)
    if not item.gives("admins"):
        problems.add(place, "is empty; name at least one login that must still work after every change")
    elif through_sshd and item["only_listed"] and connecting_user not in (item["admins"] or ()):
        problems.add(place, f"lacks {shown(connecting_user)}, as whom Ansible connects, and would shut it out; add it")
    return listed


def _ban(item: Item | None, problems: Problems) -> Ban | None:
    if item is None:
        return None
    return Ban(
        failures=problems.check(item, "failures", _between, 1, 1000) or 0,
        window=problems.check(item, "window", times.duration) or 0,
        duration=problems.check(item, "duration", times.duration) or 0,
        exempt=problems.check_each(item, "exempt", networks.network),
    )


def _between(value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise Wrong(f"is {value}; choose a number from {low} to {high}")
    return value


def _window(text: str) -> int:
    seconds = times.duration(text)
    if not 5 <= seconds <= 3600:
        raise Wrong(f"is {text}; choose from 5s, in which a connection can be made, to 1h")
    return seconds


def _startups(text: str) -> str:
    found = _STARTUPS.fullmatch(text)
    if not found or (found[3] and int(found[1]) > int(found[3])):
        raise Wrong(f"{shown(text)} is not START:RATE:FULL with START up to FULL and RATE up to 100; write 100:30:500")
    return text if found[2] else f"{text}:100:{text}"  # as sshd shows it
