# SPDX-License-Identifier: GPL-3.0-or-later
"""How each daemon is made to read again what it obeys, after a file was put back or removed."""

from __future__ import annotations

import os
import typing as t

from .. import layout
from ..openssh import sshd_daemon
from . import mounting, processes


def take_up(systemd: bool, undoing: bool = False) -> t.Mapping[str, t.Callable[[], None]]:
    """By the path of the file."""
    reload = sshd_daemon.reload_again if undoing else sshd_daemon.reload
    return {
        layout.SSHD_DROP_IN: lambda: reload(systemd),
        layout.MOUNT_TABLE: lambda: mount_what_is_listed(systemd),
        layout.EXPIRY_TABLE: close_what_is_due,
    }


def mount_what_is_listed(systemd: bool) -> None:
    if os.path.exists(layout.MOUNT_TABLE):
        mounting.apply(layout.MOUNT_TABLE, systemd)


def close_what_is_due() -> None:
    """A moment of the table may have passed since the host was read; the program waits until this run has ended."""
    if os.path.exists(layout.EXPIRY_TABLE):
        processes.must(["systemctl", "start", "--no-block", layout.EXPIRY_SERVICE])
