# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts as users: identities, what is wanted of each, and what a host refuses."""

from __future__ import annotations

import dataclasses
import stat

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Folder, Key, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import accounts
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Made, Record
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, State, User

DAY = 86400
NOW = 20_000 * DAY + 3600
DIRECTORY = stat.S_IFDIR | 0o755
ROOT = User("root", 0, 0, "/root", "/bin/bash")
HUMAN = User("human", 6400, 6400, "/home/human", "/bin/bash")
SYSTEM = User("mail", 8, 8, "/var/mail", "/usr/sbin/nologin")
HOST = Host(
    state=State(
        users={user.name: user for user in (ROOT, HUMAN, SYSTEM)},
        groups={name: Group(name, gid) for name, gid in (("root", 0), ("human", 6400), ("mail", 8))},
    ),
    tools=Tools(openssh=(9, 2)),
    paths={
        **{path: PathStat(DIRECTORY, 0, 0) for path in ("/", "/bin", "/home")},
        "/bin/bash": PathStat(stat.S_IFREG | 0o755, 0, 0),
    },
    now=NOW,
)
KEY = Key("ssh-ed25519", "AAAA", "erp", "key")


def model(*items: Account, folders: tuple[Folder, ...] = ()) -> Model:
    return Model(Server("host"), accounts=items, folders=folders)


def want(account: Account, host: Host = HOST) -> State:
    known = accounts.identify(model(account), host)
    return accounts.desired(model(account), host, known)


def problems(account: Account, host: Host = HOST) -> list[str]:
    return accounts.problems(model(account), host, accounts.identify(model(account), host))


def test_ids_in_use_pinned_or_of_removed_accounts_are_not_given_out() -> None:
    host = dataclasses.replace(HOST, record=Record(tombstones=frozenset({6401})))
    some = model(Account("a", "sftp"), Account("b", "sftp", uid=6402), Account("c", "sftp"))
    known = accounts.identify(some, host)
    assert {name: known.users[name].uid for name in "abc"} == {"a": 6403, "b": 6402, "c": 6404}
    assert {name: known.groups[name].gid for name in "abc"} == {"a": 6403, "b": 6402, "c": 6404}


def test_an_account_keeps_the_ids_that_it_has() -> None:
    host = dataclasses.replace(HOST, state=HOST.state.merged(State(users={"a": User("a", 7777, 8888, "/", "")})))
    user = accounts.identify(model(Account("a", "sftp")), host).users["a"]
    assert (user.uid, user.gid) == (7777, 8888)


def test_a_group_that_a_folder_names_is_created_once() -> None:
    folder = Folder("pim", "/data/pim", "a", "pim")
    known = accounts.identify(model(Account("a", "sftp", groups=("pim", "human")), folders=(folder,)), HOST)
    assert known.groups["pim"].gid == 6402
    assert known.groups["human"].gid == 6400


@pytest.mark.parametrize(
    ("account", "home", "shell"),
    [
        pytest.param(Account("a", "sftp"), "/", "/usr/sbin/nologin", id="a jail's root"),
        pytest.param(Account("a", "sftp", start_in="/pim"), "/pim", "/usr/sbin/nologin", id="where a jail starts"),
        pytest.param(Account("a", "tunnel"), "/nonexistent", "/usr/sbin/nologin", id="a tunnel has none"),
        pytest.param(Account("a", "shell"), "/home/a", "/bin/bash", id="shell"),
        pytest.param(Account("a", "shell", home="/srv/a", shell="/bin/sh"), "/srv/a", "/bin/sh", id="chosen"),
    ],
)
def test_home_and_shell(account: Account, home: str, shell: str) -> None:
    user = want(account).users["a"]
    assert (user.home, user.shell) == (home, shell)


@pytest.mark.parametrize(
    ("account", "day"),
    [
        pytest.param(Account("a", "sftp"), None, id="never"),
        pytest.param(Account("a", "sftp", expires=20_010 * DAY), 20_010, id="midnight is exact"),
        pytest.param(Account("a", "sftp", expires=20_010 * DAY + 60), 20_011, id="not before the hour has come"),
        pytest.param(Account("a", "sftp", expires=20_000 * DAY + 60), 20_000, id="closed when the hour is past"),
        pytest.param(Account("a", "sftp", expires=0), 1, id="day 0 would mean never"),
        pytest.param(Account("a", "sftp", state="suspended"), 1, id="suspended"),
    ],
)
def test_expiry(account: Account, day: int | None) -> None:
    assert want(account).users["a"].expires == day


def test_no_password_is_a_star_and_never_a_lock() -> None:
    assert want(Account("a", "sftp")).users["a"].password == "*"
    assert want(Account("a", "sftp", password_hash="$6$x$y")).users["a"].password == "$6$x$y"


def test_a_user_who_was_taken_over_keeps_a_password_that_sshd_does_not_take() -> None:
    theirs = dataclasses.replace(HUMAN, password="$6$theirs")
    host = dataclasses.replace(HOST, state=HOST.state.merged(State(users={"human": theirs})))
    assert want(Account("human", "shell", existing="manage"), host).users["human"].password == "$6$theirs"
    made = dataclasses.replace(host, record=Record(made={"accounts": Made(users=frozenset({"human"}))}))
    assert want(Account("human", "shell"), made).users["human"].password == "*"


def test_keys_of_a_suspended_account_are_not_written() -> None:
    assert layout.keys_file("a") in want(Account("a", "sftp", keys=(KEY,))).files
    assert want(Account("a", "sftp", keys=(KEY,), state="suspended")).files == {}


def test_an_absent_account_wants_nothing() -> None:
    assert want(Account("a", "sftp", keys=(KEY,), state="absent")) == State()


def test_a_user_that_was_taken_over_is_given_back_with_its_present_password() -> None:
    before = User("human", 6400, 6400, "/home/human", "/bin/zsh")
    host = dataclasses.replace(HOST, record=Record(managed={"human": before}))
    user = want(Account("human", "sftp", state="absent"), host).users["human"]
    assert (user.shell, user.password) == ("/bin/zsh", HUMAN.password)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        pytest.param(Account("human", "sftp"), "existing: manage", id="a user of somebody else"),
        pytest.param(Account("mail", "sftp", existing="manage"), "system user", id="a system user"),
        pytest.param(Account("human", "sftp", existing="manage", uid=7000), "has uid 6400", id="another uid"),
        pytest.param(Account("a", "sftp", uid=6400), "belongs to human", id="a uid in use"),
        pytest.param(Account("a", "shell", shell="/bin/zsh"), "is no program", id="no such shell"),
        pytest.param(Account("a", "shell", shell="/home"), "is no program", id="a shell that cannot be run"),
    ],
)
def test_refusals(account: Account, said: str) -> None:
    (problem,) = problems(account)
    assert problem.startswith(f"access_accounts: {account.name}: ")
    assert said in problem


def test_a_uid_of_a_removed_account_is_refused() -> None:
    host = dataclasses.replace(HOST, record=Record(tombstones=frozenset({6500})))
    assert "files would change hands" in problems(Account("a", "sftp", uid=6500), host)[0]


@pytest.mark.parametrize(
    "host",
    [
        pytest.param(
            dataclasses.replace(HOST, record=Record(made={"accounts": Made(users=frozenset({"human"}))})), id="made"
        ),
        pytest.param(dataclasses.replace(HOST, record=Record(managed={"human": HUMAN})), id="taken over"),
    ],
)
def test_an_account_of_an_earlier_run_is_accepted(host: Host) -> None:
    assert problems(Account("human", "sftp"), host) == []


def test_groups_without_an_id_get_the_host_s_or_a_new_one() -> None:
    known = State(users={}, groups={"pim": Group("pim", 50), "x": Group("x", 6401)})
    wanted = {"pim": Group("pim", -1), "new": Group("new", -1, frozenset({"a"}))}
    done = accounts.allocate(wanted, HOST, known)
    assert done == {"pim": Group("pim", 50), "new": Group("new", 6402, frozenset({"a"}))}


def test_a_chosen_umask_that_the_host_would_not_keep_is_noted() -> None:
    chosen = model(Account("a", "shell", umask="0027"), Account("b", "shell"), Account("c", "sftp", umask="0027"))
    (note,) = accounts.notes(chosen, HOST)
    assert note.startswith("access_accounts: a: ")
    assert "pam_umask" in note
    assert accounts.notes(chosen, dataclasses.replace(HOST, tools=Tools(pam_umask=True))) == []
