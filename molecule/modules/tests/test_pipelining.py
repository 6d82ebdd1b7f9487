# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host gets to see of a hash where Ansible is not told to pipe: no file, unless sudo wants a terminal."""

from __future__ import annotations

import json
import re
import tempfile
import typing as t
from pathlib import Path

from conftest import SECONDS, Model, Target, Task, run, sh

HASH = "$6$saltsaltsalt$" + "x" * 86
TERMINAL = "/etc/sudoers.d/terminal"


def model(name: str, state: str = "present") -> Model:
    account = {"name": name, "state": state, "folders": [{"private": True, "at": "/own"}]}
    return {"accounts": [{**account, "password_hash": HASH} if state == "present" else account]}


def told(target: Target, *tasks: Task) -> str:
    """All that Ansible says about the tasks, the files among it that it puts on the host."""
    play = {"hosts": target.name, "gather_facts": False, "tasks": tasks, "vars": {"ansible_pipelining": False}}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "play.yml"
        path.write_text(json.dumps([play]))
        process = target.playbook("-vvv", str(path))
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    return said


def written(said: str) -> set[str]:
    return set(re.findall(r"PUT \S+ TO \S*/AnsiballZ_(\w+)\.py", said))


def test_a_hash_is_in_no_file_where_ansible_does_not_pipe(target: Target) -> None:
    has_it: t.List[Task] = [sh(f"grep -qF 'unpiped:{HASH}:' /etc/shadow"), {"ansible.builtin.ping": {}}]
    said = told(target, run("access", model("unpiped")), run("access", model("unpiped")), *has_it)
    assert written(said) == {"command", "ping"}
    assert "pass through a file" not in said
    said = told(target, run("access", model("unpiped", "absent")))
    assert written(said) == {"access"}, "without a secret it is as it is configured"


def test_where_sudo_wants_a_terminal_it_gets_one_and_that_is_said(target: Target) -> None:
    wants = sh(
        f"echo 'Defaults:deploy requiretty' > {TERMINAL}.new; chmod 0440 {TERMINAL}.new; mv {TERMINAL}.new {TERMINAL}"
    )
    said = told(
        target,
        {
            "block": [wants, run("access", model("untied")), sh(f"grep -qF 'untied:{HASH}:' /etc/shadow")],
            "always": [sh(f"rm -f {TERMINAL}")],
        },
        run("access", model("untied", "absent")),
    )
    assert "access" in written(said)
    assert "because sudo wants a terminal (requiretty)" in " ".join(said.split())
