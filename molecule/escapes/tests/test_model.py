# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways out that would stand in the model itself: each is refused before it reaches a host."""

from __future__ import annotations

import base64
import os
import struct
import subprocess
import typing as t

import pytest
import yaml
from conftest import CREDENTIALS, ROOT, keygen
from testinfra.host import Host

MODEL = ROOT / "molecule/escapes/vars/access.yml"
Run = t.Callable[[Host, dict[str, t.Any]], str]


@pytest.fixture(scope="session")
def refusal(request: pytest.FixtureRequest) -> Run:
    """What a run says that would have given a host this model; it changes nothing."""
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), **os.environ, "ANSIBLE_FORCE_COLOR": "false"}
    inventory = str(request.config.getoption("ansible_inventory"))
    said: dict[str, str] = {}

    def run(host: Host, changed: dict[str, t.Any]) -> str:
        text = yaml.safe_dump(changed, default_flow_style=True, width=10**6)
        key = f"{host.backend.get_hostname()} {text}"
        if key not in said:
            done = subprocess.run(
                ["ansible-playbook", f"--inventory={inventory}", "--check", f"--limit={host.backend.get_hostname()}",
                 "sallyport.ssh.provision", f"--extra-vars=@{MODEL}", f"--extra-vars={text}"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, timeout=120,
            )  # fmt: skip
            assert done.returncode == 2, done.stdout
            said[key] = done.stdout
        return said[key]

    return run


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A good key, and what somebody could hand in instead of one."""
    directory = tmp_path_factory.mktemp("keys")
    keygen("-t", "rsa", "-b", "1024", "-N", "", "-f", directory / "short")
    keygen("-t", "ed25519", "-N", "", "-f", directory / "good")
    keygen("-s", directory / "short", "-I", "x", directory / "good.pub")
    dss = base64.b64encode(struct.pack(">I", 7) + b"ssh-dss" + bytes(20)).decode()
    return {
        "good": good(100),
        "command": f'command="id" {good(101)}',
        "authority": f"cert-authority {good(102)}",
        "permitopen": f'permitopen="*:*" {good(103)}',
        "environment": f'environment="LD_PRELOAD=/x" {good(104)}',
        "restrict": f"restrict,pty {good(105)}",
        "two lines": f"{good(106)}\n{good(107)}",
        "a private key": (directory / "good").read_text(),
        "a certificate": (directory / "good-cert.pub").read_text().strip(),
        "a short key": (directory / "short.pub").read_text().strip(),
        "a DSS key": f"ssh-dss {dss}",
        "another type": good(109).replace("ssh-ed25519", "ssh-rsa", 1),
        "nothing": "ssh-ed25519",
        "a key that anybody can sign for": good(0),
        "more behind": f"{good(110)}AAAA",
    }


def good(number: int) -> str:
    """A public key, whose private half nobody has."""
    parts = (b"ssh-ed25519", number.to_bytes(32, "big"))
    return "ssh-ed25519 " + base64.b64encode(b"".join(struct.pack(">I", len(part)) + part for part in parts)).decode()


BAD = [
    "command",
    "authority",
    "permitopen",
    "environment",
    "restrict",
    "two lines",
    "a private key",
    "a certificate",
    "a short key",
    "a DSS key",
    "a key that anybody can sign for",
    "another type",
    "nothing",
    "more behind",
]


@pytest.mark.parametrize("what", BAD)
def test_a_person_hands_in_as_a_key(host: Host, refusal: Run, keys: dict[str, str], what: str) -> None:
    people = [{"name": f"p{number}", "keys": [{"name": "k", "key": key}]} for number, key in enumerate(keys.values())]
    said = refusal(host, {"access_people": people, "access_accounts": [], "access_teams": []})
    assert f"access_people[{list(keys).index(what)}].keys[0]" in said
    assert "access_people[0]" not in said  # which is the good one
    assert "the host was not contacted" in said


PLACES = ["/etc", "/etc/x", "/lib", "/lib64", "/usr", "/usr/lib/x86_64-linux-gnu", "/dev", "/", "/../x", "/x/../../y"]


@pytest.mark.parametrize("place", PLACES)
def test_a_folder_is_granted_at(host: Host, refusal: Run, place: str) -> None:
    """Where sshd, in the jail, would take the account's files for the system's."""
    granted = [
        {"name": f"a{number}", "folders": [{"private": True, "at": at}]} for number, at in enumerate(["/own", *PLACES])
    ]
    said = refusal(host, {"access_accounts": granted})
    assert f"access_accounts[{PLACES.index(place) + 1}].folders[0].at" in said
    assert "access_accounts[0]" not in said


STARTS = {"the folder's own place": "/data/common", "everybody's": "/tmp", "a user's": "/home/app"}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS.keys())
def test_a_session_starts_at_a_place_of_the_host(host: Host, refusal: Run, start: str) -> None:
    """The user database would name it as the home, where systemd starts what it finds, with no jail around it."""
    person = {"name": "p", "keys": [{"name": "k", "key": (CREDENTIALS / "stranger.pub").read_text().strip()}]}
    folders = [{"name": "common", "path": "/data/common", "owner": "app", "group": "common-files", "sharing": "group"}]
    accounts = [
        {"name": f"start{number}", "people": ["p"], "start_in": at, "folders": [{"folder": "common", "at": at}]}
        for number, at in enumerate(["/fine", *STARTS.values()])
    ]
    said = refusal(host, {"access_people": [person], "access_accounts": accounts, "access_folders": folders})
    assert f"start{list(STARTS.values()).index(start) + 1}: start_in {start} is a directory of the host" in said
    assert "start0" not in said
