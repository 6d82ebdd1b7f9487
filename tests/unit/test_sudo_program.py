# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of a sudo task, run for real: what it lets through to systemctl, and what it refuses."""

from __future__ import annotations

import ast
import dataclasses
import os
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.model import SudoTask
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import sudo_program

pytestmark = pytest.mark.skipif(
    not os.access(layout.PYTHON, os.X_OK), reason=f"the programs are run by {layout.PYTHON}"
)

SERVICE = SudoTask("partners_mysql", service="mysql", actions=("status", "start", "restart"))
CONSUMERS = SudoTask(
    "partners_systemctl",
    service_pattern=r"pim_job_consumer@\d+",
    protected=("pim_job_consumer@1", "pim_job_consumer@2.service"),
    actions=("status", "start", "stop", "restart", "enable", "disable"),
)
LOOSE = SudoTask("anything", service_pattern=r"[^x]+", protected=("app@1",), actions=("status", "stop"))
SUFFIXED = SudoTask("suffixed", service_pattern=r"app@[0-9]+\.service", actions=("status",))
CHOICE = SudoTask("choice", service_pattern=r"web|db", actions=("status",))
CACHE = SudoTask("partners_clear_cache", commands=(("SYSTEMCTL", "first"), ("SYSTEMCTL", "second")))


@dataclasses.dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str
    calls: t.List[t.List[str]]  # the argument lists that reached systemctl
    seen: str  # what the last of these saw of its environment and standard input


class Bench:
    """A directory with a systemctl that writes down how it was called, and programs that call it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.systemctl = directory / "systemctl"
        self.say(0)

    def say(self, code: int, on: str = "") -> None:
        """From now on systemctl ends with ``code``, if its first argument is ``on`` or whatever it is."""
        self.systemctl.write_text(
            "#!/bin/sh\n"
            f"printf '%s\\0' \"$@\" >>{self.directory}/calls; printf '\\1' >>{self.directory}/calls\n"
            f"{{ /usr/bin/env; pwd; umask; readlink /proc/$$/fd/0; }} >{self.directory}/seen\n"
            f'[ -z "{on}" ] || [ "$1" = "{on}" ] || exit 0\n'
            f"exit {code}\n"
        )
        self.systemctl.chmod(0o755)

    def run(self, task: SudoTask, arguments: t.Sequence[str], environment: t.Mapping[str, str]) -> Ran:
        commands = tuple((str(self.systemctl), *argv[1:]) for argv in task.commands)
        text = sudo_program.program(dataclasses.replace(task, commands=commands), str(self.systemctl))
        path = self.directory / task.name
        path.write_text(text)
        path.chmod(0o755)
        calls, seen = self.directory / "calls", self.directory / "seen"
        calls.write_text("")
        seen.write_text("")
        done = subprocess.run(
            [str(path), *arguments],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            env=dict(environment),
            input="typed\n",
            check=False,
        )
        lines = calls.read_text(errors="surrogateescape").split("\1")[:-1]
        return Ran(
            done.returncode, done.stdout, done.stderr, [line.split("\0")[:-1] for line in lines], seen.read_text()
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def systemctl(*arguments: str) -> t.List[t.List[str]]:
    return [["--no-pager", "--full", *arguments]]


@pytest.mark.parametrize(
    ("task", "arguments", "calls"),
    [
        (SERVICE, ["status"], systemctl("status", "mysql.service")),
        (SERVICE, ["restart"], systemctl("restart", "mysql.service")),
        (CONSUMERS, ["pim_job_consumer@3", "start"], systemctl("start", "pim_job_consumer@3.service")),
        (CONSUMERS, ["pim_job_consumer@3.service", "stop"], systemctl("stop", "pim_job_consumer@3.service")),
        (CONSUMERS, ["pim_job_consumer@42", "disable"], systemctl("disable", "pim_job_consumer@42.service")),
        (CONSUMERS, ["pim_job_consumer@1", "restart"], systemctl("restart", "pim_job_consumer@1.service")),
        (CONSUMERS, ["pim_job_consumer@2", "status"], systemctl("status", "pim_job_consumer@2.service")),
        (CONSUMERS, ["pim_job_consumer@01", "stop"], systemctl("stop", "pim_job_consumer@01.service")),
        (LOOSE, ["ssh.socket", "stop"], systemctl("stop", "ssh.socket.service")),
        (SUFFIXED, ["app@7", "status"], systemctl("status", "app@7.service")),
        (SUFFIXED, ["app@7.service", "status"], systemctl("status", "app@7.service")),
        (CHOICE, ["db", "status"], systemctl("status", "db.service")),
        (CACHE, [], [["first"], ["second"]]),
    ],
    ids=lambda value: (
        value.name if isinstance(value, SudoTask) else " ".join(value) if value and isinstance(value[0], str) else ""
    ),
)
def test_what_is_declared_reaches_systemctl(
    bench: Bench, task: SudoTask, arguments: t.List[str], calls: t.List[t.List[str]]
) -> None:
    ran = bench.run(task, arguments, {})
    assert (ran.calls, ran.code, ran.err) == (calls, 0, "")


@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        (SERVICE, []),
        (SERVICE, [""]),
        (SERVICE, ["stop"]),
        (SERVICE, ["status", "sshd"]),
        (SERVICE, ["status", "status"]),
        (SERVICE, ["status start"]),
        (SERVICE, ["status "]),
        (SERVICE, ["status\n"]),
        (SERVICE, ["Status"]),
        (SERVICE, ["--", "status"]),
        (SERVICE, ["--help"]),
        (SERVICE, ["-H", "host", "status"]),
        (SERVICE, ["mysql", "status"]),
        (SERVICE, ["status", "--check"]),
        (SERVICE, ["--check", "--check", "status"]),
        (CONSUMERS, []),
        (CONSUMERS, ["pim_job_consumer@3"]),
        (CONSUMERS, ["start", "pim_job_consumer@3"]),
        (CONSUMERS, ["pim_job_consumer@3", "start", "sshd"]),
        (CONSUMERS, ["pim_job_consumer@3", "start", "--root=/tmp/x"]),
        (CONSUMERS, ["pim_job_consumer@3 sshd", "start"]),
        (CONSUMERS, ["pim_job_consumer@3", "start stop"]),
        (CONSUMERS, ["pim_job_consumer@3", "kill"]),
        (CONSUMERS, ["pim_job_consumer@3", "edit"]),
        (CONSUMERS, ["pim_job_consumer@3", "start\n"]),
        (CONSUMERS, ["pim_job_consumer@3", ""]),
        (CONSUMERS, ["pim_job_consumer@3\n", "start"]),
        (CONSUMERS, ["pim_job_consumer@3.service\n", "start"]),
        (CONSUMERS, ["\npim_job_consumer@3", "start"]),
        (CONSUMERS, ["pim_job_consumer@3\nsshd", "start"]),
        (CONSUMERS, ["pim_job_consumer@3\t", "start"]),
        (CONSUMERS, ["pim_job_consumer@", "start"]),
        (CONSUMERS, ["pim_job_consumer@3a", "start"]),
        (CONSUMERS, ["pim_job_consumer@*", "start"]),
        (CONSUMERS, ["pim_job_consumer@[3]", "start"]),
        (CONSUMERS, ["pim_job_consumer@?", "start"]),
        (CONSUMERS, ["pim_job_consumer@../../x", "start"]),
        (CONSUMERS, ["pim_job_consumer@3/../../sshd", "start"]),
        (CONSUMERS, ["../pim_job_consumer@3", "start"]),
        (CONSUMERS, ["/etc/systemd/system/pim_job_consumer@3", "start"]),
        (CONSUMERS, ["pim_job_consumer@\u0663", "start"]),
        (CONSUMERS, ["pim_job_consumer@\uff13", "start"]),
        (CONSUMERS, ["pim_job_consumer@3\u00a0", "start"]),
        (CONSUMERS, ["pim_job_consumer@\udcff", "start"]),
        (CONSUMERS, ["pim_job_consumer@3.socket", "start"]),
        (CONSUMERS, ["pim_job_consumer@3.service.service", "start"]),
        (CONSUMERS, ["xpim_job_consumer@3", "start"]),
        (CONSUMERS, ["PIM_JOB_CONSUMER@3", "start"]),
        (CONSUMERS, ["pim_job_consumer@" + "3" * 300, "start"]),
        (CONSUMERS, ["", "start"]),
        (CONSUMERS, [".service", "start"]),
        (CONSUMERS, ["ssh", "start"]),
        (CONSUMERS, ["-H", "start"]),
        (CONSUMERS, ["-Hhost", "start"]),
        (CONSUMERS, ["--root=/tmp/x", "start"]),
        (CONSUMERS, ["--", "start"]),
        (CONSUMERS, ["-H", "host", "pim_job_consumer@3", "start"]),
        (CONSUMERS, ["$(id)", "start"]),
        (CONSUMERS, ["pim_job_consumer@3;id", "start"]),
        (LOOSE, ["--now", "stop"]),
        (LOOSE, ["-Hhost", "stop"]),
        (LOOSE, ["app@*", "stop"]),
        (LOOSE, ["a/b", "status"]),
        (LOOSE, ["a b", "status"]),
        (LOOSE, ["a\n", "status"]),
        (LOOSE, ["app@\\x31", "stop"]),
        (CHOICE, ["webx", "status"]),
        (CHOICE, ["xdb", "status"]),
        (CACHE, [""]),
        (CACHE, ["now"]),
        (CACHE, ["--help"]),
    ],
    ids=lambda value: value.name if isinstance(value, SudoTask) else ascii(value)[:60],
)
def test_everything_else_is_refused_with_what_is_allowed(bench: Bench, task: SudoTask, arguments: t.List[str]) -> None:
    ran = bench.run(task, arguments, {})
    assert (ran.calls, ran.code, ran.out) == ([], 2, "")
    assert ran.err.startswith(f"{task.name}: ")
    assert ran.err.endswith(f" Allowed: {sudo_program.usage(task)}\n")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("task", "unit", "action"),
    [
        (CONSUMERS, "pim_job_consumer@1", "stop"),
        (CONSUMERS, "pim_job_consumer@1", "disable"),
        (CONSUMERS, "pim_job_consumer@1.service", "stop"),
        (CONSUMERS, "pim_job_consumer@2", "stop"),
        (CONSUMERS, "pim_job_consumer@2.service", "disable"),
        (LOOSE, "app@1", "stop"),
    ],
)
def test_a_protected_instance_is_not_taken_down(bench: Bench, task: SudoTask, unit: str, action: str) -> None:
    ran = bench.run(task, [unit, action], {})
    assert (ran.calls, ran.code) == ([], 2)
    assert f"is protected: {action} would take it down" in ran.err


@pytest.mark.parametrize(
    ("task", "arguments", "code"),
    [
        (SERVICE, ["status"], 0),
        (SERVICE, ["stop"], 2),
        (CONSUMERS, ["pim_job_consumer@3", "start"], 0),
        (CONSUMERS, ["ssh", "start"], 2),
        (CACHE, [], 0),
    ],
)
def test_checking_runs_nothing(bench: Bench, task: SudoTask, arguments: t.List[str], code: int) -> None:
    ran = bench.run(task, ["--check", *arguments], {})
    assert (ran.calls, ran.code) == ([], code)


@pytest.mark.parametrize("code", [1, 3, 4, 255])
def test_the_exit_status_of_systemctl_is_handed_on(bench: Bench, code: int) -> None:
    bench.say(code)
    ran = bench.run(SERVICE, ["status"], {})
    assert (ran.code, ran.err) == (code, "")


def test_commands_stop_at_the_first_failure_and_say_which(bench: Bench) -> None:
    bench.say(7, on="first")
    ran = bench.run(CACHE, [], {})
    assert (ran.calls, ran.code) == ([["first"]], 7)
    assert ran.err == f"partners_clear_cache: step 1 of 2 failed with 7: {[str(bench.systemctl), 'first']}\n"


def test_a_missing_program_is_named(bench: Bench) -> None:
    bench.systemctl.unlink()
    ran = bench.run(SERVICE, ["status"], {})
    assert ran.code == 127
    assert str(bench.systemctl) in ran.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LD_PRELOAD", "{evil}/none.so"),
        ("LD_LIBRARY_PATH", "/nonexistent"),
        ("PYTHONPATH", "{evil}"),
        ("PYTHONHOME", "{evil}"),
        ("PYTHONSTARTUP", "{evil}/os.py"),
        ("PYTHONINSPECT", "1"),
        ("PYTHONWARNINGS", "error"),
        ("PYTHONBREAKPOINT", "os.system"),
        ("SYSTEMD_PAGER", "{evil}/pager"),
        ("PAGER", "{evil}/pager"),
        ("LESSOPEN", "|{evil}/pager"),
        ("SYSTEMD_EDITOR", "{evil}/pager"),
        ("PATH", "{evil}"),
        ("IFS", "/"),
        ("BASH_ENV", "{evil}/os.py"),
        ("ENV", "{evil}/os.py"),
        ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path={evil}/bus"),
        ("SYSTEMCTL_FORCE_BUS", "1"),
        ("HOME", "{evil}"),
        ("LC_ALL", "../../evil"),
    ],
)
def test_nothing_of_the_callers_environment_gets_through(bench: Bench, name: str, value: str) -> None:
    evil = bench.directory / "evil"
    evil.mkdir()
    for module in ("os", "re", "pwd", "signal", "sitecustomize", "usercustomize"):
        (evil / f"{module}.py").write_text("raise SystemExit('evil')\n")
    plain = bench.run(CONSUMERS, ["pim_job_consumer@3", "start"], {})
    hostile = bench.run(CONSUMERS, ["pim_job_consumer@3", "start"], {name: value.format(evil=evil)})
    assert (hostile.code, hostile.calls) == (0, plain.calls)
    assert hostile.seen == plain.seen


def test_systemctl_gets_no_pager_no_terminal_and_no_input(bench: Bench) -> None:
    seen = bench.run(SERVICE, ["status"], {}).seen.splitlines()
    for line in ("SYSTEMD_PAGER=cat", "PAGER=cat", "LESSSECURE=1", "SYSTEMD_PAGERSECURE=1", "TERM=dumb", "LC_ALL=C"):
        assert line in seen
    assert "PATH=/usr/sbin:/usr/bin:/sbin:/bin" in seen
    assert seen[-3:] == ["/", "0022", "/dev/null"]


@pytest.mark.parametrize("task", [SERVICE, CONSUMERS, CACHE], ids=lambda task: task.name)
def test_the_text_is_plain_python_of_the_oldest_hosts(task: SudoTask) -> None:
    text = sudo_program.program(task)
    ast.parse(text, feature_version=(3, 7))
    assert text.isascii()
    assert text.startswith("#!/usr/bin/python3 -IS\n")


@pytest.mark.parametrize(
    "argument", ["it's", 'a "b"', "\\", "\n", "{x}", "%s", "é", "\U0001f600", "'''", "#", "$HOME", "`id`", " "]
)
def test_a_command_gets_its_arguments_letter_by_letter(bench: Bench, argument: str) -> None:
    ran = bench.run(SudoTask("odd", commands=(("SYSTEMCTL", argument, "end"),)), [], {})
    assert (ran.calls, ran.code) == ([[argument, "end"]], 0)


def test_the_command_explains_before_it_asks_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "PROGRAMS", str(tmp_path))
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 5\n')
    sudo.chmod(0o755)
    task = SudoTask("cache", run_as="www-data", commands=(("/bin/true",),))
    for path, text in (
        (tmp_path / "cache", sudo_program.program(task)),
        (tmp_path / "command", sudo_program.command(task, str(sudo))),
    ):
        path.write_text(text)
        path.chmod(0o755)

    def call(*arguments: str) -> t.Tuple[int, str]:
        done = subprocess.run([tmp_path / "command", *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout or done.stderr

    assert call() == (5, f"-n|-u|www-data|{tmp_path}/cache|")
    code, said = call("a b", "*")
    assert code == 2
    assert "Allowed: cache without arguments" in said
