# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's user database: reading it whole, and changing it in batches with the host's own tools.

Measured on Debian 13: systemd-sysusers adds 1,000 users in 0.3 s, useradd in 15 s and more.
"""

from __future__ import annotations

import contextlib
import pwd
import re
import typing as t

from ..errors import Overtaken
from ..resources import Group, User
from . import files, processes

SYSUSERS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,30}\Z")  # what systemd takes; useradd takes the rest
IN_USE = (4, 9)  # what useradd and groupadd end with where the id or the name is somebody else's
NO_LIMIT = ("", "-1", "99999")


def read() -> t.Tuple[t.Dict[str, User], t.Dict[str, Group]]:
    """All users and groups of the host's own files, by name."""
    return parse(*(files.read(f"/etc/{name}") or "" for name in ("passwd", "shadow", "group")))


def known_elsewhere(names: t.Iterable[str]) -> t.Dict[str, User]:
    """Those of the names that the host knows from another source than its own files, such as LDAP."""
    found = {}
    for name in names:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            found[name] = User(name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell, entry.pw_gecos)
    return found


def have_sysusers() -> bool:
    return processes.find("systemd-sysusers") is not None


def parse(passwd: str, shadow: str, group: str) -> t.Tuple[t.Dict[str, User], t.Dict[str, Group]]:
    """All users and groups of the three files, by name."""
    secrets = {fields[0]: fields for fields in _rows(shadow, 9)}
    users = {row[0]: _user(row, secrets.get(row[0])) for row in _rows(passwd, 7)}
    groups = {
        row[0]: Group(row[0], int(row[2]), frozenset(name for name in row[3].split(",") if name))
        for row in _rows(group, 4)
    }
    return users, groups


def _rows(text: str, width: int) -> t.Iterator[t.List[str]]:
    """Lines of the right form; the rest (compat lines such as ``+::::``) is none of ours."""
    rows = (line.split(":") for line in text.split("\n"))  # as the C library: a comment may hold other ends
    return (row for row in rows if len(row) == width and row[0] and row[0][0] not in "+-#")


def _user(row: t.List[str], secret: t.Optional[t.List[str]]) -> User:
    name, _placeholder, uid, gid, comment, home, shell = row
    if secret is None:
        return User(name, int(uid), int(gid), home, shell, comment)
    return User(
        name,
        int(uid),
        int(gid),
        home,
        shell,
        comment,
        password=secret[1],
        expires=int(secret[7]) if secret[7] not in ("", "-1") else None,
        ageing=secret[2] == "0" or secret[4] not in NO_LIMIT or secret[6] not in ("", "-1"),
    )


def create(groups: t.Sequence[Group], users: t.Sequence[User], sysusers: bool) -> None:
    """Create groups and users with exactly these ids, in as few calls as the host's tools allow."""
    names = [group.name for group in groups] + [user.name for user in users]
    batched = sysusers and all(map(SYSUSERS_NAME.match, names))
    single = half_removed(groups) if batched else groups
    for group in single:
        _add(["groupadd", "--gid", str(group.gid), group.name])
    if batched:
        lines = [f"g {group.name} {group.gid}" for group in groups if group not in single]
        lines += [f'u {user.name} {user.uid}:{user.gid} "{user.comment}" {user.home} {user.shell}' for user in users]
        _sysusers(lines)
    else:
        for user in users:
            _add(_useradd(user))


def _add(argv: t.Sequence[str]) -> None:
    try:
        processes.must(argv)
    except processes.Failed as failed:
        if failed.outcome.code not in IN_USE:
            raise
        taken = f"{failed}; start again if somebody has just taken it, or choose another one"
        raise Overtaken([taken]) from failed


def half_removed(groups: t.Sequence[Group]) -> t.Sequence[Group]:
    """Those that a killed tool of the host left in gshadow alone: systemd-sysusers refuses them, groupadd does not."""
    if not groups:
        return ()
    left = {row[0] for row in _rows(files.read("/etc/gshadow") or "", 4)} - read()[1].keys()
    return [group for group in groups if group.name in left]


def settle_new(users: t.Sequence[User]) -> None:
    """What the tools that create users leave to be said: no password, and the day of expiry."""
    set_passwords({user.name: user.password for user in users})
    for user in users:
        if user.expires is not None:
            processes.must(["chage", "--expiredate", str(user.expires), user.name])


def change(before: User, after: User) -> None:
    """Bring an existing user from ``before`` to ``after``; identity and password are not touched here."""
    options: t.List[str] = []
    for option, old, new in (
        ("--home", before.home, after.home),
        ("--shell", before.shell, after.shell),
        ("--comment", before.comment, after.comment),
    ):
        if old != new:
            options += [option, new]
    if options:
        processes.must(["usermod", *options, after.name])
    if before.expires != after.expires:
        day = "-1" if after.expires is None else str(after.expires)
        processes.must(["chage", "--expiredate", day, after.name])
    if before.ageing and not after.ageing:
        processes.must(["chage", "--maxdays", "-1", "--inactive", "-1", after.name])
        processes.must(["chage", "--lastday", "-1", after.name])


def set_passwords(passwords: t.Mapping[str, str]) -> None:
    """Put password fields into the shadow file, by standard input."""
    if passwords:
        lines = "".join(f"{name}:{field}\n" for name, field in passwords.items())
        processes.must(["chpasswd", "--encrypted"], stdin=lines)


def add_members(members: t.Mapping[str, t.Collection[str]], sysusers: bool) -> None:
    """Add users to groups: all of them at once where the host can."""
    local = read()[0]
    batch = []
    for user, group in ((user, group) for group, names in members.items() for user in sorted(names)):
        if sysusers and user in local and SYSUSERS_NAME.match(user) and SYSUSERS_NAME.match(group):
            batch.append(f"m {user} {group}")
        else:
            processes.must(["gpasswd", "--add", user, group])
    _sysusers(batch)


def remove_members(members: t.Mapping[str, t.Collection[str]]) -> None:
    """Take users out of groups; those who are not in them stay out."""
    present = read()[1]
    for group, names in members.items():
        for user in sorted(present[group].members.intersection(names) if group in present else ()):
            processes.must(["gpasswd", "--delete", user, group])


def remove_user(name: str) -> None:
    """Remove a user and nothing of what it owns; ``userdel`` takes an empty group of the same name along."""
    processes.must(["userdel", name])


def remove_group(name: str) -> None:
    processes.must(["groupdel", name])


def _sysusers(lines: t.Sequence[str]) -> None:
    """``%`` starts a specifier in this format; no name, home or comment of ours has one."""
    if lines:
        processes.must(["systemd-sysusers", "-"], stdin="".join(line + "\n" for line in lines))


def _useradd(user: User) -> t.List[str]:
    return [
        *("useradd", "--no-create-home", "--no-user-group", "--no-log-init", "--badname"),
        *("--inactive", "-1", "--key", "PASS_MAX_DAYS=-1"),
        *("--uid", str(user.uid), "--gid", str(user.gid), "--comment", user.comment),
        *("--home-dir", user.home, "--shell", user.shell, user.name),
    ]
