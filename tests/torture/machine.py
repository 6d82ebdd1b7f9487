# SPDX-License-Identifier: GPL-3.0-or-later
"""A host to torment: reached as root from below, as an admin and as its accounts from outside."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .report import ROOT

SECONDS = 120
GROUP = "torture"
ON_HOST = Path(__file__).parent / "on_host"


@dataclass(frozen=True)
class Machine:
    """``place`` is a private directory of this machine, gone afterwards: keys, known host keys, an inventory.

    Copies of what tools/host wrote: it writes its own anew whenever anybody starts or stops a host.
    """

    name: str
    container: str
    address: str
    place: Path

    @property
    def ssh_options(self) -> list[str]:
        options = {
            "UserKnownHostsFile": self.place / "known_hosts",
            "GlobalKnownHostsFile": "none",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": 20,
            "ServerAliveInterval": 30,
            "IdentityAgent": "none",
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
        }
        return ["-F", "none", *(f"-o{name}={value}" for name, value in options.items())]

    @property
    def customer_options(self) -> list[str]:
        return [*self.ssh_options, f"-oIdentityFile={self.place}/customer"]

    @property
    def customer_key(self) -> str:
        return (self.place / "customer.pub").read_text().strip()

    @property
    def admin(self) -> list[str]:
        """The command that logs in as the admin."""
        return ["ssh", *self.ssh_options, f"-oIdentityFile={ROOT}/.cache/id_ed25519", f"deploy@{self.address}"]

    def root(self, script: str, stdin: str = "", check: bool = True) -> str:
        """What a script prints that root runs on the host, with no login in between."""
        done = subprocess.run(
            podman("exec", "--interactive", self.container, "sh", "-c", script),
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=SECONDS,
        )
        if check and done.returncode:
            raise RuntimeError(f"on {self.name}: {script}\n{done.stdout}{done.stderr}")
        return done.stdout

    def put(self, file: Path, path: str) -> None:
        """A file of this machine, to where root says."""
        with file.open("rb") as content:
            command = podman("exec", "--interactive", self.container, "sh", "-c", f"cat > {path}")
            subprocess.run(command, stdin=content, check=True, timeout=SECONDS)

    def program(self, name: str, *arguments: str, stdin: str = "") -> t.Any:
        """What a program of ``on_host`` prints as JSON."""
        return json.loads(_communicate(self.started(name, *arguments), stdin))

    def started(self, name: str, *arguments: str, user: str = "root") -> subprocess.Popen[str]:
        """A program of ``on_host`` that runs until its input ends."""
        text = (ON_HOST / f"{name}.py").read_text()
        command = podman("exec", "--interactive", f"--user={user}", "--workdir=/", self.container)
        return subprocess.Popen(
            [*command, "python3", "-c", text, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextlib.contextmanager
    def watched(self, name: str, *arguments: str, user: str = "root") -> t.Iterator[dict[str, t.Any]]:
        """A program of ``on_host`` beside the block; what it said is there when the block has ended."""
        said: dict[str, t.Any] = {}
        process = self.started(name, *arguments, user=user)
        try:
            assert process.stdout
            first = process.stdout.readline()
            assert first == "ready\n", first + _communicate(process, "")
            yield said
        finally:
            said.update(json.loads(_communicate(process, "") or "{}"))

    @property
    def first_process(self) -> str:
        """As this machine numbers it."""
        return _output(podman("inspect", "--format={{.State.Pid}}", self.container)).strip()

    def reboot(self) -> None:
        tool("reboot", self.name)

    def crash(self) -> None:
        """The power goes: nothing is told to end."""
        _output(podman("kill", self.container))
        tool("up", self.name)


def _communicate(process: subprocess.Popen[str], stdin: str) -> str:
    try:
        said, complained = process.communicate(stdin, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    if process.returncode:
        raise RuntimeError(f"{process.args!r:.200} ended with {process.returncode}:\n{said}{complained}")
    return said


@contextlib.contextmanager
def reached(name: str) -> t.Iterator[Machine]:
    """A host that runs, and credentials for it."""
    lines = [line for line in (ROOT / ".cache/known_hosts").read_text().splitlines() if line.startswith(f"{name},")]
    address = lines[0].split()[0].partition(",")[2]
    with tempfile.TemporaryDirectory(prefix="sallyport-torture-") as directory:
        place = Path(directory)
        (place / "known_hosts").write_text("".join(f"{line}\n" for line in lines))
        _output(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "customer", "-f", str(place / "customer")])
        machine = Machine(name, _container(name, address), address, place)
        (place / "inventory.json").write_text(json.dumps(_inventory(machine)))
        yield machine


@contextlib.contextmanager
def fresh(name: str, suite: str = "trixie", group: str = GROUP) -> t.Iterator[Machine]:
    """A host that nobody has touched, gone afterwards, whatever happens."""
    tool("down", name)
    try:
        tool("up", name, "--suite", suite, "--group", group)
        with reached(name) as machine:
            yield machine
    finally:
        tool("down", name)


def _inventory(machine: Machine) -> dict[str, t.Any]:
    variables = {
        "ansible_host": machine.address,
        "ansible_user": "deploy",
        "ansible_become": True,
        "ansible_ssh_private_key_file": f"{ROOT}/.cache/id_ed25519",
        "ansible_ssh_common_args": f"-o IdentitiesOnly=yes -o StrictHostKeyChecking=yes "
        f"-o UserKnownHostsFile={machine.place}/known_hosts",
        "ansible_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    return {"all": {"hosts": {machine.name: variables}}}


def tool(*arguments: str) -> None:
    _output([str(ROOT / "tools/host"), *arguments])


def _output(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def elevated() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo"]


def podman(*arguments: str) -> list[str]:
    return [*elevated(), "podman", *arguments]


def _container(name: str, address: str) -> str:
    """Of this checkout: another one may have a host of the same name."""
    labels = {"sallyport.ssh.name": name, "sallyport.ssh.address": address}
    filters = [f"--filter=label={key}={value}" for key, value in labels.items()]
    return _output(podman("ps", *filters, "--format={{.Names}}")).split()[0]
