# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole validation: what is right becomes exactly this model, and all that is wrong is said at once."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import time
import typing as t

import pytest
import yaml
from ansible_collections.sallyport.ssh.plugins.module_utils.model import (
    Account,
    Ban,
    Folder,
    Forwarding,
    Grant,
    Key,
    Model,
    Server,
    SudoTask,
    from_json,
    to_json,
)
from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context, Invalid, resolve

Variables = t.Dict[str, t.Any]

CONTEXT = Context(inventory_hostname="web1.example.com", connecting_user="deploy")
YESCRYPT = "$y$j9T$aaaaaaaaaaaaaaaaaaaaaa$" + "b" * 43
JANUARY = 1801440000  # 2027-02-01T00:00:00Z


def blob(number: int) -> str:
    """A number as an Ed25519 key, whose private half nobody has."""
    return f"AAAAC3NzaC1lZDI1NTE5AAAAIA{number:042d}"


def key(number: int) -> str:
    return f"ssh-ed25519 {blob(number)}"


def problems(variables: Variables, context: Context = CONTEXT) -> t.List[str]:
    with pytest.raises(Invalid) as caught:
        resolve(variables, context=context)
    return caught.value.problems


def yml(text: str) -> Variables:
    """Variables as they come out of a file, with whatever YAML makes of what is not quoted."""
    loaded: Variables = yaml.safe_load(text)
    return loaded


FULL = yml(f"""
access_server:
  address: sftp.example.com
  port: 2222
  admins: [deploy, root]
  idle_timeout: null
  global_keys: [{{name: platform, key: "{key(9)}"}}]
  ban: {{failures: 5, window: 1h, exempt: [192.0.2.1]}}
access_people:
  - name: alice
    keys:
      - name: laptop
        key: "{key(1)} alice@laptop"
        expires: 2027-02-01T00:00:00Z
        from: [203.0.113.0/24, "2001:db8::/32"]
      - {{name: token, key: "{key(2)}"}}
  - {{name: bob, keys: [{{name: desk, key: "{key(3)}"}}]}}
  - {{name: carol, keys: [{{name: old, key: "{key(4)}"}}], state: absent}}
access_teams:
  - {{name: integrators, people: [alice, bob]}}
access_folders:
  - {{name: pim, path: /data/transfer/pim/, owner: akeneo, group: pim-transfer, subfolders: [in, out]}}
access_accounts:
  - name: akeneo
    kind: shell
    people: [bob, carol]
    teams: [integrators]
    forwarding: {{agent: true, local: ["127.0.0.1:3306", "[::1]:9200"]}}
    sudo_tasks: [partners_mysql]
    groups: [pim-transfer]
    uid: 6401
  - name: akeneosftp
    people: [alice]
    keys: [{{name: erp, key: "{key(5)}"}}]
    password_hash: "{YESCRYPT}"
    second_factor: password
    from: [203.0.113.128/25]
    expires: 2027-02-01T02:00:00+02:00
    folders:
      - {{folder: pim, at: /pim/, rights: read_only}}
      - {{private: true, at: /upload}}
      - {{source: /vmfs/pcc-1/upload-vpn, at: /datastore/pcc-1, owner: vmware, sharing: group}}
      - {{at: /pim/secret, hidden: true}}
    start_in: /pim
    umask: "077"
    note: CLOUD-202
  - name: mysql-tunnel
    kind: tunnel
    state: suspended
    forwarding: {{local: ["db.example.com:3306"], remote: ["localhost:8080"]}}
  - {{name: gone, state: absent}}
access_sudo_tasks:
  - {{name: partners_mysql, service: mysql, actions: [status, restart]}}
  - {{name: partners_php8.1-fpm, service: php8.1-fpm, actions: [status]}}
  - name: partners_systemctl
    service_pattern: 'pim_job_consumer@[0-9]+'
    protected: ['pim_job_consumer@1']
    actions: [stop]
  - name: partners_clear_cache
    run_as: akeneo
    commands: [[/usr/bin/systemctl, stop, php8.1-fpm], [/usr/bin/touch, /srv/a b]]
access_exclusive: true
""")

PLATFORM = Key("ssh-ed25519", blob(9), "global", "platform")
LAPTOP = Key("ssh-ed25519", blob(1), "alice", "laptop", sources=("203.0.113.0/24", "2001:db8::/32"), expires=JANUARY)
TOKEN = Key("ssh-ed25519", blob(2), "alice", "token")
DESK = Key("ssh-ed25519", blob(3), "bob", "desk")
OFFICE = ("203.0.113.128/25",)

FULL_MODEL = Model(
    server=Server(
        address="sftp.example.com",
        port=2222,
        admins=("deploy", "root"),
        idle_timeout=None,
        ban=Ban(failures=5, window=3600, duration=600, exempt=("192.0.2.1/32",)),
    ),
    folders=(Folder("pim", "/data/transfer/pim", "akeneo", "pim-transfer", subfolders=("in", "out")),),
    accounts=(
        Account(
            "akeneo",
            "shell",
            keys=(DESK, LAPTOP, TOKEN, PLATFORM),
            forwarding=Forwarding(agent=True, local=("127.0.0.1:3306", "[::1]:9200")),
            sudo_tasks=("partners_mysql",),
            groups=("pim-transfer",),
            uid=6401,
        ),
        Account(
            "akeneosftp",
            "sftp",
            keys=(
                Key("ssh-ed25519", blob(5), "akeneosftp", "erp", sources=OFFICE),
                Key("ssh-ed25519", blob(1), "alice", "laptop", sources=OFFICE, expires=JANUARY),
                Key("ssh-ed25519", blob(2), "alice", "token", sources=OFFICE),
                Key("ssh-ed25519", blob(9), "global", "platform", sources=OFFICE),
            ),
            password_hash=YESCRYPT,
            second_factor="password",
            sources=OFFICE,
            expires=JANUARY,
            grants=(
                Grant("/pim", "read_only", folder="pim"),
                Grant("/upload", private=True),
                Grant("/datastore/pcc-1", source="/vmfs/pcc-1/upload-vpn", owner="vmware", sharing="group"),
                Grant("/pim/secret", hidden=True),
            ),
            start_in="/pim",
            umask="0077",
            note="CLOUD-202",
        ),
        Account(
            "mysql-tunnel",
            "tunnel",
            state="suspended",
            keys=(PLATFORM,),
            forwarding=Forwarding(local=("db.example.com:3306",), remote=("localhost:8080",)),
        ),
        Account("gone", "sftp", state="absent", keys=(PLATFORM,)),
    ),
    sudo_tasks=(
        SudoTask("partners_mysql", service="mysql", actions=("status", "restart")),
        SudoTask("partners_php8.1-fpm", service="php8.1-fpm", actions=("status",)),
        SudoTask(
            "partners_systemctl",
            service_pattern="pim_job_consumer@[0-9]+",
            protected=("pim_job_consumer@1",),
            actions=("stop",),
        ),
        SudoTask(
            "partners_clear_cache",
            run_as="akeneo",
            commands=(("/usr/bin/systemctl", "stop", "php8.1-fpm"), ("/usr/bin/touch", "/srv/a b")),
        ),
    ),
    exclusive=True,
)


def test_a_full_model_is_resolved() -> None:
    assert resolve(FULL, context=CONTEXT) == FULL_MODEL


def test_nothing_at_all_is_a_model() -> None:
    assert resolve({}, context=CONTEXT) == Model(server=Server(address="web1.example.com", admins=("deploy",)))


def test_the_names_of_options_do_as_well_as_those_of_variables() -> None:
    assert resolve({name.removeprefix("access_"): value for name, value in FULL.items()}, context=CONTEXT) == FULL_MODEL


def test_null_means_the_default() -> None:
    nothing = {"server": {"port": None}, "people": None, "accounts": [{"name": "acme", "uid": None, "keys": None}]}
    assert resolve(nothing, context=CONTEXT).accounts == (Account("acme", "sftp"),)


def test_a_ban_of_null_is_none() -> None:
    assert resolve({"server": {"ban": None}}, context=CONTEXT).server.ban is None


class Tagged(str):
    """As Ansible hands over text, with a note where it came from."""

    __slots__ = ()


class TaggedTime(datetime.datetime):
    pass


def _plain(value: t.Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_plain, value))
    if hasattr(value, "__dataclass_fields__"):
        return all(_plain(getattr(value, name)) for name in value.__dataclass_fields__)
    return type(value) in (str, int, bool, type(None))


def test_the_outcome_is_made_of_plain_types() -> None:
    def tagged(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {Tagged(name): tagged(given) for name, given in value.items()}
        if isinstance(value, list):
            return [tagged(given) for given in value]
        if isinstance(value, datetime.datetime):
            return TaggedTime.fromtimestamp(value.timestamp(), value.tzinfo)
        return Tagged(value) if isinstance(value, str) else value

    model = resolve(tagged(FULL), context=CONTEXT)
    assert model == FULL_MODEL
    assert _plain(model)
    assert from_json(to_json(model)) == model


def test_what_was_written_is_not_changed() -> None:
    before = copy.deepcopy(FULL)
    resolve(FULL, context=CONTEXT)
    assert before == FULL


def test_everything_that_is_wrong_is_said_at_once_in_order() -> None:
    wrong = yml(f"""
access_server: {{port: 0, admins: [acme], crypt: modern}}
access_people:
  - {{name: alice, keys: [{{name: laptop, key: "{key(1)}"}}]}}
  - {{name: alice, keys: [{{name: laptop, key: "{key(1)}"}}, {{name: laptop, key: "ssh-dss AAAA"}}]}}
access_folders: [{{name: pim, path: data, owner: root, mode: 0770}}]
access_accounts:
  - {{name: acme, people: [alic], kind: ftp, expires: '2027-02-30T00:00:00Z'}}
  - {{name: no, folders: [{{folder: pam, at: /a}}, {{at: a}}], password: hunter2, from: [10.0.0.1/8]}}
  - just text
access_sudo_tasks: [{{name: ls, service: ssh}}]
access_exclusive: maybe
""")
    assert [text.split(": ")[0] for text in problems(wrong)] == [
        "access_accounts[0].expires",
        "access_accounts[0].kind",
        "access_accounts[0].name",
        "access_accounts[0].people[0]",
        "access_accounts[1].folders[0].folder",
        "access_accounts[1].folders[1]",
        "access_accounts[1].folders[1].at",
        "access_accounts[1].from[0]",
        "access_accounts[1].name",
        "access_accounts[1].password",
        "access_accounts[2]",
        "access_exclusive",
        "access_folders[0].mode",
        "access_folders[0].owner",
        "access_folders[0].path",
        "access_people[1].keys[0].key",
        "access_people[1].keys[1].key",
        "access_people[1].keys[1].name",
        "access_people[1].name",
        "access_server.crypt",
        "access_server.port",
        "access_sudo_tasks[0].actions",
        "access_sudo_tasks[0].name",
        "access_sudo_tasks[0].service",
    ]


SECRET = "Tr0ub4dor&3-hunter2"
PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA-hunter2\n-----END OPENSSH PRIVATE KEY-----"
HASH = "$1$saltsalt$hunter2hunter2hunter22"


@pytest.mark.parametrize(
    "account",
    [
        {"password": SECRET, "password_hash": HASH},
        {"password": "hunter2"},
        {"password": ["hunter2"]},
        {"password": {"hunter2": "hunter2"}},
        {"password": "hunter2 {{ x }}"},
        {"password": "hunter2\x00"},
        {"password_hash": "hunter2"},
        {"password_hash": HASH + "\n"},
        {"password_hash": "$6$rounds=1000$salt$hunter2"},
        {"keys": [{"name": "laptop", "key": PRIVATE}]},
        {"keys": [{"name": PRIVATE, "key": PRIVATE}]},
        {"keys": [PRIVATE]},
        {"keys": PRIVATE},
        {"people": [PRIVATE]},
        {"people": [HASH]},
        {"home": HASH},
        {"pasword": "hunter2"},
    ],
    ids=lambda account: "-".join(account) + ":" + type(next(iter(account.values()))).__name__,
)
def test_no_message_shows_a_secret(account: Variables) -> None:
    assert "hunter2" not in "\n".join(problems({"accounts": [{"name": "acme", **account}]}))


@pytest.mark.parametrize("value", [20201231, 1.5, datetime.date(2020, 12, 31), True])
def test_no_message_shows_a_secret_that_yaml_made_no_text_of(value: t.Any) -> None:
    (problem,) = problems({"accounts": [{"name": "acme", "password": value}]})
    assert problem == "accounts[0].password: is not text, though it may look so in YAML; put it in quotes."


@pytest.mark.parametrize("of", ["host", "account"])
def test_a_password_has_the_same_hash_at_every_run_and_another_one_elsewhere(of: str) -> None:
    def hashed(host: str, account: str) -> t.Optional[str]:
        given = {"accounts": [{"name": account, "password": SECRET}]}
        return resolve(given, context=Context(host, "deploy")).accounts[0].password_hash

    assert hashed("web1", "acme") == hashed("web1", "acme")
    assert hashed("web1", "acme") != (hashed("web2", "acme") if of == "host" else hashed("web1", "bcme"))


def test_whoever_only_validates_makes_no_hash() -> None:
    alone = dataclasses.replace(CONTEXT, hashing=False)
    assert resolve({"accounts": [{"name": "acme", "password": SECRET}]}, context=alone).accounts[0].password_hash == "*"
    assert problems({"accounts": [{"name": "acme", "password": "weak"}]}, alone) == problems(
        {"accounts": [{"name": "acme", "password": "weak"}]}
    )


def test_the_salt_tells_nothing_of_the_password() -> None:
    def salt(password: str) -> str:
        model = resolve({"accounts": [{"name": "acme", "password": password}]}, context=CONTEXT)
        return str(model.accounts[0].password_hash).split("$")[2]

    assert salt(SECRET) == salt(SECRET + "!")


def test_thousands_of_accounts_are_validated_in_a_moment() -> None:
    """Ten times what it takes, so that a busy machine passes and anything quadratic fails."""
    accounts = [
        {"name": f"acme{i}", "keys": [{"name": "erp", "key": key(i)}], "folders": [{"folder": f"f{i}", "at": "/in"}]}
        for i in range(5000)
    ]
    folders = [{"name": f"f{i}", "path": f"/data/f{i}", "owner": "app", "group": "files"} for i in range(5000)]
    started = time.process_time()
    resolve({"accounts": accounts, "folders": folders}, context=CONTEXT)
    assert time.process_time() - started < 5


def test_thousands_of_errors_are_found_in_a_moment() -> None:
    people = [{"name": f"person{i}"} for i in range(2000)]
    accounts = [{"name": f"acme{i}", "people": [f"persn{i}"], "knd": "sftp"} for i in range(2000)]
    started = time.process_time()
    assert len(problems({"accounts": accounts, "people": people})) == 4000
    assert time.process_time() - started < 5


def test_a_folder_s_group_is_its_owner_s_unless_given() -> None:
    model = resolve({"folders": [{"name": "pim", "path": "/data/pim", "owner": "akeneo"}]}, context=CONTEXT)
    assert model.folders[0].group == "akeneo"


@pytest.mark.parametrize("misspelt", ["access_acounts", "access_account", "access_sudotasks", "access_peoples"])
def test_a_misspelt_variable_of_the_role_is_found_though_it_never_reaches_the_role(misspelt: str) -> None:
    context = dataclasses.replace(CONTEXT, variables=[misspelt, "access_log", "access_hosts", "access_people", "other"])
    (problem,) = problems({"access_people": []}, context)
    assert problem.startswith(f"{misspelt}: is no variable of the role; did you mean access_")
