# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys: those that ssh-keygen makes are accepted, and everything that is less, more or something else is not."""

from __future__ import annotations

import base64
import shutil
import struct
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.plugin_utils import keys
from ansible_collections.sallyport.ssh.plugins.plugin_utils.problems import Wrong
from hypothesis import given
from hypothesis import strategies as st

SK = "sk-ssh-ed25519@openssh.com"
SK_ECDSA = "sk-ecdsa-sha2-nistp256@openssh.com"
# the generator of P-256
POINT = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def line(kind: str, *fields: bytes, inside: t.Optional[str] = None) -> str:
    """A line of a .pub file whose blob has these fields."""
    blob = b"".join(struct.pack(">I", len(field)) + field for field in ((inside or kind).encode(), *fields))
    return f"{kind} {base64.b64encode(blob).decode()}"


def rsa(bits: int, exponent: int = 65537) -> str:
    modulus = (1 << (bits - 1)) | 1
    return line(
        "ssh-rsa", exponent.to_bytes(exponent.bit_length() // 8 + 1, "big"), modulus.to_bytes(bits // 8 + 1, "big")
    )


ED = line("ssh-ed25519", bytes(range(32)))
BLOB = ED.split()[1]

GOOD = {
    "ed25519": ED,
    "rsa": rsa(2048),
    "ecdsa": line("ecdsa-sha2-nistp256", b"nistp256", POINT),
    "sk": line(SK, bytes(range(32)), b"ssh:"),
    "sk-ecdsa": line(SK_ECDSA, b"nistp256", POINT, b"ssh:"),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("around", ["{}", "{} alice@laptop", "{}  two words\t# x", "\n{}\n"], ids=ascii)
def test_accepted_without_its_comment(text: str, around: str) -> None:
    assert keys.public(around.format(text)) == tuple(text.split())


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
@pytest.mark.parametrize(
    "options", ["ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa -b 2048", "rsa -b 3072"]
)
def test_what_ssh_keygen_makes_is_accepted(options: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", str(file), "-t", *options.split()], check=True)
    public = (tmp_path / "key.pub").read_text()
    kind, blob = keys.public(public)
    assert [kind, blob] == public.split()[:2]
    with pytest.raises(Wrong, match="is a private key") as caught:
        keys.public(file.read_text())
    assert file.read_text().splitlines()[1] not in str(caught.value)


BAD: t.Dict[str, t.Tuple[str, str]] = {
    "empty": ("", "is empty"),
    "private": ("-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----", "is a private key"),
    "private of PuTTY": ("PuTTY-User-Key-File-3: ssh-ed25519\n", "is a private key"),
    "private, half pasted": ("-----BEGIN OPENSSH", "is a private key"),
    "RFC 4716": ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "ssh-keygen -i"),
    "PEM": ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "ssh-keygen -i"),
    "two lines": (f"{ED}\n{GOOD['rsa']}", "more than one line"),
    "carriage return": (f"{ED}\r{ED}", "more than one line"),
    "options": (f'command="/bin/sh" {ED}', "carries options"),
    "option": (f"restrict {ED}", "carries options"),
    "options with a key in them": (f'environment="A={ED}" {ED}', "carries options"),
    "certificate authority": (f"cert-authority {ED}", "carries options"),
    "DSA": (line("ssh-dss", b"\1", b"\1", b"\1", b"\1"), "is a DSA key"),
    "certificate": (line("ssh-ed25519-cert-v01@openssh.com", b"x"), "is a certificate"),
    "unknown type": ("ssh-ed448 AAAA", 'unknown type "ssh-ed448"'),
    "no type": (BLOB, "lacks its type"),
    "type only": ("ssh-ed25519", "has nothing after ssh-ed25519"),
    "truncated text": (ED[:-1], "is truncated or damaged"),
    "truncated blob": (ED[:-4], "is truncated: it ends after 48 bytes"),
    "only the length": ("ssh-ed25519 " + base64.b64encode(b"\0\0\0").decode(), "is truncated"),
    "bad base64": (ED[:-3] + "!!!", "is truncated or damaged"),
    "stray bits": (line("ssh-rsa", b"\1\0\1", b"\1\1")[:-2] + "R=", "stray bits"),
    "another type inside": (line("ssh-ed25519", bytes(32), inside="ssh-rsa"), 'is "ssh-rsa" inside'),
    "RSA as Ed25519": (GOOD["rsa"].replace("ssh-rsa", "ssh-ed25519"), 'is "ssh-rsa" inside'),
    "short Ed25519": (line("ssh-ed25519", bytes(range(31))), "31 bytes, not 32"),
    "bytes at the end": (line("ssh-ed25519", bytes(range(32)), b"x"), "has 1 fields, not 2"),
    "missing field": (line("ssh-rsa", b"\1\0\1"), "has 2 fields, not 1"),
    "empty field": (line("ssh-rsa", b"\1\0\1", b""), "0 bytes, not some"),
    "other curve": (line("ecdsa-sha2-nistp256", b"nistp384", POINT), "curve"),
    "compressed point": (line("ecdsa-sha2-nistp256", b"nistp256", b"\x02" + bytes(64)), "point"),
    "short RSA": (rsa(1024), "RSA key of 1024 bits, too short"),
    "almost long RSA": (rsa(2040), "RSA key of 2040 bits, too short"),
    "negative RSA": (line("ssh-rsa", b"\1\0\1", b"\xff" * 256), "too short"),
    "even exponent": (rsa(2048, 65536), "no RSA numbers"),
    "exponent 1": (rsa(2048, 1), "no RSA numbers"),
    "exponent of 65 bits": (rsa(2048, 2**64 + 1), "no RSA numbers"),
    "RSA that OpenSSH does not read": (rsa(16392), "RSA key of 16392 bits, and OpenSSH reads 16384"),
    "zeros before a number": (line("ssh-rsa", b"\0\1\0\1", b"\1\1"), "starts with zeros"),
    "zero point": (line("ecdsa-sha2-nistp256", b"nistp256", b"\x04" + bytes(64)), "does not lie on its curve"),
    "changed point": (
        line("ecdsa-sha2-nistp256", b"nistp256", POINT[:-1] + b"\xf4"),
        "does not lie on its curve",
    ),
    "changed point of a token": (
        line(SK_ECDSA, b"nistp256", POINT[:-1] + b"\xf4", b"ssh:"),
        "does not lie on its curve",
    ),
    "application with NUL": (line(SK, bytes(range(32)), b"ssh:\0x"), "application is no text"),
    "Ed25519 point zero": (line("ssh-ed25519", bytes(32)), "anybody can sign"),
    "Ed25519 point one": (line("ssh-ed25519", b"\1" + bytes(31)), "anybody can sign"),
    "Ed25519 point of order eight": (
        line(SK, bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"), b"ssh:"),
        "anybody can sign",
    ),
    "half a private key": ("MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY", "starts with no type"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_refused(text: str, says: str) -> None:
    with pytest.raises(Wrong) as caught:
        keys.public(text)
    assert says in str(caught.value)
    assert str(caught.value).isprintable()
    assert BLOB[30:] not in str(caught.value)


@given(st.integers(min_value=0, max_value=len(BLOB) - 1), st.characters(codec="ascii"))
def test_no_damage_to_the_frame_of_a_key_goes_unseen(position: int, char: str) -> None:
    """A changed key byte makes another key of the right form; everything before it is checked."""
    damaged = f"ssh-ed25519 {BLOB[:position]}{char}{BLOB[position + 1 :]}"
    try:
        _kind, blob = keys.public(damaged)
    except Wrong:
        return
    assert base64.b64decode(blob)[:19] == base64.b64decode(BLOB)[:19]
    assert len(base64.b64decode(blob)) == 51
