# SPDX-License-Identifier: GPL-3.0-or-later
"""The host under test, modules to run on it, and a picture of it to compare."""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 120

Task = t.Dict[str, t.Any]
Model = t.Dict[str, t.Any]
Picture = t.Dict[str, str]

# A task: the picture of the host, as JSON
PICTURE: Task = {
    "ansible.builtin.command": {"argv": ["python3", "-c", (Path(__file__).parent / "picture.py").read_text()]}
}


def run(module: str, model: Model, **keywords: t.Any) -> Task:
    return {f"sallyport.ssh.{module}": model, **keywords}


def check(module: str, model: Model) -> Task:
    return run(module, model, check_mode=True)


def sh(script: str) -> Task:
    return {"ansible.builtin.shell": f"set -e\n{script}"}


class Result(t.Dict[str, t.Any]):
    """What a task returned."""

    @property
    def ok(self) -> bool:
        return not self.get("failed")

    @property
    def changed(self) -> bool:
        return bool(self["changed"])

    @property
    def actions(self) -> list[str]:
        return list(self["actions"])

    @property
    def message(self) -> str:
        return "\n".join(str(self[name]) for name in ("msg", "stderr") if name in self)

    @property
    def picture(self) -> Picture:
        return t.cast(Picture, json.loads(self["stdout"]))

    @property
    def accounts(self) -> dict[str, dict[str, t.Any]]:
        """By name, as access_info returns them."""
        return {account["name"]: account for account in self["accounts"]}


class Target:
    """The host, reached by a playbook as in real life."""

    def __init__(self, inventory: str, name: str) -> None:
        self.inventory, self.name = inventory, name

    def do(self, *tasks: Task, **play: t.Any) -> list[Result]:
        """What the tasks return, one after the other, failed or not."""
        with self.start(*tasks, **play) as running:
            return running.results()

    def done(self, *tasks: Task, **play: t.Any) -> list[Result]:
        """The same, where all of them have to succeed."""
        results = self.do(*tasks, **play)
        assert [result.message for result in results if not result.ok] == []
        return results

    def start(self, *tasks: Task, **play: t.Any) -> Running:
        names = [f"result_{number}" for number in range(len(tasks))]
        directory = tempfile.TemporaryDirectory()
        report = {
            "ansible.builtin.copy": {
                "content": "{{ [" + ", ".join(names) + "] | to_json }}",
                "dest": f"{directory.name}/results",
                "mode": "0600",
            },
            "delegate_to": "localhost",
            "become": False,
        }
        steps = [{**task, "register": name, "ignore_errors": True} for name, task in zip(names, tasks)]
        plays = [{"hosts": self.name, "gather_facts": False, "tasks": [*steps, report], **play}]
        (Path(directory.name) / "play.yml").write_text(json.dumps(plays))
        return Running(directory, self.playbook(f"{directory.name}/play.yml"))

    def playbook(self, *arguments: str) -> subprocess.Popen[str]:
        own = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
        return subprocess.Popen(
            ["ansible-playbook", f"--inventory={self.inventory}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), **os.environ, **own},
        )


class Running:
    """A playbook that is under way."""

    def __init__(self, directory: tempfile.TemporaryDirectory[str], process: subprocess.Popen[str]) -> None:
        self._directory, self._process = directory, process

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.wait(SECONDS)
        self._directory.cleanup()

    def results(self) -> list[Result]:
        said, _ = self._process.communicate(timeout=SECONDS)
        report = Path(self._directory.name) / "results"
        assert report.exists(), said
        return [Result(result) for result in json.loads(report.read_text())]


def differences(before: Result, after: Result) -> dict[str, tuple[str | None, str | None]]:
    """What two pictures show differently, by path."""
    old, new = before.picture, after.picture
    return {
        path: (old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    }


def key(number: int) -> str:
    """A public key, whose private half nobody has; none of the few numbers that are no key."""
    parts = (b"ssh-ed25519", (1000 + number).to_bytes(32, "big"))
    return "ssh-ed25519 " + base64.b64encode(b"".join(struct.pack(">I", len(part)) + part for part in parts)).decode()


@pytest.fixture(scope="module")
def target(host: Host, request: pytest.FixtureRequest) -> Target:
    return Target(str(request.config.getoption("ansible_inventory")), host.backend.get_hostname())
