# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets in, with what, and from where: teams, global keys, networks, closed accounts, ports, who is not listed."""

from __future__ import annotations

import typing as t

import pytest
from conftest import CREDENTIALS, INSIDE, Logins, opens, refused
from logins import Answer, ssh
from testinfra.host import Host


@pytest.mark.parametrize(("person", "answer"), [("ann", True), ("ben", True), ("zoe", False), ("cleo", False)])
def test_a_team_opens_an_account_to_its_members(logins: Logins, person: str, answer: bool) -> None:
    """zoe is of the team and has left."""
    login = logins.key("operator1", person)
    said = ssh(login, "--", "whoami")
    assert said == Answer(0, "operator1\n") if answer else refused(login, said)


@pytest.mark.parametrize("account", ["mapper", "caller"])
def test_a_global_key_opens_every_sftp_account(logins: Logins, account: str) -> None:
    assert opens(logins.key(account, "support"))


@pytest.mark.parametrize("account", ["operator1", "native"])
def test_a_global_key_opens_every_shell_account(logins: Logins, account: str) -> None:
    assert ssh(logins.key(account, "support"), "--", "whoami") == Answer(0, f"{account}\n")


@pytest.mark.parametrize("account", ["root", "deploy", "visitor", "worker", "halted", "expired"])
def test_a_global_key_opens_nothing_else(logins: Logins, account: str) -> None:
    login = logins.key(account, "support")
    assert refused(login, ssh(login, "--", "true"))


@pytest.mark.parametrize("account", ["halted", "expired"])
@pytest.mark.parametrize("factor", ["key", "password"])
def test_a_closed_account_is_closed_to_keys_and_passwords(logins: Logins, account: str, factor: str) -> None:
    login = getattr(logins, factor)(account)
    assert not opens(login)


def test_who_is_not_listed_gets_in_where_the_model_allows_it(logins: Logins) -> None:
    assert ssh(logins.key("visitor", "stranger"), "--", "whoami") == Answer(0, "visitor\n")


@pytest.mark.parametrize("account", ["caller", "native"])
def test_a_stranger_s_key_opens_no_account(logins: Logins, account: str) -> None:
    login = logins.key(account, "stranger")
    assert refused(login, ssh(login, "-s", "--", "sftp"))


@pytest.mark.parametrize("account", ["mapper", "operator1", "tunnel"])
def test_a_password_opens_no_account_that_has_none(logins: Logins, account: str) -> None:
    assert ssh(logins.password(account), "-s", "--", "sftp").code in (5, 255)


@pytest.fixture(scope="module")
def inside(host: Host) -> t.Iterator[dict[str, str]]:
    """On the host, ann's key, and a program that answers every question with the password."""
    typist = f"#!/bin/sh\necho '{(CREDENTIALS / 'password').read_text().strip()}'\n"
    host.check_output("umask 077; printf %%s %s > /root/ann", (CREDENTIALS / "ann").read_text())
    host.check_output("umask 077; printf %%s %s > /root/typist; chmod u+x /root/typist", typist)
    askpass = "DISPLAY=:0 SSH_ASKPASS=/root/typist SSH_ASKPASS_REQUIRE=force setsid"
    yield {
        "key": f"sftp -oBatchMode=yes -i /root/ann {INSIDE}",
        "password": f"{askpass} sftp -oBatchMode=no -oPreferredAuthentications=password {INSIDE}",
    }
    host.check_output("rm /root/ann /root/typist")


@pytest.mark.parametrize("factor", ["key", "password"])
def test_the_networks_of_an_account_hold_for_keys_and_passwords(
    host: Host, logins: Logins, inside: dict[str, str], factor: str
) -> None:
    assert opens(getattr(logins, factor)("caller"))
    near = host.run(f"{inside[factor]} -b /dev/null caller@{logins.address} || exit 1")  # from the host's own address
    assert near.rc == 0, near.stderr
    far = host.run(f"{inside[factor]} -b /dev/null caller@127.0.0.1 || exit 1")
    assert far.rc != 0
    assert "Permission denied" in far.stderr


@pytest.mark.parametrize("port", [22, 2222])
def test_both_ports_are_open(logins: Logins, port: int) -> None:
    answer = ssh(logins.key("operator1"), f"-p{port}", "-oHostKeyAlias=" + logins.address, "--", "whoami")
    assert answer == Answer(0, "operator1\n")


def test_ciphers_are_modern_and_weaker_ones_refused(logins: Logins) -> None:
    login = logins.key("operator1")
    for weak in ("-oCiphers=aes128-cbc", "-oKexAlgorithms=ecdh-sha2-nistp256", "-oMACs=hmac-sha1"):
        more = ["-oCiphers=aes128-ctr"] if "MAC" in weak else []
        answer = ssh(login, weak, *more, "--", "true")
        assert answer.code == 255
        assert "no matching" in answer.text, weak
    assert ssh(login, "--", "true").ok
