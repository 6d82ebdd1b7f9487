# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of record: round trip, no secrets, and what an unlisted account becomes."""

from __future__ import annotations

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import records
from ansible_collections.sallyport.ssh.plugins.module_utils.model import (
    Account,
    Folder,
    Grant,
    Key,
    Model,
    Server,
    SudoTask,
    from_json,
    to_json,
)
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Made, Record
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import User

ACCOUNT = Account(
    "a", "sftp", keys=(Key("ssh-ed25519", "AAAA", "alice", "laptop"),), grants=(Grant("/pim", folder="pim"),)
)
RECORD = Record(
    accounts={"a": ACCOUNT},
    folders={"pim": Folder("pim", "/data/pim", "app", "app", subfolders=("in",))},
    sudo_tasks={"task": SudoTask("task", commands=(("/bin/true", "x"),))},
    made={"accounts": Made(users=frozenset({"a"}), files=frozenset({"/x"})), "jails": Made(mounts=frozenset({"/m"}))},
    managed={"human": User("human", 1000, 1000, "/home/human", "/bin/sh", expires=5)},
    tombstones=frozenset({6400, 6401}),
)
MODEL = Model(Server("host", admins=("deploy",)), accounts=(ACCOUNT,))


def test_what_is_rendered_is_read_back() -> None:
    assert records.parse(records.render(RECORD)) == RECORD


def test_a_model_survives_the_way_to_the_host() -> None:
    assert from_json(to_json(MODEL)) == MODEL


def test_no_hash_is_recorded() -> None:
    secret = Record(
        accounts={"a": Account("a", "sftp", password_hash="$6$secret")},
        managed={"b": User("b", 1, 1, "/", "/", password="$6$secret")},
    )
    assert "secret" not in records.render(secret)


def test_a_record_of_a_newer_version_is_refused() -> None:
    text = records.render(RECORD).replace('"version": 1', '"version": 2')
    with pytest.raises(ValueError, match="newer version"):
        records.parse(text)


@pytest.mark.parametrize(("exclusive", "state"), [(False, "present"), (True, "absent")])
def test_what_a_model_does_not_list_stays_or_goes(exclusive: bool, state: str) -> None:
    effective = RECORD.effective(Model(Server("host"), exclusive=exclusive), {})
    assert [(account.name, account.state) for account in effective.accounts] == [("a", state)]
    assert bool(effective.folders) is bool(effective.sudo_tasks) is not exclusive


def test_an_unlisted_account_keeps_the_password_of_the_host() -> None:
    users = {"a": User("a", 6400, 6400, "/", "", password="$6$kept")}
    assert RECORD.effective(Model(Server("host")), users).accounts[0].password_hash == "$6$kept"


def test_a_listed_account_is_what_the_model_says() -> None:
    listed = Account("a", "shell")
    assert RECORD.effective(Model(Server("host"), accounts=(listed,)), {}).accounts == (listed,)


def test_until_what_leaves_has_left_the_record_names_it_as_leaving() -> None:
    """A run that is killed before its removals must not leave them to nobody."""
    later = Record(
        accounts={"b": Account("b", "sftp")},
        made={"accounts": Made(users=frozenset({"b"}))},
        tombstones=frozenset({6400, 6401, 6402}),
    )
    interim = records.while_leaving(RECORD, later)
    assert {name: account.state for name, account in interim.accounts.items()} == {"a": "absent", "b": "present"}
    assert interim.everything == Made(
        users=frozenset({"a", "b"}), files=frozenset({"/x"}), mounts=frozenset({"/m"})
    )  # fmt: skip
    assert interim.managed == RECORD.managed
    assert interim.tombstones == later.tombstones
    assert records.while_leaving(later, later) == later
