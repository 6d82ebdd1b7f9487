# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts: who opens each, from where and until when, and what its kind allows it to have."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import re
import typing as t
from dataclasses import dataclass

from ..module_utils.model import Account, Folder, Forwarding, Key
from . import grants, names, networks, passwords, paths, times
from .people import Owners, People, of_owner
from .problems import Item, Problems, Wrong, known, shown

FIRST_UID, LAST_UID = 1000, 60000  # UID_MIN and UID_MAX of login.defs; beyond lie systemd's and containers' ranges

# What has no meaning for a kind, with its neutral value, and what to do instead.
_FOREIGN: dict[str, tuple[tuple[str, t.Any, str], ...]] = {
    "sftp": (
        ("sudo_tasks", [], "it has no shell: give the tasks to an account of kind shell"),
        ("shell", "/bin/bash", "it has no shell: choose kind shell or leave it out"),
        ("home", None, "it starts in its jail: use start_in or leave it out"),
        ("home_keys", False, "it has no home: list its keys"),
    ),
    "shell": (
        ("folders", [], "it sees the host's files: use groups, or an account of kind sftp"),
        ("start_in", "/", "it starts in its home: leave it out"),
    ),
    "tunnel": (
        ("sudo_tasks", [], "it has no shell: give the tasks to an account of kind shell"),
        ("shell", "/bin/bash", "it has no shell: choose kind shell or leave it out"),
        ("home", None, "it has no home: leave it out"),
        ("home_keys", False, "it has no home: list its keys"),
        ("folders", [], "it sees no files: use an account of kind sftp"),
        ("start_in", "/", "it starts nowhere: leave it out"),
    ),
}
_NO_SHELLS = re.compile(r".*/(nologin|false|true|sync|git-shell|sftp-server|internal-sftp)")


@dataclass(frozen=True)
class Around:
    """What of the model an account refers to, and where the places of a message are."""

    prefix: str
    host: str
    jails: str
    people: People
    owners: Owners
    folders: c.Mapping[str, str]  # paths by name
    sudo_tasks: frozenset[str]
    policy: c.Mapping[str, int]
    hashing: bool


def resolve(items: list[Item], around: Around, problems: Problems) -> tuple[Account, ...]:
    for option in ("name", "uid"):
        problems.unique(items, option)
    accounts = tuple(_account(item, around, problems) for item in items)
    homes = {
        account.name: (account.home or f"/home/{account.name}", item)
        for account, item in zip(accounts, items)
        if account.kind == "shell" and account.state != "absent" and account.name
    }
    # Who has a home around another one could put his own in its place.
    paths.separate([(path, item, "home") for path, item in homes.values()], problems)
    return accounts


def folder_paths(folders: c.Iterable[Folder]) -> dict[str, str]:
    return {folder.name: folder.path for folder in folders if folder.name}


def _account(item: Item, around: Around, problems: Problems) -> Account:
    for option, neutral, remedy in _FOREIGN[item["kind"]]:
        if item[option] != neutral:
            problems.add(f"{item.place}.{option}", f"has no meaning for kind {item['kind']}; {remedy}")
    name = problems.check(item, "name", names.account) or ""
    if name and item["sudo_tasks"]:
        problems.check(item, "name", names.sudo_user)
    sources = problems.check_each(item, "from", networks.network)
    shaped = "folders" not in item.misshapen
    granted = grants.resolve(item, around.folders, f"{around.prefix}folders", around.jails, problems)
    return Account(
        name=name,
        kind=item["kind"],
        state=item["state"],
        keys=_keys(item, name, sources, around, problems),
        home_keys=item["home_keys"],
        password_hash=_password(item, name, around, problems),
        second_factor=item["second_factor"],
        sources=sources,
        expires=problems.check(item, "expires", times.instant),
        grants=granted,
        start_in=problems.check(item, "start_in", grants.start_in, granted, item["kind"], shaped) or "",
        umask=problems.check(item, "umask", paths.umask) or "",
        existing=item["existing"],
        uid=problems.check(item, "uid", _uid),
        groups=problems.check_each(item, "groups", names.group),
        shell=problems.check(item, "shell", _shell) or "",
        home=problems.check(item, "home", _home, around.jails),
        forwarding=_forwarding(item["forwarding"], item["kind"], problems),
        sudo_tasks=problems.check_each(
            item, "sudo_tasks", known, around.sudo_tasks, "task", f"{around.prefix}sudo_tasks"
        ),
        note=item["note"],
    )


def _keys(item: Item, name: str, sources: tuple[str, ...], around: Around, problems: Problems) -> tuple[Key, ...]:
    """Every key that opens the account, once, accepted from where both the key and the account allow it."""
    people = around.people
    own = of_owner(name, item["keys"], problems)
    for entry, key in own:
        around.owners.lend(entry, key, problems)
    persons = problems.check_each(item, "people", _person, people, around.prefix)
    teams = problems.check_each(item, "teams", known, people.team_names, "team", f"{around.prefix}teams")
    members = [person for team in teams for person in people.teams.get(team, ())]
    keys = [key for _place, key in own]
    for person in dict.fromkeys([*persons, *members]):
        keys += people.keys.get(person, ())
    keys += people.everywhere
    if not sources:
        return tuple(keys)
    return tuple(_narrowed(key, sources, item, problems) for key in keys)


def _narrowed(key: Key, sources: tuple[str, ...], item: Item, problems: Problems) -> Key:
    both = networks.common(key.sources, sources)
    if both is None:
        problems.add(
            f"{item.place}.from",
            f"({', '.join(sources)}) has no address in common with key {shown(key.name)} of {shown(key.owner)} "
            f"({', '.join(key.sources)}), which could never open the account; widen one of them",
        )
        return key
    return dataclasses.replace(key, sources=both)


def _person(name: str, people: People, prefix: str) -> str:
    if name in people.team_names and name not in people.names:
        raise Wrong(f"{shown(name)} is a team; list it in teams")
    return known(name, people.names, "person", f"{prefix}people")


def _password(item: Item, name: str, around: Around, problems: Problems) -> str | None:
    if item.gives("password") and item.gives("password_hash"):
        problems.add(f"{item.place}.password", "is given together with password_hash; give one of them")
    if item["second_factor"] == "password" and not (item.gives("password") or item.gives("password_hash")):
        problems.add(f"{item.place}.second_factor", "is password, and there is none; give password_hash or password")
    given = problems.check(item, "password_hash", passwords.hashed)
    accepted = problems.check(item, "password", passwords.acceptable, name, around.policy)
    if not (accepted and name):
        return given
    return passwords.digest(accepted, around.host, name) if around.hashing else passwords.UNHASHED


def _forwarding(item: Item, kind: str, problems: Problems) -> Forwarding:
    local = _destinations(item, "local", 1, problems)
    remote = _destinations(item, "remote", 1024, problems)
    if kind == "sftp" and (item["agent"] or item["x11"] or item["local"] or item["remote"]):
        problems.add(item.place, "has no meaning for kind sftp; leave it out, or choose kind shell or tunnel")
    if kind == "tunnel":
        if not item.gives("local") and not item.gives("remote"):
            problems.add(f"{item.place}.local", "is empty, so the tunnel leads nowhere; list its destinations")
        for option in ("agent", "x11"):
            if item[option]:
                problems.add(f"{item.place}.{option}", "has no meaning for kind tunnel; leave it out")
    return Forwarding(agent=item["agent"], local=local, remote=remote, x11=item["x11"])


def _destinations(item: Item, option: str, lowest_port: int, problems: Problems) -> tuple[str, ...]:
    value = item[option]
    if value is False:
        return ()
    if not isinstance(value, list):
        problems.add(f"{item.place}.{option}", 'is no list; write false, or a list like ["127.0.0.1:3306"]')
        return ()
    return problems.check_each(item, option, _destination, lowest_port)


def _destination(value: t.Any, lowest_port: int) -> str:
    if not isinstance(value, str):
        raise Wrong('is not text; write HOST:PORT in quotes, like "127.0.0.1:3306"')
    return networks.destination(value, lowest_port)


def _uid(uid: int) -> int:
    if not FIRST_UID <= uid <= LAST_UID:
        raise Wrong(f"is {uid}, which is the system's; choose a number from {FIRST_UID} to {LAST_UID}, or leave it out")
    return uid


def _home(text: str, jails: str) -> str:
    return paths.of_user(paths.outside(text, jails))


def _shell(text: str) -> str:
    path = paths.of_user(paths.absolute(text))
    if _NO_SHELLS.fullmatch(path):
        raise Wrong(f"{shown(text)} lets nobody work; choose kind sftp or tunnel, or state: suspended")
    return path
