# SPDX-License-Identifier: GPL-3.0-or-later
"""The user database: parsing it, and the commands that change it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.errors import Overtaken
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, User
from ansible_collections.sallyport.ssh.plugins.module_utils.system import files, processes, users

PASSWD = """root:x:0:0:root:/root:/bin/bash
alice:x:6400:6400:umask=0007:/home/alice:/bin/bash
+::::::
"""
GROUP = "root:x:0:\npim:x:6401:alice,bob\nempty:x:6402:\n"
ALICE = User("alice", 6400, 6400, "/home/alice", "/bin/bash", "umask=0007")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str]]:
    """The commands that would have run, with their input."""
    seen: list[tuple[list[str], str]] = []

    def must(argv: t.Sequence[str], stdin: str = "", timeout: float = 0) -> processes.Outcome:
        seen.append((list(argv), stdin))
        return processes.Outcome(0, "", "")

    monkeypatch.setattr(processes, "must", must)
    monkeypatch.setattr(users, "half_removed", lambda groups: [group for group in groups if group.name == "half"])
    return seen


@pytest.mark.parametrize(
    ("shadow", "password", "expires", "ageing"),
    [
        pytest.param("alice:*:19000:0:99999:7:::", "*", None, False, id="as Debian makes it"),
        pytest.param("alice:$6$x:19000::::::", "$6$x", None, False, id="as systemd makes it"),
        pytest.param("alice:*:19000:0:99999:7::20000:", "*", 20000, False, id="expires"),
        pytest.param("alice:*:19000:0:90:7:::", "*", None, True, id="a password must be changed every 90 days"),
        pytest.param("alice:*:19000:0:99999:7:30::", "*", None, True, id="inactive after 30 days"),
        pytest.param("alice:*:0:0:99999:7:::", "*", None, True, id="must be changed at once"),
    ],
)
def test_shadow(shadow: str, password: str, expires: int | None, ageing: bool) -> None:
    user = users.parse(PASSWD, shadow, "")[0]["alice"]
    assert (user.password, user.expires, user.ageing) == (password, expires, ageing)


def test_users_and_groups_are_read_and_foreign_lines_passed_over() -> None:
    found, groups = users.parse(PASSWD, "", GROUP)
    assert set(found) == {"root", "alice"}
    assert found["alice"] == ALICE
    assert groups["pim"] == Group("pim", 6401, frozenset({"alice", "bob"}))
    assert groups["empty"].members == frozenset()


def test_a_thousand_users_are_one_command(commands: list[tuple[list[str], str]]) -> None:
    many = [User(f"user{number}", number, number, "/", "/usr/sbin/nologin") for number in range(7000, 8000)]
    users.create([Group(user.name, user.gid) for user in many], many, sysusers=True)
    ((argv, config),) = commands
    assert argv == ["systemd-sysusers", "-"]
    assert len(config.splitlines()) == 2000
    assert 'u user7000 7000:7000 "" / /usr/sbin/nologin' in config


def test_a_name_that_systemd_does_not_take_is_made_by_useradd(commands: list[tuple[list[str], str]]) -> None:
    user = User("dev.site", 7000, 7000, "/", "/usr/sbin/nologin")
    users.create([Group("dev.site", 7000)], [user], sysusers=True)
    assert [argv[0] for argv, _input in commands] == ["groupadd", "useradd"]


@pytest.mark.parametrize("made", [Group("pim", 6400), User("pim", 6400, 6400, "/", "/bin/sh")])
@pytest.mark.parametrize(
    ("code", "raised"),
    [
        pytest.param(4, Overtaken, id="the id is taken"),
        pytest.param(9, Overtaken, id="the name is taken"),
        pytest.param(10, processes.Failed, id="the file cannot be written"),
    ],
)
def test_what_somebody_has_just_taken_is_told_from_what_fails(
    made: Group | User, code: int, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "run", lambda *_: processes.Outcome(code, "", "is already there"))
    with pytest.raises(raised, match="is already there"):
        users.create(*([made], []) if isinstance(made, Group) else ([], [made]), sysusers=False)


def test_no_secret_is_an_argument(commands: list[tuple[list[str], str]]) -> None:
    user = User("alice", 6400, 6400, "/", "/bin/sh", password="$6$secret")
    users.create([], [user], sysusers=False)
    users.settle_new([user])
    users.set_passwords({"alice": "$6$secret"})
    assert not any("secret" in word for argv, _input in commands for word in argv)
    assert commands[-1] == (["chpasswd", "--encrypted"], "alice:$6$secret\n")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param({"shell": "/bin/zsh"}, [["usermod", "--shell", "/bin/zsh", "alice"]], id="shell"),
        pytest.param({"expires": 20000}, [["chage", "--expiredate", "20000", "alice"]], id="expires"),
        pytest.param({}, [], id="nothing"),
    ],
)
def test_change(commands: list[tuple[list[str], str]], after: dict[str, t.Any], expected: list[list[str]]) -> None:
    users.change(ALICE, User(**{**vars(ALICE), **after}))
    assert [argv for argv, _input in commands] == expected


def test_ageing_is_taken_off(commands: list[tuple[list[str], str]]) -> None:
    users.change(User(**{**vars(ALICE), "ageing": True}), ALICE)
    assert ["chage", "--maxdays", "-1", "--inactive", "-1", "alice"] in [argv for argv, _input in commands]


def test_a_group_that_a_killed_tool_left_in_gshadow_is_taken_over(commands: list[tuple[list[str], str]]) -> None:
    """systemd-sysusers would refuse it, and with it all the others."""
    groups = [Group("half", 7000), Group("whole", 7001)]
    users.create(groups, [User("half", 7000, 7000, "/", "/bin/sh")], sysusers=True)
    assert commands == [
        (["groupadd", "--gid", "7000", "half"], ""),
        (["systemd-sysusers", "-"], 'g whole 7001\nu half 7000:7000 "" / /bin/sh\n'),
    ]


def test_a_group_in_gshadow_alone_is_half_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    content = {"/etc/gshadow": "half:!::\npim:!::alice\n", "/etc/group": GROUP, "/etc/passwd": "", "/etc/shadow": ""}
    monkeypatch.setattr(files, "read", content.get)
    half, present, new = Group("half", 7000), Group("pim", 6401), Group("new", 7001)
    assert users.half_removed([half, present, new]) == [half]


def test_members_of_the_host_s_own_files_join_at_once_and_others_one_by_one(
    commands: list[tuple[list[str], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "read", lambda: users.parse(PASSWD, "", GROUP))
    users.add_members({"pim": {"alice", "from-ldap"}}, sysusers=True)
    assert commands == [
        (["gpasswd", "--add", "from-ldap", "pim"], ""),
        (["systemd-sysusers", "-"], "m alice pim\n"),
    ]


def test_a_user_from_elsewhere_is_found_by_name() -> None:
    assert users.known_elsewhere(["root", "nobody-of-that-name"])["root"].uid == 0
    assert users.known_elsewhere(["nobody-of-that-name"]) == {}
