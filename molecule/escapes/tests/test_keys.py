# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in as somebody else with a key, or by a name that could mean somebody else."""

from __future__ import annotations

import dataclasses

import paramiko
import pytest
from conftest import CREDENTIALS, Accounts, refused
from logins import Login, ssh
from packets import Packets
from wire import Wire

# The account and the person whose key is tried
KEYS = {
    "a customer with the key of a neighbour": ("customer", "ben"),
    "a customer with a key of nobody": ("customer", "stranger"),
    "a customer with an expired key": ("customer", "old"),
    "a customer with a key from outside its network": ("customer", "far"),
    "a customer with the key of who has left": ("customer", "left"),
    "a shell account with the key of a customer": ("partner", "ann"),
    "a shell account with an expired key": ("partner", "old"),
    "a shell account with a key from outside its network": ("partner", "far"),
    "a shell account with the key of a tunnel account": ("partner", "tom"),
    "a tunnel account with the key of a shell account": ("tunnel", "sue"),
    "an account that has no keys": ("caller", "ann"),
    "a suspended account": ("halted", "ann"),
    "an expired account": ("ended", "ann"),
    "the admin with the key of an account": ("deploy", "sue"),
    "root with the key of an account": ("root", "sue"),
    "root with the admin's key, which root's own file names": ("root", "deploy"),
    "an application's user with the key of an account": ("app", "ann"),
    "an application's user with the admin's key, which its own file names": ("app", "deploy"),
    "a system user": ("sshd", "ann"),
    "nobody": ("nobody", "ann"),
    "a group": ("common-files", "ann"),
}


def login(accounts: Accounts, account: str, person: str) -> Login:
    if person == "deploy":
        return dataclasses.replace(accounts.login("deploy"), user=account)
    return accounts.login(account, person)


@pytest.mark.control
def test_every_key_opens_what_it_is_for(accounts: Accounts) -> None:
    """The control of the attempts below. What belongs to nobody, has expired or left, opens nothing."""
    for account in ("customer", "neighbour", "partner", "keeper", "deploy"):
        assert ssh(accounts.login(account), "-s", "--", "sftp").ok, account
    assert ssh(accounts.with_password("caller"), "-s", "--", "sftp").ok


@pytest.mark.parametrize(("account", "person"), KEYS.values(), ids=KEYS.keys())
def test_a_person_logs_in_as(accounts: Accounts, account: str, person: str) -> None:
    attempt = login(accounts, account, person)
    assert refused(attempt, ssh(attempt, "-s", "--", "sftp"))


# Names that could mean somebody else to one program than to another; ann's key opens customer.
NAMES = ["root", "CUSTOMER", "customer ", " customer", "customer\n", "customer\nroot", "customer\0", "customer\0root",
         "customer,root", "../customer", "customer/../root", "customer/root", "customer:root", "root:customer",
         "root/customer", "%u", "%h", "cust*", "*", "?ustomer", "customer@localhost", "+customer", "@common-files",
         "-oProxyCommand=x", "$(id)", "6400", "#0", "", "x" * 5000, "çustomer"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:30] for name in NAMES])
def test_a_name_that_is_none(accounts: Accounts, name: str) -> None:
    """sshd cuts off what stands behind a colon, Debian's behind a slash, too: what is left is customer, in its jail."""
    try:
        wire = Wire(accounts.address, name, CREDENTIALS / "ann")
    except (paramiko.SSHException, EOFError):
        return
    assert name in ("customer/../root", "customer/root", "customer:root")
    listed = Packets(wire).listed("/").texts
    wire.close()
    assert set(listed) == {".", "..", "shared", "over", "catalog", "prices", "own"}
