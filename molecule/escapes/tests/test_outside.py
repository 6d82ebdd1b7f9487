# SPDX-License-Identifier: GPL-3.0-or-later
"""After all attempts: what lies outside the folders is as it was, and every account works as it did."""

from __future__ import annotations

import pytest
from conftest import OWNERS, PICTURE, Accounts
from logins import Answer, ssh

pytestmark = [pytest.mark.last, pytest.mark.control]


def test_nothing_outside_has_changed(accounts: Accounts, outside: str) -> None:
    before, after = set(outside.splitlines()), set(accounts.root(PICTURE).text.splitlines())
    assert (before - after, after - before) == (set(), set())
    assert any("/etc/shadow" in line for line in before)


@pytest.mark.parametrize("account", [account for account in OWNERS if account != "tunnel"])
def test_an_account_works_as_before(accounts: Accounts, account: str) -> None:
    assert ssh(accounts.login(account), "-s", "--", "sftp").ok


def test_nothing_failed_on_the_host(accounts: Accounts) -> None:
    assert accounts.root("systemctl list-units --failed --plain --no-legend") == Answer(0, "")
