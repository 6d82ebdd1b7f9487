# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a sudo task, which sudo runs as root or another user, and of the command before it.

The program is a Python file of its own: nothing of the collection need be on the host when it runs. ``-I``
and ``-S`` keep out of it the caller's environment and the site directories, which others than root may be
able to write (on Debian, the group staff).
"""

from __future__ import annotations

import pprint
import shlex
import typing as t

from .. import layout
from ..model import SudoTask

Argv = t.Tuple[str, ...]
Table = t.Mapping[Argv, t.Tuple[Argv, ...]]

SYSTEMCTL = "/usr/bin/systemctl"
SYSTEMCTL_OPTIONS = ("--no-pager", "--full")
SUFFIX = ".service"

# What systemctl neither expands nor takes for a path or an option. A dash must not come first.
UNIT = r"[A-Za-z0-9_:.@][A-Za-z0-9_:.@-]{0,246}"

# What systemctl may be asked for: nothing that edits, links or masks a unit, or reaches beyond it.
ACTIONS = ("status", "start", "stop", "restart", "reload", "enable", "disable")
TAKES_DOWN = ("stop", "disable")


def path_of(task: SudoTask) -> str:
    return layout.PROGRAMS + "/" + task.name


def command_of(task: SudoTask) -> str:
    return layout.COMMANDS + "/" + task.name


def run_as(task: SudoTask) -> str:
    """The user that sudo runs the program as: only root can ask systemd for a service."""
    return task.run_as if task.commands else "root"


def table(task: SudoTask, systemctl: str = SYSTEMCTL) -> t.Optional[Table]:
    """What each allowed argument list runs; ``None`` for a pattern, whose argument lists cannot be listed."""
    if task.service_pattern is not None:
        return None
    if task.service is None:
        return {(): task.commands}
    unit = bare(task.service) + SUFFIX
    return {(action,): ((systemctl, *SYSTEMCTL_OPTIONS, action, unit),) for action in task.actions}


def bare(unit: str) -> str:
    """A service's name without the suffix that it may be given with."""
    return unit[: -len(SUFFIX)] if unit.endswith(SUFFIX) else unit


def usage(task: SudoTask) -> str:
    """What is allowed, in one line."""
    actions = "|".join(task.actions)
    if task.service_pattern is None:
        return f"{task.name} {actions}" if task.service else f"{task.name} without arguments"
    text = f"{task.name} UNIT {actions}, where UNIT is {task.service_pattern}"
    forbidden = [action for action in TAKES_DOWN if action in task.actions]
    if not task.protected or not forbidden:
        return text
    return f"{text}; no {' or '.join(forbidden)} for {', '.join(map(bare, task.protected))}"


def command(task: SudoTask, sudo: str) -> str:
    """What the account types. It explains what is allowed before it asks sudo, which only says no."""
    program = shlex.quote(path_of(task))
    return (
        "#!/bin/sh\n"
        f"# {layout.HEADER}"
        f'{program} --check "$@" || exit\n'
        f'exec {shlex.quote(sudo)} -n -u {shlex.quote(run_as(task))} {program} "$@"\n'
    )


def program(task: SudoTask, systemctl: str = SYSTEMCTL, python: str = layout.PYTHON) -> str:
    listed = table(task, systemctl)
    values: t.Dict[str, t.Any] = {"NAME": task.name, "ALLOWED": usage(task)}
    if listed is not None:
        values["STEPS"] = dict(listed)
    else:
        values["PATTERN"] = task.service_pattern
        values["ACTIONS"] = task.actions
        values["PROTECTED"] = tuple(map(bare, task.protected))
        values["TAKES_DOWN"] = TAKES_DOWN
        values["SYSTEMCTL"] = (systemctl, *SYSTEMCTL_OPTIONS)
        values["SUFFIX"] = SUFFIX
        values["UNIT"] = UNIT
    return "".join(
        [
            f"#!{python} -IS\n# {layout.HEADER}",
            _START,
            *(f"{name} = {_literal(value)}\n" for name, value in values.items()),
            _LISTED if listed is not None else _PATTERN,
            _END,
        ]
    )


def _literal(value: t.Any) -> str:
    """A value as Python text in ASCII, whatever characters it holds."""
    text = pprint.pformat(value, width=110, sort_dicts=False)
    return text.encode("ascii", "backslashreplace").decode("ascii")


_START = '''\
"""A sudo task: runs what is written here, for the arguments that are written here, and nothing else."""

import os
import pwd
import re
import signal
import sys

'''

_LISTED = """

def steps_for(arguments):
    if arguments not in STEPS:
        refuse("these arguments are not allowed: " + ascii(list(arguments)))
    return STEPS[arguments]
"""

_PATTERN = """

def steps_for(arguments):
    if len(arguments) != 2:
        refuse("takes a unit and an action, not these arguments: " + ascii(list(arguments)))
    unit, action = arguments
    name = unit[: -len(SUFFIX)] if unit.endswith(SUFFIX) else unit
    if not re.fullmatch(UNIT, name) or not (matches(name) or matches(name + SUFFIX)):
        refuse(ascii(unit) + " is not one of its units")
    if action not in ACTIONS:
        refuse(ascii(action) + " is not one of its actions")
    if name in PROTECTED and action in TAKES_DOWN:
        refuse(name + " is protected: " + action + " would take it down")
    return ((*SYSTEMCTL, action, name + SUFFIX),)


def matches(name):
    return re.fullmatch(PATTERN, name, re.ASCII) is not None
"""

_END = """

def refuse(reason):
    print(NAME + ": " + reason + ". Allowed: " + ALLOWED, file=sys.stderr)
    sys.exit(2)


def environment():
    user = pwd.getpwuid(os.geteuid())
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "LOGNAME": user.pw_name,
        "LC_ALL": "C",
        "TERM": "dumb",
        # no pager, and one that can start nothing where a program insists on one
        "PAGER": "cat",
        "SYSTEMD_PAGER": "cat",
        "SYSTEMD_PAGERSECURE": "1",
        "LESSSECURE": "1",
    }


def run(steps):
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.chdir("/")
    os.umask(0o022)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, argv in enumerate(steps, 1):
        code = os.spawnve(os.P_WAIT, argv[0], argv, environment())
        if code == 0:
            continue
        if len(steps) > 1 or code == 127:
            place = "step {} of {} failed with {}: ".format(number, len(steps), code)
            print(NAME + ": " + place + ascii(list(argv)), file=sys.stderr)
        return code if code > 0 else 128 - code
    return 0


def main(arguments):
    # the command in front of sudo asks first, to explain a mistake
    checking = arguments[:1] == ("--check",)
    steps = steps_for(arguments[1:] if checking else arguments)
    return 0 if checking else run(steps)


sys.exit(main(tuple(sys.argv[1:])))
"""
