# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a side sshd's configuration that differ from their originals."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.logins import side_config
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh.sshd_config import Setting

OURS = layout.SSHD_DROP_IN
FOREIGN = "/etc/ssh/sshd_config.d/50-foreign.conf"
KEYS = "/run/x/keys/%u"


@pytest.mark.parametrize("easy", [False, True], ids=["strict", "easy"])
@pytest.mark.parametrize(
    "line",
    [
        "",
        "# Port 22",
        "PermitRootLogin no",
        "Match User alice",
        "Match Group ops Address *,!10.0.0.0/8",
        "    PasswordAuthentication yes",
        "    ForceCommand internal-sftp -u0007",
        "AllowGroups sallyport",
        "DenyUsers alice@10.0.0.1",
        "AllowTcpForwarding no",
    ],
)
def test_most_lines_stay(line: str, easy: bool) -> None:
    assert side_config.edited(FOREIGN, line, KEYS, easy) == line


@pytest.mark.parametrize("line", ["Port 22", "  listenaddress=[::]:22", "LogLevel QUIET", "PerSourcePenalties max:1"])
def test_what_would_add_up_goes_and_keeps_its_line(line: str) -> None:
    assert side_config.edited(FOREIGN, line, KEYS, easy=False) == f"# {line}"


@pytest.mark.parametrize("path", [FOREIGN, OURS])
@pytest.mark.parametrize(
    ("line", "edited"),
    [
        ("AuthorizedKeysFile .ssh/authorized_keys", f"AuthorizedKeysFile .ssh/authorized_keys {KEYS}"),
        ("    AuthorizedKeysFile /a /b # both", f"AuthorizedKeysFile /a /b {KEYS}"),
        ("AuthorizedKeysFile none", f"AuthorizedKeysFile {KEYS}"),
        ('AuthorizedKeysFile "/with space/%u"', f'AuthorizedKeysFile "/with space/%u" {KEYS}'),
        ("AllowUsers alice@10.0.0.1 bob", "AllowUsers alice@10.0.0.1 bob alice@127.0.0.1"),
        ("AllowUsers !alice@10.0.0.1", "AllowUsers !alice@10.0.0.1"),
    ],
)
def test_what_is_changed_in_both_faces(path: str, line: str, edited: str) -> None:
    assert side_config.edited(path, line, KEYS, easy=False) == edited


@pytest.mark.parametrize("easy", [False, True], ids=["strict", "easy"])
def test_we_come_from_one_of_the_sources_of_our_own_accounts(easy: bool) -> None:
    line = "Match Group sallyport-sftp-1234abcd Address *,!10.0.0.0/8,!2001:db8::/32"
    assert side_config.edited(OURS, line, KEYS, easy) == line + ",!127.0.0.1"


@pytest.mark.parametrize(
    ("path", "line", "edited"),
    [
        (OURS, "    AuthenticationMethods publickey,password", "AuthenticationMethods publickey"),
        (FOREIGN, "AuthenticationMethods password", "AuthenticationMethods publickey"),
        (FOREIGN, "PubkeyAuthentication no", "PubkeyAuthentication yes"),
        (OURS, "    PubkeyAuthentication no", "    PubkeyAuthentication no"),
        (OURS, "    AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u .ssh/keys", f"AuthorizedKeysFile {KEYS}"),
    ],
    ids=["our methods", "foreign methods", "keys are off", "who is closed stays closed", "no other key opens"],
)
def test_the_easy_face_wants_the_key_and_no_more(path: str, line: str, edited: str) -> None:
    assert side_config.edited(path, line, KEYS, easy=True) == edited
    assert side_config.edited(path, line, KEYS, easy=False) != edited or line == edited


@pytest.mark.parametrize(
    ("settings", "version", "has", "has_not"),
    [
        ((), (8, 4), "AuthorizedKeysFile=.ssh/authorized_keys .ssh/authorized_keys2 " + KEYS, "PerSourcePenalties=no"),
        ((Setting("f", 1, "authorizedkeysfile", ("/a",)),), (9, 8), "PerSourcePenalties=no", "AuthorizedKeysFile="),
        ((Setting("f", 1, "authorizedkeysfile", ("/a",), "all"),), (9, 8), "AuthorizedKeysFile=.ssh", "nothing"),
    ],
    ids=["no file named, old", "a file named, new", "a file named below a Match"],
)
def test_what_holds_for_everybody_is_overruled(
    settings: t.Sequence[Setting], version: t.Tuple[int, int], has: str, has_not: str
) -> None:
    options = side_config.overruling(settings, 4711, KEYS, version)[1::2]
    assert "ListenAddress=127.0.0.1:4711" in options
    assert any(option.startswith(has) for option in options)
    assert not any(option.startswith(has_not) for option in options)


@pytest.mark.parametrize(
    ("lists", "kind"),
    [
        ([], "ed25519"),
        (["ssh-ed25519,rsa-sha2-512"], "ed25519"),
        (["rsa-sha2-*"], "rsa"),
        (["+ssh-rsa"], "ed25519"),
        (["-ssh-ed25519*"], "ecdsa"),
        (["ssh-ed25519,rsa-sha2-512", "rsa-sha2-512,ecdsa-*"], "rsa"),
        (["sk-ssh-ed25519@openssh.com"], None),
    ],
    ids=["any", "listed", "a pattern", "one more", "one less", "in both", "none"],
)
def test_a_key_of_a_type_that_is_accepted_everywhere(lists: t.Sequence[str], kind: t.Optional[str]) -> None:
    settings = [Setting("f", 1, "pubkeyacceptedalgorithms", (text,)) for text in lists]
    assert side_config.key_type(settings) == kind


def test_host_keys_are_those_of_the_configuration() -> None:
    assert side_config.host_keys([Setting("f", 1, "hostkey", ("/k",)), Setting("f", 2, "port", ("1",))]) == ("/k",)
    assert "/etc/ssh/ssh_host_ed25519_key" in side_config.host_keys([])
