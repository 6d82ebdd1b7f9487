# SPDX-License-Identifier: GPL-3.0-or-later
"""What the configuration of a side sshd has other than the tree it is a copy of: as little as can be.

A copy has the lines of its original, each in its place. What holds for everybody may be overruled at the start of
sshd; what adds up, or what a Match block may set, is changed in its line.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t

from .. import layout
from ..openssh import sshd_config
from ..openssh.sshd_config import Setting

ADDRESS = "127.0.0.1"  # where it listens, and who connects as from one of the sources
ELSEWHERE = "127.0.0.2"  # who connects as from none
KEYS_FILES = (".ssh/authorized_keys", ".ssh/authorized_keys2")  # what sshd reads where nothing names a file
HOST_KEYS = tuple(f"/etc/ssh/ssh_host_{kind}_key" for kind in ("rsa", "ecdsa", "ed25519"))
LEFT_OUT = frozenset({"port", "listenaddress", "loglevel", "persourcepenalties"})  # one penalty would bring back all
KEY_TYPES = {"ed25519": "ssh-ed25519", "ecdsa": "ecdsa-sha2-nistp256", "rsa": "rsa-sha2-512"}
ACCEPTED = frozenset({"pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"})

_SOURCES = re.compile(r"(?P<before>Match Group \S+ Address )(?P<pattern>\*,!\S+)")


def edited(path: str, line: str, keys_file: str, easy: bool) -> str:
    """A line of the tree as it is in the copy. ``easy``: the one-time key is all that an open account needs."""
    ours = path == layout.SSHD_DROP_IN
    sources = _SOURCES.fullmatch(line) if ours else None
    if sources:
        return f"{sources['before']}{sources['pattern']},!{ADDRESS}"
    parsed = sshd_config.split(line)
    if parsed is None:
        return line
    keyword, arguments = parsed
    if keyword in LEFT_OUT:
        return f"# {line}"
    if keyword == "authorizedkeysfile":
        return _line("AuthorizedKeysFile", keys_files(arguments if not (easy and ours) else (), keys_file))
    if keyword == "allowusers":
        return _line("AllowUsers", _also_from_here(arguments))
    if easy and keyword == "authenticationmethods":
        return "AuthenticationMethods publickey"
    if easy and keyword == "pubkeyauthentication" and not ours:
        return "PubkeyAuthentication yes"  # our closed accounts stay closed
    return line


def keys_files(named: t.Sequence[str], keys_file: str) -> t.List[str]:
    return [*(name for name in named if name.lower() != "none"), keys_file]


def overruling(settings: t.Sequence[Setting], port: int, keys_file: str, openssh: t.Tuple[int, int]) -> t.List[str]:
    """What the command line says: it wins over all that holds for everybody."""
    options = [
        f"ListenAddress={ADDRESS}:{port}",
        "AddressFamily=inet",
        "PidFile=none",
        "LogLevel=DEBUG1",
        "MaxStartups=1000",
    ]
    if openssh >= (8, 5):
        options.append("PerSourceMaxStartups=none")
    if openssh >= (9, 8):
        options.append("PerSourcePenalties=no")
    if not any(setting.keyword == "authorizedkeysfile" and setting.match is None for setting in settings):
        options.append("AuthorizedKeysFile=" + " ".join(keys_files(KEYS_FILES, keys_file)))
    return [argument for option in options for argument in ("-o", option)]


def host_keys(settings: t.Sequence[Setting]) -> t.Tuple[str, ...]:
    """The private key files that the configuration names; their public halves have the same names and ``.pub``."""
    named = tuple(setting.arguments[0] for setting in settings if setting.keyword == "hostkey" and setting.arguments)
    return named or HOST_KEYS


def key_type(settings: t.Sequence[Setting]) -> t.Optional[str]:
    """The cheapest type of key that every list of accepted algorithms takes; None if none is in all of them."""
    lists = [setting.arguments[0] for setting in settings if setting.keyword in ACCEPTED and setting.arguments]
    return next((kind for kind, name in KEY_TYPES.items() if all(_accepts(text, name) for text in lists)), None)


def _accepts(patterns: str, algorithm: str) -> bool:
    mark, names = (patterns[0], patterns[1:]) if patterns[:1] in ("+", "-", "^") else ("", patterns)
    listed = any(fnmatch.fnmatchcase(algorithm, pattern) for pattern in names.split(","))
    return {"": listed, "-": not listed}.get(mark, True)


def _also_from_here(patterns: t.Sequence[str]) -> t.List[str]:
    """Who may come from a certain address may come from here as well."""
    users = dict.fromkeys(name for name, at, _host in (item.rpartition("@") for item in patterns) if at)
    return [*patterns, *(f"{user}@{ADDRESS}" for user in users if user and not user.startswith("!"))]


def _line(keyword: str, arguments: t.Iterable[str]) -> str:
    return " ".join([keyword, *(f'"{item}"' if re.search(r"[\s#]", item) else item for item in arguments)])
