# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried on which host, and its outcome for the tests."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from boxes import SEEN, Box
from campaign import Campaign, Place
from runs import Target


@pytest.fixture(scope="session")
def campaign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Campaign]:
    """All that the chosen tests ask for."""
    todo: dict[str, dict[str, None]] = {}
    addresses: dict[str, str] = {}
    for item in request.session.items:
        parameters = item.callspec.params  # type: ignore[attr-defined]
        host = parameters["_testinfra_host"]
        name = host.backend.get_hostname()
        todo.setdefault(name, {})[parameters["trial"]] = None
        if name not in addresses:
            addresses[name] = host.ansible.get_variables()["ansible_host"]
    keys = tmp_path_factory.mktemp("keys")
    for user in ("resident", "courier"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / user], check=True)
    inventory = str(request.config.getoption("ansible_inventory"))
    running = Campaign(todo, lambda name: Place(Box(name, addresses[name], keys), Target(inventory, name)))
    yield running
    running.end()


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
    logins = sum(len(watch.logins) for watch in SEEN)
    terminalreporter.write_line(f"Logins during runs: {logins}; refused at first: {len(refusals)}")
    for refusal in refusals:
        terminalreporter.write_line(f"  for {refusal.seconds:.2f} s, {refusal.said}")
