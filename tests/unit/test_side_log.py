# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons, from logs as sshd 8.4, 9.2 and 10.0 write them."""

from __future__ import annotations

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.logins import side_log

USUAL = """Connection from 127.0.0.1 port 40134 on 127.0.0.1 port 2222 rdomain ""
debug1: Local version string SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10
Failed publickey for deploy from 127.0.0.1 port 40134 ssh2: ED25519 SHA256:abc
Postponed publickey for deploy from 127.0.0.1 port 40134 ssh2 [preauth]
Accepted publickey for deploy from 127.0.0.1 port 40134 ssh2: ED25519 SHA256:abc
User child is on pid 4242
Starting session: command for deploy from 127.0.0.1 port 40134 id 0
Close session: user deploy from 127.0.0.1 port 40134 id 0
srclimit_penalise: ipv4: new 127.0.0.1/32 deferred penalty of 1 seconds for penalty: failed authentication
Received disconnect from 127.0.0.1 port 40134:11: disconnected by user
Disconnected from user deploy 127.0.0.1 port 40134
"""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", ""),
        (
            "User deploy from 127.0.0.1 not allowed because listed in DenyUsers",
            "User deploy not allowed because listed in DenyUsers",
        ),
        (
            "fatal: Access denied for user deploy by PAM account configuration [preauth]",
            "Access denied for user deploy by PAM account configuration",
        ),
        (
            'fatal: bad ownership or modes for chroot directory component "/srv/" [postauth]',
            'bad ownership or modes for chroot directory component "/srv/"',
        ),
        ("error: PAM: pam_open_session(): Module is unknown", "PAM: pam_open_session(): Module is unknown"),
        ("Invalid user ghost from 127.0.0.1 port 40134", "Invalid user ghost"),
        ("ssh_packet_send_debug: send DEBUG: Broken pipe", ""),
    ],
)
def test_the_line_that_says_why(line: str, reason: str) -> None:
    assert side_log.reason(f"{USUAL}{line}\n{USUAL}", "", "deploy") == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "<86>Nov 20 11:16:00 sshd[1]: pam_access(sshd:account): access denied for user `deploy' from `127.0.0.1'\0",
            "pam_access(sshd:account): access denied for user `deploy' from `127.0.0.1'",
        ),
        ("<86>Nov 20 11:16:00 sshd[12]: pam_unix(sshd:session): session opened for user deploy(uid=1000)", ""),
        ("<86>Nov 20 11:16:00 sshd[12]: pam_unix(sshd:account): account deploy2 has expired", ""),
        ("<86>Nov 20 11:16:00 sudo: pam_unix(sudo:auth): conversation failed for deploy", ""),
    ],
    ids=["refused", "opened", "about somebody else", "another program"],
)
def test_what_pam_says_of_the_user(line: str, reason: str) -> None:
    assert side_log.reason(USUAL, line + "\n", "deploy") == reason


def test_the_same_twice_is_said_once() -> None:
    assert side_log.reason("Invalid user x\n" * 2, "", "x") == "Invalid user x"
