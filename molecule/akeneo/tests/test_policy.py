# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host itself says: sshd about every kind of account, the kernel about mounts, a dry run about all of it."""

from __future__ import annotations

import re

import pytest
from conftest import CREDENTIALS, FOLDER, Provision
from testinfra.host import Host

NO_FORWARDING = {
    "allowtcpforwarding": "no",
    "allowstreamlocalforwarding": "no",
    "x11forwarding": "no",
    "permittunnel": "no",
    "gatewayports": "no",
    "permituserrc": "no",
}

JAILED = {
    **NO_FORWARDING,
    "allowagentforwarding": "no",
    "disableforwarding": "yes",
    "permittty": "no",
    "chrootdirectory": "/srv/sftp/%u",
    "authorizedkeysfile": "/etc/ssh/authorized_keys.d/%u",
}

KEY_ALONE = {"pubkeyauthentication": "yes", "passwordauthentication": "no", "authenticationmethods": "publickey"}

POLICIES = {
    "akeneo": {
        **NO_FORWARDING,
        **KEY_ALONE,
        "allowagentforwarding": "yes",
        "permittty": "yes",
        "forcecommand": "none",
        "chrootdirectory": "none",
        "authorizedkeysfile": "/etc/ssh/authorized_keys.d/%u",
    },
    "akeneosftp": {**JAILED, "passwordauthentication": "yes", "authenticationmethods": "publickey password"},
    "akeneosftp2": {**JAILED, **KEY_ALONE},
    "auditor": {**JAILED, **KEY_ALONE},
}


def policy(host: Host, user: str, address: str) -> dict[str, str]:
    shown = host.check_output("/usr/sbin/sshd -T -C user=%s,host=%s,addr=%s", user, address, address)
    lines = [line.partition(" ") for line in shown.splitlines()]
    # the first word is in mixed case from OpenSSH 10.5 on
    return {name.lower(): value for name, _, value in reversed(lines)}


@pytest.mark.parametrize("user", POLICIES)
def test_sshd_means_what_was_promised(host: Host, user: str) -> None:
    shown = policy(host, user, "10.1.2.3")
    assert {name: shown[name] for name in POLICIES[user]} == POLICIES[user]


@pytest.mark.parametrize(("user", "arguments"), [("akeneosftp", set()), ("akeneosftp2", set()), ("auditor", {"-R"})])
def test_sshd_gives_jailed_accounts_its_own_sftp(host: Host, user: str, arguments: set[str]) -> None:
    program, *given = policy(host, user, "10.1.2.3")["forcecommand"].split()
    assert program == "internal-sftp"
    assert arguments <= set(given)
    assert len(given) <= 8  # sshd drops what comes after


@pytest.mark.promise("A11")
def test_the_password_is_for_the_customers_networks(host: Host) -> None:
    elsewhere = policy(host, "akeneosftp", "203.0.113.9")
    assert elsewhere["passwordauthentication"] == "no" or elsewhere["authenticationmethods"] == "publickey"


def test_nobody_else_gets_in(host: Host) -> None:
    shown = policy(host, "nobody-of-that-name", "10.1.2.3")
    assert shown["allowgroups"] == "sallyport"
    members = set(host.check_output("getent group sallyport").split(":")[3].split(","))
    assert members == {"deploy", *POLICIES}


@pytest.mark.parametrize("account", ["akeneosftp", "akeneosftp2", "auditor"])
def test_nothing_in_a_jail_runs_or_gives_rights(host: Host, account: str) -> None:
    found = host.check_output("findmnt --noheadings --output OPTIONS --target %s", f"/srv/sftp/{account}/pim")
    options = set(found.split(","))
    assert {"nosuid", "nodev", "noexec"} <= options
    assert ("ro" in options) is (account == "auditor")


def test_the_folder_is_the_applications(host: Host) -> None:
    folder = host.file(FOLDER)
    assert (folder.user, folder.group, folder.mode) == ("akeneo", "pim-transfer", 0o2770)


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/etc/ssh/authorized_keys.d/akeneo", 0o644),
        ("/etc/ssh/sshd_config.d/00-sallyport.conf", 0o644),
        ("/etc/sudoers.d/sallyport-tasks", 0o440),
        ("/usr/local/libexec/sallyport/partners_mysql", 0o755),
        ("/var/lib/sallyport", 0o700),
    ],
)
def test_what_decides_is_roots(host: Host, path: str, mode: int) -> None:
    file = host.file(path)
    assert (file.user, file.group, file.mode) == ("root", "root", mode)


def test_nobody_but_akeneosftp_has_a_password(host: Host) -> None:
    shadow = dict(line.split(":")[:2] for line in host.check_output("getent shadow").splitlines())
    assert {name: shadow[name] for name in POLICIES} == {
        "akeneo": "*",
        "akeneosftp": (CREDENTIALS / "akeneosftp.hash").read_text(),
        "akeneosftp2": "*",
        "auditor": "*",
    }


def test_a_dry_run_finds_nothing_to_change(provision: Provision) -> None:
    recap = re.findall(r"ok=(\d+) +changed=(\d+) +unreachable=0 +failed=0", provision("--check", "--diff"))
    assert recap
    assert {changed for _, changed in recap} == {"0"}
