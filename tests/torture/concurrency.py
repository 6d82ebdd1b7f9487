# SPDX-License-Identifier: GPL-3.0-or-later
"""Four runs at once, an administrator at work meanwhile, and reboots in the middle of runs: nothing is lost.

Runs wait for one another or say that they do not; the administrator's changes are all there afterwards, and so are
those of every run that succeeded. After a reboot the next run brings the host to the model, and whoever could log in
before still can.
"""

from __future__ import annotations

import concurrent.futures
import json
import random
import subprocess
import time
import typing as t

from . import plays
from .machine import Machine
from .plays import Model, access
from .report import Report

RUNS_AT_ONCE = 4
ATTEMPTS = 5
ROUNDS = 4
MOMENTS = 12  # at which a run is cut off, over the time that one takes; every second one as if the power went


def at_once(machine: Machine, rounds: int = ROUNDS) -> Report:
    """Rounds of four runs, and an administrator at work from the first to the last of them."""
    report = Report("concurrency")
    _prepare(machine)
    with machine.watched("human", "1") as human:
        for number in range(rounds):
            _round(machine, report, number)
    _judge_human(machine, report, human)
    return report.ended()


def cut_off(machine: Machine, moments: t.Sequence[int] = range(MOMENTS), of: int = MOMENTS) -> Report:
    """Some of the moments: they do not touch one another, so that hosts can share them."""
    report = Report("concurrency")
    _prepare(machine)
    _reboots(machine, report, moments, of)
    return report.ended()


def _prepare(machine: Machine) -> None:
    machine.root("id worker >/dev/null 2>&1 || useradd --create-home worker; touch /etc/sudoers.d/human")
    machine.root("chmod 0440 /etc/sudoers.d/human")
    plays.done(machine, access(_standing(machine)))


# Four runs at once


def _standing(machine: Machine) -> Model:
    """Accounts that are there all the time, and log in after everything."""
    return {
        "people": [{"name": "customer", "keys": [{"name": "customer", "key": machine.customer_key}]}],
        "folders": [{"name": "standing", "path": "/data/standing", "owner": "worker"}],
        "accounts": [
            {"name": "stand1", "people": ["customer"], "folders": [{"folder": "standing", "at": "/files"}]},
            {"name": "stand2", "people": ["customer"], "folders": [{"private": True, "at": "/own"}]},
            {"name": "stand3", "kind": "shell", "people": ["customer"], "sudo_tasks": ["standing_cron"]},
        ],
        "sudo_tasks": [{"name": "standing_cron", "service": "cron", "actions": ["status"]}],
    }


def _part(machine: Machine, name: str) -> Model:
    """What one of the runs wants, with names of its own."""
    return {
        "people": [{"name": "customer", "keys": [{"name": "customer", "key": machine.customer_key}]}],
        "folders": [{"name": f"{name}-files", "path": f"/data/{name}", "owner": "worker", "group": f"{name}-files"}],
        "accounts": [
            {
                "name": f"{name}s",
                "people": ["customer"],
                "groups": [f"{name}-extra"],
                "folders": [{"folder": f"{name}-files", "at": "/files"}, {"private": True, "at": "/own"}],
            },
            {"name": f"{name}o", "kind": "shell", "people": ["customer"], "sudo_tasks": [f"{name}_cron"]},
        ],
        "sudo_tasks": [{"name": f"{name}_cron", "service": "cron", "actions": ["status"]}],
    }


def _round(machine: Machine, report: Report, number: int) -> None:
    """Two runs of everything, and two that apply slices one after the other."""
    slices = (("access",), ("accounts", "folders", "jails", "sshd_policy"), ("accounts", "sudo_tasks"), ("access",))
    names = [f"round{number}{letter}" for letter in "abcd"]
    parts = [_part(machine, name) for name in names]
    with concurrent.futures.ThreadPoolExecutor(RUNS_AT_ONCE) as pool:
        tasks = [[access(part, module=module) for module in modules] for part, modules in zip(parts, slices)]
        results = list(pool.map(lambda some: _persistent(machine, report, some), tasks))
    checks = plays.do(machine, *(access(part, check_mode=True) for part in parts))
    for name, again, problem, modules in zip(names, checks, results, slices):
        if problem:
            report.defects.append(f"{name}: a run beside others failed: {problem}")
            continue
        if "access" in modules:
            missing = [action for action in again.actions if name in action]
            report.demand(again.ok and not missing, f"{name}: is not all there: {missing} {again.message}")
        if "sudo_tasks" in modules:
            report.demand("cron" in _sudo(machine, f"{name}o"), f"{name}o has not its sudo task")
        else:
            report.demand(_transfers(machine, f"{name}s", "/files"), f"{name}s cannot transfer")


def _persistent(machine: Machine, report: Report, tasks: t.Sequence[plays.Task]) -> str:
    """What is wrong with runs one after the other, each started again when it asks for that."""
    for task in tasks:
        for _attempt in range(ATTEMPTS):
            result = plays.do(machine, task)[0]
            report.add("runs")
            if result.ok:
                break
            if not result.is_clear or "again" not in result.message:
                return result.message
            report.add("runs that asked to be started again")
        else:
            return f"asked to be started again {ATTEMPTS} times: {result.message}"
    return ""


def _judge_human(machine: Machine, report: Report, human: t.Mapping[str, t.Any]) -> None:
    shadow = _database(machine, "shadow")
    passwd = _database(machine, "passwd")
    users = set(_database(machine, "group")["users"][3].split(","))
    for name, wanted in human["users"].items():
        there = name in passwd and passwd[name][4] == wanted["comment"] and shadow[name][1] == wanted["hash"]
        report.demand(there and name in users, f"what a human did with user {name} is lost")
    for name in human["removed"]:
        report.demand(name not in passwd and name not in shadow and name not in users, f"user {name} has come back")
    rules = machine.root("cat /etc/sudoers.d/human").splitlines()
    report.demand(rules == human["rules"], f"sudoers has {len(rules)} rules of a human, not {len(human['rules'])}")
    report.demand(len(human["users"]) > 0, "the human did nothing: nothing was shown")
    for name in ("passwd", "group"):
        numbers = [row[2] for row in _database(machine, name).values()]
        report.demand(len(numbers) == len(set(numbers)), f"an id was given out twice in /etc/{name}")
    said = machine.root("pwck -qr 2>&1; grpck -qr 2>&1; true")
    wrong = [line for line in said.splitlines() if "does not exist" not in line and "no changes" not in line]
    report.demand(not wrong, f"the user database is damaged: {wrong[:3]}")
    report.add("users that a human made meanwhile", len(human["users"]) + len(human["removed"]))
    report.add("times that a human found it locked", human["again"])


def _database(machine: Machine, name: str) -> dict[str, list[str]]:
    return {line.split(":")[0]: line.split(":") for line in machine.root(f"cat /etc/{name}").splitlines()}


def _sudo(machine: Machine, user: str) -> str:
    return machine.root(f"sudo -l -U {user}", check=False)


def _transfers(machine: Machine, account: str, directory: str) -> bool:
    """Up and down again."""
    name = f"{directory}/{account}-{time.monotonic_ns()}"
    done = subprocess.run(
        ["sftp", *machine.customer_options, "-q", "-b", "-", f"{account}@{machine.address}"],
        input=f"put {machine.place}/customer.pub {name}\nget {name} {machine.place}/back\nrm {name}\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode == 0


# Reboots


def _reboots(machine: Machine, report: Report, moments: t.Sequence[int], of: int) -> None:
    """The moments are spread evenly over the time that a run takes when nothing disturbs it."""
    undisturbed = plays.do(machine, access(_rebooted(machine, "measured", 1)))[0].seconds
    started = plays.Play(machine, [{"ansible.builtin.command": "true"}])
    first = next(iter(started.results())).seconds  # what Ansible takes before anything runs on the host
    started.end()
    span = max(0.3, undisturbed - first)
    for turn, number in enumerate(moments):
        wanted = access(_rebooted(machine, f"boot{number}", turn))
        play = plays.Play(machine, [wanted])
        time.sleep(first * 0.7 + span * 1.2 * (number + random.Random(number).random()) / of)
        is_crash = number % 2 == 0
        (machine.crash if is_crash else machine.reboot)()
        play.kill()
        report.add("power cuts" if is_crash else "reboots")
        what = f"after {'a power cut' if is_crash else 'a reboot'} in the middle of a run ({number})"
        admin = subprocess.run(
            [*machine.admin, "sudo", "-n", "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        report.demand(admin.returncode == 0, f"{what}: the admin cannot log in: {admin.stderr}")
        for account, directory in (("stand1", "/files"), ("stand2", "/own"), ("stand3", ".")):
            report.demand(_transfers(machine, account, directory), f"{what}: {account} cannot transfer")
        state = _states(machine, f"boot{number}s")
        report.add(f"runs found {state}")
        again, still = plays.do(machine, wanted, wanted)
        report.demand(again.ok, f"{what}: the next run failed: {again.message}")
        report.demand(still.ok and not still.changed, f"{what}: the run after the next one changed {still.actions}")
        report.demand(_transfers(machine, f"boot{number}s", "/files"), f"{what}: the new account cannot transfer")
        left = _left(machine)
        report.demand(not left, f"{what}: {left} is left behind")


def _rebooted(machine: Machine, name: str, turn: int) -> Model:
    """What a run adds that is cut off, and a setting of sshd that it changes."""
    standing, part = _standing(machine), _part(machine, name)
    merged: Model = {key: [*standing[key], *part[key]] for key in ("folders", "accounts", "sudo_tasks")}
    merged["server"] = {"max_auth_tries": 4 + turn % 2}
    return {**merged, "people": standing["people"]}


def _states(machine: Machine, account: str) -> str:
    """How far the run had come, and what the host made of it when it came up: before the next one."""
    log = "journalctl --quiet --no-pager --unit=sallyport-recover.service"
    said = machine.root(f"{log} | grep -o 'is undone\\|is kept' | tail -n 1", check=False).strip()
    if said:
        return f"begun, which the boot {'undid' if said == 'is undone' else 'kept'}"
    record = json.loads(machine.root("cat /var/lib/sallyport/record.json"))
    if account in record.get("accounts", {}):
        return "done"
    return "half done" if f"{account}:" in machine.root("cat /etc/passwd") else "not begun, or undone before"


def _left(machine: Machine) -> list[str]:
    """Temporary files of ours."""
    found = machine.root("find /etc /usr/local /var/lib/sallyport /srv -xdev -name '.sallyport-*' 2>/dev/null || true")
    return found.split()
