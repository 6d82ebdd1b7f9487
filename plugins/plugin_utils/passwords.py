# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords and their hashes. No message here shows either."""

from __future__ import annotations

import base64
import collections.abc as c
import hashlib
import re
import warnings

from .problems import Wrong

try:
    from passlib.hash import bcrypt, sha256_crypt, sha512_crypt
except ImportError as error:  # the action plugin reports it, once it is needed
    MISSING: ImportError | None = error
else:
    MISSING = None

# The rounds that crypt(3) has by default. In pure Python they cost 4 ms a password, so 1,000 plaintext passwords take
# about 4 seconds a host; whoever has more of them, or wants yescrypt, gives hashes.
ROUNDS = 5000
LEAST_BCRYPT_COST = 10
# Each attempt to log in costs the host the rounds, whoever makes it: these take it a second or two.
MOST_ROUNDS = 5_000_000
MOST_BCRYPT_COST = 15
UNHASHED = "*"  # stands for the hash where none is made

_USE = "make one with mkpasswd -m yescrypt, or give password"
_CRYPT = "[./A-Za-z0-9]"
# The schemes that libpass does not know, by their shape (crypt(5)).
_SHAPES = {
    "$y$": re.compile(rf"\$y\${_CRYPT}+\${_CRYPT}{{1,86}}\${_CRYPT}{{43}}"),
    "$gy$": re.compile(rf"\$gy\${_CRYPT}+\${_CRYPT}{{1,86}}\${_CRYPT}{{43}}"),
    "$7$": re.compile(rf"\$7\${_CRYPT}{{11,97}}\${_CRYPT}{{43}}"),
}
_OBSOLETE = {
    "$1$": "MD5",
    "$md5": "Sun MD5",
    "$sha1$": "SHA-1",
    "$3$": "NT",
    "$apr1$": "MD5 of Apache",
    "$2a$": "bcrypt 2a, which has a known flaw,",
    "$2x$": "bcrypt 2x, which has a known flaw,",
    "_": "BSDi DES",
}
_DES = re.compile(rf"{_CRYPT}{{13}}")
_BIGCRYPT = re.compile(rf"{_CRYPT}{{24}}(?:{_CRYPT}{{11}})*")
_BARE_DIGEST = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128}")


def hashed(text: str) -> str:
    """A hash that the hosts' crypt(3) understands and that is fit to be used."""
    if text.startswith(("!", "*")) or text == "x":
        raise Wrong("locks the password; leave the option out for an account without one, or set state: suspended")
    if text.startswith(tuple(_OBSOLETE)) or _DES.fullmatch(text) or _BIGCRYPT.fullmatch(text):
        names = [name for prefix, name in _OBSOLETE.items() if text.startswith(prefix)]
        raise Wrong(f"is a hash of the obsolete scheme {(names or ['DES'])[0]}; {_USE}")
    if _BARE_DIGEST.fullmatch(text):
        raise Wrong(f"is a bare digest without salt, such as NT, MD5 or SHA, which is no password hash; {_USE}")
    for prefix, shape in _SHAPES.items():
        if text.startswith(prefix):
            if shape.fullmatch(text):
                return text
            raise Wrong(f"starts like a hash and is truncated or damaged; {_USE}")
    return _by_libpass(text)


def _by_libpass(text: str) -> str:
    for prefix, handler, least, most in (
        ("$6$", sha512_crypt, ROUNDS, MOST_ROUNDS),
        ("$5$", sha256_crypt, ROUNDS, MOST_ROUNDS),
        ("$2b$", bcrypt, LEAST_BCRYPT_COST, MOST_BCRYPT_COST),
        ("$2y$", bcrypt, LEAST_BCRYPT_COST, MOST_BCRYPT_COST),
    ):
        if text.startswith(prefix):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")  # libpass would put right what the host's crypt(3) does not
                    found = handler.from_string(text)
            except (ValueError, TypeError, Warning):
                raise Wrong(f"starts like a hash and is truncated or damaged; {_USE}") from None
            if found.checksum is None:
                raise Wrong(f"is only the salt of a hash; {_USE}")
            if found.rounds < least:
                raise Wrong(f"is a hash of {found.rounds} rounds, where {least} are the least; {_USE}")
            if found.rounds > most:
                raise Wrong(f"is a hash of {found.rounds} rounds, with which a guess keeps the host busy; {_USE}")
            return text
    raise Wrong(f"is no password hash that a host understands, perhaps it is the password itself; {_USE}")


def acceptable(text: str, account: str, policy: c.Mapping[str, int]) -> str:
    """A plaintext password that meets the policy."""
    if not text.isprintable():
        raise Wrong("holds a control character; choose printable ones")
    if len(text) > 256:
        raise Wrong("has more than 256 characters, which login programs cut off; choose a shorter one")
    if len(text) < policy["min_length"]:
        raise Wrong(f"has fewer than {policy['min_length']} characters; choose a longer one")
    if _classes(text) < policy["min_classes"]:
        raise Wrong(
            f"has fewer than {policy['min_classes']} of the classes small letters, capitals, digits and others; "
            "mix more of them"
        )
    if account and account.lower() in text.lower():
        raise Wrong("contains the account's name; choose one that nobody can guess from it")
    return text


def _classes(text: str) -> int:
    others = any(not (char.islower() or char.isupper() or char.isdigit()) for char in text)
    return sum((any(map(str.islower, text)), any(map(str.isupper, text)), any(map(str.isdigit, text)), others))


def digest(text: str, host: str, account: str) -> str:
    """The hash of a password, the same at every run.

    The salt comes from host and account alone: differing everywhere, and telling nothing of the password. One that
    came from the password too would let whoever reads the hash test guesses without doing the rounds.
    """
    seed = hashlib.sha512(f"sallyport\0{host}\0{account}".encode()).digest()
    salt = base64.b64encode(seed, b"./").decode()[:16]
    return str(sha512_crypt.using(salt=salt, rounds=ROUNDS).hash(text))
