# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs are struck at every system call that changes something, and at every command: nobody is ever locked out.

Killed at each of them (while they work, while they wait to be confirmed, while they undo, while the host undoes what
they left), and refused space, inodes, descriptors and a filesystem that can be written; so are the host's own tools
that they call. Each time the existing ways in are tried at that very instant, and after the next run the host has to
be, byte for byte, what it would be had nothing happened.
"""

from __future__ import annotations

import concurrent.futures
import io
import json
import subprocess
import traceback
import typing as t
import zipfile
from dataclasses import dataclass
from pathlib import Path

from . import faults_models
from .machine import Machine, fresh, podman
from .report import ROOT, Report

KINDS = (
    "killed",
    "killed while undoing",
    "killed while recovering",
    "killed while a tool of the host goes on",
    "a tool of the host killed",
    "no space",
    "no inode from there on",
    "read-only",
    "read-only from there on",
    "no descriptor",
)
COLUMNS = ("points", "undone", "kept", "defects", "seconds")
HOURS = 2
PLACE = "/run/faults"  # in memory: no fault of the disk's reaches it
UNITS = ("*.target", "*.slice", "*.scope", "ssh*.service", "ssh*.socket", "dbus*", "cron*", "systemd-journald*")


@dataclass(frozen=True)
class Part:
    """What one host does: of the points of every kind each ``every``-th, from the ``first`` on."""

    host: str
    suite: str
    first: int = 0
    every: int = 1


# These share all points, more of them than there are processors, as each of them waits at times; an older one, where
# other calls are made, does some of them beside
SHARE = 3
WHOLE = (
    *(Part(f"torture-faults-{number}", "trixie", number, SHARE) for number in range(SHARE)),
    Part("torture-faults-old", "bullseye", 0, 23),
)

Results = dict[str, dict[str, float]]


def run(parts: t.Sequence[Part] = WHOLE, kinds: t.Sequence[str] = KINDS) -> Report:
    report = Report("faults")
    results: Results = {kind: dict.fromkeys(COLUMNS, 0) for kind in kinds}

    def do(part: Part) -> t.Mapping[str, t.Any]:
        with fresh(part.host, part.suite, "faults") as machine:
            return struck(machine, part, kinds)

    with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
        for part, future in [(part, pool.submit(do, part)) for part in parts]:
            try:
                _add(results, report, part, future.result())
            except Exception:  # the others go on
                report.defects.append(f"{part.host}: it did not come to its end: {traceback.format_exc()}")
    for kind, found in results.items():
        report.add(kind, found["points"])
    for column in ("undone", "kept"):
        report.add(column, sum(found[column] for found in results.values()))
    print(table(results), flush=True)
    return report.ended()


def struck(machine: Machine, part: Part, kinds: t.Sequence[str] = KINDS) -> dict[str, t.Any]:
    """What the program on the host says: ``results`` by kind, and ``defects``."""
    prepare(machine)
    job = {
        "models": faults_models.pair(machine.customer_key, _other_key(machine)),
        "kinds": list(kinds),
        "first": part.first,
        "every": part.every,
    }
    machine.root(f"umask 077; cat > {PLACE}/job.json", json.dumps(job))
    running = subprocess.run(
        podman("exec", machine.container, "/usr/bin/python3", f"{PLACE}/faults.pyz"),
        stdout=subprocess.PIPE,
        timeout=HOURS * 3600,
    )
    if running.returncode:
        raise RuntimeError(f"the campaign on {machine.name} ended with {running.returncode}")
    said: dict[str, t.Any] = json.loads(running.stdout)
    return said


def prepare(machine: Machine) -> None:
    """Strace, the program, users to log in as; and without what makes logins and reloads slow, and proves nothing.

    systemd reads all its units anew whenever a run has changed one of ours: only those stay that the host lives by.
    """
    kept = " ".join(f"! -name '{pattern}'" for pattern in UNITS)
    machine.root(
        f"""set -e
        command -v strace >/dev/null || {{ apt-get update -qq && apt-get install -qqy strace; }} >/dev/null 2>&1
        mkdir -p -m 0700 {PLACE} /etc/systemd/system-generators
        for generator in /usr/lib/systemd/system-generators/* /lib/systemd/system-generators/*; do
            ln -sfn /dev/null /etc/systemd/system-generators/$(basename $generator)
        done
        systemctl --quiet mask --now systemd-logind
        find /lib/systemd/system/ -mindepth 1 -maxdepth 1 {kept} -exec rm -r {{}} +
        systemctl daemon-reload
        id {faults_models.APPLICATION} >/dev/null 2>&1 || useradd --create-home {faults_models.APPLICATION}
        mkdir -p /data/faults
        echo 'ls /own' > {PLACE}/batch"""
    )
    machine.root(f"umask 077; cat > {PLACE}/key", (machine.place / "customer").read_text())
    machine.root(f"cat >> ~{faults_models.ADMIN}/.ssh/authorized_keys", machine.customer_key + "\n")
    subprocess.run(
        podman("exec", "--interactive", machine.container, "sh", "-c", f"cat > {PLACE}/faults.pyz"),
        input=_program(),
        check=True,
        timeout=60,
    )


def table(results: Results) -> str:
    rows = [["Kind of fault", *COLUMNS]]
    rows += [[kind, *(f"{found[column]:.0f}" for column in COLUMNS)] for kind, found in results.items()]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _add(results: Results, report: Report, part: Part, said: t.Mapping[str, t.Any]) -> None:
    report.defects += [f"{part.host} ({part.suite}): {text}" for text in said["defects"]]
    for kind, found in said["results"].items():
        for column in COLUMNS:
            results[kind][column] += found[column]


def _other_key(machine: Machine) -> str:
    path = machine.place / "second"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "second", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text().strip()


def _program() -> bytes:
    """The engine as it is packed for a host, and what strikes it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("sallyport/__init__.py", "")
        archive.writestr("__main__.py", "from faults.campaign import main\n\nmain()\n")
        package = ROOT / "plugins/module_utils"
        for path in package.rglob("*.py"):
            if "\nfrom ansible" not in path.read_text():
                archive.write(path, f"sallyport/{path.relative_to(package)}")
        for path in (Path(__file__).parent / "on_host/faults").glob("*.py"):
            archive.write(path, f"faults/{path.name}")
    return packed.getvalue()
