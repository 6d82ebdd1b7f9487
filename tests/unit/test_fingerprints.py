# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints and records as ssh-keygen makes them, and the names that a client looks a host up by."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import fingerprints

TYPES = {"ed25519": "256", "rsa": "2048", "ecdsa": "521"}


def keygen(*arguments: str | Path) -> str:
    return subprocess.run(["ssh-keygen", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module", params=TYPES)
def public(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key"
    keygen("-q", "-t", request.param, "-b", TYPES[request.param], "-N", "", "-f", path)
    return path.with_suffix(".pub")


def test_they_are_those_of_ssh_keygen(public: Path) -> None:
    kind, blob, *_comment = public.read_text().split()
    assert fingerprints.sha256(blob) == keygen("-l", "-f", public).split()[1]
    assert fingerprints.md5(blob) == keygen("-l", "-E", "md5", "-f", public).split()[1]
    assert (
        fingerprints.sshfp("sftp.example.com", kind, blob)
        in keygen("-r", "sftp.example.com", "-f", public).splitlines()
    )


@pytest.mark.parametrize(("ports", "names"), [([22], ["host"]), ([], ["host"]), ([22, 2222], ["host", "[host]:2222"])])
def test_a_client_finds_the_host_on_every_port(
    public: Path, tmp_path: Path, ports: list[int], names: list[str]
) -> None:
    kind, blob, *_comment = public.read_text().split()
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(fingerprints.known_hosts("host", ports, kind, blob) + "\n")
    for name in names:
        assert f"{name}" in keygen("-F", name, "-f", known_hosts)


def test_an_unknown_type_has_no_dns_record() -> None:
    assert fingerprints.sshfp("host", "ssh-new", "AAAA") is None
