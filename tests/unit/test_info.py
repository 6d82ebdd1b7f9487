# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a model: what was applied, what the host makes of it, and never a secret."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
import yaml
from ansible_collections.sallyport.ssh.plugins.module_utils import info, layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.info import Facts, describe
from ansible_collections.sallyport.ssh.plugins.module_utils.model import (
    Account,
    Folder,
    Forwarding,
    Grant,
    Key,
    SudoTask,
)
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import keys
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import fingerprints
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh.sshd_config import Setting
from ansible_collections.sallyport.ssh.plugins.module_utils.options import CONTRACT
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Record
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, Mount, User, of
from ansible_collections.sallyport.ssh.plugins.modules import access_info

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
LAPTOP = Key("ssh-ed25519", BLOB, "alice", "laptop", sources=("192.0.2.0/24",), expires=1801440000)
ACME = Account(
    "acme",
    "sftp",
    keys=(LAPTOP,),
    expires=1801440000,
    grants=(Grant("/pim", folder="pim"), Grant("/pim/mail", hidden=True), Grant("/own", private=True)),
    password_hash="$6$recorded-by-mistake",
)
SHELL = Account("akeneo", "shell", state="suspended", forwarding=Forwarding(local=("db:3306",)), sudo_tasks=("task",))
RECORD = Record(
    accounts={"akeneo": SHELL, "acme": ACME},
    folders={"pim": Folder("pim", "/data/pim", "app", "app", subfolders=("in",))},
    sudo_tasks={"task": SudoTask("task", service="mysql", actions=("status",))},
    managed={"akeneo": User("akeneo", 1000, 1000, "/home/old", "/bin/sh")},
)
FACTS = Facts(
    address="sftp.example.com",
    record=RECORD,
    present=of(
        User("acme", 6400, 6400, "/", "/usr/sbin/nologin", password="$6$secret", expires=20850),
        User("akeneo", 1000, 1000, "/home/akeneo", "/bin/bash", expires=1),
        Group("pim-transfer", 6402, frozenset({"acme", "akeneo"})),
        Group("backup", 34, frozenset({"acme"})),
        Group("acme", 6400),
        Group(layout.LOGIN_GROUP, 6403, frozenset({"acme", "deploy"})),
        Group(layout.CLASS_GROUP + "sftp-12345678", 6404, frozenset({"acme"})),
    ),
    tools=Tools(openssh=(9, 2), systemd=True),
    sudo_version="1.9.13p3",
    effective={"port": ["22", "2222"], "allowgroups": [layout.LOGIN_GROUP]},
    policy=[
        Setting(layout.SSHD_DROP_IN, 9, "chrootdirectory", ("none",)),
        Setting(layout.SSHD_DROP_IN, 12, "chrootdirectory", ("/srv/sftp/%u",)),
    ],
    host_keys=[("ssh-ed25519", BLOB)],
    key_files={"acme": f"# ours\n{keys.line(LAPTOP, ACME, (9, 2))}\n"},
    mounts={"/srv/sftp/acme/pim": Mount("/srv/sftp/acme/pim", "/data/pim", "none", ("bind",))},
    directories=frozenset({"/data/pim"}),
)


def account(name: str, facts: Facts = FACTS) -> t.Dict[str, t.Any]:
    return next(item for item in describe(facts)["accounts"] if item["name"] == name)


def changed(**facts: t.Any) -> Facts:
    return dataclasses.replace(FACTS, **facts)


def test_no_secret_is_told() -> None:
    assert "$6$" not in json.dumps(describe(FACTS))


def test_a_host_without_the_collection_has_empty_lists() -> None:
    described = describe(Facts(address="host"))
    assert (described["accounts"], described["folders"], described["sudo_tasks"]) == ([], [], [])
    assert described["server"] == {
        "address": "host",
        "ports": [],
        "only_listed": False,
        "admins": [],
        "jails": None,
        "host_keys": [],
    }
    assert described["tools"]["openssh"] is None


def test_the_server() -> None:
    server = describe(FACTS)["server"]
    host_keys = server.pop("host_keys")
    assert server == {
        "address": "sftp.example.com",
        "ports": [22, 2222],
        "only_listed": True,
        "admins": ["deploy"],
        "jails": "/srv/sftp",
    }
    assert host_keys[0]["known_hosts"] == f"sftp.example.com,[sftp.example.com]:2222 ssh-ed25519 {BLOB}"


def test_nobody_is_an_admin_where_everybody_may_log_in() -> None:
    assert describe(changed(effective={"port": ["22"]}))["server"]["admins"] == []


def test_an_account_and_what_the_host_makes_of_it() -> None:
    acme = account("acme")
    assert acme == {
        **acme,
        "kind": "sftp",
        "state": "present",
        "uid": 6400,
        "groups": ["backup", "pim-transfer"],
        "has_password": True,
        "expires": "2027-02-01T00:00:00Z",
        "closed_from": "2027-02-01",
        "existing": "refuse",
        "home": None,
        "shell": None,
    }
    akeneo = account("akeneo")
    assert akeneo == {
        **akeneo,
        "state": "suspended",
        "has_password": False,
        "closed_from": "1970-01-02",
        "existing": "manage",
        "home": "/home/akeneo",
        "shell": "/bin/bash",
        "sudo_tasks": ["task"],
        "forwarding": {"agent": False, "local": ["db:3306"], "remote": [], "x11": False},
    }


def test_an_account_whose_user_is_gone() -> None:
    gone = account("acme", changed(present=of()))
    assert (gone["uid"], gone["has_password"], gone["closed_from"], gone["groups"]) == (None, False, None, [])


def test_a_key_is_installed_if_its_line_is() -> None:
    [told] = account("acme")["keys"]
    assert told == {
        "owner": "alice",
        "name": "laptop",
        "key": f"ssh-ed25519 {BLOB}",
        "fingerprint": fingerprints.sha256(BLOB),
        "from": ["192.0.2.0/24"],
        "expires": "2027-02-01T00:00:00Z",
        "installed": True,
    }


@pytest.mark.parametrize("text", ["", f"ssh-ed25519 {BLOB} alice/laptop\n"], ids=["no file", "without its limits"])
def test_a_key_with_another_line_is_not_installed(text: str) -> None:
    assert [key["installed"] for key in account("acme", changed(key_files={"acme": text}))["keys"]] == [False]


def test_a_grant_is_mounted_or_needs_no_mount() -> None:
    assert [(grant["at"], grant["mounted"]) for grant in account("acme")["folders"]] == [
        ("/pim", True),
        ("/pim/mail", None),
        ("/own", None),
    ]
    assert [grant["mounted"] for grant in account("acme", changed(mounts={}))["folders"]] == [False, None, None]


@pytest.mark.parametrize("target", ["/srv/sftp/other/pim", "/srv/sftp/notacme/pim", "/srv/sftp/acme/pim/more"])
def test_another_mount_is_not_that_of_the_grant(target: str) -> None:
    assert "/acme/pim" not in info.mounted_places([target])


def test_folders_and_sudo_tasks() -> None:
    described = describe(FACTS)
    [folder] = described["folders"]
    assert folder == {**folder, "name": "pim", "path": "/data/pim", "subfolders": ["in"], "exists": True}
    assert describe(changed(directories=frozenset()))["folders"][0]["exists"] is False
    [task] = described["sudo_tasks"]
    assert task == {**task, "name": "task", "service": "mysql", "actions": ["status"]}


def test_names_are_those_of_the_contract_or_documented() -> None:
    """What is returned reads as a model: only what the host adds has names of its own."""
    described = describe(FACTS)
    returned = yaml.safe_load(access_info.RETURN)
    assert described.keys() == returned.keys()
    accounts, folders = CONTRACT["accounts"]["options"], CONTRACT["folders"]["options"]
    parts: t.List[t.Tuple[t.Mapping[str, t.Any], t.Mapping[str, t.Any], t.Mapping[str, t.Any]]] = [
        (described["server"], {}, returned["server"]["contains"]),
        (described["server"]["host_keys"][0], {}, returned["server"]["contains"]["host_keys"]["contains"]),
        (account("acme"), accounts, returned["accounts"]["contains"]),
        (account("acme")["keys"][0], {}, returned["accounts"]["contains"]["keys"]["contains"]),
        (
            account("acme")["folders"][0],
            accounts["folders"]["options"],
            returned["accounts"]["contains"]["folders"]["contains"],
        ),
        (described["folders"][0], folders, returned["folders"]["contains"]),
        (described["sudo_tasks"][0], CONTRACT["sudo_tasks"]["options"], {}),
        (described["tools"], {}, returned["tools"]["contains"]),
    ]
    for told, contract, documented in parts:
        assert told.keys() <= contract.keys() | documented.keys()
        assert documented.keys() <= told.keys()
