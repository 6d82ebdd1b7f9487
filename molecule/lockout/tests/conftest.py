# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with accounts, a model that would change it, and the order that has to be found there after every test."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
from boxes import Box, Watch, eventually
from runs import Model, Target, key, run
from testinfra.host import Host

SEEN: list[Watch] = []


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("keys")
    for name in ("resident", "courier"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name], check=True)
    return directory


@pytest.fixture(scope="module")
def target(host: Host, request: pytest.FixtureRequest) -> Target:
    return Target(str(request.config.getoption("ansible_inventory")), host.backend.get_hostname())


@pytest.fixture(scope="module")
def populated(host: Host, target: Target, keys: Path) -> Box:
    """The host, with accounts that earlier runs have made. Everybody else may still log in."""
    box = Box(target.name, host.ansible.get_variables()["ansible_host"], keys)
    populate(box, target)
    return box


def populate(box: Box, target: Target) -> None:
    target.done(run("access", population(box.keys)))
    box.console("rm -rf /home/newcomer")


def population(keys: Path) -> Model:
    return {"server": {"only_listed": False}, "accounts": accounts(keys), "exclusive": True}


@pytest.fixture
def box(populated: Box, target: Target) -> t.Iterator[Box]:
    """As every test leaves it: with the same accounts, and all of them get in."""
    yield populated
    refusals = populated.refusals()
    if refusals:
        rescue(populated)
    newcomer = populated.has("/etc/ssh/authorized_keys.d/newcomer")
    if newcomer:
        populate(populated, target)
    assert (refusals, newcomer) == ({}, False)


def rescue(box: Box) -> None:
    """For the tests to come: an sshd that reads what is there now."""
    box.console("systemctl restart ssh || kill -HUP $(cat /run/sshd.pid)")
    eventually(box.admin_gets_in)


def accounts(keys: Path) -> list[Model]:
    def own(name: str) -> list[Model]:
        return [{"name": "own", "key": " ".join((keys / f"{name}.pub").read_text().split()[:2])}]

    return [
        {"name": "resident", "kind": "shell", "keys": own("resident")},
        {"name": "courier", "keys": own("courier"), "folders": [{"private": True, "at": "/own"}]},
    ]


@pytest.fixture(scope="module")
def wanted(keys: Path) -> Model:
    """What changes everything that decides who gets in: from now on nobody but admins and accounts, and one more."""
    return {
        "server": {},
        "accounts": [
            *accounts(keys),
            {
                "name": "newcomer",
                "kind": "shell",
                "keys": [{"name": "laptop", "key": key(900)}],
                "forwarding": {"agent": True},
                "sudo_tasks": ["newcomer_cron"],
            },
        ],
        "sudo_tasks": [{"name": "newcomer_cron", "service": "cron", "actions": ["status"]}],
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what is not for a host. This is no skip: such a test says nothing about it."""
    items[:] = [item for item in items if _is_for(item)]


def _is_for(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("on")
    return marker is None or any(
        f"lockout-{name}]" in item.name or f"lockout-{name}-" in item.name for name in marker.args
    )


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    refusals = [refusal for watch in SEEN for refusal in watch.refusals]
    logins = sum(watch.logins for watch in SEEN)
    terminalreporter.write_line(f"Logins during runs: {logins}; refused at first: {len(refusals)}")
    for refusal in refusals:
        terminalreporter.write_line(f"  for {refusal.seconds:.2f} s, {refusal.said}")
