# SPDX-License-Identifier: GPL-3.0-or-later
"""Sudo tasks as sudo, and as the programs behind them, read them back."""

from __future__ import annotations

import ast
import json
import typing as t
from pathlib import Path

from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import sudo_tasks
from ansible_collections.sallyport.ssh.plugins.module_utils.system import sudo
from ansible_collections.sallyport.ssh.tests.unit.hostile.outcome import Outcome, Problems, run


def sudoers(outcome: Outcome) -> Problems:
    """visudo takes the file, cvtsudoers finds these entries alone, and sudo lists them for each account."""
    model, file = outcome.model, outcome.want.files.get(layout.SUDOERS)
    path = Path("/etc/sudoers.d/sallyport-tasks")
    path.unlink(missing_ok=True)
    wanted = _entries(model)
    if (file is not None) != bool(wanted):
        yield f"the sudoers file is {file}"
    if file is None:
        return
    path.write_text(file.content)
    path.chmod(0o440)
    checked = run("visudo", "-cf", str(path))
    if checked.returncode:
        yield f"visudo says {checked.stdout + checked.stderr}"
        return
    converted = json.loads(run("cvtsudoers", "-f", "json", str(path)).stdout)
    if converted.keys() != {"User_Specs"}:
        yield f"sudoers has {sorted(converted)}, not rules alone"
    found = [
        (user["username"], runas["username"], command["command"])
        for rule in converted["User_Specs"]
        for user in rule["User_List"]
        for spec in rule["Cmnd_Specs"]
        for runas in spec["runasusers"]
        for command in spec["Commands"]
    ]
    if sorted(found) != sorted(wanted):
        yield f"cvtsudoers finds {sorted(found)}, not {sorted(wanted)}"
    active = sudo.active()
    assert active is not None
    yield from sudo.prove(sudo_tasks.expected_rules(model), active)


def _entries(model: Model) -> t.List[t.Tuple[str, str, str]]:
    tasks = {task.name: task for task in model.sudo_tasks}
    found = []
    for account in model.accounts:
        for task in (tasks[name] for name in account.sudo_tasks if account.is_open):
            program = f"/usr/local/libexec/sallyport/{task.name}"
            ends = [""] if task.service_pattern else [f" {action}" for action in task.actions] or [' ""']
            user = task.run_as if task.commands else "root"
            found += [(account.name, user, program + end) for end in ends]
    return found


def programs(outcome: Outcome) -> Problems:
    """The program of a task holds exactly its commands; the one before it is a shell script."""
    for task in outcome.model.sudo_tasks:
        text = outcome.want.files[f"/usr/local/libexec/sallyport/{task.name}"].content
        values = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in ast.parse(text).body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        if task.commands and values["STEPS"] != {(): task.commands}:
            yield f"{task.name} runs {values['STEPS']}, not {task.commands}"
        if task.service and set(values["STEPS"]) != {(action,) for action in task.actions}:
            yield f"{task.name} takes {sorted(values['STEPS'])}, not {task.actions}"
        if task.service_pattern and (values["PATTERN"], values["ACTIONS"]) != (task.service_pattern, task.actions):
            yield f"{task.name} has the pattern {values['PATTERN']!r}"
        script = outcome.want.files[f"/usr/local/bin/{task.name}"].content
        Path("/run/script").write_text(script)
        if run("sh", "-n", "/run/script").returncode or script.count("\n") != 4:
            yield f"{task.name} has the command {script!r}"
