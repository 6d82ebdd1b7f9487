# SPDX-License-Identifier: GPL-3.0-or-later
"""The host under test, modules to run on it, and a picture of it to compare."""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import typing as t
from pathlib import Path

import pytest
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[3]
SNAPSHOT = (Path(__file__).parent / "snapshot.py").read_text()
SECONDS = 120

Model = t.Dict[str, t.Any]
Picture = t.Dict[str, str]


class Result(t.Dict[str, t.Any]):
    """What a module returned."""

    @property
    def changed(self) -> bool:
        return bool(self.get("changed"))

    @property
    def failed(self) -> bool:
        return bool(self.get("failed"))

    @property
    def actions(self) -> list[str]:
        return list(self["actions"])

    @property
    def message(self) -> str:
        return str(self.get("msg", ""))


class Target:
    """One host: runs modules there, with an Ansible of its own each."""

    def __init__(self, inventory: str, name: str, host: Host) -> None:
        self.inventory, self.name, self.host = inventory, name, host

    def run(self, module: str, model: Model, *options: str) -> Result:
        with self.start(module, model, *options) as process:
            return self.result(process)

    def check(self, module: str, model: Model) -> Result:
        return self.run(module, model, "--check")

    def done(self, module: str, model: Model) -> Result:
        """``run`` that has to succeed."""
        result = self.run(module, model)
        assert not result.failed, result.message
        return result

    def start(self, module: str, model: Model, *options: str) -> subprocess.Popen[str]:
        command = ["ansible", f"--inventory={self.inventory}", self.name, f"--module-name=sallyport.ssh.{module}"]
        return subprocess.Popen(
            [*command, f"--args={json.dumps(model)}", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
        )

    def result(self, process: subprocess.Popen[str]) -> Result:
        said, _ = process.communicate(timeout=SECONDS)
        start = said.find(f"{self.name} | ")
        assert start >= 0, said
        result: t.Dict[str, t.Any] = json.JSONDecoder().raw_decode(said, said.index("{", start))[0]
        return Result(result, failed="FAILED!" in said[start:].partition("\n")[0])

    def playbook(self, path: str | Path, *options: str) -> tuple[int, str]:
        """The exit code of ansible-playbook, and what it said."""
        done = subprocess.run(
            ["ansible-playbook", f"--inventory={self.inventory}", path, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
            timeout=SECONDS,
        )
        return done.returncode, done.stdout

    def picture(self) -> Picture:
        picture: Picture = json.loads(self.host.check_output("python3 -c %s", SNAPSHOT))
        return picture

    def sh(self, script: str) -> str:
        """What a shell script prints, which has to succeed."""
        return str(self.host.check_output(script))

    def info(self) -> dict[str, dict[str, t.Any]]:
        """The accounts that the host knows, by name."""
        return {account["name"]: account for account in self.done("access_info", {})["accounts"]}


def environment() -> dict[str, str]:
    own = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
    return {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), **os.environ, **own}


def differences(before: Picture, after: Picture) -> dict[str, tuple[str | None, str | None]]:
    return {
        path: (before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    }


def key(number: int) -> str:
    """A public key; nobody has its private half."""
    parts = (b"ssh-ed25519", number.to_bytes(32, "big"))
    return "ssh-ed25519 " + base64.b64encode(b"".join(struct.pack(">I", len(part)) + part for part in parts)).decode()


@pytest.fixture(scope="session")
def inventory(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("ansible_inventory"))


@pytest.fixture(scope="module")
def target(host: Host, inventory: str) -> Target:
    return Target(inventory, host.backend.get_hostname(), host)
