# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine wants of a host that has all that a model needs and cannot make. Runs in the sandbox."""

from __future__ import annotations

import dataclasses
import stat
import subprocess
import typing as t

from ansible_collections.sallyport.ssh.plugins.module_utils import engine, layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat, Tools, components
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import accounts, mounts, shares, sudo_program
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import State
from ansible_collections.sallyport.ssh.plugins.module_utils.system import users
from ansible_collections.sallyport.ssh.tests.unit.hostile import sandbox

VERSION = sshd.version()
FIRST_UID = 2000
DIRECTORY, PROGRAM = PathStat(stat.S_IFDIR | 0o755, 0, 0), PathStat(stat.S_IFREG | 0o755, 0, 0)

Problems = t.Iterator[str]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the engine wants of a host, and the model that it is for."""

    model: Model
    host: Host
    known: State
    want: State


def outcome_of(model: Model) -> t.Tuple[Outcome, t.List[str]]:
    """As engine.run decides it, on a host that has what the model needs and cannot make."""
    ours = {account.name for account in model.accounts}
    named = {*shares.named_users(model), *(task.run_as for task in model.sudo_tasks)} - ours
    sandbox.reset({name: FIRST_UID + number for number, name in enumerate(sorted(named))})
    present = State(*users.read())
    tools = Tools(VERSION, idmapped_mounts=True, systemd=True, sudo="/usr/bin/sudo", sysusers=True, pam_umask=True)
    host = Host(present, tools=tools, paths=_paths(model, present), now=1_700_000_000)
    known = accounts.identify(model, host)
    refused = [text for noun in engine.NOUNS.values() for text in noun.problems(model, host, known)]
    if refused:
        return Outcome(model, host, known, State()), refused
    want = State().merged(*engine._desired(model, host, known).values())
    return Outcome(model, host, known.merged(State(groups=want.groups)), want), []


def _paths(model: Model, present: State) -> t.Dict[str, PathStat]:
    """Sources and hidden parts are there, owned by the first user who may; shells and programs are installed."""
    found: t.Dict[str, PathStat] = {}
    programs = [account.shell for account in model.accounts if account.kind == "shell"]
    programs += [argv[0] for task in model.sudo_tasks for argv in task.commands]
    programs += [layout.PYTHON, sudo_program.SYSTEMCTL]
    folders = {folder.name: folder.path for folder in model.folders}
    shared = [grant.source for account in model.accounts for grant in account.grants if grant.source]
    behind = mounts.paths_needed(model)
    owner = present.users["www-data"].uid
    for path in (*shared, *behind):
        found.update((part, DIRECTORY) for part in components(path) if not any(map(part.startswith, folders.values())))
    found.update((path, PathStat(stat.S_IFDIR | 0o750, owner, owner)) for path in shared)
    for path in behind:
        found.setdefault(path, DIRECTORY)
    for path in programs:
        found.update((part, DIRECTORY) for part in components(path)[:-1])
        found[path] = PROGRAM
    return found


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def lines(*argv: str) -> t.List[str]:
    return run(*argv).stdout.splitlines()
