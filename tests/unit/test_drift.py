# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has that nobody declared, and which key files sshd would not take."""

from __future__ import annotations

import os
import stat
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Grant, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import drift
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.beside import key_file_fault
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, User, of

ACCOUNTS = (
    Account("acme", "sftp", grants=(Grant("/own", private=True), Grant("/pim", folder="pim"))),
    Account("halted", "shell", "suspended"),
    Account("gone", "sftp", "absent"),
)
MODEL = Model(Server("host", admins=("deploy",)), accounts=ACCOUNTS)


def test_key_files_of_nobody() -> None:
    (problem,) = drift.undeclared_keys(["acme", "halted", "gone"], MODEL)
    assert problem.startswith("/etc/ssh/authorized_keys.d/gone: is the key file of no account: remove it")


@pytest.mark.parametrize(
    ("only_listed", "strangers"),
    [pytest.param(True, ["eve", "mallory"], id="only listed"), pytest.param(False, [], id="everybody may")],
)
def test_members_of_the_login_group(only_listed: bool, strangers: t.List[str]) -> None:
    model = Model(Server("host", admins=("deploy",), only_listed=only_listed), accounts=ACCOUNTS)
    present = of(
        Group("sallyport", 900, frozenset({"acme", "deploy", "mallory"})),
        User("eve", 1000, 900, "/", ""),  # by primary group
        User("acme", 1001, 1001, "/", ""),
    )
    found = drift.undeclared_members(model, present)
    assert [problem.split()[5].rstrip(",") for problem in found] == strangers


def test_mounts_in_jails() -> None:
    targets = ["/", "/srv/sftp2/x", "/srv/sftp/acme/pim", "/srv/sftp/acme/own", "/srv/sftp/old/x"]
    found = drift.undeclared_mounts(targets, {"/srv/sftp/acme/pim"}, MODEL)
    assert [problem.partition(":")[0] for problem in found] == ["/srv/sftp/acme/own", "/srv/sftp/old/x"]


def test_what_is_a_user_s_in_a_jail() -> None:
    owners = {"/srv/sftp/acme": 0, "/srv/sftp/acme/own": 1001, "/srv/sftp/acme/x": 1001, "/srv/sftp/eve": 1000}
    found = drift.undeclared_owners(owners, MODEL, of(User("eve", 1000, 900, "/", "")))
    assert [problem.partition(",")[0] for problem in found] == [
        "/srv/sftp/acme/x: belongs to uid 1001",
        "/srv/sftp/eve: belongs to eve",
    ]


def status(mode: int, uid: int = 0, gid: int = 0) -> os.stat_result:
    kind = 0 if stat.S_IFMT(mode) else stat.S_IFDIR
    return os.stat_result((kind | mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


SOUND = {"/": status(0o755), "/keys": status(0o711), "/keys/acme": status(stat.S_IFREG | 0o644)}


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        pytest.param({}, None, id="root's, readable by all"),
        pytest.param({"/keys/acme": status(stat.S_IFREG | 0o640, 0, 6400)}, None, id="readable by its group"),
        pytest.param({"/keys/acme": status(stat.S_IFREG | 0o400, 6400)}, None, id="its own"),
        pytest.param({"/keys/acme": status(stat.S_IFREG | 0o600)}, "cannot read /keys/acme", id="root's alone"),
        pytest.param({"/keys/acme": status(stat.S_IFREG | 0o040, 6400)}, "cannot read", id="the owner's bits count"),
        pytest.param({"/keys": status(0o700)}, "cannot pass /keys", id="a closed directory"),
        pytest.param({"/keys": status(0o775)}, "others than its owner can write /keys", id="a directory of the group"),
        pytest.param({"/keys/acme": status(stat.S_IFREG | 0o646)}, "can write /keys/acme", id="everybody's"),
        pytest.param({"/keys": status(0o755, 1000)}, "/keys belongs to uid 1000", id="somebody else's directory"),
        pytest.param({"/keys/acme": status(stat.S_IFDIR | 0o755)}, "is no file", id="a directory in its place"),
        pytest.param({"/keys/acme": None}, "/keys/acme is not there", id="missing"),
    ],
)
def test_which_key_file_sshd_takes(changed: t.Dict[str, t.Optional[os.stat_result]], fault: t.Optional[str]) -> None:
    def stat_of(path: str) -> os.stat_result:
        found = {**SOUND, **changed}[path]
        if found is None:
            raise FileNotFoundError(path)
        return found

    said = key_file_fault("/keys/acme", 6400, [6400], stat_of)
    assert said == fault if fault is None else fault in (said or "")
