# SPDX-License-Identifier: GPL-3.0-or-later
"""podman on this machine: the hosts that this checkout has started, and what they need here."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = "sallyport-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]
LABEL = f"sallyport.ssh.checkout={PROJECT}"


def hosts() -> list[dict[str, str]]:
    found = json.loads(podman("ps", "--all", f"--filter=label={LABEL}", "--format=json") or "[]")
    described = [
        {
            "container": container["Names"][0],
            "state": container["State"],
            "sshd": "service",
            **{
                label.rpartition(".")[2]: value
                for label, value in container["Labels"].items()
                if label.startswith("sallyport.ssh.")
            },
        }
        for container in found
    ]
    return sorted(described, key=lambda host: host["name"])


def find(name: str) -> dict[str, str]:
    for host in hosts():
        if host["name"] == name:
            return host
    sys.exit(f"tools/host: there is no host {name}: start it with tools/host up {name}")


def container_name(name: str) -> str:
    return f"{PROJECT}-{name}"


def make_network() -> ipaddress.IPv4Network:
    if not podman("network", "ls", "--quiet", f"--filter=name=^{PROJECT}$"):
        podman("network", "create", "--disable-dns", f"--label={LABEL}", PROJECT)
    description = json.loads(podman("network", "inspect", PROJECT))[0]
    return ipaddress.IPv4Network(description["subnets"][0]["subnet"])


def free_address(network: ipaddress.IPv4Network) -> str:
    """The address is fixed when a host is made, so that it survives reboots."""
    taken = {host["address"] for host in hosts()}
    return next(str(address) for address in list(network)[10:-1] if str(address) not in taken)


def hardware_address(address: str) -> str:
    """Of the address alone: with another one, a host made anew could not be reached until neighbours forget the old."""
    return "02:53:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def platform_options() -> list[str]:
    """crun cannot run systemd where cgroup v1 is mounted beside v2; runc can."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    return [] if unified else ["--runtime=runc"]


def limit_options() -> list[str]:
    """Without CAP_SYS_RESOURCE, podman cannot raise the limits to its defaults."""
    options = []
    effective = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff"))
    if os.geteuid() == 0 and not int(effective.split()[1], 16) >> 24 & 1:
        options += ["--ulimit=nofile=1024:4096", "--ulimit=nproc=4096:4096"]
    if Path("/sys/kernel/security/apparmor").exists():
        options.append("--security-opt=apparmor=unconfined")  # its container profile forbids every mount
    return options


def podman(*arguments: str, check: bool = True, **options: Any) -> str:
    return run([*elevated("podman"), *arguments], check=check, **options)


def elevated(program: str) -> list[str]:
    return [program] if os.geteuid() == 0 else ["sudo", program]


def become(command: list[str]) -> None:
    os.execvp(command[0], command)  # noqa: S606 # no shell is wanted


def run(command: list[str | Path], *, check: bool = True, **options: Any) -> str:
    """What the command prints; its error output is shown only if it fails."""
    if not shutil.which(command[0]):
        sys.exit(f"tools/host: {command[0]} is missing: run make system")
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    done: subprocess.CompletedProcess[str] = subprocess.run(command, check=check, text=True, timeout=600, **streams)
    return done.stdout.strip()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
