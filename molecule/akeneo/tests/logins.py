# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins from this machine to a host: who, with what, and what came of it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[3] / ".cache"
KNOWN_HOSTS = CACHE / "known_hosts"
SECONDS = 30


@dataclass(frozen=True)
class Login:
    """A user of a host, and what is to open it: one key or one password. An agent comes along if one is given."""

    address: str
    user: str
    key: Path | None = None
    password: str | None = None
    agent: str | None = None

    @property
    def destination(self) -> str:
        return f"{self.user}@{self.address}"

    @property
    def options(self) -> list[str]:
        """For ssh, sftp and scp: this key or password and no other, this host key and no other."""
        options = {
            "UserKnownHostsFile": KNOWN_HOSTS,
            "GlobalKnownHostsFile": "none",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": 10,
            "IdentityAgent": self.agent or "none",
            "ForwardAgent": "yes" if self.agent else "no",
            "IdentitiesOnly": "yes",
            "IdentityFile": self.key or "none",
            "PreferredAuthentications": "password" if self.password else "publickey",
            "NumberOfPasswordPrompts": 1,
            "BatchMode": "no" if self.password else "yes",
        }
        return ["-F", "none", *(f"-o{name}={value}" for name, value in options.items())]


@dataclass(frozen=True)
class Answer:
    """What a program ended with: its exit code and everything that it printed."""

    code: int
    text: str

    @property
    def ok(self) -> bool:
        return self.code == 0


def run(*arguments: str | Path, password: str | None = None, text: str = "") -> Answer:
    """A program's answer to a text; one that hangs is ended and answers 124."""
    try:
        done = subprocess.run(
            _with_password(arguments, password),
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(password),
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        return Answer(124, f"no end within {SECONDS} s: {error.stdout!r}")
    return Answer(done.returncode, done.stdout)


def ssh(login: Login, *arguments: str, text: str = "") -> Answer:
    """``ssh`` with options, the login, and after ``--`` a command."""
    options, command = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        options, command = arguments[:at], list(arguments[at + 1 :])
    return run("ssh", *login.options, *options, login.destination, *command, password=login.password, text=text)


@contextlib.contextmanager
def forwarding(login: Login, *options: str) -> t.Iterator[int]:
    """``ssh -N`` with a forward from the port ``PORT`` of this machine; yields that port once ssh listens there."""
    port = _free_port()
    arguments = ["ssh", *login.options, "-N", *(option.replace("PORT", str(port)) for option in options)]
    process = subprocess.Popen([*arguments, login.destination], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + SECONDS
        while not _listens(port):
            assert process.poll() is None, "ssh ended before it listened"
            assert time.monotonic() < deadline, "ssh never listened"
            time.sleep(0.05)
        yield port
    finally:
        process.kill()  # ssh may sleep through a SIGTERM
        process.wait()


def answer_at(port: int, sent: bytes = b"") -> bytes:
    """The first thing that comes from a port of this machine; nothing where the connection is closed at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(sent)
        try:
            return connection.recv(1024)
        except ConnectionResetError:
            return b""


def _listens(port: int) -> bool:
    """Looked up, not tried: a try would be a forward of its own."""
    table = "".join(Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6"))
    return any(
        columns[1].endswith(f":{port:04X}") and columns[3] == "0A"
        for columns in (line.split() for line in table.splitlines())
        if len(columns) > 3
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _with_password(arguments: t.Sequence[str | Path], password: str | None) -> list[str | Path]:
    return ["sshpass", "-e", *arguments] if password else list(arguments)


def _environment(password: str | None) -> dict[str, str]:
    environment = {**os.environ, "SSHPASS": password or "", "LC_ALL": "C.UTF-8"}
    environment.pop("SSH_AUTH_SOCK", None)
    return environment
