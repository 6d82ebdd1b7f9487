# SPDX-License-Identifier: GPL-3.0-or-later
"""Jails: root's tree, a mount point for every grant, the account's own folders, and what sshd would refuse."""

from __future__ import annotations

import dataclasses
import stat
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Grant, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import jails
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Made, Record
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory, Group, State, User, of


def directory(mode: int = 0o755, uid: int = 0) -> PathStat:
    return PathStat(stat.S_IFDIR | mode, uid, uid)


HOST = Host(paths={"/": directory(), "/srv": directory()})
KNOWN = of(User("erp", 6400, 6401, "/", ""), Group("partners", 6401))
GRANTS = (
    Grant("/in/pim", folder="pim"),
    Grant("/upload", private=True),
    Grant("/in/pim/secret", hidden=True),
)


def model(**account: t.Any) -> Model:
    return Model(Server("host"), accounts=(Account("erp", **{"kind": "sftp", "grants": GRANTS[1:2], **account}),))


def test_a_jail_is_roots_but_for_the_private_folders() -> None:
    folderless = (dataclasses.replace(GRANTS[0], folder=None, source="/nowhere"), *GRANTS[1:])
    want = jails.desired(model(grants=folderless), HOST, KNOWN)
    assert want.directories == {
        "/srv/sftp": Directory("/srv/sftp", 0o755),
        "/srv/sftp/erp": Directory("/srv/sftp/erp", 0o755),
        "/srv/sftp/erp/in": Directory("/srv/sftp/erp/in", 0o755),
        "/srv/sftp/erp/in/pim": Directory("/srv/sftp/erp/in/pim", 0o755),
        "/srv/sftp/erp/upload": Directory("/srv/sftp/erp/upload", 0o700, "erp", "partners"),
    }


@pytest.mark.parametrize(
    ("account", "has_jail"),
    [
        pytest.param({}, True, id="present"),
        pytest.param({"state": "suspended"}, True, id="suspended keeps it"),
        pytest.param({"state": "absent"}, False, id="absent"),
        pytest.param({"kind": "shell"}, False, id="shell"),
        pytest.param({"kind": "tunnel"}, False, id="tunnel"),
    ],
)
def test_who_has_a_jail(account: dict[str, t.Any], has_jail: bool) -> None:
    assert ("/srv/sftp/erp" in jails.desired(model(**account), HOST, KNOWN).directories) is has_jail


def problems(paths: dict[str, PathStat], made: frozenset[str] = frozenset()) -> list[str]:
    host = Host(paths={**HOST.paths, **paths}, record=Record(made={"jails": Made(directories=made)}))
    return jails.problems(model(), host, KNOWN)


def test_what_sshd_would_refuse_is_told_once_for_all_jails() -> None:
    two = Model(Server("host"), accounts=(Account("a", "sftp"), Account("b", "sftp")))
    host = Host(paths={"/": directory(), "/srv": directory(0o775)})
    (problem,) = jails.problems(two, host, KNOWN)
    assert problem.startswith("access_server.jails: /srv has mode 0775")
    assert "chmod go-w /srv" in problem


def test_what_is_ours_is_put_right_and_no_problem() -> None:
    bent = {"/srv/sftp": directory(0o777, 1000), "/srv/sftp/erp": directory(0o777, 1000)}
    assert problems(bent, made=frozenset(bent)) == []
    assert len(problems(bent)) == 4


def test_a_link_is_a_problem_even_in_the_place_of_something_ours() -> None:
    link = {"/srv/sftp": PathStat(stat.S_IFLNK | 0o777, 0, 0)}
    assert "/srv/sftp is a link" in problems(link, made=frozenset(link))[0]


def test_a_file_in_the_place_of_a_mount_point_is_a_problem() -> None:
    (problem,) = problems({"/srv/sftp/erp/upload": PathStat(stat.S_IFREG | 0o644, 0, 0)})
    assert problem.startswith("access_accounts: erp: /upload: /srv/sftp/erp/upload is no directory")


def test_all_that_the_rules_look_at_is_asked_for() -> None:
    assert jails.paths_needed(model()) == ["/srv/sftp/erp", "/srv/sftp/erp/upload"]


def test_a_private_folder_that_a_removed_account_left_is_not_given_to_another_one() -> None:
    left = {"/srv/sftp/acme/upload": PathStat(stat.S_IFDIR | 0o700, 6400, 6400)}
    wanted = Model(Server("host"), accounts=(Account("acme", "sftp", grants=(Grant("/upload", private=True),)),))
    host = Host(record=Record(tombstones=frozenset({6400})), paths=left)
    (problem,) = jails.problems(wanted, host, State())
    assert problem.startswith("access_accounts: acme: /upload: /srv/sftp/acme/upload holds what a removed account left")
    assert jails.problems(wanted, Host(paths=left), State()) == []
