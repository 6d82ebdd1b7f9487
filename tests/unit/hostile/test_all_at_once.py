# SPDX-License-Identifier: GPL-3.0-or-later
"""Fifty wrong values in one model are fifty places in one answer, and none hides, moves or invents another."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context
from ansible_collections.sallyport.ssh.tests.unit.hostile.models import (
    BASE,
    CONTEXT,
    PRIVATE,
    Variables,
    ed25519,
    put,
    resolved,
)

FIFTY: t.Dict[str, t.Any] = {
    "server.address": "a b",
    "server.port": 65536,
    "server.admins[0]": "ad\nmin",
    "server.only_listed": "maybe",
    "server.crypto": "none",
    "server.log_transfers": "sometimes",
    "server.idle_timeout": "15 m",
    "server.max_auth_tries": 0,
    "server.max_startups": "10:30:1",
    "server.password_policy.min_length": 1,
    "server.password_policy.min_classes": 9,
    "server.global_keys[0].key": PRIVATE,
    "server.ban.failures": 0,
    "server.ban.window": "1y",
    "server.ban.duration": "0s",
    "server.ban.exempt[0]": "office",
    "server.jails": "/srv/%u",
    "people[0].keys[0].name": "a b",
    "people[0].keys[0].key": "ssh-dss AAAA",
    "people[0].keys[0].expires": "2027-01-31",
    "people[0].keys[0].from[0]": "203.0.113.1/24",
    "people[1].state": "gone",
    "people[1].keys[0].key": f"restrict {ed25519(3)}",
    "teams[0].people[0]": "alcie",
    "folders[0].path": "/etc/x",
    "folders[0].mode": "0777",
    "folders[0].owner": "root",
    "folders[0].group": "docker",
    "folders[0].subfolders[1]": "../x",
    "folders[1].sharing": "both",
    "folders[1].retention": "1d",
    "accounts[0].uid": 0,
    "accounts[0].umask": "0000",
    "accounts[0].password_hash": "hunter2-hunter2",
    "accounts[0].expires": "never",
    "accounts[0].people[0]": "alcie",
    "accounts[0].folders[0].rights": "rw",
    "accounts[0].folders[2].source": "/proc/1",
    "accounts[0].note": "a\0b",
    "accounts[1].teams[0]": "nobody",
    "accounts[1].groups[0]": "sudo",
    "accounts[1].shell": "/bin/false",
    "accounts[1].home": "/root",
    "accounts[1].forwarding.agent": "perhaps",
    "accounts[1].forwarding.local[0]": "[::1%x any]:22",
    "accounts[1].sudo_tasks[0]": "ALL",
    "accounts[2].from[0]": "!10.0.0.0/8",
    "accounts[2].password": "hunter2",
    "sudo_tasks[0].service": "../ssh",
    "sudo_tasks[1].service_pattern": ".*",
    "sudo_tasks[2].commands[0][0]": "/bin/sh",
    "sudo_tasks[2].run_as": "#0",
    "proof": "no",
}


def _all() -> Variables:
    model = BASE
    for place, value in FIFTY.items():
        model = put(place, value, model)
    return model


def test_fifty_wrong_values_are_fifty_places() -> None:
    found = resolved(_all())
    assert isinstance(found, list)
    assert len(FIFTY) >= 50
    assert sorted(problem.partition(": ")[0] for problem in found) == sorted(FIFTY)
    assert not [secret for secret in ("hunter2", PRIVATE.splitlines()[1]) if secret in "".join(found)]


@pytest.mark.parametrize("place", FIFTY)
def test_each_of_them_alone_is_its_place(place: str) -> None:
    found = resolved(put(place, FIFTY[place]))
    assert isinstance(found, list)
    assert [problem.partition(": ")[0] for problem in found] == [place]


@pytest.mark.parametrize(
    ("place", "value", "said_at"),
    [
        ("accounts[1].groups", [1, "readers", "sudo"], ["accounts[1].groups[0]", "accounts[1].groups[2]"]),
        ("accounts[1].teams", [None, "nobody"], ["accounts[1].teams[0]", "accounts[1].teams[1]"]),
        ("accounts[2].from", [False, "x"], ["accounts[2].from[0]", "accounts[2].from[1]"]),
        (
            "accounts[1].forwarding.local",
            ["{{ x }}", "a:1", "b"],
            ["accounts[1].forwarding.local[0]", "accounts[1].forwarding.local[2]"],
        ),
        (
            "sudo_tasks[2].commands",
            ["x", ["/bin/sh"], [1, "", "\n"]],
            [
                "sudo_tasks[2].commands[0]",
                "sudo_tasks[2].commands[1][0]",
                "sudo_tasks[2].commands[2][0]",
                "sudo_tasks[2].commands[2][1]",
                "sudo_tasks[2].commands[2][2]",
            ],
        ),
        ("sudo_tasks[0].actions", [1, "edit", "stop", "stop"], [f"sudo_tasks[0].actions[{at}]" for at in (0, 1, 3)]),
    ],
)
def test_a_wrong_element_does_not_move_the_places_of_the_others(place: str, value: t.Any, said_at: t.List[str]) -> None:
    found = resolved(put(place, value))
    assert isinstance(found, list)
    assert [problem.partition(": ")[0] for problem in found] == said_at


@pytest.mark.parametrize("name", ["web 1", "web1,user=root", "web1\nx", "", "h\xf6st", "x" * 300])
def test_a_name_of_the_inventory_that_sshd_would_misread_needs_an_address(name: str) -> None:
    context = Context(name, CONTEXT.connecting_user)
    found = resolved({}, context)
    assert isinstance(found, list)
    assert [problem.partition(": ")[0] for problem in found] == ["server.address"]
    assert not isinstance(resolved({"server": {"address": "sftp.example.com"}}, context), list)
