# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of ours lies on a host. No other file spells these paths."""

from __future__ import annotations

STATE = "/var/lib/sallyport"
RECORD = STATE + "/record.json"
JOURNAL = STATE + "/journal.json"  # of the transaction that is under way
JOURNAL_KEPT = STATE + "/journal.kept.json"  # its name once the transaction is not to be undone any more
EMPTY = STATE + "/empty"  # what a hidden part of a grant shows
PYTHON = "/usr/bin/python3"  # the system's own: it is there at boot and for sudo, whatever Ansible itself runs on
SCRATCH = "/run/sallyport-proof"  # of a side sshd; users pass through it to the one-time key that opens them
LOCK = "/run/sallyport/lock"  # in a directory of root's: in /run/lock anybody could hold it

SSHD_CONFIG = "/etc/ssh/sshd_config"
SSHD_DROP_IN = "/etc/ssh/sshd_config.d/00-sallyport.conf"
KEYS = "/etc/ssh/authorized_keys.d"

SUDOERS = "/etc/sudoers.d/sallyport-tasks"
PROGRAMS = "/usr/local/libexec/sallyport"
COMMANDS = "/usr/local/bin"

MOUNT_TABLE = "/etc/sallyport/fstab"
MOUNT_UNIT = "sallyport-mounts.service"
MOUNT_PROGRAM = "/usr/local/libexec/sallyport-mounts"  # what the unit runs
EXPIRY_TABLE = "/etc/sallyport/expiry"
EXPIRY_SERVICE = "sallyport-expiry.service"
EXPIRY_TIMER = "sallyport-expiry.timer"
EXPIRY_PROGRAM = "/usr/local/libexec/sallyport-expiry"  # what the service runs
RELOADED = STATE + "/reloaded"  # sshd was told to read what the transaction has written
RECOVERY_PROGRAM = STATE + "/recover"  # there while a transaction is under way
RECOVERY_UNIT = "sallyport-recover.service"
UNITS = "/etc/systemd/system"

LOGIN_GROUP = "sallyport"  # everybody who may log in when only_listed
CLASS_GROUP = "sallyport-"  # prefix of the groups that select a policy class

HEADER = "Written by Sallyport. Changes made here are overwritten by the next run.\n"


def keys_file(account: str) -> str:
    return KEYS + "/" + account


def jail(jails: str, account: str) -> str:
    return jails.rstrip("/") + "/" + account
