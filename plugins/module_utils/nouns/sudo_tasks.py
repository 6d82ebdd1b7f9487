# SPDX-License-Identifier: GPL-3.0-or-later
"""Sudo tasks: for each a program that root owns, a command of its name, and the sudoers lines that allow it.

The lines keep to what classic sudo and sudo-rs read in the same way: literal commands with literal arguments.
"""

from __future__ import annotations

import re
import stat
import typing as t
from dataclasses import dataclass, field

from .. import layout
from ..chains import chain
from ..host import Host, components
from ..model import Account, Model, SudoTask
from ..resources import Directory, File, State, of
from .escapes import escape
from .sudo_program import SYSTEMCTL, UNIT, bare, command, command_of, path_of, program, run_as, table

NO_ARGUMENTS = '""'
TAGS = {"!authenticate": "NOPASSWD", "authenticate": "PASSWD"}

# Where /usr is not merged
SYSTEMCTL_OF_OLD = "/bin/systemctl"

# A task's name would hide a program of the same name from everybody.
SEARCHED = ("/usr/local/sbin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

# What every sudo reads as one user: no group, netgroup, uid, alias, wildcard or second name (sudo-rs takes no _ first).
NAME = re.compile(r"(?![A-Z][A-Z0-9_]*\Z|[0-9]+\Z)[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
TASK = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")  # and as the end of a path


@dataclass(frozen=True)
class Rule:
    """One thing that sudo lets a user do, in the words of ``sudo -ll``."""

    run_as: str  # "root"; with groups "root : adm"
    command: str  # the program and its arguments; without arguments: any
    options: t.Tuple[str, ...] = ("!authenticate",)
    source: str = field(default="", compare=False)  # the file that says so, where sudo tells

    def __str__(self) -> str:
        tags = "".join(TAGS.get(option, option) + ": " for option in self.options)
        return f"({self.run_as}) {tags}{self.command}"


def rules_of(task: SudoTask) -> t.List[Rule]:
    """What an account with this task may do: one rule for each argument list."""
    listed = table(task)
    if listed is None:
        return [Rule(run_as(task), path_of(task))]
    return [Rule(run_as(task), f"{path_of(task)} {' '.join(arguments) or NO_ARGUMENTS}") for arguments in listed]


def expected_rules(model: Model) -> t.Dict[str, t.FrozenSet[Rule]]:
    """All that sudo is to list for each account that has sudo tasks: nothing unless the account is open."""
    return {
        account.name: frozenset(rule for task in _tasks_of(account, model) for rule in rules_of(task))
        for account in model.accounts
        if account.sudo_tasks
    }


def desired(model: Model, host: Host, known: State) -> State:
    tasks = _tasks(model)
    if not tasks:
        return State()
    systemctl, sudo = _systemctl(host), host.tools.sudo or "/usr/bin/sudo"
    lines = sudoers(model)
    return of(
        *(Directory(path, 0o755) for path in _parents(host)),
        Directory(layout.PROGRAMS, 0o755),
        *(File(path_of(task), program(task, systemctl), 0o755) for task in tasks),
        *(File(command_of(task), command(task, sudo), 0o755) for task in tasks),
        *([File(layout.SUDOERS, lines, 0o440)] if lines else []),
    )


def sudoers(model: Model) -> str:
    """The sudoers file; empty where no account may do anything."""
    lines = []
    for task in _tasks(model):
        accounts = [account for account in _by_name(model.accounts) if task in _tasks_of(account, model)]
        if accounts:
            lines.append(f"\n# {task.name}")
        if accounts and task.service_pattern is not None:
            lines.append("# Any arguments: the program checks them, no sudoers pattern does so safely.")
        lines.extend(
            f"{account.name} ALL=({rule.run_as}) NOPASSWD: {rule.command}"
            for account in accounts
            for rule in rules_of(task)
        )
    return f"# {layout.HEADER}" + "\n".join(lines) + "\n" if lines else ""


def paths_needed(model: Model) -> t.List[str]:
    """The paths whose chain (see chains.py) the rules of this file look at."""
    if not model.sudo_tasks:
        return []
    return [
        layout.PROGRAMS,
        layout.PYTHON,
        SYSTEMCTL,
        SYSTEMCTL_OF_OLD,
        *(argv[0] for task in model.sudo_tasks for argv in task.commands),
        *(f"{directory}/{task.name}" for task in model.sudo_tasks for directory in SEARCHED),
    ]


def problems(model: Model, host: Host, known: State) -> t.List[str]:
    tasks = _tasks(model)
    if not tasks:
        return []
    found = [f"access_sudo_tasks: {text}" for text in _host_problems(model, host)]
    for task in tasks:
        found.extend(f"access_sudo_tasks: {task.name}: {text}" for text in _task_problems(task, host, known))
    for account in _by_name(model.accounts):
        if account.sudo_tasks and not NAME.match(account.name):
            found.append(f"access_accounts: {account.name!r}: sudo would misread the name; give it another one")
    return found


def _tasks(model: Model) -> t.List[SudoTask]:
    return sorted(model.sudo_tasks, key=lambda task: task.name)


def _by_name(accounts: t.Iterable[Account]) -> t.List[Account]:
    return sorted(accounts, key=lambda account: account.name)


def _tasks_of(account: Account, model: Model) -> t.List[SudoTask]:
    return [task for task in model.sudo_tasks if account.is_open and task.name in account.sudo_tasks]


def _parents(host: Host) -> t.List[str]:
    """The directories above the programs that are ours to make: those of the host stay as they are."""
    made = frozenset().union(*(made.directories for made in host.record.made.values()))
    return [path for path in components(layout.PROGRAMS)[1:-1] if path not in host.paths or path in made]


def _systemctl(host: Host) -> str:
    return SYSTEMCTL_OF_OLD if SYSTEMCTL not in host.paths and SYSTEMCTL_OF_OLD in host.paths else SYSTEMCTL


def _host_problems(model: Model, host: Host) -> t.Iterator[str]:
    if host.tools.sudo is None and any(account.is_open and account.sudo_tasks for account in model.accounts):
        yield "the host has no sudo; install it (apt-get install sudo)"
    yield from _changeable(layout.PROGRAMS, host)
    yield from _target_problems(layout.PYTHON, host)
    if any(not task.commands for task in model.sudo_tasks):
        yield from _target_problems(_systemctl(host), host)


def _task_problems(task: SudoTask, host: Host, known: State) -> t.Iterator[str]:
    if not TASK.match(task.name):
        yield f"sudo would misread the name {task.name!r}; give the task another one"
        return
    for directory in SEARCHED:
        if f"{directory}/{task.name}" in host.paths:
            yield f"would hide {directory}/{task.name}; give the task another name, or remove that program"
    present = host.state.files.get(command_of(task))
    if present is not None and layout.HEADER not in present.content:
        yield f"{present.path} was not made here; give the task another name, or move that file away"
    if task.service is not None and not re.fullmatch(UNIT, bare(task.service)):
        yield f"{task.service!r} is not the name of a service; give it as systemctl shows it"
    user = run_as(task)
    if not NAME.match(user):
        yield f"sudo would misread run_as {user!r}; name another user"
    elif user not in known.users:
        yield f"run_as names {user}, which the host does not have; create that user or name another one"
    for number, argv in enumerate(task.commands):
        yield from (f"commands[{number}]: {text}" for text in _command_problems(argv, host))


def _command_problems(argv: t.Sequence[str], host: Host) -> t.Iterator[str]:
    path = argv[0]
    final = chain(path, host.paths.get)[-1]
    kind = escape(argv) or escape((final, *argv[1:]))
    if kind:
        called = path if final == path else f"{path} ({final})"
        yield f"{called} is {kind}, which hands its rights on; name a program or script that does one thing"
    yield from _target_problems(path, host)


def _target_problems(path: str, host: Host) -> t.Iterator[str]:
    """Why root should not run ``path``."""
    final = chain(path, host.paths.get)[-1]
    found = host.paths.get(final)
    if found is None:
        missing = "" if final == path else f" ({final} is missing)"
        yield f"{path} does not exist on the host{missing}; install it"
    elif not stat.S_ISREG(found.mode) or not found.mode & 0o111:
        yield f"{path} is not a program; name one, or make it executable (chmod 0755 {final})"
    yield from _changeable(path, host)


def _changeable(path: str, host: Host) -> t.Iterator[str]:
    """Who besides root can put something else in the place of ``path``."""
    for step in dict.fromkeys(chain(path, host.paths.get)):
        found = host.paths.get(step)
        if found is None:
            continue
        if found.uid != 0:
            yield f"{step} belongs to uid {found.uid}, who could replace what runs; chown root {step}"
        elif found.others_write and not found.is_link:
            yield f"others than root can write {step} and replace what runs; chmod go-w {step}"
