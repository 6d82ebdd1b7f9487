# SPDX-License-Identifier: GPL-3.0-or-later
"""sftp and tunnel accounts ask for more than file transfers and forwards: shells, commands, terminals, variables."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path

import pytest
from clients import Scp
from conftest import Accounts
from logins import Answer, run, ssh
from wire import Field, accepts, demand

CONFINED = ["customer", "reader", "member", "tunnel"]

# Each ends with `id`: what it prints is what the attempt is after.
COMMANDS: dict[str, tuple[list[str], str]] = {
    "opens a shell": ([], "id\n"),
    "opens a shell on a terminal": (["-tt"], "id; exit\n"),
    "runs a command": (["--", "id"], ""),
    "runs a command on a terminal": (["-tt", "--", "id"], ""),
    "runs a command without a terminal": (["-T", "--", "/usr/bin/id"], ""),
    "runs a shell as a command": (["--", "/bin/bash", "-c", "id"], ""),
    "runs a login shell that reads its input": (["--", "exec", "bash", "-l"], "id\n"),
    "runs a command after the SFTP server": (["--", "/usr/lib/openssh/sftp-server; id"], ""),
    "runs a command as git does": (["--", "git-upload-pack '/own'; id"], ""),
    "runs a command of two lines": (["--", "internal-sftp\nid"], ""),
    "starts a subsystem that the host declares": (["-s", "--", "identity"], ""),
}


@pytest.mark.parametrize("account", ["customer", "tunnel"])
@pytest.mark.parametrize(("arguments", "text"), COMMANDS.values(), ids=COMMANDS.keys())
def test_an_account_without_a_shell(accounts: Accounts, account: str, arguments: list[str], text: str) -> None:
    def runs(who: str, *arguments: str) -> Answer:
        return ssh(accounts.login(who), *arguments, text=text)

    assert "uid=" in accounts.control(runs, *arguments).text
    answer = runs(account, *arguments)
    assert "uid=" not in answer.text
    assert not answer.ok or "-s" in arguments  # every subsystem is SFTP


PLACES = ("/own", "/tmp")  # the second one is nowhere in a jail


@pytest.mark.parametrize("account", ["customer", "tunnel"])
@pytest.mark.parametrize("direction", ["sends", "gets"])
def test_an_account_uses_the_old_scp(
    accounts: Accounts, account: str, direction: str, local: Path, tmp_path: Path
) -> None:
    def scp(who: str, direction: str) -> bool:
        client = Scp(accounts.login(who), ("-O",))
        if direction == "gets":
            return client.get("/etc/passwd", tmp_path / "got").ok
        return any(client.put(local, f"{place}/sent-by-{who}").ok for place in PLACES)

    assert accounts.control(scp, direction)
    assert not scp(account, direction)


@pytest.mark.parametrize("account", ["customer", "tunnel"])
@pytest.mark.parametrize("direction", ["sends", "gets"])
def test_an_account_uses_rsync(accounts: Accounts, account: str, direction: str, local: Path, tmp_path: Path) -> None:
    def rsync(who: str, direction: str) -> bool:
        login = accounts.login(who)
        sent = [[local, f"{login.destination}:{place}/sent-by-{who}"] for place in PLACES]
        got = [[f"{login.destination}:/etc/passwd", tmp_path / "got"]]
        program = ["rsync", "-e", shlex.join(["ssh", *login.options])]
        return any(run(*program, *ends).ok for ends in (sent if direction == "sends" else got))

    assert accounts.control(rsync, direction)
    assert not rsync(account, direction)


COOKIE: tuple[Field, ...] = (False, "MIT-MAGIC-COOKIE-1", "00" * 16, 0)

REQUESTS: dict[str, tuple[str, tuple[Field, ...]]] = {
    "a terminal": ("pty-req", ("xterm", 80, 24, 0, 0, b"\0")),
    "the display of the client": ("x11-req", COOKIE),
    "the agent of the client": ("auth-agent-req@openssh.com", ()),
    "LD_PRELOAD": ("env", ("LD_PRELOAD", "/own/evil.so")),
    "LD_LIBRARY_PATH": ("env", ("LD_LIBRARY_PATH", "/own")),
    "PATH": ("env", ("PATH", "/own")),
    "HOME": ("env", ("HOME", "/own")),
    "BASH_ENV": ("env", ("BASH_ENV", "/own/rc")),
    "ENV": ("env", ("ENV", "/own/rc")),
    "GCONV_PATH": ("env", ("GCONV_PATH", "/own")),
    "SSH_ORIGINAL_COMMAND": ("env", ("SSH_ORIGINAL_COMMAND", "id")),
    "XDG_CONFIG_HOME": ("env", ("XDG_CONFIG_HOME", "/own")),
    "LD_AUDIT": ("env", ("LD_AUDIT", "/own/evil.so")),
    "LOCPATH": ("env", ("LOCPATH", "/own")),
    "PYTHONPATH": ("env", ("PYTHONPATH", "/own")),
    "KRB5_CONFIG": ("env", ("KRB5_CONFIG", "/own/krb5.conf")),
    "TZ": ("env", ("TZ", "/own/zone")),
    "another LANG": ("env", ("LANGUAGE", "en")),
}


# A shell account has its terminal.
@pytest.mark.parametrize(
    ("account", "request_", "fields"),
    [
        pytest.param(account, *REQUESTS[what], id=f"{what}-{account}")
        for account in [*CONFINED, "partner", "keeper"]
        for what in REQUESTS
        if account in CONFINED or what != "a terminal"
    ],
)
def test_an_account_asks_its_session_for(
    accounts: Accounts, account: str, request_: str, fields: tuple[Field, ...]
) -> None:
    def asks(who: str, request_: str, *fields: Field) -> bool:
        with accounts.wire(who).channel() as channel:
            assert accepts(channel, "env", "LC_MESSAGES", "C")  # everybody may
            return accepts(channel, request_, *fields)

    assert accounts.control(asks, request_, *fields)
    assert not asks(account, request_, *fields)


@pytest.mark.parametrize("account", ["customer", "tunnel"])
@pytest.mark.parametrize("what", ["exec", "shell"])
def test_an_account_goes_on_after_a_refusal(accounts: Accounts, account: str, what: str) -> None:
    """A terminal and a variable are refused without an answer, then comes the command, on the same channel."""

    def said(who: str, what: str) -> str:
        with accounts.wire(who).channel() as channel:
            channel.settimeout(20)
            for name, fields in (REQUESTS["a terminal"], REQUESTS["BASH_ENV"]):
                demand(channel, name, *fields)
            if what == "exec":
                channel.exec_command("id")
            else:
                channel.invoke_shell()
                with contextlib.suppress(OSError):  # who is refused may be gone by now
                    channel.sendall(b"id; exit\n")
            return channel.makefile("rb").read().decode()

    assert "uid=" in accounts.control(said, what)
    assert "uid=" not in said(account, what)


def test_a_tunnel_account_transfers_files(accounts: Accounts) -> None:
    assert accounts.packets("customer").listed("/").ok
    with accounts.wire("tunnel").channel() as channel:
        channel.settimeout(20)
        channel.invoke_subsystem("sftp")
        channel.sendall(b"\0\0\0\5\1\0\0\0\3")
        answer = channel.makefile("rb").read()
        assert not answer.startswith(b"\0\0\0")
        assert channel.recv_exit_status() != 0
