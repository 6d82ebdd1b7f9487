# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins a second: what the proof takes beside ``ssh`` alone, measured in turns on one host.

Usage: PYTHONPATH=.collections python -m benchmarks.logins [ACCOUNTS [ROUNDS]]
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from ansible_collections.sallyport.ssh.plugins.module_utils.model import to_json
from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context, resolve

from . import hosts
from .hosts import ROOT, BenchError, Host
from .methods import Case, play
from .report import table

HERE = Path(__file__).resolve().parent
COLLECTION = "ansible_collections/sallyport/ssh"
PLACE = "/root/logins"
TARGET = 30  # logins a second with the proof, on 2 idle cores, where ssh alone reaches 38 to 48


def main() -> None:
    accounts, rounds = (int(text) for text in (*sys.argv[1:], *("200", "3")[len(sys.argv) - 1 :]))
    with hosts.fresh("logins", "bookworm") as host, tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory, key = Path(name), Path(name, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
        variables = model(accounts, key.with_suffix(".pub").read_text().strip())
        provision(host, directory, key, variables)
        figures = measure(host, key, variables, rounds)
    print(table([["logins a second", "median", "of"], *rows(figures)]))
    print(f"{accounts} accounts, {os.cpu_count()} cores; load average now: {os.getloadavg()[0]:.1f}")


def model(count: int, key: str) -> dict[str, object]:
    """Half of them write in a shared folder, half of them read; each has one of its own."""
    return {
        "access_server": {"admins": ["deploy"], "ban": {"exempt": ["127.0.0.0/8"]}},
        "access_folders": [{"name": "tree", "path": "/data/tree", "owner": "worker"}],
        "access_accounts": [
            {
                "name": f"customer{number:03}",
                "keys": [{"name": "upload", "key": key}],
                "folders": [
                    {"folder": "tree", "at": "/tree", "rights": ("read_write", "read_only")[number % 2]},
                    {"private": True, "at": "/own"},
                ],
            }
            for number in range(count)
        ],
    }


def provision(host: Host, directory: Path, key: Path, variables: dict[str, object]) -> None:
    host.ssh("sudo useradd --create-home worker")
    case = Case(host, [], key, directory)
    case.write()
    (directory / "group_vars" / f"{hosts.GROUP}.yml").write_text(json.dumps(variables))
    play("sallyport.ssh.provision", case)


def measure(host: Host, key: Path, variables: dict[str, object], rounds: int) -> dict[str, list[float]]:
    resolved = resolve(variables, context=Context(inventory_hostname=host.name, connecting_user="deploy"))
    files = {
        "model.json": to_json(resolved),
        "key": key.read_text(),
        "run.py": (HERE / "logins_on_host.py").read_text(),
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(ROOT / "plugins/module_utils", f"{COLLECTION}/plugins/module_utils")
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o600
            tar.addfile(entry, io.BytesIO(text.encode()))
    unpack = ["ssh", *hosts.SSH, host.name, f"sudo sh -c 'umask 077; mkdir {PLACE}; tar x --no-same-owner -C {PLACE}'"]
    if subprocess.run(unpack, input=archive.getvalue()).returncode:
        raise BenchError("the measurement did not get to the host")
    arguments = f"{PLACE} {PLACE}/model.json {PLACE}/key {rounds}"
    return dict(json.loads(host.ssh(f"sudo python3 {PLACE}/run.py {arguments}")))


def rows(figures: dict[str, list[float]]) -> list[list[str]]:
    return [
        [what, f"{statistics.median(values):.1f}", ", ".join(f"{value:.1f}" for value in values)]
        for what, values in figures.items()
    ]


if __name__ == "__main__":
    main()
