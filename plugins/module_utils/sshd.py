# SPDX-License-Identifier: GPL-3.0-or-later
"""sshd itself: its version, what a configuration comes to for a user, a copy of the whole tree to try, reloading."""

from __future__ import annotations

import glob
import grp
import os
import pwd
import re
import typing as t
from dataclasses import dataclass, replace

from . import layout, sshd_config, sshd_match
from .host import Connection
from .model import Server
from .processes import Failed, Outcome, run
from .sshd_config import Setting
from .sshd_effective import ADDRESSES, mismatches, parse, refused_by, sample_addresses
from .sshd_policy import expectations, group_name, other_expectations
from .sshd_settings import PolicyClass, Version

# Settings by which a login differs from the same one over loopback
CONFINING = ("forcecommand", "chrootdirectory", "authenticationmethods", "pubkeyauthentication", "permitrootlogin")
WHOLE_LIMIT = 250 * 1024  # of all files together; sshd refuses every connection over 256 KiB

_NO_DIRECTORY = re.compile(r"Missing privilege separation directory: (/run/\S+)")
_PORT = re.compile(r"(?:\d+(?:\.\d+){3}:|\[[^\]\s]+\]:|[A-Za-z*][^:\s]*:)?(?P<port>\d+)")


@dataclass(frozen=True)
class Tree:
    """A configuration: the installed one, or a copy of it below ``prefix``."""

    main: str = layout.SSHD_CONFIG
    prefix: str = ""

    def settings(self) -> t.List[Setting]:
        """Every setting, at its place in the original."""
        return [
            replace(item, file=self.original(item.file), arguments=tuple(map(self.original, item.arguments)))
            for item in self._settings()
        ]

    def size(self) -> int:
        includes = [setting for setting in self._settings() if setting.keyword == "include"]
        patterns = [sshd_config.absolute(pattern) for setting in includes for pattern in setting.arguments]
        files = {self.main}.union(*map(_files, patterns))
        return sum(os.path.getsize(file) for file in files)

    def _settings(self) -> t.List[Setting]:
        return sshd_config.walk(self.main, _read, _files)

    def original(self, text: str) -> str:
        return text.replace(self.prefix, "") if self.prefix else text


INSTALLED = Tree()


def version() -> Version:
    """(9, 2); (0, 0) without an sshd. An old one that does not know -V says its version along with the usage."""
    said = run(["sshd", "-V"])
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", said.out + said.err)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def read_ports(root: str = "/") -> t.Tuple[int, ...]:
    """The ports that the configuration names without our drop-in; none: sshd listens on its default."""
    source = _Source(root, {layout.SSHD_DROP_IN: None})
    ports = set()
    for setting in sshd_config.walk(layout.SSHD_CONFIG, source.read, source.glob):
        named = _PORT.fullmatch(setting.arguments[0]) if setting.arguments else None
        if setting.keyword in ("port", "listenaddress") and named:
            ports.add(int(named["port"]))
    return tuple(sorted(ports))


def build_candidate(
    target: str,
    changes: t.Mapping[str, t.Optional[str]],
    root: str = "/",
    edit: t.Callable[[str, str], str] = lambda _path, line: line,
) -> Tree:
    """A complete copy of the tree below ``target``, with the changes (path: new text, or None for no file) made in it.

    Every Include leads to the copies. All other paths stay, so that host keys and key files are the real ones.
    ``edit`` makes another line of each line of a file.
    """
    source = _Source(root, changes)
    target = target.rstrip("/")
    os.makedirs(target, mode=0o700, exist_ok=True)
    copied: t.Set[str] = set()

    def copy(path: str) -> str:
        if path not in copied:
            copied.add(path)
            text = "".join(rewritten(path, line) + "\n" for line in (source.read(path) or "").splitlines())
            os.makedirs(os.path.dirname(target + path), exist_ok=True)
            descriptor = os.open(target + path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(text)
        return target + path

    def rewritten(path: str, line: str) -> str:
        # One line stays one line, so that the number sshd names in the copy is that of the original.
        parsed = sshd_config.split(line)
        if parsed is None or parsed[0] != "include":
            return edit(path, line)
        paths = [found for pattern in parsed[1] for found in source.glob(sshd_config.absolute(pattern))]
        return " ".join(["Include", *(f'"{copy(found)}"' for found in paths)]) if paths else f"# no file: {line}"

    return Tree(copy(layout.SSHD_CONFIG), target)


def test(config: str) -> Outcome:
    return _sshd(["-t", "-f", config])


def effective(
    config: str, user: str, host: str, address: str, port: int = 22, local: str = "127.0.0.1"
) -> t.Dict[str, t.List[str]]:
    """What a configuration comes to for a user who comes from an address to this port of a local address."""
    connection = f"user={user},host={host},addr={address},laddr={local},lport={port}"
    outcome = _sshd(["-T", "-f", config, "-C", connection])
    if not outcome.ok:
        raise Failed(["sshd", "-T", "-f", config], outcome)
    return parse(outcome.out)


def groups_of(user: str) -> t.FrozenSet[str]:
    """As sshd sees them: the primary group and every other; none for a user who does not exist."""
    names = set()
    try:
        gids = os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    except KeyError:
        return frozenset()
    for gid in gids:
        try:
            names.add(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue  # a gid without a name, which no pattern matches
    return frozenset(names)


def prove(
    tree: Tree,
    samples: t.Mapping[PolicyClass, str],
    unlisted: str,
    server: Server,
    version: Version,
    also: t.Sequence[t.Tuple[PolicyClass, str]] = (),
    connection: t.Optional[Connection] = None,
    listening: bool = True,
) -> t.List[str]:
    """The promises that the configuration breaks for a member of every class, an unlisted user and the admins.

    ``also`` are more members, ``connection`` is what admins come over, ``listening`` whether sshd itself listens.
    Users, groups and memberships must exist by now: sshd looks them up.
    """
    checked = test(tree.main)
    if not checked.ok:
        return [tree.original(f"sshd refuses the configuration: {checked.said}")]
    settings = tree.settings()
    missing = sshd_config.include_problem(settings, layout.SSHD_CONFIG, layout.SSHD_DROP_IN)
    if missing:
        return [missing]
    if tree.size() > WHOLE_LIMIT:
        return [f"{layout.SSHD_CONFIG}: with all it includes over 250 KiB, where sshd refuses everybody: shorten it"]
    return [
        *_prove_classes(tree, settings, [*samples.items(), *also], server, version),
        *_prove_unlisted(tree, settings, unlisted, server, version),
        *_prove_admins(tree, settings, server, connection or Connection(ADDRESSES[0], "127.0.0.1", server.port)),
        *(_prove_reach(tree, settings, server, connection) if connection and listening else ()),
    ]


def _prove_classes(
    tree: Tree,
    settings: t.Sequence[Setting],
    samples: t.Sequence[t.Tuple[PolicyClass, str]],
    server: Server,
    version: Version,
) -> t.Iterator[str]:
    named = sshd_match.addresses(sshd_match.foreign(settings))
    for cls, user in samples:
        for address, from_source in sample_addresses(cls.sources, named):
            who = f"user '{user}' (policy class {group_name(cls)}) from {address}"
            found = effective(tree.main, user, server.address, address, server.port)
            wrong = mismatches(expectations(cls, server, version, from_source), found)
            yield from _explained(who, wrong, settings)
            if not cls.closed:
                yield from _refused(who, found, user, settings)


def _prove_unlisted(
    tree: Tree, settings: t.Sequence[Setting], unlisted: str, server: Server, version: Version
) -> t.Iterator[str]:
    found = effective(tree.main, unlisted, server.address, ADDRESSES[0], server.port)
    yield from _explained("every user", mismatches(other_expectations(server, version), found), settings)
    if not any(value.endswith(f":{server.port}") for value in found.get("listenaddress", ())):
        place = sshd_config.shadowing(settings, "listenaddress", layout.SSHD_DROP_IN)
        named = f"{place.place} names other ports: add this one there" if place else "look at how sshd is started"
        yield f"access_server.port: sshd would not listen on {server.port}: {named}"
    if not server.only_listed:
        return
    if refused_by(found, unlisted, groups_of(unlisted)) is None:
        yield f"user '{unlisted}': is not listed, and sshd would let it in: take it out of group '{layout.LOGIN_GROUP}'"
    for setting in settings:
        if setting.keyword == "allowgroups" and setting.match is not None and setting.file != layout.SSHD_DROP_IN:
            yield f"{setting.place}: AllowGroups below 'Match {setting.match}' lets in who is not listed: remove it"


def _prove_admins(tree: Tree, settings: t.Sequence[Setting], server: Server, connection: Connection) -> t.Iterator[str]:
    """What the canary shows on loopback has to hold for the connection that admins come over as well."""
    others = [item for item in settings if item.match is None or item.file != layout.SSHD_DROP_IN]  # ours match nobody
    for admin in server.admins:
        found = effective(
            tree.main, admin, server.address, connection.address, connection.local_port, connection.local_address
        )
        yield from _refused(f"admin '{admin}'", found, admin, settings)
        shown = effective(tree.main, admin, server.address, "127.0.0.1", server.port)
        who = f"admin '{admin}' from {connection.address} to {connection.local_address}:{connection.local_port}"
        expected = {word: " ".join(shown[word]) for word in CONFINING if word in shown and shown[word] != found[word]}
        yield from _explained(who, mismatches(expected, found), others)
        if admin == "root" and found.get("permitrootlogin") == ["no"]:
            yield from _explained("admin 'root'", {"permitrootlogin": ("prohibit-password", "no")}, settings)


def _prove_reach(tree: Tree, settings: t.Sequence[Setting], server: Server, connection: Connection) -> t.Iterator[str]:
    """Where this run came in, sshd has to go on listening."""
    found = effective(tree.main, "root", server.address, connection.address, server.port)
    everywhere = "[::]" if ":" in connection.local_address else "0.0.0.0"  # noqa: S104 - compared with
    own = f"[{connection.local_address}]" if ":" in connection.local_address else connection.local_address
    places = [value.partition(" ")[0] for value in found.get("listenaddress", ())]
    if not {f"{address}:{connection.local_port}" for address in (everywhere, own)}.intersection(places):
        place = sshd_config.shadowing(settings, "listenaddress", layout.SSHD_DROP_IN) or sshd_config.shadowing(
            settings, "addressfamily", layout.SSHD_DROP_IN
        )
        because = f"{place.place} says so: add it there" if place else "look at how sshd is started"
        yield f"sshd: it would not listen on {own}:{connection.local_port}, where this run came in: {because}"


def _refused(
    who: str, found: t.Mapping[str, t.Sequence[str]], user: str, settings: t.Sequence[Setting]
) -> t.Iterator[str]:
    keyword = refused_by(found, user, groups_of(user))
    if keyword is not None:
        place = sshd_config.shadowing(settings, keyword, layout.SSHD_DROP_IN)
        because = f"{place.place} says so: let that line allow it" if place else f"it is not in '{layout.LOGIN_GROUP}'"
        yield f"{who}: {keyword} keeps it out: {because}"


def _explained(who: str, wrong: t.Mapping[str, t.Tuple[str, str]], settings: t.Sequence[Setting]) -> t.Iterator[str]:
    for keyword, (expected, found) in wrong.items():
        setting = sshd_config.shadowing(settings, keyword, layout.SSHD_DROP_IN, found)
        if setting is None:
            because = "no file says so; look at how sshd is started"
        elif setting.match is None:
            because = f"{setting.place} wins: remove that line"
        else:
            because = f"{setting.place} wins: remove that line, or have its 'Match {setting.match}' leave out this user"
        yield f"{who}: {keyword} is '{found}', not '{expected}': {because}"


class _Source:
    """The files of a tree below a root, with changes laid over them."""

    def __init__(self, root: str, changes: t.Mapping[str, t.Optional[str]]) -> None:
        self._root = root.rstrip("/")
        self._changes = changes

    def read(self, path: str) -> t.Optional[str]:
        return self._changes[path] if path in self._changes else _read(self._root + path)

    def glob(self, pattern: str) -> t.List[str]:
        present = {path[len(self._root) :] for path in glob.glob(glob.escape(self._root) + pattern)}
        changed = {path for path in self._changes if sshd_config.covers(pattern, path)}
        return sorted(path for path in present | changed if self._changes.get(path, "") is not None)


def _files(pattern: str) -> t.List[str]:
    return sorted(glob.glob(pattern))


def _read(path: str) -> t.Optional[str]:
    """As sshd reads it: a link is followed."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _sshd(arguments: t.Sequence[str]) -> Outcome:
    """sshd checks nothing without a directory of its own in /run, which its unit makes only when it starts."""
    outcome = run(["sshd", *arguments])
    missing = _NO_DIRECTORY.search(outcome.err)
    if missing and not os.path.lexists(missing[1]):
        os.mkdir(missing[1], 0o755)
        return run(["sshd", *arguments])
    return outcome
