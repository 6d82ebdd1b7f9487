# SPDX-License-Identifier: GPL-3.0-or-later
"""Have and want as tables of resources, and the actions between them."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.plan import Step, could_lock_out, diff
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Made
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import (
    Directory,
    File,
    Group,
    Mount,
    State,
    User,
    of,
)

ALICE = User("alice", 6400, 6400, "/home/alice", "/bin/bash")
OPEN = User("alice", 6400, 6400, "/home/alice", "/bin/bash", password="$6$new")
JAIL = Directory("/srv/sftp/alice", 0o755)
FOLDER = Directory("/data/pim", 0o2770, "app", "app")
KEYS = File(layout.keys_file("alice"), "key\n")
POLICY = File(layout.SSHD_DROP_IN, "AllowGroups sallyport\n")
SUDOERS = File(layout.SUDOERS, "rules\n", 0o440)
MOUNT = Mount("/srv/sftp/alice/pim", "/data/pim", "none", ("bind",))
EVERYTHING = of(
    OPEN, Group("alice", 6400), Group("pim", 6401, frozenset({"alice"})), JAIL, KEYS, POLICY, SUDOERS, MOUNT
)


def texts(*arguments: object, **options: object) -> list[str]:
    return [str(action) for action in diff(*arguments, **options)]  # type: ignore[arg-type]


def test_a_state_needs_nothing_to_become_itself() -> None:
    assert diff(EVERYTHING, EVERYTHING) == []


@pytest.mark.parametrize(
    ("have", "want", "actions"),
    [
        pytest.param(State(), of(ALICE), ["create user alice (uid 6400)"], id="user without a password"),
        pytest.param(
            State(),
            of(OPEN),
            ["create user alice (uid 6400)", "change user alice (password)"],
            id="user with a password",
        ),
        pytest.param(of(ALICE), of(OPEN), ["change user alice (password)"], id="only the password"),
        pytest.param(
            of(ALICE),
            of(User("alice", 6400, 6400, "/home/alice", "/bin/zsh")),
            ["change user alice (shell /bin/bash → /bin/zsh)"],
            id="shell",
        ),
        pytest.param(
            of(User("alice", 6400, 6400, "/home/alice", "/bin/bash", ageing=True)),
            of(ALICE),
            ["change user alice (ageing True → False)"],
            id="ageing that would kill key logins",
        ),
        pytest.param(
            of(Directory(FOLDER.path, 0o755, "app", "app")),
            of(FOLDER),
            ["change directory /data/pim (mode 0755 → 2770)"],
            id="setgid lost",
        ),
        pytest.param(
            of(File(KEYS.path, "other\n")), of(KEYS), [f"change file {KEYS.path} (content)"], id="content is not shown"
        ),
        pytest.param(
            of(Group("pim", 7)),
            of(Group("pim", 7, frozenset({"alice", "bob"}))),
            ["change group pim (add alice, bob)"],
            id="members join",
        ),
        pytest.param(
            State(),
            of(MOUNT),
            ["create mount /srv/sftp/alice/pim"],
            id="mount",
        ),
        pytest.param(
            of(Group("pim", 7, frozenset({"human"}))),
            of(Group("pim", 7, frozenset({"alice"}))),
            ["change group pim (add alice)"],
            id="members that others put into a group of the host stay",
        ),
        pytest.param(
            of(Group("sallyport", 7, frozenset({"intruder", "alice"}))),
            of(Group("sallyport", 7, frozenset({"alice"}))),
            ["change group sallyport (remove intruder)"],
            id="our own groups are exact",
        ),
    ],
)
def test_actions(have: State, want: State, actions: list[str]) -> None:
    assert texts(have, want) == actions


def test_an_account_of_ours_leaves_groups_that_the_model_does_not_give_it() -> None:
    have = of(ALICE, Group("sudo", 27, frozenset({"alice", "human"})))
    assert texts(have, of(ALICE), ours=frozenset({"alice"})) == ["change group sudo (remove alice)"]


def test_what_confines_comes_before_what_opens() -> None:
    steps = [action.step for action in diff(State(), EVERYTHING)]
    assert steps == sorted(steps)
    for opening in (Step.PASSWORD, Step.KEY):
        for confining in (Step.MEMBERS, Step.DIRECTORY, Step.MOUNT, Step.SSHD):
            assert steps.index(confining) < steps.index(opening)


def test_what_closes_comes_before_everything_else() -> None:
    leaves = User("bob", 6500, 6500, "/home/bob", "/bin/bash")
    suspended = User("alice", 6400, 6400, "/home/elsewhere", "/bin/bash", expires=1)
    want = EVERYTHING.merged(of(suspended))
    actions = diff(of(ALICE, leaves), want, Made(users=frozenset({"bob"})))
    assert list(map(str, actions[:2])) == ["change user alice (expires None → 1)", "change user bob (expires None → 1)"]
    assert {action.step for action in actions[:2]} == {Step.CLOSE}
    assert Step.CLOSE not in {action.step for action in actions[2:]}
    assert "change user alice (home /home/alice → /home/elsewhere)" in map(str, actions)


def test_what_earlier_runs_made_and_nobody_wants_is_removed_children_first() -> None:
    below = Directory(JAIL.path + "/upload", 0o700, "alice", "alice")
    have = EVERYTHING.merged(of(below))
    made = Made(
        users=frozenset({"alice"}),
        groups=frozenset({"alice"}),
        directories=frozenset({JAIL.path, below.path}),
        files=frozenset({KEYS.path}),
        mounts=frozenset({MOUNT.target}),
    )
    assert texts(have, State(), made=made, ours=frozenset({"alice"})) == [
        "change user alice (expires None → 1)",
        "change group pim (remove alice)",
        f"remove file {KEYS.path}",
        "end the sessions of user alice",
        "remove mount /srv/sftp/alice/pim",
        "remove directory /srv/sftp/alice/upload",
        "remove directory /srv/sftp/alice",
        "remove user alice",
        "remove group alice",
    ]


def test_what_nobody_made_is_never_removed() -> None:
    assert texts(EVERYTHING, State()) == []


def test_suspending_ends_sessions() -> None:
    suspended = User("alice", 6400, 6400, "/home/alice", "/bin/bash", expires=1)
    assert texts(of(ALICE), of(suspended)) == [
        "change user alice (expires None → 1)",
        "end the sessions of user alice",
    ]
    assert texts(of(suspended), of(suspended)) == []


def test_whoever_is_closed_and_still_logged_in_is_logged_out() -> None:
    """A run that was killed had closed the account, and not come to its sessions."""
    suspended = User("alice", 6400, 6400, "/home/alice", "/bin/bash", expires=1)
    have = dataclasses.replace(of(suspended), busy=frozenset({"alice"}))
    assert texts(have, of(suspended)) == ["end the sessions of user alice"]


LOGIN = Group(layout.LOGIN_GROUP, 6402, frozenset({"deploy", "alice"}))
DEPLOY = User("deploy", 1000, 1000, "/home/deploy", "/bin/bash")


@pytest.mark.parametrize(
    ("have", "want", "risky"),
    [
        pytest.param(State(), of(POLICY), True, id="sshd's file is new"),
        pytest.param(of(SUDOERS), of(File(SUDOERS.path, "", 0o440)), True, id="sudo's file changes"),
        pytest.param(
            of(LOGIN), of(Group(LOGIN.name, LOGIN.gid, frozenset({"deploy"}))), True, id="somebody may not enter"
        ),
        pytest.param(of(Group(LOGIN.name, LOGIN.gid)), of(LOGIN), False, id="somebody more may enter"),
        pytest.param(of(DEPLOY), of(dataclasses.replace(DEPLOY, shell="/bin/sh")), True, id="an admin changes"),
        pytest.param(State(), of(File(layout.keys_file("deploy"), "")), True, id="keys of an admin"),
        pytest.param(State(), of(ALICE, KEYS, JAIL, MOUNT), False, id="an account more"),
        pytest.param(EVERYTHING, EVERYTHING, False, id="nothing"),
    ],
)
def test_what_could_lock_people_out_has_to_be_confirmed(have: State, want: State, risky: bool) -> None:
    assert could_lock_out(diff(have, want, ours=frozenset({"alice"})), ("deploy",)) is risky


def test_sshd_s_file_that_goes_has_to_be_confirmed() -> None:
    assert could_lock_out(diff(of(POLICY), State(), made=Made(files=frozenset({POLICY.path}))), ())


def test_no_action_shows_a_password() -> None:
    before = User("alice", 6400, 6400, "/home/alice", "/bin/bash", password="$6$old")
    assert "$6$" not in " ".join(texts(of(before), of(OPEN)) + texts(State(), of(OPEN)))
