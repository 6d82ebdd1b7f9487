# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts, persons and credentials that the tests work with; clients and logins are those of the akeneo scenario."""

from __future__ import annotations

import os
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from logins import CACHE, Answer, Login, ssh
from testinfra.host import Host

ROOT = CACHE.parent
CREDENTIALS = CACHE / "model"
MODEL = ROOT / "molecule/model/vars/access.yml"
# What a host logs in to itself with
INSIDE = "-F none -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR -oConnectTimeout=5"


@dataclass(frozen=True)
class Logins:
    """How persons log in to the accounts of one host."""

    address: str

    def key(self, account: str, person: str = "ann") -> Login:
        return Login(self.address, account, key=CREDENTIALS / person)

    def password(self, account: str) -> Login:
        return Login(self.address, account, password=(CREDENTIALS / "password").read_text().strip())


@pytest.fixture(scope="module")
def logins(host: Host) -> Logins:
    return Logins(host.ansible.get_variables()["ansible_host"])


def refused(login: Login, answer: Answer) -> bool:
    """Whether sshd took neither key nor password, asked a suspended account for neither, or PAM found it expired."""
    said = (
        f"{login.destination}: Permission denied (",
        "no authentication methods enabled",
        "Your account has expired",
    )
    return answer.code == 255 and any(text in answer.text for text in said)


def opens(login: Login) -> bool:
    """Whether an sftp account lets this login in; what is neither yes nor no is an error."""
    answer = ssh(login, "-s", "--", "sftp")
    if refused(login, answer):
        return False
    assert answer.ok, answer
    return True


class Application:
    """A user of the host, at work in a directory."""

    def __init__(self, host: Host, user: str, directory: str) -> None:
        self._host, self.user, self.directory = host, user, directory

    def run(self, script: str) -> Answer:
        done = self._host.run("runuser -u %s -- sh -c %s 2>&1", self.user, f"cd {self.directory} && {script}")
        return Answer(done.rc, done.stdout)


def pytest_configure(config: pytest.Config) -> None:
    """One connection of the admin for many commands: two thirds of the time that the tests would take."""
    sockets = tempfile.TemporaryDirectory(prefix="sallyport-", ignore_cleanup_errors=True)
    config.add_cleanup(sockets.cleanup)
    options = f"-o ControlMaster=auto -o ControlPersist=20s -o ControlPath={sockets.name}/%C"
    os.environ["ANSIBLE_SSH_EXTRA_ARGS"] = options  # testinfra reads it, and ansible-playbook


Provision = t.Callable[..., str]


@pytest.fixture(scope="session")
def provision(request: pytest.FixtureRequest) -> Provision:
    """Runs the model on a host, with other variables if some are given; returns what ansible-playbook printed."""
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), **os.environ, "ANSIBLE_FORCE_COLOR": "false"}
    inventory = str(request.config.getoption("ansible_inventory"))

    def run(host: Host, changed: t.Mapping[str, t.Any] | None = None, code: int = 0) -> str:
        arguments = [f"--limit={host.backend.get_hostname()}", f"--extra-vars=@{MODEL}"]
        if changed:
            arguments.append(f"--extra-vars={yaml.safe_dump(dict(changed), default_flow_style=True, width=10**6)}")
        done = subprocess.run(
            ["ansible-playbook", f"--inventory={inventory}", "sallyport.ssh.provision", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            timeout=120,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    return run


def model(option: str) -> dict[str, dict[str, t.Any]]:
    """A list of the model by the names of its items."""
    return {item["name"]: item for item in yaml.safe_load(MODEL.read_text())[option]}


def reboot(host: Host) -> None:
    subprocess.run([ROOT / "tools/host", "reboot", host.backend.get_hostname()], check=True, timeout=120)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A file of the customer's, as closed as it can be."""
    path = tmp_path / "file"
    path.write_text("from the customer\n")
    path.chmod(0o600)
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
