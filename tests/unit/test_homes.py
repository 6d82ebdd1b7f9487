# SPDX-License-Identifier: GPL-3.0-or-later
"""Homes: made where nobody else can swap them, left alone where somebody can, and no place of the host for a jail."""

from __future__ import annotations

import dataclasses
import stat
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import accounts
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Made, Record
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory, Group, State, User, of

DIRECTORY, LINK = stat.S_IFDIR, stat.S_IFLNK | 0o777
WEB = 33


def directory(uid: int = 0, mode: int = 0o755) -> PathStat:
    return PathStat(DIRECTORY | mode, uid, uid)


HOST = Host(
    state=of(User("root", 0, 0, "/root", "/bin/bash"), User("www-data", WEB, WEB, "/var/www", ""), Group("root", 0)),
    tools=Tools(openssh=(9, 2), pam_umask=True),
    paths={
        **{path: directory() for path in ("/", "/bin", "/home", "/var")},
        "/bin/bash": PathStat(stat.S_IFREG | 0o755, 0, 0),
        "/var/www": directory(WEB),
    },
)
UID = 6400  # that of a new account
THERE = Account("a", "shell", home="/var/www/a")


def model(account: Account) -> Model:
    return Model(Server("host"), accounts=(account,))


def want(account: Account, host: Host = HOST) -> State:
    return accounts.desired(model(account), host, accounts.identify(model(account), host))


def problems(account: Account, host: Host = HOST) -> list[str]:
    return accounts.problems(model(account), host, accounts.identify(model(account), host))


def with_paths(paths: t.Mapping[str, PathStat], host: Host = HOST) -> Host:
    """Their names without the first slash."""
    return dataclasses.replace(host, paths={**host.paths, **{f"/{path}": found for path, found in paths.items()}})


def managed(account: Account, host: Host = HOST, uid: int = 2000) -> Host:
    """Its user is there already."""
    state = host.state.merged(of(User(account.name, uid, uid, "/elsewhere", "/bin/bash"), Group(account.name, uid)))
    return dataclasses.replace(host, state=state)


def test_a_new_home_starts_from_the_skeleton_and_an_old_one_stays_as_its_user_has_it() -> None:
    assert want(Account("a", "shell")).directories["/home/a"] == Directory("/home/a", 0o750, "a", "a")
    assert want(Account("a", "shell")).directories["/home/a"].skeleton
    host = dataclasses.replace(HOST, paths={**HOST.paths, "/home/a": PathStat(stat.S_IFDIR | 0o711, 6400, 6400)})
    assert want(Account("a", "shell"), host).directories["/home/a"].mode == 0o711


def test_the_missing_parents_of_a_home_are_made_for_root() -> None:
    directories = want(Account("a", "shell", home="/srv/apps/a")).directories
    assert directories["/srv/apps"] == Directory("/srv/apps", 0o755)


SOMEBODY_ELSES = "/var/www belongs to www-data (uid 33), who could replace what lies below: give it to root"


@pytest.mark.parametrize(
    ("account", "paths", "said"),
    [
        pytest.param(THERE, {}, SOMEBODY_ELSES, id="below another user's, not there yet"),
        pytest.param(THERE, {"var/www/a": directory(UID)}, SOMEBODY_ELSES, id="below another user's"),
        pytest.param(
            dataclasses.replace(THERE, home="/var/www/x/a"),
            {"var/www/x": directory()},
            SOMEBODY_ELSES,
            id="two below another user's",
        ),
        pytest.param(Account("a", "shell"), {"home": directory(0, 0o775)}, "/home has mode 0775", id="below a group's"),
        pytest.param(Account("a", "shell"), {"home": directory(0, 0o1777)}, "/home has mode 1777", id="sticky"),
        pytest.param(Account("a", "shell"), {"home": PathStat(LINK, 0, 0)}, "/home is a link", id="below a link"),
        pytest.param(Account("a", "shell"), {"home/a": PathStat(LINK, 0, 0)}, "/home/a is a link", id="a link"),
        pytest.param(
            Account("a", "shell"), {"home/a": directory()}, "/home/a belongs to root (uid 0), not to", id="root's"
        ),
        pytest.param(
            Account("a", "shell"), {"home/a": directory(4711)}, "/home/a belongs to uid 4711, not to", id="nobody's"
        ),
    ],
)
def test_a_home_that_another_user_could_swap_is_refused(
    account: Account, paths: t.Mapping[str, PathStat], said: str
) -> None:
    (problem,) = problems(account, with_paths(paths))
    assert problem.startswith("access_accounts: a: home: ")
    assert said in problem
    assert problem.endswith("or choose another place")


def test_a_home_is_asked_for_with_all_directories_above_it() -> None:
    assert "/var/www/a" in accounts.paths_needed(model(THERE))  # read.paths takes every step on the way


@pytest.mark.parametrize(
    "host",
    [
        pytest.param(HOST, id="root's"),
        pytest.param(with_paths({"home": directory(0, 0o711)}), id="nobody else may look"),
        pytest.param(with_paths({"home/a": directory(UID, 0o777)}), id="itself in any mode"),
    ],
)
def test_a_home_below_root_s_directories_is_accepted(host: Host) -> None:
    assert problems(Account("a", "shell"), host) == []


def test_a_user_who_is_taken_over_needs_such_a_home_as_well() -> None:
    account = dataclasses.replace(THERE, existing="manage")
    host = with_paths({"var/www/a": directory(2000)}, managed(account))
    (problem,) = problems(account, host)
    assert SOMEBODY_ELSES in problem
    own = dataclasses.replace(host, paths={**host.paths, "/var/www": directory(2000)})
    assert problems(account, own) == []


def applied(account: Account, host: Host) -> Host:
    """After a run that had it in order and made its home."""
    made = Made(frozenset({account.name}), directories=frozenset({"/var/www/a"}))
    record = Record(accounts={account.name: account}, made={"accounts": made})
    return dataclasses.replace(managed(account, host), record=record)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({"var/www/a": directory(2000, 0o700)}, id="the parent alone"),
        pytest.param({"var/www/a": PathStat(LINK, WEB, WEB)}, id="a link in its place"),
        pytest.param({"var/www/a": directory(WEB)}, id="another directory in its place"),
        pytest.param({}, id="gone"),
    ],
)
def test_what_is_swapped_later_holds_up_no_run_and_is_left_alone(found: t.Mapping[str, PathStat]) -> None:
    """Else whoever owns the parent could keep a run from closing his own account."""
    host = applied(THERE, with_paths(found))
    assert problems(THERE, host) == []
    assert SOMEBODY_ELSES in accounts.notes(model(THERE), host)[0]
    assert want(THERE, host).directories == {}


def test_another_home_or_one_that_was_closed_is_looked_at_anew() -> None:
    host = applied(dataclasses.replace(THERE, home="/home/a"), HOST)
    assert SOMEBODY_ELSES in problems(THERE, host)[0]
    host = applied(dataclasses.replace(THERE, state="suspended"), HOST)
    assert SOMEBODY_ELSES in problems(THERE, host)[0]


def test_no_home_keeps_a_run_from_closing() -> None:
    closed = dataclasses.replace(THERE, state="suspended")
    assert problems(closed, applied(THERE, HOST)) == []
    assert problems(closed) == []
    assert want(closed).directories == {}


@pytest.mark.parametrize(
    ("paths", "changeable"),
    [
        pytest.param({}, None, id="nothing on the host"),
        pytest.param({"/pim": PathStat(DIRECTORY | 0o755, 0, 0)}, None, id="root's alone"),
        pytest.param({"/pim": PathStat(DIRECTORY | 0o755, 1000, 0)}, "/pim", id="a user's"),
        pytest.param({"/pim": PathStat(DIRECTORY | 0o775, 0, 2000)}, "/pim", id="a group's"),
        pytest.param({"/pim": PathStat(DIRECTORY | 0o1777, 0, 0)}, "/pim", id="everybody's"),
        pytest.param(
            {"/pim": PathStat(DIRECTORY | 0o755, 0, 0), "/pim/in": PathStat(DIRECTORY | 0o755, 1000, 0)},
            "/pim/in",
            id="a user's in root's",
        ),
        pytest.param(
            {"/pim": PathStat(LINK, 0, 0, "/data/x"), "/data": PathStat(DIRECTORY | 0o755, 1000, 0)},
            "/data",
            id="behind a link",
        ),
    ],
)
def test_no_session_starts_where_the_host_has_a_directory_of_others(
    paths: dict[str, PathStat], changeable: str | None
) -> None:
    """systemd would start there, outside the jail, what the account puts into ``.config``."""
    account = Account("a", "sftp", start_in="/pim/in")
    found = problems(account, dataclasses.replace(HOST, paths={"/": PathStat(DIRECTORY | 0o755, 0, 0), **paths}))
    assert [changeable is not None and f"write {changeable}:" in text for text in found] == [True] * len(found)
    assert len(found) == (changeable is not None)
    assert "/pim/in" in accounts.paths_needed(model(account))
    assert problems(dataclasses.replace(account, state="suspended"), dataclasses.replace(HOST, paths=paths)) == []
