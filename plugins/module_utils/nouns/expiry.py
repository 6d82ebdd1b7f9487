# SPDX-License-Identifier: GPL-3.0-or-later
"""Expiry to the second of what keys do not close: the table of moments, and the timer that closes at each of them.

A managed key ends at its own ``expiry-time``. A password or a key in the home ends when the user database closes the
account, which knows days only: at that moment a program of ours brings it forward (see expirer.py). Nothing here
depends on the time of the run, so that a run after the moment finds all of it as it is to be.
"""

from __future__ import annotations

import inspect
import time
import typing as t

from .. import layout
from ..host import Host
from ..model import Account, Model
from ..resources import Directory, File, Link, State, of
from ..system import expirer

PROGRAM = (layout.PYTHON, "-I", "-S", layout.EXPIRY_PROGRAM)  # as the mounter, kept from its environment
SERVICE = layout.UNITS + "/" + layout.EXPIRY_SERVICE
TIMER = layout.UNITS + "/" + layout.EXPIRY_TIMER
ENABLED = (
    Link(f"{layout.UNITS}/multi-user.target.wants/{layout.EXPIRY_SERVICE}", SERVICE),  # at boot
    Link(f"{layout.UNITS}/timers.target.wants/{layout.EXPIRY_TIMER}", TIMER),
)
UNLIMITED = "StartLimitIntervalSec=0\n"  # else systemd gives up on moments that follow each other closely
END_OF_CALENDAR = 7_258_118_400  # 2200-01-01: systemd knows no later year


def desired(model: Model, host: Host, known: State) -> State:
    """The table with the program, the service and the timer; nothing at all without accounts that need them."""
    accounts = _timed(model)
    if not accounts or not host.tools.systemd:
        return State()
    return of(
        Directory(layout.EXPIRY_TABLE.rpartition("/")[0], 0o755),
        File(layout.EXPIRY_TABLE, render(accounts)),
        Directory(layout.EXPIRY_PROGRAM.rpartition("/")[0], 0o755),
        File(layout.EXPIRY_PROGRAM, f"# {layout.HEADER}{inspect.getsource(expirer)}"),
        File(SERVICE, _service()),
        File(TIMER, _timer(accounts)),
        *ENABLED,
    )


def notes(model: Model, host: Host) -> t.List[str]:
    """Whose time of day does not count, because nothing on this host runs at a given moment."""
    if host.tools.systemd:
        return []
    return [
        f"access_accounts: {account.name}: is closed to {_ways_in(account)} only at the end of the day in which it "
        "expires (UTC), because this host does not run systemd; midnight UTC would be exact"
        for account in _timed(model)
    ]


def render(accounts: t.Iterable[Account]) -> str:
    lines = sorted((account.expires, account.name) for account in accounts)
    return "# " + layout.HEADER + "".join(f"{moment} {name}\n" for moment, name in lines)


def _timed(model: Model) -> t.List[Account]:
    """Open accounts that the user database would close too late. At midnight it is exact by itself."""
    return [
        account
        for account in model.accounts
        if account.is_open
        and (account.password_hash or account.home_keys)
        and account.expires is not None
        and account.expires % expirer.DAY
        and account.expires < END_OF_CALENDAR
    ]


def _ways_in(account: Account) -> str:
    ways = {"its password": account.password_hash, "the keys in its home": account.home_keys}
    return " and ".join(way for way, is_open in ways.items() if is_open)


def _service() -> str:
    """Tried again when it fails: another tool may hold the user database for longer than chage waits."""
    return f"""# {layout.HEADER}[Unit]
Description=Closing of accounts whose expiry has come
{UNLIMITED}
[Service]
Type=oneshot
ExecStart={" ".join((*PROGRAM, layout.EXPIRY_TABLE, layout.LOCK))}
TimeoutStartSec=10min
Restart=on-failure
RestartSec=1min

[Install]
WantedBy=multi-user.target
"""


def _timer(accounts: t.Iterable[Account]) -> str:
    """Not ``Persistent``: after a moment that came while the host was off, the service runs at boot anyway."""
    moments = sorted({account.expires or 0 for account in accounts})
    lines = "".join(f"OnCalendar={time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(at))} UTC\n" for at in moments)
    return f"""# {layout.HEADER}[Unit]
Description=Moments at which accounts expire
{UNLIMITED}
[Timer]
{lines}AccuracySec=1s

[Install]
WantedBy=timers.target
"""
