# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in with passwords that are guessed or belong to another account, or in a way that the account has not."""

from __future__ import annotations

import contextlib
import itertools
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor

import paramiko
import pytest
from conftest import CREDENTIALS, Accounts
from logins import SECONDS, Answer, ssh
from wire import connection

OTHERS = ["customer", "neighbour", "partner", "keeper", "tunnel", "halted", "ended", "deploy", "root", "app", "nobody"]


@pytest.fixture(scope="module")
def pool() -> t.Iterator[ThreadPoolExecutor]:
    """Everything at once: PAM thinks for two seconds about what is wrong."""
    with ThreadPoolExecutor(24) as pool:
        yield pool


@pytest.fixture(scope="module", autouse=True)
def answers(accounts: Accounts, pool: ThreadPoolExecutor) -> dict[str, Future[Answer]]:
    def attempt(account: str) -> Answer:
        return ssh(accounts.with_password(account), "-s", "--", "sftp")

    return {account: pool.submit(attempt, account) for account in OTHERS}


@pytest.mark.parametrize("account", OTHERS)
def test_the_password_of_another_account_opens(answers: dict[str, Future[Answer]], account: str) -> None:
    answer = answers[account].result()
    assert answer.code in (5, 255)  # of sshpass, where a password was asked for, and of ssh
    assert any(text in answer.text for text in ("denied", "no authentication methods", "account has expired"))


def offered(accounts: Accounts, account: str) -> set[str]:
    """What sshd would take instead of nothing (`none`, which it does not)."""
    transport = paramiko.Transport((accounts.address, 22))
    transport.start_client(timeout=SECONDS)
    with pytest.raises(paramiko.BadAuthenticationType) as answer:
        transport.auth_none(account)
    transport.close()
    return set(answer.value.allowed_types)


@pytest.mark.parametrize("account", ["customer", "partner", "keeper", "tunnel", "caller"])
def test_an_account_is_offered_other_ways_in(accounts: Accounts, account: str) -> None:
    """The host's own sshd_config offers all of them, and an unknown user most."""
    assert offered(accounts, account) == {"publickey", *(["password"] if account == "caller" else [])}
    assert {"hostbased", "gssapi-with-mic"} < offered(accounts, "nobody-of-that-name")


@pytest.mark.parametrize("user", ["root", "app", "nobody", "sshd"])
def test_a_user_who_is_not_listed_is_told_from_an_unknown_one(accounts: Accounts, user: str) -> None:
    ways = offered(accounts, user)
    assert ways == offered(accounts, "nobody-of-that-name")
    assert not ways & {"password", "keyboard-interactive"}


PASSWORDS = {"empty": "", "a space": " ", "a star": "*", "an exclamation mark": "!", "the account's name": "caller",
             "NUL": "\0", "100 KB": "x" * 100_000}  # fmt: skip


GUESSED = ["caller", "customer", "partner", "keeper", "tunnel", "halted", "app", "root"]


def guess(address: str, account: str, password: str) -> bool:
    transport = paramiko.Transport(connection(address))
    transport.start_client(timeout=SECONDS)
    with contextlib.suppress(paramiko.SSHException, EOFError):
        transport.auth_password(account, password, fallback=False)
    found = transport.is_authenticated()
    transport.close()
    return found


@pytest.fixture(scope="module", autouse=True)
def guessed(accounts: Accounts, pool: ThreadPoolExecutor) -> dict[tuple[str, str], Future[bool]]:
    """Whether an account is opened by a password; the first one is right."""
    right = (CREDENTIALS / "password").read_text().strip()
    tried = [("caller", right), *itertools.product(GUESSED, PASSWORDS.values())]
    return {each: pool.submit(guess, accounts.address, *each) for each in tried}


@pytest.mark.control
def test_a_password_opens_its_account(guessed: dict[tuple[str, str], Future[bool]]) -> None:
    """The control of the attempts below."""
    assert next(iter(guessed.values())).result()


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS.keys())
@pytest.mark.parametrize("account", GUESSED)
def test_a_password_that_is_guessed(guessed: dict[tuple[str, str], Future[bool]], account: str, password: str) -> None:
    assert guessed[account, password].result() is False
