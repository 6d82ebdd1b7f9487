# SPDX-License-Identifier: GPL-3.0-or-later
"""The real ways in of an admin: what a login with a one-time key cannot show.

A way is a key in a file that sshd takes and can read as the user, a certificate, a command that finds keys, or a
password that opens, each where the methods that sshd wants are on.

The files on disk are not always what the running sshd has read: somebody may have changed them and not told it. So who
has means that a plain sshd would take counts as somebody who gets in now, and has to get in afterwards.
"""

from __future__ import annotations

import calendar
import os
import re
import stat
import time
import typing as t
from dataclasses import dataclass

from ..openssh import as_user
from ..openssh.sshd_effective import Effective
from ..resources import User
from ..system import processes

RSA = frozenset({"ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"})
ALGORITHMS: t.Mapping[str, t.AbstractSet[str]] = {  # by what ssh-keygen calls a key's type
    "RSA": RSA,
    "DSA": {"ssh-dss"},
    "ECDSA": {f"ecdsa-sha2-nistp{bits}" for bits in (256, 384, 521)},
    "ED25519": {"ssh-ed25519"},
    "ECDSA-SK": {"sk-ecdsa-sha2-nistp256@openssh.com"},
    "ED25519-SK": {"sk-ssh-ed25519@openssh.com"},
}
PLAIN: Effective = {
    "authorizedkeysfile": [".ssh/authorized_keys .ssh/authorized_keys2"],
    "passwordauthentication": ["yes"],
}
KRL = b"SSHKRL\n\0"  # how a list of revoked keys begins that ssh-keygen made
NO_PASSWORD = re.compile(r"[*!]")

_FINGERPRINT = re.compile(r"(?P<bits>\d+) \S+ .*\((?P<type>[A-Z0-9-]+)\)")
_PUBLIC_KEY = re.compile(r"[a-z0-9@.-]+ AAAA[A-Za-z0-9+/=]+")
_EXPIRY = re.compile(r'(?:^|,)expiry-time="(?P<time>\d{8}(?:\d{4}(?:\d{2})?)?)(?P<utc>Z?)"', re.IGNORECASE)


@dataclass(frozen=True)
class Admin:
    """Who is asked about, and what the host is about to have for him: key files by path, a password's hash."""

    user: User
    password: t.Optional[str]  # None: kept where we cannot look (LDAP and the like)
    coming: t.Mapping[str, str]


def lost(before: t.Mapping[str, t.Collection[str]], after: t.Mapping[str, t.Collection[str]]) -> t.List[str]:
    """A sentence for each admin who has a way in, or the means for one, and would have none."""
    return [
        f"access_server.admins: '{name}' would have no way in: sshd would not take {' nor '.join(sorted(ways))}; "
        f"let it (sshd -T -C user={name} shows its settings), or give '{name}' another way first"
        for name, ways in before.items()
        if ways and not after.get(name)
    ]


def of(admin: Admin, found: Effective, now: float) -> t.FrozenSet[str]:
    """All ways in of an admin under these effective settings."""
    root = _one(found, "permitrootlogin", "yes") if admin.user.name == "root" else "yes"
    if root in ("no", "forced-commands-only"):
        return frozenset()
    means = {"publickey": _keys(admin, found, now), "password": _password(admin, found, root)}
    typed = {"password": means["password"], "keyboard-interactive": _typed(admin, found, root)}
    return frozenset(_combined({**means, **typed}, found))


def _combined(means: t.Mapping[str, t.AbstractSet[str]], found: Effective) -> t.Iterator[str]:
    lists = " ".join(found.get("authenticationmethods", ())) or "any"
    if lists == "any":
        for ways in means.values():
            yield from ways
        return
    for wanted in lists.split():
        methods = [method.partition(":")[0] for method in wanted.split(",")]
        if all(means.get(method) or _comes_on_top(method, methods, found) for method in methods):
            first = sorted(means.get(methods[0], ())) or [methods[0]]
            yield " and ".join([first[0], *methods[1:]])


def _comes_on_top(method: str, methods: t.Sequence[str], found: Effective) -> bool:
    """A code that PAM asks for after the key is no password, so nothing here can tell whether he has it."""
    return method == "keyboard-interactive" and methods[0] != method and _asks(found)


def _asks(found: Effective) -> bool:
    keyword = "kbdinteractiveauthentication"
    on = _one(found, keyword, _one(found, "challengeresponseauthentication", "no"))
    return on == "yes" and _one(found, "usepam", "no") == "yes"


def _typed(admin: Admin, found: Effective, root: str) -> t.Set[str]:
    return {"his password"} if _asks(found) and root == "yes" and _opens(admin, found) else set()


def _password(admin: Admin, found: Effective, root: str) -> t.Set[str]:
    on = _one(found, "passwordauthentication", "no") == "yes"
    return {"his password"} if on and root == "yes" and _opens(admin, found) else set()


def _opens(admin: Admin, found: Effective) -> bool:
    if admin.password is None:
        return True
    if not admin.password:
        return _one(found, "permitemptypasswords", "no") == "yes"
    return not NO_PASSWORD.match(admin.password)


def _keys(admin: Admin, found: Effective, now: float) -> t.Set[str]:
    if _one(found, "pubkeyauthentication", "yes") != "yes":
        return set()
    ways = set()
    paths = key_files(found.get("authorizedkeysfile", ()), admin.user)
    present = as_user.read({admin.user: [path for path in paths if path not in admin.coming]}, _strict(found))
    texts = {path: admin.coming[path] for path in paths if path in admin.coming}
    texts.update({path: read.text for path, read in present[admin.user.name].items() if not read.refused})
    for path, text in texts.items():
        if any(usable(line, found, now) for line in text.split("\n")):
            ways.add(f"a key in {path}")
    command = _one(found, "authorizedkeyscommand", "none")
    if command != "none" and os.access(command.split()[0], os.X_OK):
        ways.add(f"a key that {command.split()[0]} finds")
    authorities = _one(found, "trustedusercakeys", "none")
    if authorities != "none" and _has_text(authorities) and _has_principals(admin.user, found):
        ways.add(f"a certificate by {authorities}")
    return ways


def key_files(patterns: t.Iterable[str], user: User) -> t.List[str]:
    """The files that AuthorizedKeysFile names for a user."""
    paths = [expand(pattern, user) for pattern in " ".join(patterns).split() if pattern != "none"]
    return [path if path.startswith("/") else f"{user.home.rstrip('/')}/{path}" for path in paths]


def expand(pattern: str, user: User) -> str:
    tokens = {"%%": "%", "%h": user.home, "%u": user.name, "%U": str(user.uid)}
    return re.sub("%[%huU]", lambda token: tokens[token[0]], pattern)


def usable(line: str, found: Effective, now: float) -> bool:
    """Whether a line of a key file has a key that sshd takes: no comment, not expired, of an accepted type and size."""
    if not line.strip() or line.lstrip().startswith("#"):
        return False
    said = processes.run(["ssh-keygen", "-l", "-f", "-"], stdin=line + "\n")
    key = _FINGERPRINT.match(said.out)
    if not said.ok or key is None or _expired(line, now):
        return False
    if _revoked(line, _one(found, "revokedkeys", "none")):
        return False
    accepted = _one(found, "pubkeyacceptedalgorithms", _one(found, "pubkeyacceptedkeytypes", "")).split(",")
    smallest = int(_one(found, "requiredrsasize", "1024"))
    if key["type"] == "RSA" and int(key["bits"]) < smallest:
        return False
    return accepted == [""] or bool(ALGORITHMS.get(key["type"], frozenset()) & set(accepted))


def _revoked(line: str, path: str) -> bool:
    """Where the list itself cannot be read, sshd takes no key at all. It is a KRL, or has a public key on each line."""
    key = _PUBLIC_KEY.search(line)
    if path == "none" or key is None:
        return False
    try:
        with open(path, "rb") as stream:
            listed = stream.read()
    except OSError:
        return True
    if listed.startswith(KRL):
        return not processes.run(["ssh-keygen", "-Q", "-f", path, "/dev/stdin"], stdin=key[0] + "\n").ok
    found = _PUBLIC_KEY.finditer(listed.decode("utf-8", "surrogateescape"))
    return key[0].split()[1] in {item[0].split()[1] for item in found}


def unreadable(files: t.Mapping[User, str]) -> t.List[str]:
    """Key files of ours, by their user, that sshd would not take: each as a sentence."""
    read = as_user.read({user: [path] for user, path in files.items()}, groups=False)
    return [
        f"{path}: sshd would not take the keys of '{user.name}' from it: {read[user.name][path].refused}; "
        f"let root alone change the file and the directories above it, and everybody pass through them"
        for user, path in files.items()
        if read[user.name][path].refused
    ]


def _has_principals(user: User, found: Effective) -> bool:
    if _one(found, "authorizedprincipalscommand", "none") != "none":
        return True
    named = _one(found, "authorizedprincipalsfile", "none")
    return named == "none" or _has_text(key_files([named], user)[0])


def _has_text(path: str) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0


def _expired(line: str, now: float) -> bool:
    found = _EXPIRY.search(line)
    if found is None:
        return False
    text = found["time"].ljust(14, "0")
    moment = time.strptime(text, "%Y%m%d%H%M%S")
    limit = float(calendar.timegm(moment)) if found["utc"] else time.mktime(moment)
    return limit <= now


def _strict(found: Effective) -> bool:
    return _one(found, "strictmodes", "yes") == "yes"


def _one(found: Effective, keyword: str, default: str) -> str:
    values = found.get(keyword)
    return values[0] if values else default
