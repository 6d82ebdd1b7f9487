# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks on a host, as in the scenario ``modules``, whose conftest has the same name as ours."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
import typing as t
from pathlib import Path

_path = Path(__file__).resolve().parents[2] / "modules/tests/conftest.py"
_spec = importlib.util.spec_from_file_location("runs_of_modules", _path)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules["runs_of_modules"] = _module
_spec.loader.exec_module(_module)
_module.SECONDS = 600  # for a play that tries many ways

Model = _module.Model
Result = _module.Result
Running = _module.Running
Target = _module.Target
key = _module.key
run = _module.run


def script(text: str) -> t.Dict[str, t.Any]:
    """A task: a shell script of any content, to its end or its first failure."""
    return {"ansible.builtin.shell": {"cmd": f"set -e\n{text}"}}


def kill(running: Running) -> None:
    """The playbook and all that it started, at once and without a word."""
    doomed = [running._process.pid]
    for parent in doomed:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            doomed += map(int, children.read_text().split())
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
