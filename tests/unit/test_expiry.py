# SPDX-License-Identifier: GPL-3.0-or-later
"""Expiry to the second: who needs the timer, what is installed for it, and that none of it depends on the time."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Key, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import accounts, expiry
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import State
from ansible_collections.sallyport.ssh.plugins.module_utils.system import expirer

HASH = "$6$salt$" + "a" * 86
NOON = 20_000 * expirer.DAY + 12 * 3600  # 2024-10-04
HOST = Host(tools=Tools(openssh=(9, 2), systemd=True, pam_umask=True), now=NOON - 100)
OLD = dataclasses.replace(HOST, tools=Tools(openssh=(9, 2), pam_umask=True))
KEY = Key("ssh-ed25519", "AAAA", "erp", "key")


def model(*listed: Account) -> Model:
    return Model(Server("host"), accounts=listed)


def want(*listed: Account, host: Host = HOST) -> State:
    return expiry.desired(model(*listed), host, State())


def account(name: str = "erp", kind: str = "shell", **options: t.Any) -> Account:
    return Account(name, kind, **{"password_hash": HASH, "expires": NOON, **options})


@pytest.mark.parametrize(
    ("listed", "needed"),
    [
        pytest.param(account(), True, id="password"),
        pytest.param(account(kind="sftp"), True, id="password of a jailed account"),
        pytest.param(account(keys=(KEY,), second_factor="password"), True, id="key and password"),
        pytest.param(account(password_hash=None, home_keys=True), True, id="keys in the home"),
        pytest.param(account(password_hash=None, keys=(KEY,)), False, id="managed keys end by themselves"),
        pytest.param(account(expires=None), False, id="never"),
        pytest.param(account(expires=NOON - 12 * 3600), False, id="midnight: the user database is exact"),
        pytest.param(account(expires=NOON - 12 * 3600 + 1), True, id="a second after midnight"),
        pytest.param(account(expires=HOST.now - 1), True, id="past"),
        pytest.param(account(state="suspended"), False, id="suspended"),
        pytest.param(account(state="absent"), False, id="absent"),
        pytest.param(account(expires=expiry.END_OF_CALENDAR - 1), True, id="the last moment that systemd knows"),
        pytest.param(account(expires=253402300799), False, id="the year 9999 is never"),
    ],
)
def test_who_needs_it(listed: Account, needed: bool) -> None:
    state = want(listed)
    if needed:
        assert f"{listed.expires} erp\n" in state.files[layout.EXPIRY_TABLE].content
    else:
        assert state == State()


def test_nobody_without_need_is_in_the_table() -> None:
    table = want(account("b"), account("a"), account("never", expires=None)).files[layout.EXPIRY_TABLE].content
    assert table == f"# {layout.HEADER}{NOON} a\n{NOON} b\n"


def test_a_moment_that_several_share_is_one_line_of_the_timer() -> None:
    timer = want(account("a", expires=NOON + 61), account("b"), account("c")).files[expiry.TIMER].content
    assert [line for line in timer.splitlines() if line.startswith("OnCalendar")] == [
        "OnCalendar=2024-10-04 12:00:00 UTC",
        "OnCalendar=2024-10-04 12:01:01 UTC",
    ]


def test_a_run_after_the_moment_wants_the_same() -> None:
    late = dataclasses.replace(HOST, now=NOON + 10 * expirer.DAY)
    assert want(account()) == want(account(), host=late)


def test_after_the_moment_the_program_has_set_the_day_that_a_run_wants() -> None:
    for moment in (NOON, NOON + 1, 20_000 * expirer.DAY + 1):
        assert accounts.closed_from(account(expires=moment), moment) == expirer.closing_day(moment) == 20_000
        assert accounts.closed_from(account(expires=moment), moment - 1) == 20_001


def test_the_program_reads_what_is_rendered() -> None:
    table = expiry.render([account("a"), account("b", expires=NOON + 1)])
    assert expirer.due(table, NOON - 0.001) == {}
    assert expirer.due(table, NOON) == {"a": 20_000}
    assert expirer.due(table, NOON + 1) == {"a": 20_000, "b": 20_000}


def test_the_noun_of_accounts_brings_it_along_and_enables_the_timer() -> None:
    listed = model(account(kind="sftp"))
    state = accounts.desired(listed, HOST, accounts.identify(listed, HOST))
    assert {link.path.split("/")[-2] for link in state.links.values()} == {
        "multi-user.target.wants",
        "timers.target.wants",
    }
    assert {"/etc/sallyport", "/usr/local/libexec"} <= state.directories.keys()
    assert state.files.keys() == {layout.EXPIRY_TABLE, layout.EXPIRY_PROGRAM, expiry.SERVICE, expiry.TIMER}


def test_every_file_says_whose_it_is() -> None:
    for file in want(account()).files.values():
        assert file.content.startswith(f"# {layout.HEADER}")


@pytest.mark.parametrize(
    ("listed", "closed_to"),
    [
        pytest.param(account(), "its password", id="password"),
        pytest.param(account(password_hash=None, home_keys=True), "the keys in its home", id="home"),
        pytest.param(account(home_keys=True), "its password and the keys in its home", id="both"),
    ],
)
def test_without_systemd_nothing_is_installed_and_it_is_noted(listed: Account, closed_to: str) -> None:
    assert want(listed, host=OLD) == State()
    [note] = accounts.notes(model(listed), OLD)
    assert note.startswith(f"access_accounts: erp: is closed to {closed_to} only at the end of the day")


@pytest.mark.parametrize(
    ("listed", "host"),
    [
        pytest.param(account(), HOST, id="systemd"),
        pytest.param(account(password_hash=None, keys=(KEY,)), OLD, id="keys only"),
        pytest.param(account(expires=NOON - 12 * 3600), OLD, id="midnight"),
    ],
)
def test_nothing_is_noted_where_it_is_exact(listed: Account, host: Host) -> None:
    assert accounts.notes(model(listed), host) == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    moments = (NOON, 1, expiry.END_OF_CALENDAR - 1)
    state = want(*(account(f"a{moment}", expires=moment) for moment in moments))
    for unit in (expiry.SERVICE, expiry.TIMER):
        text = state.files[unit].content.replace(layout.EXPIRY_PROGRAM, "/usr/bin/true")
        (tmp_path / unit.rpartition("/")[2]).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / layout.EXPIRY_TIMER], check=False, capture_output=True, text=True
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "sallyport" in line]) == (0, [])
