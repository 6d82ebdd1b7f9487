# SPDX-License-Identifier: GPL-3.0-or-later
"""Fresh container hosts, and how a measurement reaches them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
GROUP = "bench"
SSH = ["-F", str(CACHE / "ssh_config"), "-oConnectionAttempts=5"]  # sshd refuses for a moment when reloaded


class BenchError(Exception):
    """Something that was measured, or a tool of the measurement, does not do what it should."""


@dataclass(frozen=True)
class Host:
    name: str

    def inventory(self) -> dict[str, Any]:
        """The inventory of tools/host with this host alone, to be used from any directory."""
        text = (CACHE / f"{GROUP}.yml").read_text().replace("{{ inventory_dir }}", str(CACHE))
        group = yaml.safe_load(text)[GROUP]
        return {GROUP: {**group, "hosts": {self.name: group["hosts"][self.name]}}}

    def ssh(self, command: str, stdin: str = "") -> str:
        return output(["ssh", *SSH, self.name, command], stdin)

    def sftp(self, user: str, key: Path, batch: str) -> str:
        return output(["sftp", "-b", "-", f"-oUser={user}", "-i", str(key), *SSH, self.name], batch)


@contextlib.contextmanager
def fresh(name: str, suite: str) -> Iterator[Host]:
    """A host that nobody has touched, gone afterwards, whatever happens."""
    tool, name = str(ROOT / "tools/host"), f"{GROUP}-{name}"
    output([tool, "down", name])
    try:
        output([tool, "up", name, "--suite", suite, "--group", GROUP])
        yield Host(name)
    finally:
        output([tool, "down", name])


def output(argv: list[str], stdin: str = "") -> str:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
