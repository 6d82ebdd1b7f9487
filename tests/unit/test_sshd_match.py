# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom Match lines of other files could single out."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd_match
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh.sshd_config import Setting
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, User

CLASSES = {"sftp": ["ann", "bea", "cem"], "shell": ["dan", "eva"]}
GROUPS = {"ann": {"ann"}, "bea": {"bea", "staff"}, "cem": {"cem", "staff"}, "dan": {"dan"}, "eva": {"eva"}}


@pytest.mark.parametrize(
    ("lines", "samples"),
    [
        ([], []),
        (["all"], []),
        (["Address 10.0.0.0/8"], []),
        (["User bea"], [("sftp", "ann"), ("sftp", "bea"), ("shell", "dan")]),
        (["Group staff"], [("sftp", "ann"), ("sftp", "bea"), ("shell", "dan")]),
        (["User b*,cem"], [("sftp", "ann"), ("sftp", "bea"), ("shell", "dan")]),
        (["User *,!eva"], [("sftp", "ann"), ("shell", "dan"), ("shell", "eva")]),
        (["User bea", "User cem"], [("sftp", "ann"), ("sftp", "bea"), ("sftp", "cem"), ("shell", "dan")]),
        (["Group staff User cem"], [("sftp", "ann"), ("sftp", "cem"), ("shell", "dan")]),
        (["user=eva address=10.1.1.1"], [("sftp", "ann"), ("shell", "dan"), ("shell", "eva")]),
    ],
    ids=str,
)
def test_one_account_of_every_set_of_lines_that_can_hold(
    lines: t.Sequence[str], samples: t.Sequence[t.Tuple[str, str]]
) -> None:
    assert sshd_match.representatives(lines, CLASSES, GROUPS) == samples


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Address 10.0.0.0/8,!10.1.0.0/16", ["10.0.0.0"]),
        ("Address 192.168.*", ["192.168.1.1"]),
        ("User x Address 2001:db8::/32", ["2001:db8::"]),
        ("Address *", ["1.1.1.1"]),
        ("Host *.example.com", []),
        ("LocalAddress 10.0.0.1", []),
    ],
)
def test_an_address_of_every_source(line: str, found: t.List[str]) -> None:
    assert sshd_match.addresses([line]) == found


def test_only_lines_of_other_files_count_and_once() -> None:
    settings = [
        Setting(layout.SSHD_DROP_IN, 1, "permittty", ("no",), "Group x"),
        Setting("/a", 2, "permittty", ("no",), "User a"),
        Setting("/a", 3, "banner", ("none",), "User a"),
        Setting("/a", 4, "banner", ("none",)),
    ]
    assert sshd_match.foreign(settings) == ["User a"]


def test_groups_of_all_users_at_once() -> None:
    users = {"a": User("a", 1, 10, "/", "/bin/sh"), "b": User("b", 2, 99, "/", "/bin/sh")}
    groups = {"own": Group("own", 10), "more": Group("more", 11, frozenset({"a", "b"}))}
    assert sshd_match.groups_by_user(users, groups) == {"a": {"own", "more"}, "b": {"more"}}
