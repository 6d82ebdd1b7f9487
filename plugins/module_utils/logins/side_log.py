# SPDX-License-Identifier: GPL-3.0-or-later
"""Why sshd or PAM refused: the lines of their logs that say it."""

from __future__ import annotations

import re
import typing as t

# What sshd says at every login, at the level at which a side sshd logs.
_USUAL = re.compile(
    r"debug\d: |Connection from |Accepted |Postponed |Partial |Failed |Starting session: |Close session: |"
    r"User child is on pid |Changed root directory to |Connection closed by |Connection reset by |Server listening on |"
    r"Received disconnect from |Disconnected from |Disconnecting |Transferred: |Closing connection to |"
    r"Received signal |syslogin_perform_logout|kex_exchange_identification|\S+: (.*: )?Broken pipe|"
    r"srclimit_|mm_request_receive: bad"
)
_HERE = re.compile(r" from 127\.0\.0\.\d+( port \d+)?")  # of every trial
_PAM = re.compile(r".*?(?P<text>pam_\w+\(sshd:\w+\): .*)")
_PAM_USUAL = re.compile(r"session (opened|closed) for user|Moving new user")


def reason(sshd_log: str, system_log: str, user: str) -> str:
    """One line from what sshd logged during a login, and from what PAM told the system log about its user."""
    return "; ".join(dict.fromkeys([*_of_sshd(sshd_log), *_of_pam(system_log, user)]))


def _of_sshd(log: str) -> t.Iterator[str]:
    for line in log.splitlines():
        text = line.strip().replace(" [preauth]", "").replace(" [postauth]", "")
        if text and not _USUAL.match(text):
            yield _HERE.sub("", re.sub(r"^(error|fatal): ", "", text))


def _of_pam(log: str, user: str) -> t.Iterator[str]:
    for line in log.splitlines():
        found = _PAM.match(line)
        about = re.search(rf"(?<![\w.-]){re.escape(user)}(?![\w.-])", line)
        if found and about and not _PAM_USUAL.search(line):
            yield found["text"].rstrip("\0 ")
