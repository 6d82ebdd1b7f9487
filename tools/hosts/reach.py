# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach the hosts: the key that opens them, their host keys, an ssh_config and the inventories."""

from __future__ import annotations

import os
from pathlib import Path

from hosts.podman import ROOT, hosts, podman, run

CACHE = ROOT / ".cache"
KEY = CACHE / "id_ed25519"
HEADER = "# Written by tools/host"


def make_key() -> None:
    if not KEY.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "sallyport test hosts", "-f", KEY])


def authorize(container: str) -> None:
    script = "install -d -m 0700 -o deploy -g deploy ~deploy/.ssh && umask 077 && cat > ~deploy/.ssh/authorized_keys"
    script += " && chown deploy:deploy ~deploy/.ssh/authorized_keys"
    public_key = KEY.with_suffix(".pub").read_text()
    podman("exec", "--interactive", container, "sh", "-c", script, input=public_key)


def write_access_files() -> None:
    """Write the known_hosts, ssh_config and inventories of the hosts that run now."""
    running = [host for host in hosts() if host["state"] == "running"]
    write(CACHE / "known_hosts", [line for host in running for line in known_hosts(host)])
    write(CACHE / "ssh_config", [line for host in running for line in ssh_config(host)])
    for old in CACHE.glob("*.yml"):
        if old.read_text().startswith(HEADER):
            old.unlink()
    for group in {host["group"] for host in running}:
        write(CACHE / f"{group}.yml", inventory(group, [host for host in running if host["group"] == group]))


def known_hosts(host: dict[str, str]) -> list[str]:
    """Read inside the container: nothing on the network is trusted."""
    keys = podman("exec", host["container"], "sh", "-c", "cat /etc/ssh/ssh_host_[er]*_key.pub", check=False)
    return [f"{host['name']},{host['address']} {' '.join(key.split()[:2])}" for key in keys.splitlines()]


def ssh_config(host: dict[str, str]) -> list[str]:
    return [
        f"Host {host['name']}",
        f"  HostName {host['address']}",
        "  User deploy",
        f'  IdentityFile "{KEY}"',
        "  IdentitiesOnly yes",
        f'  UserKnownHostsFile "{CACHE}/known_hosts"',
        "  GlobalKnownHostsFile none",
        "  StrictHostKeyChecking yes",
    ]


def inventory(group: str, members: list[dict[str, str]]) -> list[str]:
    return [
        HEADER,
        f"{group}:",
        "  hosts:",
        *(f"    {host['name']}: {{ansible_host: {host['address']}}}" for host in members),
        "  vars:",
        "    ansible_user: deploy",
        "    ansible_become: true",
        f"    ansible_ssh_private_key_file: {KEY}",
        "    ansible_ssh_common_args: >-",
        f"      -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile={CACHE}/known_hosts",
        "    ansible_pipelining: true",
        "    ansible_python_interpreter: /usr/bin/python3",
    ]


def ssh_command(name: str, *arguments: str) -> list[str]:
    return ["ssh", "-F", str(CACHE / "ssh_config"), name, *arguments]


def write(path: Path, lines: list[str]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text("".join(f"{line}\n" for line in lines))
    temporary.replace(path)
