# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell account makes more of its sudo tasks than they are, by what surrounds them: variables, files, terminals."""

from __future__ import annotations

import shlex

import pytest
from conftest import PROGRAMS, STATE, TRACE, TRAP, Accounts
from packets import CREATING, MKDIR, NOTHING, REMOVE, SETSTAT, WRITING, Attributes, mode

KIND = "shell"  # of the accounts that attempt these


@pytest.fixture(scope="module")
def trapped(accounts: Accounts) -> str:
    """A directory of partner's, in which every name that a task could come by is a trap for root."""
    packets, home = accounts.packets("partner"), "/home/partner/trap"
    accounts.wire("partner").execute(f"rm -rf {home}")
    assert packets.ask(MKDIR, home, Attributes(NOTHING)).ok
    shell = f"#!/bin/sh\n{TRAP} 2>/dev/null\n".encode()
    module = f"import subprocess\nsubprocess.call(['/bin/sh', '-c', '{TRAP} 2>/dev/null'])\n".encode()
    for name in (
        "systemctl",
        "python3",
        "id",
        "env",
        "umask",
        "sh",
        "web",
        "report",
        "make-report",
        "rc",
        "pager",
        "sudo-askpass",
    ):
        packets.ask(REMOVE, f"{home}/{name}")
        assert packets.written(f"{home}/{name}", WRITING | CREATING, shell).ok
        packets.ask(SETSTAT, f"{home}/{name}", Attributes(mode(0o755)))
    for name in (
        "os.py",
        "pwd.py",
        "re.py",
        "signal.py",
        "sys.py",
        "site.py",
        "sitecustomize.py",
        "usercustomize.py",
        "encodings.py",
    ):
        packets.written(f"{home}/{name}", WRITING | CREATING, module)
    return home


VARIABLES = """
    LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LD_DEBUG_OUTPUT GCONV_PATH NLSPATH LOCPATH TZ TZDIR HOSTALIASES
    RESOLV_HOST_CONF PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONINSPECT PYTHONUSERBASE PYTHONBREAKPOINT
    PYTHONWARNINGS PYTHONPYCACHEPREFIX PATH HOME SHELL IFS CDPATH ENV BASH_ENV SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND
    BASH_FUNC_id%% BASH_FUNC_env() PAGER SYSTEMD_PAGER SYSTEMD_LESS LESS LESSOPEN LESSEDIT EDITOR VISUAL
    SYSTEMD_EDITOR SUDO_EDITOR SUDO_ASKPASS SUDO_PROMPT DBUS_SYSTEM_BUS_ADDRESS DBUS_SESSION_BUS_ADDRESS
    XDG_RUNTIME_DIR XDG_CONFIG_HOME SYSTEMD_UNIT_PATH SYSTEMCTL_FORCE_BUS TERMINFO TERMPATH TERM KRB5_CONFIG
    PERL5LIB PERL5OPT RUBYLIB NODE_OPTIONS MALLOC_TRACE TMPDIR MAIL USER LOGNAME SUDO_UID
""".split()


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_task_runs_with(accounts: Accounts, trapped: str, variable: str) -> None:
    """What it does is as ever, the program that it runs sees nothing of the variable, and nothing of partner's ran."""
    value = (
        f"() {{ {TRAP}; }}"
        if variable.startswith("BASH_FUNC")
        else f"{trapped}/{'rc' if 'PATH' not in variable else ''}"
    )
    value = f"{trapped}:/usr/bin:/bin" if variable == "PATH" else value
    command = f"/usr/bin/env {shlex.quote(f'{variable}={value}')}"
    shown = (
        accounts.wire("partner").execute(f"{command} /usr/bin/python3 -ISc 'import os; print(dict(os.environb))'").text
    )
    assert variable in shown or variable.startswith(("PYTHON", "LD_", "PATH"))
    ran = accounts.wire("partner").execute(
        f"cd {trapped}; {command} sudo -n {PROGRAMS}/report; {command} sudo -n {PROGRAMS}/web status"
    )
    assert "report of root: daily\n/\n0022\n" in ran.text
    assert trapped not in ran.text
    assert TRAP not in ran.text
    assert accounts.wire("partner").execute(f"ls {TRACE}").code != 0


def test_a_task_runs_among_files_of_its_caller(accounts: Accounts, trapped: str) -> None:
    script = f"cd {trapped}; chmod +x *; export PATH={trapped}:$PATH; umask 0"
    ran = accounts.wire("partner").execute(
        f"{script}; /usr/local/bin/report; /usr/bin/sudo -n {PROGRAMS}/web restart; ls {TRACE}"
    )
    assert "report of root: daily\n/\n0022\n" in ran.text
    assert f"cannot access '{TRACE}'" in ran.text
    assert "uid=" in accounts.wire("partner").execute(f"PATH={trapped}:$PATH; id; /usr/bin/id").text


UNIT = f"printf '[Service]\\nExecStart={TRAP}\\n' > queue@9.service"
PLANTED = {
    "a program of a task's name": "cp trap/report report; PATH=$HOME:$PATH sudo -n report; sudo -n ~/report",
    "a copy of a task that does more": f"cp {PROGRAMS}/report more; sed -i s/daily/weekly/ more; sudo -n ~/more",
    "a copy of a task by its own name": f"mkdir -p c; cp {PROGRAMS}/report c/report; sudo -n ~/c/report",
    "a link to a task by another name": f"ln -sfn {PROGRAMS}/report another; sudo -n ~/another",
    "a link to a shell by a task's name": "ln -sfn /bin/sh web; sudo -n ~/web -c id",
    "a link to a directory of programs": "mkdir -p d; ln -sfn ~/d way; cp trap/report d/; sudo -n ~/way/report",
    "a program in ~/.local/bin": "mkdir -p .local/bin; cp trap/report .local/bin/; sudo -n report",
    "a unit of its own": f"{UNIT}; mkdir -p .config/systemd/user; cp queue@9.service .config/systemd/user; "
    "queue queue@9 start; false",
    "a unit where it stands": f"{UNIT}; queue queue@9 restart; queue ./queue@9 start",
    "settings of sudo": "printf 'Plugin sudoers_policy /home/partner/x.so\\n' > sudo.conf; sudo -n id",
    "an own sudoers": "printf 'partner ALL=(ALL) NOPASSWD: ALL\\n' > sudoers; SUDOERS=~/sudoers sudo -n id",
    "a time stamp": "mkdir -p run/sudo/ts; : > run/sudo/ts/partner; sudo -n -k; sudo -n -v; sudo -n id",
}


@pytest.mark.parametrize("script", PLANTED.values(), ids=PLANTED.keys())
@pytest.mark.usefixtures("trapped")
def test_sudo_finds(accounts: Accounts, script: str) -> None:
    ran = accounts.wire("partner").execute(f"cd; {script}; code=$?; ls {TRACE} 2>/dev/null && exit 0; exit $code")
    assert ran.code != 0, ran
    assert not any(text in ran.text for text in ("uid=0", "report of", TRACE + "\n"))


TERMINALS = {
    "a pager that it names": "export PAGER='TRAP' SYSTEMD_PAGER='TRAP' SYSTEMD_PAGERSECURE=0",
    "a pager that takes commands": "export SYSTEMD_PAGER=less SYSTEMD_PAGERSECURE=0 LESS='+!TRAP' LESSSECURE=0",
    "a file of less": "export LESSOPEN='|TRAP' LESSKEY=/home/partner/trap/rc SYSTEMD_LESS='+!TRAP'",
    "an editor that it names": "export EDITOR='TRAP' VISUAL='TRAP' SYSTEMD_EDITOR='TRAP'",
    "an interpreter that stays": "export PYTHONINSPECT=1 PYTHONSTARTUP=/home/partner/trap/rc",
}


@pytest.mark.parametrize("settings", TERMINALS.values(), ids=TERMINALS.keys())
@pytest.mark.parametrize("task", ["web status", "queue queue@1 status", f"sudo -n {PROGRAMS}/web status"])
def test_a_task_has_a_small_terminal_and(accounts: Accounts, trapped: str, settings: str, task: str) -> None:
    """It ends by itself: whatever is typed reaches nothing that would act on it as root."""
    script = f"{settings.replace('TRAP', TRAP)}; {task}; ls {TRACE}; exit"
    ran = accounts.wire("partner").execute(script, terminal=True, typed=f"!{TRAP}\n:!{TRAP}\nv\nq\n")
    assert ".service" in ran.text
    assert f"cannot access '{TRACE}'" in ran.text


LIMITS = [
    "ulimit -n 3",
    "ulimit -f 0",
    "ulimit -v 20000",
    "ulimit -t 0",
    "exec <&-",
    "exec 2>&-",
    "trap '' PIPE INT TERM",
]


@pytest.mark.parametrize("limit", LIMITS)
def test_a_task_is_starved_by(accounts: Accounts, limit: str) -> None:
    """It fails, or does what it always does: no check of it is lost for want of something."""
    task = f"sudo -n {PROGRAMS}/queue"
    script = f"before=$({STATE}); ({limit}; {task} mail restart; {task} queue@1 stop) >&2;"
    ran = accounts.wire("partner").execute(f'{script} [ "$({STATE})" = "$before" ]')
    assert ran.code == 0, ran
