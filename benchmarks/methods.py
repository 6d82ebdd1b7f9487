# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways of making accounts that are measured, and the ping that Sallyport is measured against."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from . import accounts
from .accounts import Account
from .hosts import GROUP, BenchError, Host

HERE = Path(__file__).resolve().parent
PLAYBOOKS = {
    "loop": str(HERE / "loop.yml"),
    "sallyport": "sallyport.ssh.provision",
    "ping": str(HERE / "ping.yml"),
}


@dataclass(frozen=True)
class Case:
    """A host and the accounts that it is to have; the directory holds both as an Ansible inventory."""

    host: Host
    listed: list[Account]
    key: Path  # the private key that opens one of them
    directory: Path

    def write(self) -> None:
        (self.directory / "group_vars").mkdir()
        (self.directory / "hosts.yml").write_text(yaml.safe_dump(self.host.inventory()))
        variables = yaml.dump({"access_accounts": self.listed}, Dumper=yaml.CSafeDumper, sort_keys=False)
        (self.directory / f"group_vars/{GROUP}.yml").write_text(variables)


@dataclass(frozen=True)
class Run:
    seconds: float
    changed: bool


def run(method: str, case: Case) -> Run:
    start = time.perf_counter()
    text = shell(case) if method == "shell" else play(PLAYBOOKS[method], case)
    return Run(time.perf_counter() - start, re.search(r"\bchanged=[1-9]", text) is not None)


def shell(case: Case) -> str:
    script = (HERE / "minimum.sh").read_text()
    table = "".join(f"{account['name']} {accounts.key(account)}\n" for account in case.listed)
    return case.host.ssh(f"sudo bash -c {shlex.quote(script)}", table)


def play(playbook: str, case: Case) -> str:
    """A play with an SSH connection of its own: none finds that of the play before still open."""
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    with tempfile.TemporaryDirectory(prefix="bench-") as sockets:
        done = subprocess.run(
            [program, "--inventory", "hosts.yml", playbook],
            cwd=case.directory,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(HERE / "ansible.cfg"),
                "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
            },
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise BenchError(f"{playbook} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout
