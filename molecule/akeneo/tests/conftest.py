# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts, persons and credentials that the tests of the promises work with."""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from logins import CACHE, Login
from testinfra.host import Host

ROOT = CACHE.parent
CREDENTIALS = CACHE / "akeneo"
MODEL = ROOT / "examples/akeneo/group_vars/all/access.yml"
DEMO = ROOT / "examples/akeneo/demo.yml"
FOLDER = "/data/transfer/pim"  # as the application sees what customers see as /pim


@dataclass(frozen=True)
class Logins:
    """How the persons of the example log in to one host."""

    address: str

    def key(self, user: str, person: str) -> Login:
        return Login(self.address, user, key=CREDENTIALS / person)

    def password(self, user: str) -> Login:
        """With the password of akeneosftp, whoever it is tried on."""
        return Login(self.address, user, password=(CREDENTIALS / "akeneosftp.password").read_text().strip())

    @property
    def alice(self) -> Login:
        return self.key("akeneo", "alice")

    def alice_with(self, agent: str) -> Login:
        """With an agent that ``-A`` forwards."""
        return dataclasses.replace(self.alice, agent=agent)

    @property
    def akeneosftp(self) -> Login:
        return self.password("akeneosftp")

    @property
    def akeneosftp2(self) -> Login:
        return self.key("akeneosftp2", "erp")

    @property
    def auditor(self) -> Login:
        return self.key("auditor", "grace")


@pytest.fixture(scope="module")
def logins(host: Host) -> Logins:
    return Logins(host.ansible.get_variables()["ansible_host"])


@dataclass(frozen=True)
class Place:
    """A name in the folder, as the application and as a customer see it."""

    name: str

    @property
    def application(self) -> str:
        return f"{FOLDER}/{self.name}"

    @property
    def customer(self) -> str:
        return f"/pim/{self.name}"


@pytest.fixture(scope="module")
def places(host: Host, request: pytest.FixtureRequest) -> t.Iterator[t.Iterator[Place]]:
    directory = f"{request.module.__name__}-{os.getpid()}"
    host.check_output("runuser -u akeneo -- mkdir -m 2770 %s", f"{FOLDER}/{directory}")
    yield (Place(f"{directory}/{number}") for number in itertools.count())
    host.check_output("rm -rf %s", f"{FOLDER}/{directory}")


@pytest.fixture
def place(places: t.Iterator[Place]) -> Place:
    """Where nothing is yet, in a directory of the application's."""
    return next(places)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key that no model names."""
    key = tmp_path_factory.mktemp("stranger") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return key


@pytest.fixture(scope="session")
def agents(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, str]]:
    """For alice and dave the socket of an agent with their key."""
    directory = tmp_path_factory.mktemp("agents")
    sockets = {person: str(directory / person) for person in ("alice", "dave")}
    running = [
        subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL) for path in sockets.values()
    ]
    try:
        for person, path in sockets.items():
            while not Path(path).exists():
                assert all(process.poll() is None for process in running)
            environment = {**os.environ, "SSH_AUTH_SOCK": path}
            subprocess.run(["ssh-add", "-q", CREDENTIALS / person], env=environment, check=True)
        yield sockets
    finally:
        for process in running:
            process.terminate()
            process.wait()


Provision = t.Callable[..., str]


@pytest.fixture(scope="session")
def provision(request: pytest.FixtureRequest) -> Provision:
    """Gives all hosts the model of the example, or as more arguments say; returns what ansible-playbook printed."""
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), **os.environ, "ANSIBLE_FORCE_COLOR": "false"}
    inventory = str(request.config.getoption("ansible_inventory"))

    def run(*arguments: str) -> str:
        models = [f"--extra-vars=@{path}" for path in (MODEL, DEMO)]
        done = subprocess.run(
            ["ansible-playbook", f"--inventory={inventory}", "sallyport.ssh.provision", *models, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
