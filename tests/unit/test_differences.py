# SPDX-License-Identifier: GPL-3.0-or-later
"""The diff that a person reads."""

from __future__ import annotations

from ansible_collections.sallyport.ssh.plugins.module_utils.differences import before_and_after
from ansible_collections.sallyport.ssh.plugins.module_utils.plan import diff
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory, File, Group, State, User, of

ALICE = User("alice", 6400, 6400, "/", "/bin/sh", password="$6$old")
NEW = User("alice", 6400, 6400, "/", "/bin/sh", password="$6$new")


def test_only_what_changes_is_shown() -> None:
    have = of(File("/a", "one\n"), File("/b", "same\n"))
    want = of(File("/a", "two\n"), File("/b", "same\n"), Directory("/c", 0o2770, "app", "pim"))
    before, after = before_and_after(diff(have, want))
    assert before == "file /a\n    mode 0644, owner root, group root\n    | one\n"
    assert after == (
        "directory /c\n    mode 2770, owner app, group pim\nfile /a\n    mode 0644, owner root, group root\n    | two\n"
    )


def test_a_new_password_is_seen_and_not_shown() -> None:
    before, after = before_and_after(diff(of(ALICE), of(NEW)))
    assert before != after
    assert "$6$" not in before + after


def test_a_new_user_is_one_block_with_its_password_set() -> None:
    before, after = before_and_after(diff(State(), of(NEW)))
    assert before == ""
    assert after.count("user alice") == 1
    assert "password: set" in after


def test_of_a_group_only_the_members_that_come_and_go_are_shown() -> None:
    many = frozenset(f"user{number}" for number in range(1000))
    before, after = before_and_after(diff(of(Group("g", 7, many)), of(Group("g", 7, many | {"new"}))))
    assert before == "group g\n    gid 7\n"
    assert after == "group g\n    gid 7\n    member new\n"
