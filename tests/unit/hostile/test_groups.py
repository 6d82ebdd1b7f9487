# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody becomes a member of a group of the system because a directory, or an account's own name, says so."""

from __future__ import annotations

import stat
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Grant, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import accounts, folders
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns.privileged import PRIVILEGED_GROUPS
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, User, of

APP = User("app", 1001, 1001, "/home/app", "/bin/sh")
SERVER = Server("host", admins=("deploy",))


def problems(group: str, gid: int, sharing: str, rights: str = "read_write") -> t.List[str]:
    """What a host says of a source that belongs to a group."""
    grant = Grant("/x", rights, source="/data/x", sharing=sharing)
    model = Model(SERVER, accounts=(Account("acme", "sftp", grants=(grant,)),))
    paths = {
        "/": PathStat(stat.S_IFDIR | 0o755, 0, 0),
        "/data": PathStat(stat.S_IFDIR | 0o755, 0, 0),
        "/data/x": PathStat(stat.S_IFDIR | 0o2770, 1001, gid),
    }
    host = Host(of(APP, Group("app", 1001), Group(group, gid)), paths=paths)
    return [text for text in folders.problems(model, host, accounts.identify(model, host)) if "group" in text]


@pytest.mark.parametrize("group", ["docker", "sudo", "shadow", "disk"])
@pytest.mark.parametrize("rights", ["read_write", "read_only"])
def test_a_directory_of_a_privileged_group_is_not_shared_by_it(group: str, rights: str) -> None:
    (problem,) = problems(group, 990, "group", rights)
    assert f"access_accounts: acme: /x: source /data/x: its group is {group}, which gives its members more" in problem


def test_but_by_any_other_group() -> None:
    assert problems("pim-transfer", 2000, "group") == []


@pytest.mark.parametrize(("gid", "refused"), [(100, True), (999, True), (65534, True), (1000, False), (6400, False)])
def test_a_system_group_is_no_account_s_own(gid: int, refused: bool) -> None:
    model = Model(SERVER, accounts=(Account("acme", "tunnel"),))
    host = Host(of(Group("acme", gid)))
    found = accounts.problems(model, host, accounts.identify(model, host))
    assert [f"(gid {gid})" in text for text in found] == [True] * refused


def test_a_taken_over_user_keeps_the_group_that_it_has() -> None:
    model = Model(SERVER, accounts=(Account("acme", "tunnel", existing="manage"),))
    host = Host(of(User("acme", 1500, 100, "/home/acme", "/bin/sh"), Group("acme", 100)))
    assert accounts.problems(model, host, accounts.identify(model, host)) == []


def test_the_groups_that_make_root_of_anybody_are_known() -> None:
    assert {"root", "sudo", "docker", "wheel", "disk", "shadow", "lxd", "adm", "kmem"} <= PRIVILEGED_GROUPS
