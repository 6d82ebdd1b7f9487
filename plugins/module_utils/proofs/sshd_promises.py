# SPDX-License-Identifier: GPL-3.0-or-later
"""What is promised of a configuration, asked of sshd itself (``sshd -T -C``), and which file breaks it."""

from __future__ import annotations

import typing as t

from .. import layout
from ..host import Connection
from ..model import Server
from ..nouns.sshd_policy import expectations, group_name, other_expectations
from ..nouns.sshd_settings import PolicyClass, Version
from ..openssh import sshd, sshd_config, sshd_match
from ..openssh.sshd_config import Setting
from ..openssh.sshd_effective import ADDRESSES, mismatches, refused_by, sample_addresses
from ..openssh.sshd_tree import Tree

# Settings by which a login differs from the same one over loopback
CONFINING = ("forcecommand", "chrootdirectory", "authenticationmethods", "pubkeyauthentication", "permitrootlogin")
WHOLE_LIMIT = 250 * 1024  # of all files together; sshd refuses every connection over 256 KiB


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
    checked = sshd.test(tree.main)
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
            found = sshd.effective(tree.main, user, server.address, address, server.port)
            wrong = mismatches(expectations(cls, server, version, from_source), found)
            yield from _explained(who, wrong, settings)
            if not cls.closed:
                yield from _refused(who, found, user, settings)


def _prove_unlisted(
    tree: Tree, settings: t.Sequence[Setting], unlisted: str, server: Server, version: Version
) -> t.Iterator[str]:
    found = sshd.effective(tree.main, unlisted, server.address, ADDRESSES[0], server.port)
    yield from _explained("every user", mismatches(other_expectations(server, version), found), settings)
    if not any(value.endswith(f":{server.port}") for value in found.get("listenaddress", ())):
        place = sshd_config.shadowing(settings, "listenaddress", layout.SSHD_DROP_IN)
        named = f"{place.place} names other ports: add this one there" if place else "look at how sshd is started"
        yield f"access_server.port: sshd would not listen on {server.port}: {named}"
    if not server.only_listed:
        return
    if refused_by(found, unlisted, sshd.groups_of(unlisted)) is None:
        yield f"user '{unlisted}': is not listed, and sshd would let it in: take it out of group '{layout.LOGIN_GROUP}'"
    for setting in settings:
        if setting.keyword == "allowgroups" and setting.match is not None and setting.file != layout.SSHD_DROP_IN:
            yield f"{setting.place}: AllowGroups below 'Match {setting.match}' lets in who is not listed: remove it"


def _prove_admins(tree: Tree, settings: t.Sequence[Setting], server: Server, connection: Connection) -> t.Iterator[str]:
    """What the canary shows on loopback has to hold for the connection that admins come over as well."""
    others = [item for item in settings if item.match is None or item.file != layout.SSHD_DROP_IN]  # ours match nobody
    for admin in server.admins:
        found = sshd.effective(
            tree.main, admin, server.address, connection.address, connection.local_port, connection.local_address
        )
        yield from _refused(f"admin '{admin}'", found, admin, settings)
        shown = sshd.effective(tree.main, admin, server.address, "127.0.0.1", server.port)
        who = f"admin '{admin}' from {connection.address} to {connection.local_address}:{connection.local_port}"
        expected = {word: " ".join(shown[word]) for word in CONFINING if word in shown and shown[word] != found[word]}
        yield from _explained(who, mismatches(expected, found), others)
        if admin == "root" and found.get("permitrootlogin") == ["no"]:
            yield from _explained("admin 'root'", {"permitrootlogin": ("prohibit-password", "no")}, settings)


def _prove_reach(tree: Tree, settings: t.Sequence[Setting], server: Server, connection: Connection) -> t.Iterator[str]:
    """Where this run came in, sshd has to go on listening."""
    found = sshd.effective(tree.main, "root", server.address, connection.address, server.port)
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
    keyword = refused_by(found, user, sshd.groups_of(user))
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
