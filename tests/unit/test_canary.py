# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary, with the real sshd on trees below a temporary root, and with connections that are made up."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import subprocess
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.logins import side
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns.sshd_settings import PolicyClass
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import canary
from ansible_collections.sallyport.ssh.plugins.module_utils.system.processes import Outcome

VERSION = sshd.version()
needs_sshd = pytest.mark.skipif(VERSION == (0, 0) or os.geteuid() != 0, reason="needs sshd, and root to run it")

MAIN, OURS = layout.SSHD_CONFIG, layout.SSHD_DROP_IN
KEYS = {"pubkeyauthentication": ["yes"], "authenticationmethods": ["any"]}
NOW = 1_800_000_000


# Who is asked


def account(name: str, expires: t.Optional[int] = None) -> Account:
    return Account(name, "sftp", expires=expires)


@pytest.mark.parametrize(
    ("accounts", "sample"),
    [
        ([account("a"), account("b")], "a"),
        ([account("a", NOW - 1), account("b")], "b"),
        ([account("a", NOW + 30), account("b", NOW + 3600)], "b"),
        ([account("a", NOW - 1)], None),
    ],
    ids=["the first", "has expired", "is about to expire", "all have expired"],
)
def test_the_sample_of_a_class(accounts: t.List[Account], sample: t.Optional[str]) -> None:
    found = canary.sample({PolicyClass("sftp"): accounts}, NOW)
    assert [each.name for each in found.values()] == ([] if sample is None else [sample])


@pytest.mark.parametrize(
    ("methods", "pubkey", "takes"),
    [
        ("any", "yes", True),
        ("any", "no", False),
        ("publickey", "yes", True),
        ("publickey,password", "yes", True),
        ("password publickey,password", "yes", True),
        ("password,publickey", "yes", False),
        ("keyboard-interactive", "yes", False),
    ],
)
def test_whether_a_key_is_taken_first(methods: str, pubkey: str, takes: bool) -> None:
    assert canary.takes_keys({"authenticationmethods": [methods], "pubkeyauthentication": [pubkey]}) is takes


# What is wrong


class Host:
    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        key = root / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        self.main = f"Include sshd_config.d/*.conf\nHostKey {key}\nUsePAM yes\nSubsystem sftp internal-sftp\n"

    def problems(self, drop_in: str, samples: canary.Samples) -> t.List[str]:
        changes = {MAIN: self.main + "PermitRootLogin yes\n", OURS: drop_in}
        return canary.problems(changes, samples, VERSION, str(self.root))


@pytest.fixture(name="host", scope="session")
def host_with_a_key(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return Host(tmp_path_factory.mktemp("host"))


ADMIN = canary.Samples({"root": KEYS}, {})
SFTP = canary.Samples({}, {PolicyClass("sftp"): Account("root", "sftp")})
SHELL = canary.Samples({}, {PolicyClass("shell"): Account("root", "shell")})
TUNNEL = canary.Samples({}, {PolicyClass("tunnel"): Account("root", "tunnel")})
TWOFOLD = canary.Samples({}, {PolicyClass("shell", second_factor="password"): Account("root", "shell")})
CLOSED = canary.Samples({}, {PolicyClass("closed"): Account("root", "sftp", state="suspended")})
UNLISTED = canary.Samples({}, {}, unlisted="root")
WANTS_PASSWORD = "Match User root\nPasswordAuthentication yes\nAuthenticationMethods publickey,password\n"
MANY = "".join(f"Match User u{number:09}\nPermitTTY no\nX11Forwarding no\nPermitTTY no\n" for number in range(8000))


@needs_sshd
@pytest.mark.parametrize(
    ("drop_in", "samples"),
    [
        ("", ADMIN),
        (WANTS_PASSWORD, ADMIN),
        ("AllowUsers root@192.0.2.1\n", ADMIN),
        ("", SFTP),
        ("ForceCommand internal-sftp -R -u0007\n", SFTP),
        ("", SHELL),
        ("ForceCommand echo no; exit 1\n", TUNNEL),
        (WANTS_PASSWORD, TWOFOLD),
        ("PubkeyAuthentication no\n", CLOSED),
        ("DenyUsers root\n", CLOSED),
        ("AllowGroups sallyport\n", UNLISTED),
    ],
    ids=[
        "admin",
        "admin with a password as well",
        "admin from another address",
        "sftp",
        "sftp forced",
        "shell",
        "tunnel",
        "second factor",
        "closed by its keys",
        "closed by its name",
        "unlisted",
    ],
)
def test_what_is_right(host: Host, drop_in: str, samples: canary.Samples) -> None:
    assert host.problems(drop_in, samples) == []


@needs_sshd
@pytest.mark.parametrize("methods", ["password", "password,publickey", "keyboard-interactive"])
def test_an_admin_without_keys_is_let_in_by_the_easy_face(host: Host, methods: str) -> None:
    samples = canary.Samples({"root": {**KEYS, "authenticationmethods": [methods]}}, {})
    settings = "PasswordAuthentication yes\nKbdInteractiveAuthentication yes\n"
    assert host.problems(f"Match User root\n{settings}AuthenticationMethods {methods}\n", samples) == []
    (problem,) = host.problems(f"DenyUsers root\nMatch User root\n{settings}AuthenticationMethods {methods}\n", samples)
    assert "DenyUsers" in problem


@needs_sshd
@pytest.mark.parametrize(
    ("drop_in", "samples", "said", "remedy"),
    [
        ("DenyUsers root\n", ADMIN, "'root': .* a login is refused: User root not allowed", "leave it out"),
        ("AllowGroups sallyport\n", ADMIN, "none of user's groups are listed", "AllowGroups line"),
        ("Match User root\nAllowUsers ops\n", ADMIN, "not listed in AllowUsers", "AllowUsers line"),
        ("PermitRootLogin no\n", ADMIN, "ROOT LOGIN REFUSED", "access_server.admins"),
        ("Match User root\nAuthenticationMethods hostbased\n", ADMIN, "No AuthenticationMethods left", "what is on"),
        ("Match User root\nPubkeyAuthentication no\n", ADMIN, "a login is refused", ""),
        ("Match User root\nForceCommand /bin/false\n", ADMIN, "cannot run a command: it ended with 1", ""),
        ("Match User root\nForceCommand internal-sftp -Z -u 999\n", SFTP, "internal-sftp -Z -u 999", "ForceCommand"),
        ("Match User root\nForceCommand /bin/false\n", SFTP, "SFTP does not work", ""),
        ("Match User root\nChrootDirectory /tmp\n", SFTP, "bad ownership or modes for chroot", "jail's path"),
        ("Match User root\nChrootDirectory /there/is/none\n", SFTP, "/there", "jail's path"),
        ("DenyUsers root\n", SHELL, "access_accounts: root .* a login is refused", "leave it out"),
        ("Match User root\nChrootDirectory /there/is/none\n", SHELL, "cannot run a command: .*/there", "jail's path"),
        ("", TUNNEL, "it may run commands", ""),
        ("", TWOFOLD, "the key alone let it in", ""),
        ("DenyUsers root\n", TWOFOLD, "a login is refused", "leave it out"),
        ("", CLOSED, "'root': is suspended, and gets in", "keep it out"),
        (WANTS_PASSWORD, CLOSED, "'root': is suspended, and its key is taken", "keep it out"),
        ("", UNLISTED, "'root': is not listed, and gets in", "keep it out"),
        ("Nonsense yes\n", ADMIN, f"sshd does not start with this configuration: {OURS}.*Nonsense", ""),
    ],
)
def test_what_is_wrong_is_said_with_sshd_s_reason(
    host: Host, drop_in: str, samples: canary.Samples, said: str, remedy: str
) -> None:
    (problem,) = host.problems(drop_in, samples)
    assert re.search(said, problem), problem
    assert remedy in problem


@needs_sshd
def test_a_configuration_that_sshd_cannot_hand_on(host: Host) -> None:
    """Before 9.8 only the main file is limited."""
    problems = host.problems(MANY, ADMIN)
    assert [text for text in problems if "256 KiB" in text] == problems
    assert len(problems) == (VERSION >= (9, 8))


@needs_sshd
def test_all_of_them_at_once(host: Host) -> None:
    samples = canary.Samples({"root": KEYS}, {**SFTP.members, **SHELL.members}, unlisted="daemon")
    found = host.problems("DenyUsers root\n", samples)
    assert ["root" in text for text in found] == [True, True, True, False]
    assert "'daemon': is not listed, and gets in" in found[3]


# What a user can bring about


class Told:
    """A connection whose commands end as they are told to."""

    def __init__(self, code: int, said: str) -> None:
        self._code, self.said = code, lambda: said

    def run(self, _command: str, **_more: t.Any) -> Outcome:
        return Outcome(self._code, "", "")


class Running:
    def __init__(self, connection: Told) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def connect(self, _user: str, **_how: bool) -> t.Iterator[Told]:
        yield self._connection


@pytest.mark.parametrize(
    ("code", "said", "problems"),
    [
        (0, "", 0),
        (1, "", 0),
        (124, "", 0),
        (127, "", 0),
        (255, "", 0),
        (254, "PAM: pam_open_session(): Module is unknown", 1),
        (255, "safely_chroot: stat: No such file", 1),
    ],
    ids=["works", "exit 1", "sleeps", "no such command", "kills itself", "PAM would not", "sshd would not"],
)
def test_a_shell_user_s_start_files_do_not_count(code: int, said: str, problems: int) -> None:
    running = t.cast(side.Side, Running(Told(code, said)))
    assert len(canary._member(running, PolicyClass("shell"), Account("eve", "shell"))) == problems
