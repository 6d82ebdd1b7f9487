# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the modules on a machine, by ansible-playbook as in real life; their results come one by one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

from .machine import Machine
from .report import ROOT

SECONDS = 900  # no play takes longer
CALLBACKS = Path(__file__).parent / "callbacks"
UNDONE = "The run failed and was undone: the host is as it was."
NOT_UNDONE = "The run failed, and not all of it could be undone"
UNCHANGED = ("it was not changed", "The host was not changed")

Task = dict[str, t.Any]
Model = dict[str, t.Any]


def access(model: Model, module: str = "access", **keywords: t.Any) -> Task:
    return {f"sallyport.ssh.{module}": model, **keywords}


class Result:
    """What a task came to; ``seconds`` since the one before it."""

    def __init__(self, line: t.Mapping[str, t.Any], seconds: float) -> None:
        self.task, self.ok, self.seconds = str(line["task"]), bool(line["ok"]), seconds
        self.said: dict[str, t.Any] = dict(line["result"])

    @property
    def changed(self) -> bool:
        return bool(self.said.get("changed"))

    @property
    def actions(self) -> list[str]:
        return list(self.said.get("actions", ()))

    @property
    def message(self) -> str:
        words = ("msg", "stderr", "exception", "module_stderr", "module_stdout")
        return "\n".join(str(self.said[name]) for name in words if self.said.get(name))

    @property
    def is_clear(self) -> bool:
        """A failure that says in words what became of the host, and why."""
        is_said = any(text in self.message for text in (UNDONE, NOT_UNDONE, *UNCHANGED))
        unclear = ("Traceback (most", "[Errno ", "MODULE FAILURE", "object has no attribute")
        return is_said and bool(self.said.get("problems")) and not any(text in self.message for text in unclear)


class Play:
    """A playbook under way."""

    def __init__(self, machine: Machine, tasks: t.Sequence[Task], **play: t.Any) -> None:
        self._directory = tempfile.TemporaryDirectory(dir=machine.place, prefix="play-")
        steps = [{"name": f"task {number}", **task, "ignore_errors": True} for number, task in enumerate(tasks)]
        plays = [{"hosts": machine.name, "gather_facts": False, "tasks": steps, **play}]
        path = Path(self._directory.name) / "play.yml"
        path.write_text(json.dumps(plays))
        own = {"ANSIBLE_STDOUT_CALLBACK": "results", "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS)}
        self._output = open(Path(self._directory.name) / "errors", "w+")  # noqa: SIM115 # closed in end()
        self.process = subprocess.Popen(
            ["ansible-playbook", f"--inventory={machine.place}/inventory.json", str(path)],
            stdin=subprocess.DEVNULL,  # of one that somebody else has made non-blocking, Ansible will have nothing
            stdout=subprocess.PIPE,
            stderr=self._output,
            text=True,
            env={**environment(), **own},
            start_new_session=True,
        )

    def results(self) -> t.Iterator[Result]:
        """Each as soon as it is there."""
        assert self.process.stdout
        began = time.monotonic()
        for line in self.process.stdout:
            if line.startswith("{"):
                now = time.monotonic()
                yield Result(json.loads(line), now - began)
                began = now
        self.end()

    def kill(self) -> None:
        """As a machine that dies: ansible-playbook and all that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.end()

    def end(self) -> None:
        self.process.wait(SECONDS)
        self._output.seek(0)
        self.errors = self._output.read()
        self._output.close()
        self._directory.cleanup()


def do(machine: Machine, *tasks: Task, **play: t.Any) -> list[Result]:
    """What the tasks return, failed or not."""
    running = Play(machine, tasks, **play)
    results = list(running.results())
    if len(results) != len(tasks):
        raise RuntimeError(f"{len(results)} of {len(tasks)} results:\n{running.errors}")
    return results


def done(machine: Machine, *tasks: Task, **play: t.Any) -> list[Result]:
    """The same, where all of them have to succeed."""
    results = do(machine, *tasks, **play)
    failed = [result.message for result in results if not result.ok]
    if failed:
        raise RuntimeError("\n".join(failed))
    return results


def environment() -> dict[str, str]:
    own = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_DEPRECATION_WARNINGS": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "ANSIBLE_HOME": str(ROOT / ".cache/ansible")}
    path = f"{ROOT}/.venv/bin:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return {**collections, **os.environ, **own, "PATH": path}
