# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, passwords and their hashes. No message about them may show what is in them."""

from __future__ import annotations

import base64

from ansible_collections.sallyport.ssh.tests.unit.hostile.models import (
    PRIVATE,
    SHA512,
    YESCRYPT,
    ed25519,
    encoded,
    rsa,
)
from ansible_collections.sallyport.ssh.tests.unit.hostile.rows import Accepted, Refused

GOOD = ed25519(50)
BLOB = GOOD.split()[1]
SK, SK_ECDSA = "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"
P256 = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
TEXT = bytes(range(1, 33))

KEYS = [
    Refused("people[1].keys[0].key", key, says)
    for key, says in (
        ("", "is empty"),
        (" \n\t", "is empty"),
        (PRIVATE, "is a private key"),
        (PRIVATE.replace("\n", " "), "is a private key"),
        (PRIVATE.splitlines()[1], "starts with no type"),
        ("MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49", "starts with no type"),
        ("MC4CAQAwBQYDK2VwBCIEIKtLYX5CB04fSeQ6tF1aYPuoAoGCCqGSM49IrYSSNQFa", "starts with no type"),
        ("PuTTY-User-Key-File-3: ssh-ed25519", "is a private key"),
        (f"{GOOD}\n{PRIVATE}", "is a private key"),
        ("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", "not in the form of OpenSSH"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", "not in the form of OpenSSH"),
        (f"{GOOD}\n{ed25519(51)}", "more than one line"),
        (f"{GOOD}\ncert-authority {ed25519(51)}", "more than one line"),
        (f"{GOOD}\r\n", "control character"),
        (f"{GOOD}\0", "control character"),
        (f"{GOOD} \x1b[2J", "control character"),
        (f'command="/bin/sh" {GOOD}', "carries options"),
        (f'from="0.0.0.0/0",expiry-time="20990101" {GOOD}', "carries options"),
        (f"restrict,pty {GOOD}", "carries options"),
        (f"cert-authority {GOOD}", "carries options"),
        (f"no-touch-required {GOOD}", "carries options"),
        (f"# {GOOD}", "carries options"),
        (f"@revoked {GOOD}", "carries options"),
        (f"* {GOOD}", "carries options"),
        (BLOB, "lacks its type"),
        ("ssh-ed25519", "has nothing after"),
        (f"ssh-ed448 {BLOB}", "unknown type"),
        (f"SSH-ED25519 {BLOB}", "unknown type"),
        (f"ssh-ed25519\u200b {BLOB}", "unknown type"),
        (f"\uff53sh-ed25519 {BLOB}", "unknown type"),
        (f"\ufeff{GOOD}", "unknown type"),
        ("x" * 100_000, "starts with no type"),
        (f"ssh-rsa {BLOB}", 'is "ssh-ed25519" inside'),
        (encoded("ssh-ed25519", TEXT, inside="ssh-rsa"), 'is "ssh-rsa" inside'),
        (encoded("ssh-ed25519", TEXT, inside="\x1b[2J"), "inside"),
        (GOOD[:-1], "not whole"),
        (GOOD[:-4], "is truncated"),
        (GOOD + "A", "not whole"),
        (GOOD + "AAAA", "truncated"),
        (f"ssh-ed25519 {BLOB[:20]}\u00e9{BLOB[21:]}", "not whole"),
        (f"ssh-ed25519 {BLOB[:20]}-{BLOB[21:]}", "not whole"),
        (f"ssh-ed25519 {BLOB[:20]} {BLOB[20:]}", "truncated"),
        (encoded("ssh-ed25519", TEXT[:31]), "31 bytes"),
        (encoded("ssh-ed25519", TEXT, b"x"), "fields"),
        (encoded("ssh-ed25519", bytes(32)), "anybody can sign"),
        (encoded("ssh-ed25519", b"\1" + bytes(31)), "anybody can sign"),
        (encoded(SK, b"\1" + bytes(31), b"ssh:"), "anybody can sign"),
        (encoded(SK, TEXT), "fields"),
        (encoded(SK, TEXT, b""), "0 bytes"),
        (encoded(SK, TEXT, b"ssh:\0"), "application"),
        (encoded("ssh-dss", b"\1", b"\1", b"\1", b"\1"), "is a DSA key"),
        (encoded("ssh-ed25519-cert-v01@openssh.com", TEXT), "is a certificate"),
        (encoded("ssh-rsa-cert-v01@openssh.com", TEXT), "is a certificate"),
        (rsa(768), "768 bits, too short"),
        (rsa(1024), "1024 bits, too short"),
        (rsa(2047), "2047 bits, too short"),
        (rsa(16385), "16385 bits"),
        (rsa(65536), "65536 bits"),
        (rsa(2048, 1), "no RSA numbers"),
        (rsa(2048, 65536), "no RSA numbers"),
        (rsa(2048, 2**127 + 1), "no RSA numbers"),
        (encoded("ssh-rsa", b"\1\0\1", b"\0\0" + b"\xff" * 256), "starts with zeros"),
        (encoded("ssh-rsa", b"\1\0\1", b"\xff" * 256), "too short"),
        (encoded("ssh-rsa", b"", b""), "0 bytes"),
        (encoded("ecdsa-sha2-nistp256", b"nistp256", b"\4" + bytes(64)), "its curve"),
        (encoded("ecdsa-sha2-nistp256", b"nistp256", P256[:-1] + b"\0"), "its curve"),
        (encoded("ecdsa-sha2-nistp256", b"nistp384", P256), "its curve"),
        (encoded("ecdsa-sha2-nistp256", b"nistp256", b"\2" + P256[1:]), "its curve"),
        (encoded(SK_ECDSA, b"nistp256", b"\4" + bytes(64), b"ssh:"), "its curve"),
        (f"ssh-ed25519 {base64.b64encode(bytes([255] * 4)).decode()}", "truncated"),
        (f"ssh-ed25519 {'A' * 100_000}", "inside"),
    )
] + [
    Refused("accounts[0].keys[0].key", ed25519(2), 'that of "alice"'),
    Refused("accounts[0].keys[0].key", ed25519(1), 'that of "global"'),
    Refused("people[1].keys[0].key", ed25519(2), 'that of "alice"'),
]

HASHES = [
    Refused("accounts[0].password_hash", text, says)
    for text, says in (
        ("", "no password hash"),
        ("*", "locks the password"),
        ("!", "locks the password"),
        ("!!", "locks the password"),
        (f"!{YESCRYPT}", "locks the password"),
        ("x", "locks the password"),
        ("Correct-Horse-1", "perhaps it is the password itself"),
        ("Correct:Horse:1", "perhaps it is the password itself"),
        (f"{YESCRYPT}:0:0:::::", "truncated or damaged"),
        (f"{YESCRYPT}\nroot::0:0:::::", "truncated or damaged"),
        (f"{YESCRYPT}\n", "truncated or damaged"),
        (f" {YESCRYPT}", "no password hash"),
        (YESCRYPT[:-1], "truncated or damaged"),
        (YESCRYPT + "b", "truncated or damaged"),
        ("$y$j9T$", "truncated or damaged"),
        (SHA512[:-1], "truncated or damaged"),
        (SHA512 + "\n", "truncated or damaged"),
        ("$6$abcdefgh", "only the salt"),
        ("$6$rounds=5000$ab:cd$" + "c" * 86, "truncated or damaged"),
        ("$6$rounds=05000$abcdefgh$" + "c" * 86, "truncated or damaged"),
        ("$6$rounds=1000$abcdefgh$" + "c" * 86, "1000 rounds"),
        ("$6$rounds=999999999$abcdefgh$" + "c" * 86, "keeps the host busy"),
        ("$2b$04$" + "a" * 21 + "u" + "a" * 31, "4 rounds"),
        ("$2b$31$" + "a" * 21 + "u" + "a" * 31, "keeps the host busy"),
        ("$2a$12$" + "a" * 21 + "u" + "a" * 31, "obsolete"),
        ("$1$abcdefgh$" + "a" * 22, "obsolete"),
        ("$apr1$abcdefgh$" + "a" * 22, "obsolete"),
        ("aaaaaaaaaaaaa", "obsolete"),
        ("d41d8cd98f00b204e9800998ecf8427e", "bare digest"),
        ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "no password hash"),
        ("{SSHA}aaaaaaaa", "no password hash"),
        (f"{YESCRYPT}\0", "control character"),
        ("$6$" + "x" * 100_000, "truncated or damaged"),
        ("$2b$12$" + "a" * 53, "truncated or damaged"),
    )
]

PASSWORDS = [
    *(
        Refused("accounts[2].password", text, says)
        for text, says in (
            ("", "fewer than 12"),
            ("short", "fewer than 12"),
            ("            ", "classes"),
            ("onlysmallletters", "classes"),
            ("\u0430\u0431\u0432\u0433\u0434\u0435\u0436\u0437\u0438\u0439\u043a\u043b", "classes"),
            ("Correct-Horse-1\n", "control character"),
            ("Correct-Horse\t1", "control character"),
            ("Correct-\0-Horse-1", "control character"),
            ("Correct-\x7f-Horse-1", "control character"),
            ("Correct-\u202e-Horse-1", "control character"),
            ("Correct-\ufeff-Horse-1", "control character"),
            ("Correct-\udc80-Horse-1", "half a character"),
            ("Aa1-" * 65, "more than 256"),
            ("Aa1-" * 25_000, "more than 256"),
            ("My-DB-secret-1234", "contains the account's name"),
        )
    ),
    Refused("accounts[0].password", "Correct-Horse-1", "together with password_hash"),
]

REFUSED = [*KEYS, *HASHES, *PASSWORDS]


def _key(text: str) -> Accepted:
    blob = text.split()[1]
    return Accepted("people[1].keys[0].key", text, "accounts[0].keys[1].blob", blob)


ACCEPTED = [
    _key(f'{GOOD} command="/bin/sh" # %u $(id) \' \u202e \xe9'),
    _key(f"\n\t {GOOD}\n"),
    _key(f"{GOOD} {ed25519(51)}"),
    _key(rsa(2048)),
    _key(rsa(16384)),
    _key(rsa(2048, 3)),
    _key(encoded(SK, TEXT, b"ssh:")),
    _key(encoded(SK, TEXT, b'ssh:"\n%u,command="id"')),
    _key(encoded(SK_ECDSA, b"nistp256", P256, b"ssh:x")),
    _key(encoded("ecdsa-sha2-nistp256", b"nistp256", P256)),
    Accepted("accounts[0].password_hash", SHA512),
    Accepted("accounts[0].password_hash", "$5$abcdefgh$" + "c" * 43),
    Accepted("accounts[0].password_hash", "$2b$12$" + "a" * 21 + "u" + "a" * 30 + "e"),
    Accepted("accounts[0].password_hash", "$gy$j9T$" + "." * 22 + "$" + "/" * 43),
    Accepted("accounts[0].password_hash", YESCRYPT),
    Accepted("accounts[2].password", "{p%a$s`s!:#\\\"'* \xe9\U0001f600 Horse1}", "accounts[2].name", "db"),
]
