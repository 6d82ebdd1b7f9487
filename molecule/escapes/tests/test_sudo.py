# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell account makes more of its sudo tasks than they are: by arguments, options, variables, files, terminals."""

from __future__ import annotations

import shlex

import pytest
from conftest import PROGRAMS, STATE, TRAP, Accounts

KIND = "shell"  # of the accounts that attempt these

# By a task's name, and past it: all of these are refused, and no service is touched.
ARGUMENTS = {
    "an action that is not its own": ["web", "stop"],
    "no action": ["web"],
    "an empty action": ["web", ""],
    "an argument more": ["web", "restart", "mail"],
    "an empty argument more": ["web", "restart", ""],
    "an option more": ["web", "restart", "--root=/tmp"],
    "an option first": ["web", "--host=root@127.0.0.1", "restart"],
    "the end of options": ["web", "--", "restart"],
    "the end of options last": ["web", "restart", "--"],
    "two words in one": ["web", "restart mail"],
    "a line's end": ["web", "restart\n"],
    "a second line": ["web", "restart\nmail"],
    "a command behind it": ["web", f"restart; {TRAP}"],
    "a command in it": ["web", f"$({TRAP})"],
    "a wildcard": ["web", "*"],
    "a look-alike": ["web", "restаrt"],  # noqa: RUF001 # that is the point
    "capitals": ["web", "RESTART"],
    "30,000 characters": ["web", "restart" + "x" * 30_000],
    "2,000 arguments": ["web", *(["restart"] * 2000)],
    "a question": ["web", "--check", "restart", "stop"],
    "a variable": ["web", "PATH=/tmp", "restart"],
    "an argument where none is": ["report", "weekly"],
    "the argument that stands in it": ["report", "daily"],
    "an empty argument where none is": ["report", ""],
    "another service": ["queue", "mail", "restart"],
    "the sshd": ["queue", "ssh", "restart"],
    "a path": ["queue", "../x", "start"],
    "a path behind a good name": ["queue", "queue@2/../../tmp/x", "start"],
    "an absolute path": ["queue", "/home/partner/queue@2.service", "start"],
    "an option for a unit": ["queue", "--root=/home/partner", "enable"],
    "a host for a unit": ["queue", "-Hroot@127.0.0.1", "restart"],
    "a pair of units": ["queue", "queue@2 mail", "restart"],
    "a third argument": ["queue", "queue@2", "mail", "restart"],
    "a unit's line end": ["queue", "queue@2\n", "restart"],
    "a unit's second line": ["queue", "queue@2\nmail", "restart"],
    "a space before": ["queue", " queue@2", "restart"],
    "a space behind": ["queue", "queue@2 ", "restart"],
    "a unit's wildcard": ["queue", "queue@*", "stop"],
    "a unit's class": ["queue", "queue@[12]", "stop"],
    "no number": ["queue", "queue@", "start"],
    "a number below zero": ["queue", "queue@-1", "start"],
    "digits of another script": ["queue", "queue@٢", "start"],
    "another type of unit": ["queue", "queue@2.socket", "start"],
    "the suffix twice": ["queue", "queue@2.service.service", "start"],
    "an escaped name": ["queue", r"queue\x402", "start"],
    "the instance in capitals": ["queue", "QUEUE@2", "start"],
    "a command behind a unit": ["queue", f"queue@2;{TRAP}", "start"],
    "an action that hides": ["queue", "queue@2", "mask"],
    "an action that edits": ["queue", "queue@2", "edit"],
    "an action that links": ["queue", "queue@2", "link"],
    "an action as an option": ["queue", "queue@2", "--force"],
    "the action first": ["queue", "restart", "queue@2"],
    "stopping a protected unit": ["queue", "queue@1", "stop"],
    "disabling a protected unit": ["queue", "queue@1", "disable"],
    "a protected unit by its long name": ["queue", "queue@1.service", "stop"],
    "a protected unit and a line's end": ["queue", "queue@1.service\n", "stop"],
}


@pytest.fixture(scope="module")
def sudos(accounts: Accounts) -> list[str]:
    return ["sudo", *(["sudo-rs"] if accounts.root("command -v sudo-rs").ok else [])]


@pytest.mark.control
def test_tasks_do_what_they_are_for(accounts: Accounts, sudos: list[str]) -> None:
    """The control of all that follow."""
    script = "web restart && web status >/dev/null && queue queue@3 start && queue queue@3 stop && report"
    script += "".join(f" && {sudo} -n {PROGRAMS}/web restart && {sudo} -n {PROGRAMS}/report" for sudo in sudos)
    before = accounts.root("systemctl show -p MainPID web")
    ran = accounts.wire("partner").execute(script)
    assert ran.code == 0, ran
    assert ran.text.startswith("report of root: daily\n/\n0022\n")
    assert accounts.root("systemctl show -p MainPID web") != before


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_a_task_is_given(accounts: Accounts, sudos: list[str], arguments: list[str]) -> None:
    task, *rest = arguments
    ways = [[task], *([sudo, "-n", f"{PROGRAMS}/{task}"] for sudo in sudos)]
    attempts = "\n".join(f"{shlex.join([*way, *rest])} >/dev/null 2>&1; echo $?" for way in ways)
    script = f'before=$({STATE})\n{attempts}\n[ "$({STATE})" = "$before" ] && echo as before'
    *codes, last = accounts.wire("partner").execute(script).text.split("\n", len(ways))
    assert set(codes) <= {"1", "2"}  # sudo's and the program's
    assert last == "as before\n"


def test_a_number_that_is_written_otherwise_is_another_unit(accounts: Accounts) -> None:
    """queue@01 is not queue@1, which is protected."""
    ran = accounts.wire("partner").execute("queue queue@01 stop; queue queue@01 disable; systemctl is-active queue@1")
    assert ran.text.endswith("active\n")


# What sudo itself could be asked for. Each would print the user, or leave the trace.
OPTIONS = {
    "a command": "id",
    "a command of root's": "-u root id",
    "another user": "-u app id",
    "the user of number -1": "-u#-1 id",
    "the user of number 2^32-1": "-u#4294967295 id",
    "the user of number 0": "-u '#0' id",
    "a group": "-g root id",
    "a group for a task": f"-g shadow {PROGRAMS}/report",
    "another user for a task": f"-u app {PROGRAMS}/report",
    "a shell": "-s id",
    "a login shell": "-i id",
    "a shell for a user": "-u app -s id",
    "an editor": "-e /etc/passwd",
    "a root directory": "-R /home/partner id",
    "a root directory for a task": f"-R /home/partner {PROGRAMS}/report",
    "a directory for a task": f"-D /root {PROGRAMS}/report",
    "another host": "-h localhost id",
    "variables for a task": f"--preserve-env=LD_PRELOAD,PATH {PROGRAMS}/report",
    "all variables for a task": f"-E {PROGRAMS}/report",
    "a variable for a task": f"LD_PRELOAD=/home/partner/x.so {PROGRAMS}/report",
    "a path for a task": f"PATH=/home/partner {PROGRAMS}/report",
    "open files for a task": f"-C 100 {PROGRAMS}/report",
    "a role": "-r sysadm_r id",
    "a way up": f"{PROGRAMS}/../../../../bin/sh -c id",
    "a way up from a task": f"{PROGRAMS}/web/../../../../bin/id",
    "an interpreter for a task": f"/usr/bin/python3 {PROGRAMS}/report",
    "the interpreter's own options": "/usr/bin/python3 -IS -c 'import os; os.system(\"id\")'",
    "what a task runs": "/usr/local/sbin/make-report weekly",
    "what a task asks": "/usr/bin/systemctl restart mail",
    "the command of a task": "/usr/local/bin/report",
    "two commands": f"{PROGRAMS}/report ; sudo -n id",
    "a list of another user's": "-l -U deploy",
    "a list of root's": "-ll -U root",
    "a program that asks": "-A id",
    "a password from nowhere": "-S id </dev/null",
    "an empty command": "''",
    "sudo again": f"sudo {PROGRAMS}/report",
    "visudo": "visudo -c",
    "su": "su -c id",
    "a pager": "less /etc/passwd",
}
NOT_OPTIONS = {"variables for a task", "all variables for a task", "two commands"}


@pytest.mark.parametrize("arguments", [OPTIONS[name] for name in OPTIONS if name not in NOT_OPTIONS],
                         ids=[name for name in OPTIONS if name not in NOT_OPTIONS])  # fmt: skip
def test_sudo_is_asked_for(accounts: Accounts, sudos: list[str], arguments: str) -> None:
    for sudo in sudos:
        ran = accounts.wire("partner").execute(f"cd; SUDO_ASKPASS=/bin/true {sudo} -n {arguments}")
        assert ran.code != 0, ran
        assert not any(text in ran.text for text in ("uid=", "report of", "ALL", "(root)", "parsed OK", "root:x"))


@pytest.mark.parametrize("name", sorted(NOT_OPTIONS))
def test_sudo_is_asked_for_and_may_go_on_without(accounts: Accounts, name: str) -> None:
    ran = accounts.wire("partner").execute(f"export LD_PRELOAD=/home/partner/x.so; sudo -n {OPTIONS[name]}")
    assert not any(text in ran.text.replace("by ld.so", "") for text in ("uid=0", "LD_PRELOAD=", "PATH=/home"))


@pytest.mark.parametrize("task", ["web status", "web restart", "queue queue@2 restart", "report", "id"])
@pytest.mark.parametrize("account", ["keeper"])
def test_an_account_without_tasks_runs(accounts: Accounts, sudos: list[str], account: str, task: str) -> None:
    """By the task's own command, and past it."""
    for way in ("", *(f"{sudo} -n {PROGRAMS}/" for sudo in sudos), *(f"{sudo} -n " for sudo in sudos)):
        if way or task != "id":
            ran = accounts.wire(account).execute(
                f'before=$({STATE}); {way}{task} && exit 9; [ "$({STATE})" = "$before" ]'
            )
            assert ran.code == 0, ran
            assert not any(text in ran.text for text in ("uid=0", "report of"))
