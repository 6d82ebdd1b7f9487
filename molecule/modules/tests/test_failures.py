# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that fails, wherever it fails, says why and leaves the host as it was, byte for byte."""

from __future__ import annotations

import typing as t

import pytest
from conftest import PICTURE, Model, Target, differences, key, run, sh

PASSWORD_HASH = "$6$salt$" + "a" * 86

# Something for every step of a transaction
MODEL: Model = {
    "folders": [{"name": "inbox", "path": "/data/failures/inbox", "owner": "worker", "group": "inbox-files"}],
    "accounts": [
        {
            "name": "worker",
            "kind": "shell",
            "keys": [{"name": "laptop", "key": key(100)}],
            "groups": ["workers"],
            "sudo_tasks": ["worker_cron"],
        },
        {
            "name": "sender",
            "keys": [{"name": "upload", "key": key(101)}],
            "password_hash": PASSWORD_HASH,
            "folders": [{"folder": "inbox", "at": "/inbox"}, {"private": True, "at": "/own"}],
        },
    ],
    "sudo_tasks": [{"name": "worker_cron", "service": "cron", "actions": ["status", "restart"]}],
}

REFUSED = "it was not changed"
UNDONE = "The run failed and was undone: the host is as it was."


class Trouble(t.NamedTuple):
    make: str
    end: str
    said: tuple[str, ...]


TROUBLES = {
    "a Match of another file wins over ours": Trouble(
        make="printf 'Match User worker\n  PasswordAuthentication yes\n' >/etc/ssh/sshd_config.d/00-a.conf",
        end="rm /etc/ssh/sshd_config.d/00-a.conf",
        said=(UNDONE, "passwordauthentication is 'yes', not 'no': /etc/ssh/sshd_config.d/00-a.conf:2 wins"),
    ),
    "a setting of another file wins over ours": Trouble(
        make="echo 'MaxAuthTries 20' >/etc/ssh/sshd_config.d/00-a.conf",
        end="rm /etc/ssh/sshd_config.d/00-a.conf",
        said=(UNDONE, "maxauthtries is '20', not '6': /etc/ssh/sshd_config.d/00-a.conf:1 wins: remove that line"),
    ),
    "sshd_config is invalid": Trouble(
        make="echo 'Nonsense yes' >>/etc/ssh/sshd_config",
        end="sed -i '/^Nonsense/d' /etc/ssh/sshd_config",
        said=("/etc/ssh/sshd_config: line", "Bad configuration option: Nonsense"),
    ),
    "another sudoers file grants more": Trouble(
        make="umask 227; echo 'worker ALL=(ALL) NOPASSWD: /bin/true' >/etc/sudoers.d/zz-foreign",
        end="rm /etc/sudoers.d/zz-foreign",
        said=(UNDONE, "/etc/sudoers.d/zz-foreign", "which no sudo task says"),
    ),
    "the sudoers directory is read-only": Trouble(
        make="mount --bind /etc/sudoers.d /etc/sudoers.d && mount -o remount,bind,ro /etc/sudoers.d",
        end="umount /etc/sudoers.d",
        said=(UNDONE, "Read-only file system"),
    ),
    "passwords cannot be set": Trouble(
        make="cd /usr/local/sbin; printf '#!/bin/sh\necho no >&2; exit 3\n' >chpasswd; chmod 0755 chpasswd",
        end="rm /usr/local/sbin/chpasswd",
        said=(UNDONE, "chpasswd failed (3): no"),
    ),
    "keys cannot be written": Trouble(
        make="mkdir -p /etc/ssh/authorized_keys.d && mount -t tmpfs -o ro none /etc/ssh/authorized_keys.d",
        end="umount /etc/ssh/authorized_keys.d",
        said=(UNDONE, "Read-only file system"),
    ),
}


@pytest.mark.parametrize("trouble", [pytest.param(trouble, id=name) for name, trouble in TROUBLES.items()])
def test_nothing_is_left_of_a_failed_run(target: Target, trouble: Trouble) -> None:
    made, before, failed, after, ended = target.do(
        sh(trouble.make), PICTURE, run("access", MODEL), PICTURE, sh(trouble.end)
    )
    assert made.ok
    assert ended.ok
    assert not failed.ok
    for text in trouble.said:
        assert text in failed.message
    assert differences(before, after) == {}
