# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys: one line, a type, and a blob that is exactly what its type says; never options, never a private key."""

from __future__ import annotations

import base64
import binascii
import collections.abc as c
import re

from .points import WEAK_ED25519, is_point
from .problems import Wrong, shown

# sshd accepts 1,024 bits by default, NIST has not since 2013; 2,048 is the least that nobody calls broken, and what
# customers' older clients still make.
LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 16384  # OpenSSH reads no longer ones
MOST_EXPONENT_BITS = 64  # and OpenSSL checks no signature with a longer one

# The fields after the type, each by its exact length in bytes, or None where it has any but zero.
_FIELDS: dict[str, tuple[int | None, ...]] = {
    "ssh-ed25519": (32,),
    "ssh-rsa": (None, None),
    "ecdsa-sha2-nistp256": (8, 65),
    "ecdsa-sha2-nistp384": (8, 97),
    "ecdsa-sha2-nistp521": (8, 133),
    "sk-ssh-ed25519@openssh.com": (32, None),
    "sk-ecdsa-sha2-nistp256@openssh.com": (8, 65, None),
}
_PRIVATE = re.compile(r"PRIVATE KEY|PuTTY-User-Key-File|^\s*-----BEGIN (?!.*PUBLIC)")
_KEY_INSIDE = re.compile(r"(?:^|[\s,\"'])(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+\s+AAAA")


def public(text: str) -> tuple[str, str]:
    """The type and the base64 text of one public key."""
    if _PRIVATE.search(text):
        raise Wrong(
            "is a private key, which is not shown here; give the public half (the .pub file), and replace this key, "
            "since it has been seen"
        )
    line = text.strip()
    if not line:
        raise Wrong("is empty; give the line of a .pub file")
    if "BEGIN" in line and "PUBLIC KEY" in line:
        raise Wrong("is not in the form of OpenSSH; convert it with ssh-keygen -i -f FILE")
    if "\n" in line or "\r" in line:
        raise Wrong("has more than one line; give one entry for every key, each on one line")
    kind, _space, rest = line.partition(" ")
    _known_type(kind, line)
    encoded = (rest.split(None, 1) or [""])[0]
    blob = _decoded(encoded, kind)
    _exact(kind, blob)
    return kind, encoded


def _known_type(kind: str, line: str) -> None:
    if kind in _FIELDS:
        return
    if _KEY_INSIDE.search(line) and not line.startswith(("ssh-", "ecdsa-", "sk-")):
        raise Wrong("carries options before its type; leave them out and use from and expires")
    if kind == "ssh-dss":
        raise Wrong("is a DSA key, which sshd refuses; make a new one with ssh-keygen -t ed25519")
    if "-cert-v" in kind:
        raise Wrong("is a certificate; give the public key that it certifies")
    if kind.startswith("AAAA"):
        raise Wrong("lacks its type; put it first, as in ssh-ed25519 AAAA…")
    # a long word is not repeated: half of a private key may be in it
    what = f"has the unknown type {shown(kind)}" if len(kind) <= 40 else "starts with no type"
    raise Wrong(f"{what}; use one of {', '.join(_FIELDS)}")


def _decoded(encoded: str, kind: str) -> bytes:
    if not encoded:
        raise Wrong(f"has nothing after {kind}; give the whole line of the .pub file")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("is truncated or damaged: its base64 text is not whole; copy the .pub file again") from None
    if base64.b64encode(blob).decode() != encoded:
        raise Wrong("is damaged: its base64 text has stray bits at the end; copy the .pub file again")
    return blob


def _exact(kind: str, blob: bytes) -> None:
    fields = list(_fields(blob))
    inner = fields[0].decode("ascii", "replace")
    if inner != kind:
        raise Wrong(f"says {kind} and is {shown(inner)} inside; copy the .pub file again")
    lengths = _FIELDS[kind]
    if len(fields) - 1 != len(lengths):
        raise Wrong(f"is truncated or damaged: {kind} has {len(lengths)} fields, not {len(fields) - 1}; copy it again")
    for field, length in zip(fields[1:], lengths):
        if not field or (length is not None and len(field) != length):
            raise Wrong(f"is damaged: a field has {len(field)} bytes, not {length or 'some'}; copy the .pub file again")
    if kind.startswith("sk-") and b"\0" in fields[-1]:
        raise Wrong("is damaged: its application is no text; copy the .pub file again")
    if "ed25519" in kind and fields[1] in WEAK_ED25519:
        raise Wrong("is a point for which anybody can sign, and no key; make one with ssh-keygen -t ed25519")
    if "ecdsa" in kind:
        _curve(kind, fields[1], fields[2])
    if kind == "ssh-rsa":
        for field in fields[1:]:
            _shortest(field)
        _rsa(int.from_bytes(fields[1], "big", signed=True), int.from_bytes(fields[2], "big", signed=True))


def _fields(blob: bytes) -> c.Iterator[bytes]:
    """The strings of a blob, each a length of four bytes and so many bytes."""
    at = 0
    while at < len(blob) or at == 0:
        end = at + 4 + int.from_bytes(blob[at : at + 4], "big")
        if at + 4 > len(blob) or end > len(blob):
            raise Wrong(f"is truncated: it ends after {len(blob)} bytes; copy the whole .pub file again")
        yield blob[at + 4 : end]
        at = end


def _curve(kind: str, curve: bytes, point: bytes) -> None:
    if not kind.replace("@openssh.com", "").endswith(curve.decode("ascii", "replace")) or point[0] != 4:
        raise Wrong("is damaged: its curve or its point does not fit its type; copy the .pub file again")
    if not is_point(curve.decode(), point):
        raise Wrong("is damaged: its point does not lie on its curve; copy the .pub file again")


def _shortest(number: bytes) -> None:
    """One key has one blob, or it could be given twice."""
    if len(number) > 1 and number[0] == 0 and number[1] < 0x80:
        raise Wrong("is damaged: a number starts with zeros; copy the .pub file again")


def _rsa(exponent: int, modulus: int) -> None:
    if exponent < 3 or exponent % 2 == 0 or modulus % 2 == 0 or exponent.bit_length() > MOST_EXPONENT_BITS:
        raise Wrong("is damaged: these are no RSA numbers; copy the .pub file again")
    if modulus.bit_length() > MOST_RSA_BITS:
        raise Wrong(
            f"is an RSA key of {modulus.bit_length()} bits, and OpenSSH reads {MOST_RSA_BITS} at most; make a new one "
            "with ssh-keygen -t ed25519"
        )
    if modulus.bit_length() < LEAST_RSA_BITS:
        raise Wrong(
            f"is an RSA key of {max(modulus, 0).bit_length()} bits, too short to trust; make a new one with "
            f"ssh-keygen -t ed25519, or with {LEAST_RSA_BITS} bits or more"
        )
