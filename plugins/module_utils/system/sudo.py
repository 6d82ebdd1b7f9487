# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's active sudo, classic or sudo-rs: checks of a sudoers text and of the whole policy, and its listing."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

from .. import layout
from ..errors import Refused
from ..logins import scratch
from ..nouns.sudo_tasks import NO_ARGUMENTS, Rule
from . import processes

ALLOWED = re.compile(r"^User .* may run the following commands on .*:$", re.MULTILINE)
NOTHING = (
    re.compile(r"^User .* is not allowed to run sudo on ", re.MULTILINE),
    re.compile(r"^sudo-rs: Sorry, user root is not allowed to execute 'list' as ", re.MULTILINE),
)
UNKNOWN = re.compile(r"^sudo(-rs)?: (unknown user|user '.*' not found)", re.MULTILINE)


@dataclass(frozen=True)
class Sudo:
    """What ``sudo`` on the PATH really is, and the visudo that reads sudoers as it does."""

    path: str
    is_rs: bool
    visudo: str


def active() -> t.Optional[Sudo]:
    """The host's sudo, or ``None``. One without its visudo is refused: a check is never skipped."""
    found = processes.find("sudo")
    if found is None:
        return None
    path = os.path.realpath(found)
    version = processes.run([path, "--version"])
    is_rs = "sudo-rs" in version.out + version.err
    for candidate in _visudos(path):
        if _is_rs_visudo(candidate) == is_rs:
            return Sudo(path, is_rs, candidate)
    package = "sudo-rs" if is_rs else "sudo"
    raise Refused(
        [f"{path} is the active sudo, but the visudo that belongs to it is not there; reinstall the package {package}"]
    )


def check(text: str, visudo: str) -> t.Optional[str]:
    """What visudo has against a sudoers text, or ``None``. It gets a file: some versions cannot read standard input."""
    with scratch.directory() as directory:
        path = os.path.join(directory, "candidate")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        complaint = _complaint(processes.run([visudo, "-cf", path]))
    return complaint.replace(path, layout.SUDOERS) if complaint else None


def check_tree(visudo: str) -> t.Optional[str]:
    """What visudo has against the policy as it is installed, every file of it, or ``None``."""
    return _complaint(processes.run([visudo, "-c"]))


def listing(user: str, sudo: Sudo) -> t.FrozenSet[Rule]:
    """All that sudo lets a user do; nothing for a user that the host does not have."""
    outcome = processes.run([sudo.path, "-n", "-ll", "-U", user])
    rules = parse(outcome.out + outcome.err)
    if rules is None:
        raise processes.Failed([sudo.path, "-ll", "-U", user], outcome)
    return rules


def prove(expected: t.Mapping[str, t.AbstractSet[Rule]], sudo: Sudo) -> t.List[str]:
    """Where sudo lets a user do more or less than expected. ``[]``: it lists exactly that."""
    found: t.List[str] = []
    for user in sorted(expected):
        found.extend(
            f"access_accounts: {user}: {text}" for text in compare(expected[user], listing(user, sudo), sudo.is_rs)
        )
        if sudo.is_rs:
            found.extend(f"access_accounts: {user}: {text}" for text in _loose(user, expected[user], sudo))
    return found


def compare(wanted: t.AbstractSet[Rule], listed: t.AbstractSet[Rule], is_rs: bool) -> t.Iterator[str]:
    """What is missing from a listing, and what is in it that nobody declared."""
    if is_rs:
        # sudo-rs lists a rule for no arguments like one for any: see _loose
        wanted, listed = _without_quotes(wanted), _without_quotes(listed)
    missing = ", ".join(sorted(map(str, wanted - listed)))
    if missing:
        yield f"sudo does not list {missing}; look for an @includedir that is missing in /etc/sudoers"
    for rule in sorted(listed - wanted, key=str):
        place = rule.source or "a sudoers file"
        yield f"sudo lists {rule}, which no sudo task says; take it out of {place}, or the user out of its group"


def parse(text: str) -> t.Optional[t.FrozenSet[Rule]]:
    """The rules in the output of ``sudo -ll``; ``None`` for anything that is no such output."""
    start = ALLOWED.search(text)
    if start is None:
        return frozenset() if any(said.search(text) for said in (*NOTHING, UNKNOWN)) else None
    rules: t.List[Rule] = []
    options: t.List[str] = []
    source = run_as = groups = ""
    for line in text[start.end() :].splitlines():
        key, _colon, value = line.strip().partition(": ")
        if line.startswith("\t"):
            command = line[1:].replace(r"\"", '"')
            rules.append(Rule(f"{run_as} : {groups}" if groups else run_as, command, tuple(options), source))
        elif line and not line.startswith(" "):
            source, run_as, groups, options = value, "", "", []
        elif key == "RunAsUsers":
            run_as = value
        elif key == "RunAsGroups":
            groups = value
        elif key == "Options":
            options += value.split(", ")
        elif line and key != "Commands:":
            options.append(line.strip())
    return frozenset(rules)


def _visudos(sudo: str) -> t.Iterator[str]:
    """Where the visudo of a sudo may be: beside it, in the sbin beside its bin, under its name on the PATH."""
    directory, name = os.path.split(sudo)
    for beside in (directory, re.sub(r"bin\Z", "sbin", directory)):
        yield os.path.join(beside, "vi" + name)
    yield from filter(None, (processes.find(name) for name in ("visudo", "visudo.ws", "visudo-rs")))


def _is_rs_visudo(path: str) -> t.Optional[bool]:
    """Only the classic visudo has a grammar version."""
    version = processes.run([path, "--version"])
    return "grammar version" not in version.out if version.ok else None


def _complaint(outcome: processes.Outcome) -> t.Optional[str]:
    return None if outcome.ok else outcome.said or f"visudo ended with {outcome.code}"


def _without_quotes(rules: t.AbstractSet[Rule]) -> t.FrozenSet[Rule]:
    end = " " + NO_ARGUMENTS
    return frozenset(
        Rule(rule.run_as, rule.command[: -len(end)], rule.options, rule.source) if rule.command.endswith(end) else rule
        for rule in rules
    )


def _loose(user: str, wanted: t.AbstractSet[Rule], sudo: Sudo) -> t.Iterator[str]:
    """Rules for no arguments that allow one all the same, asked one by one."""
    for rule in sorted(wanted, key=str):
        program, _space, arguments = rule.command.partition(" ")
        if arguments == NO_ARGUMENTS:
            asked = [sudo.path, "-n", "-l", "-U", user, "-u", rule.run_as, program, "argument"]
            if processes.run(asked).ok:
                yield f'sudo allows {program} with arguments, which no sudo task says; look for a rule without ""'
