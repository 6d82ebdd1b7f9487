# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared SSH user akeneo: who gets in, who does not, and how little it may do."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from conftest import CREDENTIALS, Logins
from logins import Answer, Login, run, ssh
from testinfra.host import Host

# From the host to a host: it knows no host keys.
INSIDE = "-oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR"


def refused(login: Login, methods: str = "publickey") -> Answer:
    """What ssh prints whoever is refused, and for whatever reason."""
    return Answer(255, f"{login.destination}: Permission denied ({methods}).\n")


# Who is not listed may try a password where the distribution allows it, and is refused.
UNLISTED = "publickey"


def fingerprint(person: str) -> str:
    return run("ssh-keygen", "-lf", CREDENTIALS / f"{person}.pub").text.split()[1]


def log(host: Host) -> str:
    """What sshd said lately; newer releases log as sshd-session."""
    command = "journalctl --quiet --identifier=sshd --identifier=sshd-session --output=cat --lines=300"
    return str(host.check_output(command))


@pytest.mark.promise("A1")
@pytest.mark.promise("A3")
@pytest.mark.parametrize("person", ["alice", "bob"])
def test_each_person_is_akeneo_with_a_key_of_their_own(logins: Logins, person: str) -> None:
    answer = ssh(logins.key("akeneo", person), "--", 'whoami; pwd; echo "$0"')
    assert answer == Answer(0, "akeneo\n/home/akeneo\nbash\n")


@pytest.mark.promise("A1")
@pytest.mark.parametrize("person", ["alice", "bob"])
def test_the_log_tells_the_persons_apart(host: Host, logins: Logins, person: str) -> None:
    assert ssh(logins.key("akeneo", person), "--", "true").ok
    accepted = [line for line in log(host).splitlines() if line.startswith("Accepted publickey for akeneo")]
    assert accepted[-1].endswith(fingerprint(person))


class Refusal(t.NamedTuple):
    user: str
    key: str  # a person's, or "stranger"
    methods: str = "publickey"


REFUSED = {
    "a key that nobody listed": ("A1", Refusal("akeneo", "stranger")),
    "root": ("A3", Refusal("root", "alice", UNLISTED)),
    "the person's own name": ("A3", Refusal("alice", "alice", UNLISTED)),
    "an unknown user": ("A10", Refusal("nobody-of-that-name", "alice", UNLISTED)),
    "a key from elsewhere than its network": ("A11", Refusal("akeneo", "dave")),
    "an expired key": ("A12", Refusal("akeneo", "carol")),
    "alice on akeneosftp": ("A13", Refusal("akeneosftp", "alice", "publickey,password")),
    "alice on akeneosftp2": ("A13", Refusal("akeneosftp2", "alice")),
    "alice on auditor": ("A13", Refusal("auditor", "alice")),
    "the ERP's key on akeneo": ("A13", Refusal("akeneo", "erp")),
    "the ERP's key on auditor": ("A13", Refusal("auditor", "erp")),
}


@pytest.mark.promise("A10")
@pytest.mark.parametrize(
    "refusal", [pytest.param(case, id=name, marks=pytest.mark.promise(row)) for name, (row, case) in REFUSED.items()]
)
def test_a_wrong_key_is_refused(logins: Logins, stranger: Path, refusal: Refusal) -> None:
    key = stranger if refusal.key == "stranger" else CREDENTIALS / refusal.key
    login = Login(logins.address, refusal.user, key=key)
    assert ssh(login, "--", "true") == refused(login, refusal.methods)


@pytest.mark.promise("A10")
def test_the_log_tells_refusals_apart(host: Host, logins: Logins, stranger: Path) -> None:
    for user, key in [("akeneo", stranger), ("akeneo", CREDENTIALS / "dave"), ("nobody-of-that-name", stranger)]:
        ssh(Login(logins.address, user, key=key), "--", "true")
    ssh(logins.key("akeneo", "carol"), "--", "true")
    said = log(host)
    assert "correct key but not from a permitted host" in said  # dave
    assert f"Failed publickey for akeneo from {_here(logins)}" in said
    assert fingerprint("carol") in said
    assert "Invalid user nobody-of-that-name" in said


def _here(logins: Logins) -> str:
    """This machine's address as the host sees it."""
    return ssh(logins.alice, "--", "echo ${SSH_CLIENT%% *}").text.strip()


@pytest.mark.promise("A2")
def test_no_password_opens_akeneo(logins: Logins) -> None:
    login = logins.password("akeneo")
    assert ssh(login, "--", "true") == refused(login)


@pytest.mark.promise("A2")
def test_akeneo_is_not_asked_for_a_password(logins: Logins) -> None:
    login = Login(logins.address, "akeneo")
    assert ssh(login, "-T", "-oPreferredAuthentications=none") == refused(login)


@pytest.fixture(scope="module")
def visitor(host: Host, stranger: Path) -> t.Iterator[str]:
    """A user that is no account, with a key in the home."""
    host.check_output("useradd --create-home --shell /bin/bash visitor && install -d -o visitor -m 0700 ~visitor/.ssh")
    key = Path(f"{stranger}.pub").read_text()
    host.check_output("echo %s > ~visitor/.ssh/authorized_keys && chown -R visitor: ~visitor/.ssh", key)
    yield "visitor"
    host.check_output("userdel --remove visitor")


@pytest.mark.promise("A3")
def test_who_is_not_listed_is_refused_whatever_the_key(
    host: Host, logins: Logins, stranger: Path, visitor: str
) -> None:
    login = Login(logins.address, visitor, key=stranger)
    assert ssh(login, "--", "true") == refused(login, UNLISTED)
    host.check_output("gpasswd --add %s sallyport", visitor)  # nothing else was in the way
    assert ssh(login, "--", "true").ok
    host.check_output("gpasswd --delete %s sallyport", visitor)


@pytest.mark.promise("A3")
def test_the_admin_still_gets_in(host: Host) -> None:
    assert host.run("id --user").stdout == "0\n"


@pytest.mark.promise("A4")
def test_akeneo_is_in_no_group_with_power(logins: Logins) -> None:
    groups = set(ssh(logins.alice, "--", "id --name --groups").text.split())
    assert {"akeneo", "pim-transfer"} <= groups
    assert {name for name in groups if not name.startswith("sallyport")} == {"akeneo", "pim-transfer"}


@pytest.mark.promise("A4")
@pytest.mark.parametrize(
    "command",
    [
        "cat /etc/shadow",
        "touch /etc/made-by-akeneo",
        "systemctl --no-ask-password restart ssh",
        "cat /etc/ssh/ssh_host_ed25519_key",
        "ls /var/lib/sallyport",
        "echo >> /etc/ssh/authorized_keys.d/akeneo",
        "echo >> /usr/local/libexec/sallyport/partners_mysql",
        "ls /srv/sftp/akeneosftp/pim",
    ],
)
def test_akeneo_may_not(logins: Logins, command: str) -> None:
    answer = ssh(logins.alice, "--", command)
    assert not answer.ok
    assert any(word in answer.text for word in ("denied", "authentication required", "not permitted"))


@pytest.mark.promise("A4")
@pytest.mark.promise("A23")
@pytest.mark.parametrize("command", ["id", "-u akeneosftp id", "apt-get --version", "-s", "su", "-e /etc/passwd"])
def test_sudo_gives_akeneo_nothing_else(logins: Logins, command: str) -> None:
    answer = ssh(logins.alice, "--", f"sudo -n {command}")
    assert (answer.code, "a password is required" in answer.text) == (1, True), answer


@pytest.mark.promise("A23")
def test_akeneo_installs_no_packages(logins: Logins) -> None:
    answer = ssh(logins.alice, "--", "apt-get --assume-yes install hello")
    assert not answer.ok
    assert "are you root?" in answer.text


@pytest.mark.promise("A8")
def test_akeneo_reads_no_log_of_other_services(host: Host, logins: Logins) -> None:
    assert host.run("journalctl --quiet --unit=ssh --lines=1").stdout
    assert ssh(logins.alice, "--", "journalctl --quiet --unit=ssh --lines=1").text == ""


@pytest.mark.promise("A9")
def test_an_agent_is_forwarded_if_asked(logins: Logins, agents: dict[str, str]) -> None:
    answer = ssh(logins.alice_with(agents["alice"]), "--", "ssh-add -l")
    assert answer.ok
    assert fingerprint("alice") in answer.text


@pytest.mark.promise("A9")
def test_no_agent_is_forwarded_unasked(logins: Logins) -> None:
    assert ssh(logins.alice, "--", 'echo "$SSH_AUTH_SOCK"') == Answer(0, "\n")


@pytest.mark.promise("A22")
def test_a_forwarded_agent_opens_the_next_host(logins: Logins, agents: dict[str, str]) -> None:
    copy = f"echo content > from; scp -q {INSIDE} from akeneo@{logins.address}:to && cat to"
    command = f"{copy}; code=$?; rm -f from to; exit $code"
    assert ssh(logins.alice_with(agents["alice"]), "--", command) == Answer(0, "content\n")
    assert not ssh(logins.alice, "--", command).ok


@pytest.mark.promise("A11")
@pytest.mark.parametrize(("source", "code"), [("127.0.0.7", 0), ("127.0.0.8", 255)])
def test_a_key_opens_akeneo_from_its_network_alone(
    logins: Logins, agents: dict[str, str], source: str, code: int
) -> None:
    command = f"ssh {INSIDE} -b {source} akeneo@127.0.0.1 whoami"
    answer = ssh(logins.alice_with(agents["dave"]), "--", command)
    expected = "akeneo\n" if code == 0 else "akeneo@127.0.0.1: Permission denied (publickey).\n"
    assert answer == Answer(code, expected)


@pytest.fixture(scope="module")
def typist(host: Host, logins: Logins) -> t.Iterator[str]:
    """On the host, a program that answers every question with the password of akeneosftp."""
    script = f"#!/bin/sh\necho '{logins.akeneosftp.password}'\n"
    host.check_output("printf %%s %s > /root/typist && chmod 0700 /root/typist", script)
    yield "/root/typist"
    host.check_output("rm /root/typist")


@pytest.mark.promise("A11")
@pytest.mark.parametrize("network", ["customers", "elsewhere"])
def test_the_password_opens_akeneosftp_from_the_customers_networks_alone(
    host: Host, logins: Logins, typist: str, network: str
) -> None:
    """The host comes from the address at which it is asked to reach itself."""
    address = logins.address if network == "customers" else "127.0.0.1"
    command = f"SSH_ASKPASS={typist} SSH_ASKPASS_REQUIRE=force sftp -oBatchMode=no {INSIDE} -b /dev/null"
    answer = host.run(f"{command} akeneosftp@{address} || exit 1")
    if network == "customers":
        assert answer.succeeded
    else:
        assert "Permission denied (publickey)" in answer.stderr


@pytest.mark.promise("A4")
@pytest.mark.parametrize("destination", ["127.0.0.1:22", "localhost:22", "[::1]:22"])
def test_akeneo_reaches_nothing_through_the_host(logins: Logins, destination: str) -> None:
    answer = ssh(logins.alice, "-W", destination)
    assert answer.code == 255
    assert "stdio forwarding failed" in answer.text


@pytest.mark.promise("A4")
def test_akeneo_opens_no_port_on_the_host(logins: Logins) -> None:
    answer = ssh(logins.alice, "-N", "-oExitOnForwardFailure=yes", "-R", "9998:127.0.0.1:22")
    assert answer == Answer(255, "Error: remote port forwarding failed for listen port 9998\n")


@pytest.mark.promise("A12")
@pytest.mark.promise("A25")
def test_the_host_records_what_each_access_was_granted_for(host: Host) -> None:
    record = json.loads(host.file("/var/lib/sallyport/record.json").content_string)
    notes = {name: account["note"].split()[0].rstrip(",") for name, account in record["accounts"].items()}
    assert notes == {
        "akeneo": "CLOUD-101",
        "akeneosftp": "CLOUD-202",
        "akeneosftp2": "CLOUD-203",
        "auditor": "CLOUD-204",
    }
