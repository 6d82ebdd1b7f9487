# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers go on while runs change other accounts: none fails, and what arrives is what was sent.

Every slot has one transfer under way at any moment: most of them slow enough to live through many runs, the others
short, so that logins happen all the time. Each transfer is a client process and a connection of its own.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import random
import struct
import subprocess
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import plays
from .machine import Machine
from .plays import Model, access
from .report import Report

SECONDS = 300  # no transfer takes longer
LOGINS_A_SECOND = 12
REFUSED = ("Connection refused", "kex_exchange_identification", "Connection reset by peer")  # sshd starts anew
APPLICATION = "flowapp"

# An account and where it transfers to: a mapped folder (idmapped and bindfs), one shared by group, a folder of its
# own, a read-only one, a home
PLACES = (
    ("flow1", "/a", True),
    ("flow1", "/own", True),
    ("flow2", "/b", True),
    ("flow3", "/c", True),
    ("flow4", "/a", False),
    ("flow5", "/home/flow5", True),
)
SIZES = (16 << 10, 200 << 10, 1 << 20, 6 << 20)
RATES = (64, 128, 256)  # of slow ones, in Kbit/s
SHARES = (0.6, 1.0, 1.4)  # of the time that a slow one takes: they do not end all at once


def base(machine: Machine) -> Model:
    """The accounts that transfer. No run changes them."""
    keys = [{"name": "customer", "key": machine.customer_key}]
    return {
        "server": {"ban": {"exempt": ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]}},
        "people": [{"name": "customer", "keys": keys}],
        "folders": [
            {"name": "flow-a", "path": "/data/flow/a", "owner": APPLICATION, "group": "flow-files"},
            {"name": "flow-b", "path": "/opt/flow/b", "owner": APPLICATION, "group": "flow-files"},
            {
                "name": "flow-c",
                "path": "/data/flow/c",
                "owner": APPLICATION,
                "group": "flow-shared",
                "sharing": "group",
            },
        ],
        "accounts": [
            _account("flow1", [{"folder": "flow-a", "at": "/a"}, {"private": True, "at": "/own"}]),
            _account("flow2", [{"folder": "flow-b", "at": "/b"}]),
            _account("flow3", [{"folder": "flow-c", "at": "/c"}]),
            _account("flow4", [{"folder": "flow-a", "at": "/a", "rights": "read_only"}]),
            {"name": "flow5", "kind": "shell", "people": ["customer"]},
        ],
        "sudo_tasks": [
            {"name": "flow_cron", "service": "cron", "actions": ["status"]},
            {"name": "flow_cups", "service": "cups", "actions": ["status"]},
        ],
    }


def _account(name: str, folders: list[Model], **more: t.Any) -> Model:
    return {"name": name, "people": ["customer"], "folders": folders, **more}


def others(number: int) -> tuple[list[Model], Model]:
    """Accounts of others, and settings of the server, which differ from one run to the next."""
    phase, turn = number % 10, number // 10
    guest, worker = f"guest{turn % 3}", {"name": f"flowop{turn}", "kind": "shell", "people": ["customer"]}
    mine: Model = {"private": True, "at": "/own"}
    shared: Model = {"folder": "flow-a", "at": "/shared"}
    changes: tuple[tuple[list[Model], Model], ...] = (
        ([_account(guest, [mine, shared]), _account("mover", [{"folder": "flow-b", "at": "/here"}])], {}),
        ([{**_account(guest, [mine, shared]), "keys": [{"name": "new", "key": _public_key(number)}]}], {}),
        ([{**worker, "sudo_tasks": ["flow_cron"]}], {}),
        ([_account("mover", [{"folder": "flow-b", "at": f"/there{turn}"}, {"folder": "flow-a", "at": "/a"}])], {}),
        ([{**worker, "sudo_tasks": ["flow_cups"]}], {"max_auth_tries": 5 - turn % 2}),
        ([{"name": guest, "people": ["customer"], "folders": [mine, shared], "state": "suspended"}], {}),
        ([_account("mover", [mine], **{"from": [f"10.{turn}.0.0/16"]})], {}),
        ([{"name": guest, "state": "absent"}], {"max_startups": f"100:30:{400 + turn}"}),
        ([{**worker, "sudo_tasks": [], "groups": [f"flow-extra{turn}"]}], {}),
        ([{"name": "mover", "state": "absent"}, {"name": worker["name"], "state": "absent"}], {}),
    )
    return changes[phase]


def _public_key(number: int) -> str:
    parts = (b"ssh-ed25519", (10_000 + number).to_bytes(32, "big"))
    return "ssh-ed25519 " + base64.b64encode(b"".join(struct.pack(">I", len(part)) + part for part in parts)).decode()


def tasks(machine: Machine, runs: int) -> list[plays.Task]:
    """The runs. The last tenth fail, because another file lets an account do more, and are undone."""
    model = base(machine)
    found = []
    for number in range(runs):
        accounts, server = others(number)
        given = {**model, "accounts": [*model["accounts"], *accounts], "server": {**model["server"], **server}}
        found.append(access(given, name="run"))
    return found


def undone_tasks(machine: Machine, runs: int) -> list[plays.Task]:
    """Runs that get as far as sshd, and are undone: another file wins over ours."""
    model = base(machine)
    trouble = "/etc/ssh/sshd_config.d/00-a.conf"
    server = {**model["server"], "max_auth_tries": 3}
    given = {**model, "accounts": [*model["accounts"], *others(0)[0]], "server": server}
    make = {"ansible.builtin.shell": f"echo 'MaxAuthTries 20' > {trouble}", "name": "make"}
    end = {"ansible.builtin.file": {"path": trouble, "state": "absent"}, "name": "end"}
    return [make, *(access(given, name="undone") for _ in range(runs)), end]


@dataclass(frozen=True)
class Kind:
    """How a slot transfers."""

    account: str
    directory: str
    upload: bool
    slow: bool


class Traffic:
    """All the slots. ``failures`` say what went wrong, ``refused`` counts logins that sshd did not take at once."""

    def __init__(self, machine: Machine, slots: int, seconds: float) -> None:
        self._machine, self._seconds = machine, seconds
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._pace = threading.Lock()
        self._names = itertools.count()
        self._place = machine.place / "transfers"
        self._place.mkdir()
        self.failures: list[str] = []
        self.uploads: dict[str, dict[str, str]] = {}  # by account: path as it sees it, and what it holds
        self.refused = self.transferred = self.bytes = self.under_way = 0
        self._kinds = [self._kind(number, slots) for number in range(slots)]
        self._threads = [threading.Thread(target=self._slot, args=(kind,)) for kind in self._kinds]
        self.sources = {size: self._source(size) for size in self._sizes()}

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _kind(self, number: int, slots: int) -> Kind:
        account, directory, writable = PLACES[number % len(PLACES)]
        return Kind(account, directory, writable and number % 3 != 0, slow=number < slots * 9 // 10)

    def _sizes(self) -> list[int]:
        return [*SIZES, *(self._slow_size(rate, share) for rate in RATES for share in SHARES)]

    def _slow_size(self, rate: int, share: float) -> int:
        return int(rate * 1000 / 8 * self._seconds * share)

    def _source(self, size: int) -> tuple[Path, str]:
        path = self._place / f"source-{size}"
        content = random.Random(size).randbytes(size)
        path.write_bytes(content)
        return path, hashlib.sha256(content).hexdigest()

    def _slot(self, kind: Kind) -> None:
        chance = random.Random(f"{kind}{threading.get_ident()}")
        while not self._stop.is_set():
            with self._pace:  # as many logins as two processors manage
                time.sleep(1 / LOGINS_A_SECOND)
            if kind.slow:
                rate = chance.choice(RATES)
                self._transfer(kind, self._slow_size(rate, chance.choice(SHARES)), rate)
            else:
                size = chance.choice(SIZES)
                self._transfer(kind, size, max(64, size * 8 // 1000 // 4))  # some seconds, too

    def _transfer(self, kind: Kind, size: int, rate: int) -> None:
        name = f"{next(self._names):06d}-{size}"
        source, digest = self.sources[size]
        here = self._place / f"{name}.download"
        there = f"{kind.directory}/{name}"
        command = f"put {source} {there}" if kind.upload else f"get {kind.directory}/source-{size} {here}"
        with self._lock:
            self.under_way += 1
        try:
            said = self._sftp(kind.account, command, rate)
        finally:
            with self._lock:
                self.under_way -= 1
        problem = said
        if not problem and not kind.upload:
            problem = "" if hashlib.sha256(here.read_bytes()).hexdigest() == digest else "arrived damaged"
            here.unlink()
        with self._lock:
            if problem:
                self.failures.append(f"{kind.account}: {command}: {problem}")
                return
            self.transferred += 1
            self.bytes += size
            if kind.upload:
                self.uploads.setdefault(kind.account, {})[there] = digest

    def _sftp(self, account: str, command: str, rate: int) -> str:
        """What went wrong. A login that sshd does not take, because it reads its configuration, is tried again."""
        program = ["sftp", *self._machine.customer_options, "-q", "-l", str(rate), "-b", "-"]
        for attempt in range(5):
            done = subprocess.run(
                [*program, f"{account}@{self._machine.address}"],
                input=command + "\n",
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
            if done.returncode == 0:
                return ""
            if "sftp>" in done.stdout or not any(text in done.stderr for text in REFUSED):
                break
            with self._lock:
                self.refused += 1
            time.sleep(0.2 * (attempt + 1))
        return f"({done.returncode}) {done.stdout[-200:]} {done.stderr[-400:]}".strip()


def run(machine: Machine, slots: int = 240, at_once: int = 200, runs: int = 50, seconds: float = 70) -> Report:
    """``seconds`` is how long a slow transfer takes; new ones start until all runs have ended.

    There are more slots than have to be under way at any time: some are between two transfers.
    """
    report = Report("transfers")
    _prepare(machine)
    traffic = Traffic(machine, slots, seconds)
    _give_sources(machine, traffic)
    mounts = _mounts(machine)
    machine.root("journalctl --rotate; journalctl --vacuum-time=1s", check=False)
    least, times = slots, []
    undone = max(1, runs // 10)
    with traffic:
        _wait_until(lambda: traffic.under_way >= at_once, 120)
        for result in plays.Play(machine, [*tasks(machine, runs), *undone_tasks(machine, undone)]).results():
            least = min(least, traffic.under_way)
            if result.task == "run":
                report.demand(result.ok and result.changed, f"a run failed or changed nothing: {result.message}")
                report.add("runs")
                times.append(result.seconds)
            elif result.task == "undone":
                report.demand(plays.UNDONE in result.message, f"a run was not undone: {result.message}")
                report.add("undone runs")
    report.defects += traffic.failures[:20]
    damaged = _damaged(machine, traffic)
    report.defects += damaged[:20]
    report.demand(_mounts(machine) == mounts, "mounts of the accounts that no run changed were made anew")
    report.demand(least >= at_once, f"only {least} transfers were under way at one time: nothing was shown")
    report.counts |= {
        "transfers": traffic.transferred,
        "failed": len(traffic.failures),
        "damaged": len(damaged),
        "MiB": round(traffic.bytes / 2**20),
        "under way at least": least,
        "sshd reloads": int(machine.root("journalctl -t sshd --no-pager | grep -c 'Received SIGHUP' || true")),
        "logins taken at the second attempt": traffic.refused,
        "s a run at most": round(max(times), 1),
    }
    return report.ended()


def _prepare(machine: Machine) -> None:
    machine.root(f"id {APPLICATION} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash {APPLICATION}")
    plays.done(machine, access(base(machine)))


def _give_sources(machine: Machine, traffic: Traffic) -> None:
    """What is downloaded lies in every place."""
    for source, _digest in traffic.sources.values():
        machine.put(source, f"/data/{source.name}")
    machine.root(
        """set -e
        for at in /data/flow/a /opt/flow/b /data/flow/c /srv/sftp/flow1/own /home/flow5; do
            cp /data/source-* $at; chown --reference=$at $at/source-*; chmod 0660 $at/source-*
        done"""
    )


def _damaged(machine: Machine, traffic: Traffic) -> list[str]:
    """Uploads that are not on the host what they were here."""
    on_host = {"/a": "/data/flow/a", "/b": "/opt/flow/b", "/c": "/data/flow/c", "/own": "/srv/sftp/flow1/own"}
    places = "/data/flow /opt/flow /srv/sftp/flow1/own /home/flow5"
    machine.root(f"find {places} -name '??????-*' -type f -print0 | xargs -0r sha256sum > /run/sums")
    lines = (line.split(maxsplit=1) for line in machine.root("cat /run/sums").splitlines())
    sums = {path: digest for digest, path in lines}
    found = []
    for account, uploads in traffic.uploads.items():
        for path, digest in uploads.items():
            directory, name = os.path.split(path)
            real = f"{on_host.get(directory, directory)}/{name}"
            if sums.get(real) != digest:
                found.append(f"{account}: {path} is not what was sent ({sums.get(real)} at {real})")
    return found


def _mounts(machine: Machine) -> list[str]:
    """The mounts of the accounts that transfer, with the kernel's number of each."""
    lines = machine.root("cat /proc/self/mountinfo").splitlines()
    return sorted(f"{line.split()[0]} {line.split()[4]}" for line in lines if "/sftp/flow" in line)


def _wait_until(holds: t.Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
