# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that sessions of a side sshd do without."""

from __future__ import annotations

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.logins.own_view import passing_over

BOTH = ("pam_systemd", "pam_loginuid")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("session    required     pam_loginuid.so", "session    required     pam_permit.so"),
        ("-session optional pam_systemd.so kill=1", "-session optional pam_permit.so kill=1"),
        ("session [success=1 default=ignore] pam_systemd.so", "session [success=1 default=ignore] pam_permit.so"),
        ("session required /lib/security/pam_loginuid.so", "session required /lib/security/pam_permit.so"),
    ],
)
def test_a_module_is_passed_over_in_its_line(before: str, after: str) -> None:
    assert passing_over(BOTH, f"auth required pam_unix.so\n{before}\n") == f"auth required pam_unix.so\n{after}\n"


@pytest.mark.parametrize(
    "line",
    [
        "# session required pam_loginuid.so",
        "session required pam_systemd_home.so",
        "account required pam_systemd.so",
        "session required pam_unix.so",
        "session required my_pam_systemd.so",
        "@include common-session",
    ],
)
def test_any_other_line_stays(line: str) -> None:
    assert passing_over(BOTH, line) == line
