# SPDX-License-Identifier: GPL-3.0-or-later
"""Password hashes: what the hosts' crypt(3) makes is accepted, what is obsolete or no hash is not."""

from __future__ import annotations

import typing as t
import warnings

import pytest
from ansible_collections.sallyport.ssh.plugins.plugin_utils import passwords
from ansible_collections.sallyport.ssh.plugins.plugin_utils.problems import Wrong
from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context, Invalid, resolve
from passlib.hash import sha256_crypt, sha512_crypt

BCRYPT = "12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q"

GOOD = {
    "yescrypt": "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC",
    "gost-yescrypt": "$gy$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC",
    "scrypt": "$7$CU..../....2Q9obwLhin8qvQl6sisAO/$E1HizYWxBmnIH4sdPkd1UOML9t62Gf.wvNTnt5XFzs8",
    "bcrypt": f"$2b${BCRYPT}",
    "bcrypt of PHP": f"$2y${BCRYPT}",
    "SHA-512": sha512_crypt.using(rounds=5000).hash("x"),
    "SHA-512 with rounds": sha512_crypt.using(rounds=6000).hash("x"),
    "SHA-256": sha256_crypt.using(rounds=5000).hash("x"),
}
BAD: t.Dict[str, t.Tuple[str, str]] = {
    "plain": ("correct horse battery", "is no password hash"),
    "empty": ("", "is no password hash"),
    "locked": ("!" + GOOD["yescrypt"], "state: suspended"),
    "no login": ("*", "leave the option out"),
    "shadowed": ("x", "leave the option out"),
    "MD5": ("$1$saltsalt$" + "a" * 22, "obsolete scheme MD5"),
    "Apache": ("$apr1$saltsalt$" + "a" * 22, "obsolete scheme MD5 of Apache"),
    "SHA-1": ("$sha1$40000$salt$" + "a" * 28, "obsolete scheme SHA-1"),
    "NT": ("$3$$" + "a" * 32, "obsolete scheme NT"),
    "NT, bare": ("8846f7eaee8fb117ad06bdd830b7586c", "bare digest"),
    "SHA-512, bare": ("a" * 128, "bare digest"),
    "DES": ("rEK1ecacw.7.c", "obsolete scheme DES"),
    "bigcrypt": ("qiyh4XPJGsOZ2MEAyLkfWqeQ", "obsolete scheme DES"),
    "BSDi": ("_J9..K0AyUubDrfOgO4s", "obsolete scheme BSDi DES"),
    "bcrypt 2a": (f"$2a${BCRYPT}", "known flaw"),
    "cheap bcrypt": ("$2b$04$" + BCRYPT[3:], "4 rounds, where 10 are the least"),
    "cheap SHA-512": (sha512_crypt.using(rounds=1000).hash("x"), "1000 rounds, where 5000 are the least"),
    "truncated SHA-512": (GOOD["SHA-512"][:-1], "truncated or damaged"),
    "truncated yescrypt": (GOOD["yescrypt"][:-1], "truncated or damaged"),
    "salt only": ("$6$saltsaltsaltsalt", "only the salt"),
    "colon": (GOOD["yescrypt"] + ":0:0", "truncated or damaged"),
    "newline": (GOOD["yescrypt"] + "\n", "truncated or damaged"),
    "argon2": ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "no password hash that a host understands"),
    "LDAP": ("{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3", "no password hash that a host understands"),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_accepted(text: str) -> None:
    assert passwords.hashed(text) == text


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_refused_and_not_shown(text: str, says: str) -> None:
    with pytest.raises(Wrong) as caught:
        passwords.hashed(text)
    assert says in str(caught.value)
    assert len(text) < 4 or text not in str(caught.value)


def test_the_hash_is_that_of_the_password() -> None:
    made = passwords.digest("Correct-Horse-1", "web1", "acme")
    assert passwords.hashed(made) == made
    assert sha512_crypt.verify("Correct-Horse-1", made)
    assert not sha512_crypt.verify("Correct-Horse-2", made)


def test_the_hosts_own_crypt_agrees() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        crypt = pytest.importorskip("crypt", reason="gone from Python 3.13")
    made = passwords.digest("Correct-Horse-1", "web1", "acme")
    assert crypt.crypt("Correct-Horse-1", made) == made


POLICY = {"min_length": 12, "min_classes": 3}


@pytest.mark.parametrize("text", ["Correct-Horse-1", "correct horse 42 b", "ÀÉÎõü-12345-x", "ABCDEFGHIJ1-"])
def test_a_password_that_meets_the_policy(text: str) -> None:
    assert passwords.acceptable(text, "acme", POLICY) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Short-1", "fewer than 12 characters"),
        ("alllowercaseletters", "fewer than 3 of the classes"),
        ("lower-and-signs-only", "fewer than 3 of the classes"),
        ("x-AcMe-2026-pass", "contains the account's name"),
        ("Correct-Horse-1\n", "control character"),
        ("Correct-Horse-1\x7f", "control character"),
        ("Aa1-" * 65, "more than 256"),
    ],
    ids=ascii,
)
def test_a_password_that_does_not(text: str, says: str) -> None:
    with pytest.raises(Wrong) as caught:
        passwords.acceptable(text, "acme", POLICY)
    assert says in str(caught.value)
    assert text not in str(caught.value)


def test_without_libpass_everything_else_is_validated_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MISSING", ImportError("no module named passlib"))
    model = {"accounts": [{"name": "a", "password": "hunter2"}, {"name": "b", "people": ["nobody-there"]}]}
    with pytest.raises(Invalid) as invalid:
        resolve(model, context=Context("host", "deploy"))
    assert [problem.split(": ")[0] for problem in invalid.value.problems] == ["accounts", "accounts[1].people[0]"]
    assert "pip install libpass" in invalid.value.problems[0]
