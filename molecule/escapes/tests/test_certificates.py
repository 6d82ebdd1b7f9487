# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in with a certificate that nobody trusts, or giving oneself more by the options of a certificate or a key."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

import pytest
from conftest import Accounts, keygen, refused
from logins import Login, ssh
from packets import CREATING, MKDIR, NOTHING, REMOVE, WRITING, Attributes

KIND = "shell"  # of the accounts that attempt these

FILE = "/home/keeper/.ssh/authorized_keys"


@contextlib.contextmanager
def listed(accounts: Accounts, line: bytes) -> t.Iterator[None]:
    """While keeper, who may list keys, lists one."""
    packets = accounts.packets("keeper")
    packets.ask(MKDIR, FILE.rpartition("/")[0], Attributes(NOTHING))
    packets.ask(REMOVE, FILE)
    assert packets.written(FILE, WRITING | CREATING, line).ok
    yield
    packets.ask(REMOVE, FILE)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's own certificate authority."""
    path = tmp_path_factory.mktemp("authority") / "ca"
    keygen("-t", "ed25519", "-N", "", "-f", path)
    return path


def certified(authority: Path, *options: str) -> Path:
    """A key with a certificate of this authority."""
    key = authority.parent / f"key{len(list(authority.parent.iterdir()))}"
    keygen("-t", "ed25519", "-N", "", "-f", key)
    keygen("-s", authority, "-I", "somebody", *options, f"{key}.pub")
    return key


@pytest.fixture(scope="module")
def trusting(accounts: Accounts, authority: Path) -> t.Iterator[None]:
    """keeper, who may list keys, lists that authority."""
    line = b"cert-authority " + Path(f"{authority}.pub").read_bytes()
    with listed(accounts, line):
        yield


@pytest.fixture(scope="module")
def takes_certificates(accounts: Accounts) -> bool:
    """crypto: modern takes none."""
    return "ed25519-cert" in accounts.root("sshd -T | grep -i '^pubkeyaccepted'").text


@pytest.fixture(scope="module")
def certificate(authority: Path) -> Path:
    """For everybody, with all that a certificate can permit."""
    names = "keeper,customer,neighbour,partner,tunnel,caller,root,deploy,app,*"
    permitted = [
        f"-Opermit-{what}" for what in ("agent-forwarding", "port-forwarding", "pty", "user-rc", "X11-forwarding")
    ]
    return certified(authority, "-n", names, "-O", "clear", *permitted)


@pytest.mark.control
@pytest.mark.usefixtures("trusting")
def test_a_certificate_opens_the_account_that_trusts_its_authority(
    accounts: Accounts, certificate: Path, takes_certificates: bool
) -> None:
    """The control of the attempts below, and it permits no more than the account may."""
    login = Login(accounts.address, "keeper", key=certificate)
    assert ssh(login, "--", "true").ok is takes_certificates
    said = "stdio forwarding failed" if takes_certificates else "Permission denied"
    assert said in ssh(login, "-W", "127.0.0.1:7002").text


@pytest.mark.parametrize("account", ["customer", "neighbour", "partner", "tunnel", "caller", "root", "deploy", "app"])
@pytest.mark.usefixtures("trusting")
def test_a_certificate_of_a_user_opens(accounts: Accounts, certificate: Path, account: str) -> None:
    attempt = Login(accounts.address, account, key=certificate)
    assert refused(attempt, ssh(attempt, "-s", "--", "sftp"))


CERTIFICATES = {
    "another principal": ["-n", "root"],
    "a past": ["-n", "keeper", "-V", "20200101:20200102"],
    "a future": ["-n", "keeper", "-V", "20900101:20900102"],
    "another network": ["-n", "keeper", "-O", "source-address=192.0.2.0/24"],
    "an option that nobody knows": ["-n", "keeper", "-O", "critical:more=yes"],
    "the kind of hosts": ["-n", "keeper", "-h"],
}


@pytest.mark.parametrize("options", CERTIFICATES.values(), ids=CERTIFICATES.keys())
@pytest.mark.usefixtures("trusting")
def test_a_certificate_with(accounts: Accounts, authority: Path, options: list[str]) -> None:
    attempt = Login(accounts.address, "keeper", key=certified(authority, *options))
    assert refused(attempt, ssh(attempt, "--", "true"))


OPTIONS = {
    "a wider destination": 'permitopen="127.0.0.1:7002"',
    "any destination": 'permitopen="*:*",port-forwarding',
    "a listener": 'permitlisten="9010",port-forwarding',
    "a network device": 'tunnel="0"',
    "variables": 'environment="LD_PRELOAD=/tmp/x.so"',
    "a command": 'command="id"',
    "everything again": "restrict,agent-forwarding,port-forwarding,X11-forwarding,user-rc,pty",
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_a_user_lists_a_key_with(accounts: Accounts, stranger: Path, options: str) -> None:
    """An account that may list keys gives itself no more by their options."""
    with listed(accounts, f"{options} {Path(f'{stranger}.pub').read_text()}".encode()):
        attempt = accounts.login("keeper", "stranger")
        shown = ssh(attempt, "--", "env")
        assert shown.ok
        assert "LD_PRELOAD" not in shown.text
        assert "stdio forwarding failed" in ssh(attempt, "-W", "127.0.0.1:7002").text
        listener = ssh(attempt, "-oExitOnForwardFailure=yes", "-R", "9010:127.0.0.1:22", "--", "true")
        assert "remote port forwarding failed" in listener.text
    assert accounts.root("ss -Hltn sport = :9010").text == ""


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rsa") / "key"
    keygen("-t", "rsa", "-b", "2048", "-N", "", "-f", path)
    return path


@pytest.mark.parametrize("algorithm", ["ssh-rsa", "rsa-sha2-256"])
def test_an_old_signature(accounts: Accounts, rsa: Path, algorithm: str) -> None:
    with listed(accounts, Path(f"{rsa}.pub").read_bytes()):
        attempt = Login(accounts.address, "keeper", key=rsa)
        answer = ssh(attempt, f"-oPubkeyAcceptedAlgorithms={algorithm}", "--", "true")
        assert answer.ok if algorithm == "rsa-sha2-256" else refused(attempt, answer)
