# SPDX-License-Identifier: GPL-3.0-or-later
"""Source networks, and the addresses that two lists of them have in common."""

from __future__ import annotations

import functools
import ipaddress
import re

from .problems import Wrong, shown

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


@functools.lru_cache(maxsize=65536)
def network(text: str) -> str:
    """A network in CIDR form; a single address becomes one."""
    try:
        found = ipaddress.ip_network(text)
    except ValueError:
        raise Wrong(_why(text)) from None
    if isinstance(found, ipaddress.IPv6Network):
        if found.network_address.scope_id:
            raise Wrong(f"{shown(text)} names an interface of one machine; leave out the % and what follows")
        if found.network_address.ipv4_mapped:
            raise Wrong(f"{shown(text)} is an IPv4 address in IPv6 form, which sshd never sees; write it as IPv4")
    return str(found)


def _why(text: str) -> str:
    try:
        return f"{shown(text)} has bits of a host in it; write {ipaddress.ip_network(text, strict=False)}"
    except ValueError:
        pass
    if re.fullmatch(r"[0-9./:a-fA-F]+", text) and re.search(r"[.:]", text):
        return f"{shown(text)} is no possible network; write it like 203.0.113.0/24 or 2001:db8::/32"
    return f"{shown(text)} is no network; sshd gets addresses, not names: write it like 203.0.113.0/24 or 2001:db8::/32"


@functools.lru_cache(maxsize=65536)
def common(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...] | None:
    """The networks that both lists allow, where an empty one allows any; ``None`` if no address is in both."""
    if not some or not others:
        return some or others
    both = [
        str(min(one, other, key=_size))
        for one in map(ipaddress.ip_network, some)
        for other in map(ipaddress.ip_network, others)
        if one.version == other.version and one.overlaps(other)
    ]
    return tuple(dict.fromkeys(both)) or None


def _size(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> int:
    return -network.prefixlen


def address(text: str) -> str:
    """What customers type to reach the host."""
    if "%" in text:  # what follows may be anything: Python takes spaces and line ends for a part of the address
        raise Wrong(f"{shown(text)} names an interface of one machine; leave out the % and what follows")
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if len(text) < 254 and _HOST.fullmatch(text):
            return text
    raise Wrong(f"{shown(text)} is neither a host name nor an address; write it like sftp.example.com")


def destination(text: str, lowest_port: int = 1) -> str:
    """HOST:PORT, with an IPv6 address in brackets."""
    host, _colon, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or len(port) > 5 or not lowest_port <= int(port) <= 65535:
        raise Wrong(f"{shown(text)} has no port from {lowest_port} to 65535; write HOST:PORT, like 127.0.0.1:3306")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if bare == host and ":" in host:
        raise Wrong(f"{shown(text)} is unclear; put the IPv6 address in brackets, like [::1]:3306")
    address(bare)
    return f"{host}:{int(port)}"
