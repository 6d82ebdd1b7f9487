# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of account forwards what the model does not declare for it: to the host, through it, from it."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

import pytest
from conftest import ADMIN, Accounts
from logins import Answer, answer_at, forwarding, ssh
from wire import Field

EVERYBODY = ["customer", "tunnel", "partner", "keeper"]
DECLARED = ("127.0.0.1", 7001)  # for tunnel and keeper
ORIGIN = ("127.0.0.1", 40000)


@pytest.fixture(scope="session")
def elsewhere() -> t.Iterator[int]:
    """A port of this machine that answers, which the hosts can reach."""
    with socket.create_server(("", 0)) as listener:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(b"outside")

        threading.Thread(target=answer, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def places(accounts: Accounts, elsewhere: int) -> dict[str, tuple[str, int]]:
    with socket.create_connection((accounts.address, 22)) as probe:
        here = probe.getsockname()[0]
    return {"the host's own address": (accounts.address, 7002), "another machine": (here, elsewhere)}


DESTINATIONS: dict[str, tuple[str, int] | None] = {
    "the host's loopback": ("127.0.0.1", 7002),
    "another loopback address": ("127.0.0.2", 7001),
    "the loopback of IPv6": ("::1", 7002),
    "the declared port on IPv6": ("::1", 7001),
    "the mapped loopback": ("::ffff:127.0.0.1", 7001),
    "localhost": ("localhost", 7001),
    "localhost in capitals": ("LOCALHOST", 7001),
    "the mapped loopback in full": ("0:0:0:0:0:ffff:7f00:1", 7001),
    "no address of IPv6": ("::", 7001),
    "any address": ("*", 7001),
    "no address": ("0.0.0.0", 7001),
    "an address in short": ("127.1", 7001),
    "an address as a number": ("2130706433", 7001),
    "an address in octal": ("0177.0.0.1", 7001),
    "an address in hexadecimal": ("0x7f000001", 7001),
    "an address with more zeros": ("127.0.0.01", 7001),
    "the host's sshd": ("127.0.0.1", 22),
    "the host's own address": None,
    "another machine": None,
}


@pytest.mark.parametrize("account", EVERYBODY)
@pytest.mark.parametrize("place", DESTINATIONS)
def test_a_connection_to(accounts: Accounts, places: dict[str, tuple[str, int]], account: str, place: str) -> None:
    destination = DESTINATIONS[place] or places[place]

    def opens(who: str, host: str, port: int) -> bool:
        return accounts.wire(who).opens("direct-tcpip", host, port, *ORIGIN)

    assert accounts.control(opens, *destination)
    assert not opens(account, *destination)
    assert opens(account, *DECLARED) is (account in ("tunnel", "keeper"))


CHANNELS: dict[str, tuple[str, tuple[Field, ...]]] = {
    "a path of the host": ("direct-streamlocal@openssh.com", ("/run/listener.sock", "", 0)),
    "the socket of D-Bus": ("direct-streamlocal@openssh.com", ("/run/dbus/system_bus_socket", "", 0)),
}


@pytest.mark.parametrize("account", EVERYBODY)
@pytest.mark.parametrize(("kind", "fields"), CHANNELS.values(), ids=CHANNELS.keys())
def test_a_connection_to_a_socket(accounts: Accounts, account: str, kind: str, fields: tuple[Field, ...]) -> None:
    assert accounts.wire(ADMIN).opens(kind, *fields)
    assert not accounts.wire(account).opens(kind, *fields)


LISTENERS: dict[str, tuple[str, tuple[Field, ...]]] = {
    "a port on loopback": ("tcpip-forward", ("localhost", 9001)),
    "a port on every address": ("tcpip-forward", ("", 9002)),
    "a port on every address of IPv4": ("tcpip-forward", ("0.0.0.0", 9006)),
    "a port of IPv6": ("tcpip-forward", ("::", 9003)),
    "a port on loopback of IPv6": ("tcpip-forward", ("::1", 9007)),
    "a port on any address": ("tcpip-forward", ("*", 9008)),
    "any port": ("tcpip-forward", ("localhost", 0)),
    "a path": ("streamlocal-forward@openssh.com", ("/tmp/listener",)),
}


@pytest.mark.parametrize("account", EVERYBODY)
@pytest.mark.parametrize(("request_", "fields"), LISTENERS.values(), ids=LISTENERS.keys())
def test_a_listener_on(accounts: Accounts, account: str, request_: str, fields: tuple[Field, ...]) -> None:
    for who in (account, ADMIN):
        asked = [f"{field}-{who}" if "/" in str(field) else field for field in fields]
        assert accounts.wire(who).grants(request_, *asked) is (who == ADMIN)
        if who == ADMIN:
            accounts.wire(who).grants(f"cancel-{request_}", *asked)


@pytest.mark.parametrize("account", EVERYBODY)
@pytest.mark.parametrize("layer", [1, 2], ids=["point to point", "ethernet"])
def test_a_network_device(accounts: Accounts, account: str, layer: int) -> None:
    """The admin may, and fails for want of a device; sshd tells the two apart."""
    rejected = "Server has rejected tunnel device forwarding"
    for who in (ADMIN, account):
        wire = accounts.wire(who)
        wire.notices.clear()
        assert not wire.opens("tun@openssh.com", layer, 0x7FFFFFFF)
        assert (rejected in wire.notices) is (who != ADMIN), wire.notices


# The same with OpenSSH's client: what it is asked for, and what comes back from there if it is granted.
SOCKS5 = b"\5\1\0\5\1\0\1\x7f\0\0\1" + (7002).to_bytes(2, "big")
SOCKS4 = b"\4\1" + (7002).to_bytes(2, "big") + b"\x7f\0\0\1\0"
FORWARDS = {
    "-L to a port": (["-L", "PORT:127.0.0.1:7002"], b"", b"port 7002"),
    "-L to a path": (["-L", "PORT:/run/listener.sock"], b"", b"path"),
    "-D by SOCKS 5": (["-D", "PORT"], SOCKS5, b"port 7002"),
    "-D by SOCKS 4": (["-4", "-D", "PORT"], SOCKS4, b"port 7002"),
}


@pytest.mark.parametrize("account", EVERYBODY)
@pytest.mark.parametrize(("options", "sent", "answer"), FORWARDS.values(), ids=FORWARDS.keys())
def test_ssh_is_told_to_forward_with(
    accounts: Accounts, account: str, options: list[str], sent: bytes, answer: bytes
) -> None:
    def said(who: str, *options: str) -> bytes:
        with forwarding(accounts.login(who), *options) as port:
            return _all_from(port, sent)

    assert accounts.control(said, *options).endswith(answer)
    assert not said(account, *options).endswith(answer)


def _all_from(port: int, sent: bytes) -> bytes:
    """Behind a proxy's own answer comes the destination's."""
    if not sent:
        return answer_at(port)
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, contextlib.suppress(OSError):
        connection.sendall(sent)
        while part := connection.recv(1024):
            found += part
    return found


OPTIONS = {
    "-R for a port": ["-R", "9004:127.0.0.1:22"],
    "-R for a proxy": ["-R", "9005"],
    "-R for a path": ["-R", "/tmp/remote-listener-of-PERSON:127.0.0.1:22"],
}


@pytest.mark.parametrize("account", EVERYBODY)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_ssh_is_told_to_listen_with(accounts: Accounts, account: str, options: list[str]) -> None:
    def listens(who: str, *options: str) -> Answer:
        options = tuple(option.replace("PERSON", who) for option in options)
        return ssh(accounts.login(who), "-oExitOnForwardFailure=yes", *options, "-s", "--", "sftp")

    assert accounts.control(listens, *options).ok
    assert "remote port forwarding failed" in listens(account, *options).text


@pytest.mark.parametrize("account", EVERYBODY)
@pytest.mark.parametrize("destination", ["127.0.0.1:7002", "[::1]:7002", "localhost:7001"])
def test_ssh_is_told_to_connect_its_input_to(accounts: Accounts, account: str, destination: str) -> None:
    def connect(who: str, destination: str) -> Answer:
        return ssh(accounts.login(who), "-W", destination)

    assert accounts.control(connect, destination).text.startswith("port ")
    answer = connect(account, destination)
    assert answer.code == 255
    assert "stdio forwarding failed" in answer.text
