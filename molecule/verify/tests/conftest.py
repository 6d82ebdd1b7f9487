# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of verify.yml and provision.yml on the host of the scenario, and what they leave."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "molecule/verify/vars/access.yml"
PICTURE = (ROOT / "molecule/modules/tests/picture.py").read_text()
LOGS = ("/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog", "/var/run/utmp")


@dataclass(frozen=True)
class Verdict:
    """What a run of verify.yml said on the terminal, and in its JUnit file."""

    code: int
    text: str
    junit: ElementTree.Element

    @property
    def failures(self) -> dict[str, str]:
        """What was found, by account and promise; of differences, by themselves."""
        return {
            f"{case.attrib['classname'].split('.')[1]}: {case.attrib['name']}": failure.attrib["message"]
            for case in self.junit.iter("testcase")
            for failure in case.iter("failure")
        }

    @property
    def differences(self) -> str:
        return "\n".join(name for name in self.failures if name.startswith("drift: "))


Verify = t.Callable[..., Verdict]


@pytest.fixture(scope="session")
def inventory(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("ansible_inventory"))


@pytest.fixture(scope="session")
def verify(inventory: str, tmp_path_factory: pytest.TempPathFactory) -> Verify:
    def run(host: Host, *arguments: str) -> Verdict:
        name = host.backend.get_hostname()
        directory = tmp_path_factory.mktemp("junit")
        done = play("verify", inventory, name, f"--extra-vars=access_verify_junit={directory}", *arguments)
        file = directory / f"sallyport-{name}.xml"
        assert file.exists(), done.stdout
        return Verdict(done.returncode, done.stdout, ElementTree.parse(file).getroot())

    return run


@pytest.fixture(scope="session")
def provision(inventory: str) -> t.Callable[[Host], str]:
    def run(host: Host) -> str:
        done = play("provision", inventory, host.backend.get_hostname())
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def play(name: str, inventory: str, host: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    model = f"--extra-vars=@{MODEL}"
    return subprocess.run(
        ["ansible-playbook", f"--inventory={inventory}", f"sallyport.ssh.{name}", f"--limit={host}", model, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), **os.environ, "ANSIBLE_FORCE_COLOR": "false"},
        timeout=120,
    )


def picture(host: Host) -> dict[str, str]:
    """All that a proof could leave behind: files, mounts, the times of what it works in, records of logins."""
    found: dict[str, str] = json.loads(host.check_output("python3 -c %s", PICTURE))
    times = host.check_output("find /data /opt /srv /home -printf '%%p %%T@\\n'").splitlines()
    found.update({f"time of {path}": time for path, _space, time in (line.rpartition(" ") for line in times)})
    found.update({f"log {path}": host.check_output("md5sum < %s || true", path) for path in LOGS})
    found["processes"] = host.check_output("ps -eo user,args | grep -E 'sallyport|sftp-server' | grep -v grep || true")
    return found
