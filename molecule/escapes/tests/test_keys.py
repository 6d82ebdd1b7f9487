# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in as somebody else, or with what does not count: keys, passwords, certificates, names."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import paramiko
import pytest
from conftest import CREDENTIALS, Accounts, keygen
from logins import SECONDS, Answer, Login, ssh
from packets import CREATING, MKDIR, NOTHING, REMOVE, WRITING, Attributes, Packets
from testinfra.host import Host
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
    "an application's user": ("app", "ann"),
    "a system user": ("sshd", "ann"),
    "nobody": ("nobody", "ann"),
    "a group": ("common-files", "ann"),
}


def login(accounts: Accounts, account: str, person: str) -> Login:
    if person == "deploy":
        return dataclasses.replace(accounts.login("deploy"), user=account)
    return accounts.login(account, person)


def refused(login: Login, answer: Answer) -> bool:
    said = (f"{login.destination}: Permission denied (", "no authentication methods enabled", "account has expired")
    return answer.code == 255 and any(text in answer.text for text in said)


def test_every_key_opens_what_it_is_for(accounts: Accounts) -> None:
    """The control of the attempts below. What belongs to nobody, has expired or left, opens nothing."""
    for account in ("customer", "neighbour", "partner", "keeper", "deploy"):
        assert ssh(accounts.login(account), "-s", "--", "sftp").ok, account
    assert ssh(accounts.with_password("caller"), "-s", "--", "sftp").ok


@pytest.mark.parametrize(("account", "person"), KEYS.values(), ids=KEYS.keys())
def test_a_person_logs_in_as(accounts: Accounts, account: str, person: str) -> None:
    attempt = login(accounts, account, person)
    assert refused(attempt, ssh(attempt, "-s", "--", "sftp"))


@pytest.mark.parametrize(
    "account",
    ["customer", "neighbour", "partner", "keeper", "tunnel", "halted", "ended", "deploy", "root", "app", "nobody"],
)
def test_the_password_of_another_account_opens(accounts: Accounts, account: str) -> None:
    answer = ssh(accounts.with_password(account), "-s", "--", "sftp")
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


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS.keys())
@pytest.mark.parametrize("account", ["caller", "customer", "halted", "app"])
def test_a_password_that_is_guessed(accounts: Accounts, account: str, password: str) -> None:
    transport = paramiko.Transport((accounts.address, 22))
    transport.start_client(timeout=SECONDS)
    with pytest.raises((paramiko.SSHException, EOFError)):
        transport.auth_password(account, password, fallback=False)
    assert not transport.is_authenticated()
    transport.close()


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
    with _listed(accounts, line):
        yield


class _listed:  # noqa: N801 # a context manager
    def __init__(self, accounts: Accounts, line: bytes) -> None:
        self.packets, self.line = accounts.packets("keeper"), line

    def __enter__(self) -> None:
        self.packets.ask(MKDIR, "/home/keeper/.ssh", Attributes(NOTHING))
        self.packets.ask(REMOVE, FILE)
        assert self.packets.written(FILE, WRITING | CREATING, self.line).ok

    def __exit__(self, *_: object) -> None:
        self.packets.ask(REMOVE, FILE)


FILE = "/home/keeper/.ssh/authorized_keys"


@pytest.fixture(scope="module")
def takes_certificates(host: Host) -> bool:
    """crypto: modern takes none."""
    return "ed25519-cert" in host.check_output("sshd -T | grep -i '^pubkeyaccepted'")


@pytest.fixture(scope="module")
def certificate(authority: Path) -> Path:
    """For everybody, with all that a certificate can permit."""
    names = "keeper,customer,neighbour,partner,tunnel,caller,root,deploy,app,*"
    permitted = [
        f"-Opermit-{what}" for what in ("agent-forwarding", "port-forwarding", "pty", "user-rc", "X11-forwarding")
    ]
    return certified(authority, "-n", names, "-O", "clear", *permitted)


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
def test_a_user_lists_a_key_with(host: Host, accounts: Accounts, stranger: Path, options: str) -> None:
    """An account that may list keys gives itself no more by their options."""
    with _listed(accounts, f"{options} {Path(f'{stranger}.pub').read_text()}".encode()):
        attempt = accounts.login("keeper", "stranger")
        assert ssh(attempt, "--", "true").ok
        assert "stdio forwarding failed" in ssh(attempt, "-W", "127.0.0.1:7002").text
        listener = ssh(attempt, "-oExitOnForwardFailure=yes", "-R", "9010:127.0.0.1:22", "--", "true")
        assert "remote port forwarding failed" in listener.text
        assert "LD_PRELOAD" not in ssh(attempt, "--", "env").text
    assert host.run("ss -Hltn sport = :9010").stdout == ""


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rsa") / "key"
    keygen("-t", "rsa", "-b", "2048", "-N", "", "-f", path)
    return path


@pytest.mark.parametrize("algorithm", ["ssh-rsa", "rsa-sha2-256"])
def test_an_old_signature(accounts: Accounts, rsa: Path, algorithm: str) -> None:
    with _listed(accounts, Path(f"{rsa}.pub").read_bytes()):
        attempt = Login(accounts.address, "keeper", key=rsa)
        answer = ssh(attempt, f"-oPubkeyAcceptedAlgorithms={algorithm}", "--", "true")
        assert answer.ok if algorithm == "rsa-sha2-256" else refused(attempt, answer)
