# SPDX-License-Identifier: GPL-3.0-or-later
"""A public key in the forms in which people and programs recognise it: fingerprint, known_hosts, SSHFP record."""

from __future__ import annotations

import base64
import hashlib
import typing as t

DEFAULT_PORT = 22

# RFC 4255, 6594 and 7479
SSHFP_ALGORITHMS: t.Mapping[str, int] = {
    "ssh-rsa": 1,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "ssh-ed25519": 4,
}
SSHFP_SHA256 = 2


def sha256(blob: str) -> str:
    """``SHA256:…``, as OpenSSH shows it. A blob is the base64 text of a public key file."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(blob)).digest()).decode().rstrip("=")


def md5(blob: str) -> str:
    """``MD5:aa:bb:…``, as old clients show it."""
    digest = hashlib.md5(base64.b64decode(blob), usedforsecurity=False).hexdigest()
    return "MD5:" + ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))


def known_hosts(address: str, ports: t.Sequence[int], kind: str, blob: str) -> str:
    """The line for a client's known_hosts file."""
    names = [address if port == DEFAULT_PORT else f"[{address}]:{port}" for port in ports or (DEFAULT_PORT,)]
    return f"{','.join(names)} {kind} {blob}"


def sshfp(address: str, kind: str, blob: str) -> t.Optional[str]:
    """The DNS record; ``None`` for a type of key that has none."""
    algorithm = SSHFP_ALGORITHMS.get(kind)
    if algorithm is None:
        return None
    return f"{address} IN SSHFP {algorithm} {SSHFP_SHA256} {hashlib.sha256(base64.b64decode(blob)).hexdigest()}"
