# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind tunnel: the declared destination, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from clients import Scp, Sftp
from conftest import Logins
from logins import answer_at, forwarding, ssh


def test_the_declared_destination_answers(logins: Logins) -> None:
    with forwarding(logins.key("tunnel"), "-L", "PORT:127.0.0.1:7001") as port:
        assert answer_at(port) == b"port 7001"


@pytest.mark.parametrize("destination", ["127.0.0.1:7002", "localhost:7001", "[::1]:7001", "0.0.0.0:7001"])
def test_no_other_destination_does(logins: Logins, destination: str) -> None:
    answer = ssh(logins.key("tunnel"), "-W", destination)
    assert answer.code == 255
    assert "stdio forwarding failed" in answer.text


def test_a_socks_proxy_leads_nowhere_else(logins: Logins) -> None:
    """SOCKS5: no authentication, connect to 127.0.0.1:7002."""
    with forwarding(logins.key("tunnel"), "-D", "PORT") as port:
        assert b"port 7002" not in answer_at(port, b"\5\1\0\5\1\0\1\x7f\0\0\1\x1b\x5a")


@pytest.mark.parametrize("listener", ["9997:127.0.0.1:22", "9997", "/tmp/socket:127.0.0.1:22"])
def test_no_port_of_the_host_is_opened(logins: Logins, listener: str) -> None:
    answer = ssh(logins.key("tunnel"), "-N", "-oExitOnForwardFailure=yes", "-R", listener)
    assert answer.code == 255
    assert "remote port forwarding failed" in answer.text


@pytest.mark.parametrize("command", [(), ("id",), ("/bin/sh", "-c", "id")])
def test_there_is_no_shell(logins: Logins, command: tuple[str, ...]) -> None:
    answer = ssh(logins.key("tunnel"), "-tt", "--", *command)
    assert not answer.ok
    assert "uid=" not in answer.text


def test_no_file_is_transferred(logins: Logins, local: Path) -> None:
    login = logins.key("tunnel")
    assert not Sftp(login).ls("/").ok
    assert not Scp(login).put(local, "/tmp/file").ok
    assert not Scp(login, ("-O",)).put(local, "/tmp/file").ok
