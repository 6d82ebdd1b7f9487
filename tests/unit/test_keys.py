# SPDX-License-Identifier: GPL-3.0-or-later
"""Key files as sshd reads them."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Key
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import keys

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIJ/j2Ye5gJ2nYsYb8Z0m1m0Z3F1u0b0b0b0b0b0b0b0b"
PLAIN = Key("ssh-ed25519", BLOB, "alice", "laptop")
NEW = 1_798_675_200  # 2026-12-31T00:00:00Z
OLD = 1_767_139_200  # 2025-12-31T00:00:00Z


@pytest.mark.parametrize(
    ("key", "account", "options"),
    [
        pytest.param(PLAIN, Account("a", "sftp"), "", id="no limit"),
        pytest.param(
            Key("ssh-ed25519", BLOB, "alice", "laptop", expires=NEW),
            Account("a", "sftp"),
            'expiry-time="20261231000000Z" ',
            id="the key's expiry",
        ),
        pytest.param(
            Key("ssh-ed25519", BLOB, "alice", "laptop", expires=NEW),
            Account("a", "sftp", expires=OLD),
            'expiry-time="20251231000000Z" ',
            id="the account's earlier one",
        ),
        pytest.param(
            PLAIN, Account("a", "sftp", sources=("192.0.2.0/24",)), 'from="192.0.2.0/24" ', id="the account's sources"
        ),
        pytest.param(
            Key("ssh-ed25519", BLOB, "alice", "laptop", ("192.0.2.1", "2001:db8::/32"), NEW),
            Account("a", "sftp"),
            'from="192.0.2.1,2001:db8::/32",expiry-time="20261231000000Z" ',
            id="both",
        ),
    ],
)
def test_line(key: Key, account: Account, options: str) -> None:
    assert keys.line(key, account, (9, 2)) == f"{options}ssh-ed25519 {BLOB} alice/laptop"


def test_an_sshd_that_knows_no_utc_gets_the_time_of_its_own_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    try:
        line = keys.line(PLAIN, Account("a", "sftp", expires=NEW), (8, 4))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert line.startswith('expiry-time="20261231010000" ')


def test_no_file_without_keys_or_when_closed() -> None:
    assert keys.file_of(Account("a", "sftp"), (9, 2)) is None
    assert keys.file_of(Account("a", "sftp", keys=(PLAIN,), state="suspended"), (9, 2)) is None


def test_the_file_is_the_accounts_and_readable_by_it_as_sshd_demands() -> None:
    file = keys.file_of(Account("a", "sftp", keys=(PLAIN,)), (9, 2))
    assert file is not None
    assert (file.path, file.mode, file.owner) == (layout.keys_file("a"), 0o644, "root")


def test_ssh_keygen_reads_every_key_of_the_file(tmp_path: Path) -> None:
    keygen = shutil.which("ssh-keygen")
    assert keygen, "install openssh-client"
    made = []
    for name in ("laptop", "erp"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
        kind, blob = (tmp_path / f"{name}.pub").read_text().split()[:2]
        made.append(Key(kind, blob, "alice", name, ("192.0.2.0/24",), NEW))
    file = keys.file_of(Account("a", "sftp", keys=tuple(made)), (9, 2))
    assert file is not None
    (tmp_path / "a").write_text(file.content)
    listed = subprocess.run([keygen, "-lf", str(tmp_path / "a")], check=True, capture_output=True, text=True).stdout
    assert [line.split()[2] for line in listed.splitlines()] == ["alice/laptop", "alice/erp"]
