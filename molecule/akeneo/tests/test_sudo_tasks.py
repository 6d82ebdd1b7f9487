# SPDX-License-Identifier: GPL-3.0-or-later
"""What akeneo may do as root: the tasks that have a name, in the words that they document, and nothing else."""

from __future__ import annotations

import re
import shlex

import pytest
from conftest import Logins
from logins import Answer, ssh
from testinfra.host import Host

PROGRAMS = "/usr/local/libexec/sallyport"

SERVICES = {
    "partners_mysql": "mysql",
    "partners_elasticsearch": "elasticsearch",
    "partners_php8.1-fpm": "php8.1-fpm",
}

LISTED = {
    *(f"{PROGRAMS}/{task} {action}" for task in SERVICES for action in ("status", "start", "restart")),
    f"{PROGRAMS}/partners_systemctl",
    f'{PROGRAMS}/partners_clear_cache ""',
}

# A program that root runs must not have changed any of these.
STATE = (
    "systemctl show --property=Id,ActiveState,ExecMainStartTimestampMonotonic,UnitFileState"
    " ssh mysql elasticsearch php8.1-fpm redis pim_job_consumer@1 pim_job_consumer@2 pim_job_consumer@3"
)

REFUSED = {
    "an action that is not its own": ["partners_mysql", "stop"],
    "no action": ["partners_mysql"],
    "an empty action": ["partners_mysql", ""],
    "an argument more": ["partners_mysql", "restart", "redis"],
    "an option more": ["partners_mysql", "restart", "--root=/tmp"],
    "an option first": ["partners_mysql", "--host=elsewhere", "restart"],
    "two words in one argument": ["partners_mysql", "restart redis"],
    "an action that edits": ["partners_php8.1-fpm", "edit"],
    "an argument to a task without any": ["partners_clear_cache", "now"],
    "a service that is not its own": ["partners_systemctl", "redis", "restart"],
    "the sshd": ["partners_systemctl", "ssh", "restart"],
    "a path": ["partners_systemctl", "../x", "start"],
    "a path after a good name": ["partners_systemctl", "pim_job_consumer@3/../../tmp/x", "start"],
    "two units in one argument": ["partners_systemctl", "pim_job_consumer@3 redis", "restart"],
    "two units in two arguments": ["partners_systemctl", "pim_job_consumer@3", "redis", "restart"],
    "two units in two lines": ["partners_systemctl", "pim_job_consumer@3\nredis", "restart"],
    "a line's end": ["partners_systemctl", "pim_job_consumer@3\n", "start"],
    "a wildcard": ["partners_systemctl", "pim_job_consumer@*", "restart"],
    "an instance that is no number": ["partners_systemctl", "pim_job_consumer@x", "start"],
    "digits of another script": ["partners_systemctl", "pim_job_consumer@٣", "start"],
    "another type of unit": ["partners_systemctl", "pim_job_consumer@3.socket", "start"],
    "an option for a unit": ["partners_systemctl", "--now", "enable"],
    "the action first": ["partners_systemctl", "start", "pim_job_consumer@3"],
    "an action that hides": ["partners_systemctl", "pim_job_consumer@3", "mask"],
    "stopping a protected unit": ["partners_systemctl", "pim_job_consumer@1", "stop"],
    "disabling a protected unit": ["partners_systemctl", "pim_job_consumer@2", "disable"],
    "a protected unit by its long name": ["partners_systemctl", "pim_job_consumer@1.service", "stop"],
}


def akeneo(logins: Logins, script: str) -> Answer:
    return ssh(logins.alice, "--", script)


def started(host: Host, unit: str) -> int:
    return int(host.check_output("systemctl show --property=ExecMainStartTimestampMonotonic --value %s", unit))


@pytest.mark.promise("A5")
@pytest.mark.parametrize("task", SERVICES)
def test_a_service_is_looked_after_by_name(host: Host, logins: Logins, task: str) -> None:
    before = started(host, SERVICES[task])
    answer = akeneo(logins, f"set -e; {task} status; {task} start; {task} restart")
    assert answer.ok, answer
    assert f"{SERVICES[task]}.service" in answer.text
    assert started(host, SERVICES[task]) > before


@pytest.mark.promise("A5")
def test_status_says_when_a_service_is_down_and_start_starts_it(host: Host, logins: Logins) -> None:
    host.check_output("systemctl stop elasticsearch")
    assert akeneo(logins, "partners_elasticsearch status").code == 3
    assert akeneo(logins, "partners_elasticsearch start && systemctl is-active elasticsearch") == Answer(0, "active\n")


@pytest.mark.promise("A5")
@pytest.mark.promise("A7")
def test_a_consumer_is_looked_after_by_its_number(logins: Logins) -> None:
    consumer = "partners_systemctl pim_job_consumer@3"
    started = akeneo(
        logins,
        f"set -e; {consumer} enable; {consumer} start; {consumer} restart; {consumer} status >/dev/null;"
        " systemctl is-enabled pim_job_consumer@3; systemctl show --property=ActiveState,User pim_job_consumer@3",
    )
    assert started.ok, started
    assert set(started.text.splitlines()[-3:]) == {"enabled", "ActiveState=active", "User=akeneo"}
    stopped = akeneo(
        logins,
        f"{consumer} stop; {consumer} disable;"
        " systemctl is-enabled pim_job_consumer@3; systemctl is-active pim_job_consumer@3",
    )
    assert stopped.text.splitlines()[-2:] == ["disabled", "inactive"]


@pytest.mark.promise("A7")
def test_a_protected_consumer_may_still_be_restarted(logins: Logins) -> None:
    consumer = "pim_job_consumer@1"
    answer = akeneo(logins, f"partners_systemctl {consumer} restart && systemctl is-active {consumer}")
    assert answer == Answer(0, "active\n")


@pytest.mark.promise("A5")
@pytest.mark.promise("A7")
@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED.keys())
def test_nothing_beside_what_is_documented(logins: Logins, arguments: list[str], has_sudo_rs: bool) -> None:
    """Neither by the task's name, nor past it."""
    task, *rest = arguments
    ways = [[task], ["sudo", "-n", f"{PROGRAMS}/{task}"]]
    if has_sudo_rs:
        ways.append(["sudo-rs", "-n", f"{PROGRAMS}/{task}"])
    attempts = "\n".join(f"{shlex.join([*way, *rest])} 2>/dev/null; echo refused with $?" for way in ways)
    answer = akeneo(logins, f'before=$({STATE}); {attempts}\n[ "$({STATE})" = "$before" ] && echo as before')
    # 1 is what sudo refuses with, 2 the program
    assert re.fullmatch("refused with [12]\n" * len(ways) + "as before\n", answer.text), answer


@pytest.fixture(scope="module")
def has_sudo_rs(host: Host) -> bool:
    return bool(host.exists("sudo-rs"))


@pytest.mark.promise("A5")
def test_sudo_rs_allows_the_same(logins: Logins, has_sudo_rs: bool) -> None:
    if not has_sudo_rs:
        pytest.skip("this release has no sudo-rs")
    answer = akeneo(
        logins,
        f"set -e; sudo-rs -n {PROGRAMS}/partners_mysql restart; sudo-rs -n {PROGRAMS}/partners_clear_cache;"
        f" sudo-rs -n {PROGRAMS}/partners_systemctl pim_job_consumer@1 status",
    )
    assert answer.ok, answer


@pytest.mark.promise("A5")
def test_sudo_lists_exactly_what_is_documented(logins: Logins) -> None:
    answer = akeneo(logins, "sudo -n -l")
    assert answer.ok
    text = answer.text.replace('\\"', '"')  # sudo 1.9.5 escapes what it shows
    rules = text.partition("may run the following commands")[2].splitlines()[1:]
    assert {line.strip() for line in rules} == {f"(root) NOPASSWD: {command}" for command in LISTED}


@pytest.mark.promise("A5")
def test_a_refusal_says_what_would_be_allowed(logins: Logins) -> None:
    assert "partners_mysql status|start|restart" in akeneo(logins, "partners_mysql stop").text
    assert "pim_job_consumer@[0-9]+" in akeneo(logins, "partners_systemctl redis start").text


@pytest.mark.promise("A5")
@pytest.mark.parametrize("command", ["partners_mysql status", "partners_systemctl pim_job_consumer@1 status"])
def test_no_pager_and_so_no_shell_behind_one(host: Host, logins: Logins, command: str) -> None:
    """On a terminal that is too small for the output, with every variable set that names or steers a pager."""
    trace = "/home/akeneo/escaped"
    variables = {
        "PAGER": f"touch {trace}",
        "SYSTEMD_PAGER": f"touch {trace}",
        "SYSTEMD_PAGERSECURE": "0",
        "LESSOPEN": f"|touch {trace}",
        "LESS": f"+!touch {trace}",
        "PYTHONSTARTUP": trace,
        "PYTHONINSPECT": "1",
    }
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    script = f"stty rows 3 columns 20; export {exports}; {command}"
    answer = ssh(logins.alice, "--", f"script -qec {shlex.quote(script)} /dev/null", text=f"!touch {trace}\nq\n")
    assert ".service" in answer.text
    assert not host.file(trace).exists


CACHE = "/home/akeneo/pim/var/cache"


@pytest.mark.promise("A6")
def test_the_cache_is_emptied_and_php_started_again(host: Host, logins: Logins) -> None:
    before = started(host, "php8.1-fpm")
    answer = akeneo(
        logins,
        f"set -e; mkdir -p {CACHE}/prod/deep; touch {CACHE}/prod/deep/.hidden; partners_clear_cache;"
        f" find {CACHE} -printf '%U:%y '; id -u; systemctl is-active php8.1-fpm",
    )
    directory, uid, state = answer.text.split()[-3:]
    assert (directory, state) == (f"{uid}:d", "active"), answer
    assert started(host, "php8.1-fpm") > before


@pytest.mark.promise("A6")
@pytest.mark.parametrize("link", [CACHE, "/home/akeneo/pim/var", "/home/akeneo/pim"])
def test_a_planted_link_makes_nobody_empty_another_directory(host: Host, logins: Logins, link: str) -> None:
    victim = f"/srv/victim{CACHE}"
    host.check_output("mkdir -p %s && touch %s/precious", victim, victim)
    target = f"/srv/victim{link}"
    planted = f"mkdir -p {CACHE}; mv {link} {link}.real; ln -s {target} {link}"
    try:
        answer = akeneo(logins, f"{planted}; partners_clear_cache")
        assert host.file(f"{victim}/precious").exists, answer
    finally:
        host.check_output("rm -rf /srv/victim %s && mv %s.real %s && systemctl start php8.1-fpm", link, link, link)
