# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts as users of the host: identity, groups, password, expiry, home and key file."""

from __future__ import annotations

import dataclasses
import itertools
import stat
import typing as t

from .. import layout
from ..chains import chain
from ..host import Host
from ..model import Account, Model
from ..records import Made
from ..resources import Directory, File, Group, State, User, of
from ..system import expirer
from . import expiry, homes, keys

NO_SHELL = "/usr/sbin/nologin"
FIRST_ID = 6400  # of the ids given out: uid and gid of an account are the same number wherever that is free
DEFAULT_UMASK = Account.umask  # whoever chose none can do without a note
SUSPENDED = expirer.FIRST_DAY


def identify(model: Model, host: Host) -> State:
    """All users and groups of the host, overlaid with those that the model adds, every id given out.

    An id is given out once: those in use and those of removed accounts are passed over.
    """
    users, groups = dict(host.state.users), dict(host.state.groups)
    used = _used_ids(host)
    free = _ids_besides(used | {account.uid for account in model.accounts if account.uid is not None})
    for account in _living(model):
        user = users.get(account.name)
        if user is None:
            group = groups.get(account.name)
            uid = account.uid if account.uid is not None else next(free)
            gid = group.gid if group else uid if uid not in used else next(free)
            user = User(account.name, uid, gid, "", "")
            groups.setdefault(account.name, Group(account.name, gid))
        users[account.name] = _user(account, user, host)
    for name in _named_groups(model):
        if name not in groups:
            groups[name] = Group(name, next(free))
    return State(users=users, groups=groups)


def allocate(groups: t.Mapping[str, Group], host: Host, known: State) -> t.Dict[str, Group]:
    """Groups whose gid a noun left open (-1), with the gid that the host has or a new one."""
    taken = {group.gid for group in known.groups.values()} | {user.uid for user in known.users.values()}
    free = _ids_besides(_used_ids(host) | taken)
    done = {}
    for name, group in groups.items():
        present = known.groups.get(name)
        gid = group.gid if group.gid >= 0 else present.gid if present else next(free)
        done[name] = Group(name, gid, group.members)
    return done


def desired(model: Model, host: Host, known: State) -> State:
    items: t.List[t.Union[User, Group, Directory, File]] = []
    members: t.Dict[str, t.Set[str]] = {}
    for account in _living(model):
        user = known.users[account.name]
        items.append(user)
        if _has_own_group(account, user, known):
            items.append(Group(account.name, user.gid))
        for name in account.groups:
            members.setdefault(name, set()).add(account.name)
        if account.kind == "shell":
            items.extend(homes.desired(account, host, known))
        key_file = keys.file_of(account, host.tools.openssh)
        if key_file:
            items.append(key_file)
    if any(isinstance(item, File) for item in items):
        items.append(Directory(layout.KEYS, 0o755))
    items.extend(Group(name, known.groups[name].gid, frozenset(names)) for name, names in members.items())
    items.extend(_given_back(model, host))
    return of(*items).merged(expiry.desired(model, host, known))


def problems(model: Model, host: Host, known: State) -> t.List[str]:
    found: t.List[str] = []
    for account in _living(model):
        place = f"access_accounts: {account.name}"
        user = host.state.users.get(account.name)
        if user is not None:
            found.extend(f"{place}: {text}" for text in _user_problems(account, user, host))
        else:
            found.extend(f"{place}: {text}" for text in _group_problems(account.name, host))
            if account.uid is not None:
                found.extend(f"{place}: {text}" for text in _uid_problems(account.uid, host))
        if account.kind == "shell":
            found.extend(f"{place}: {text}" for text in _shell_problems(account, host))
        found.extend(f"{place}: {text}" for text in homes.problems(account, host, known))
    return found


def notes(model: Model, host: Host) -> t.List[str]:
    """What this host cannot do as it is; everything else holds without it."""
    return homes.notes(model, host) + _umask_notes(model, host) + expiry.notes(model, host)


def _umask_notes(model: Model, host: Host) -> t.List[str]:
    if host.tools.pam_umask:
        return []
    return [
        f"access_accounts: {account.name}: its umask {account.umask} does not hold in shell sessions, "
        "because sshd opens them without pam_umask; add `session optional pam_umask.so` to /etc/pam.d/common-session"
        for account in _living(model)
        if account.kind == "shell" and account.umask != DEFAULT_UMASK
    ]


def paths_needed(model: Model) -> t.List[str]:
    """The paths that the rules of this file look at."""
    living = list(_living(model))
    shells = [account.shell for account in living if account.kind == "shell"]
    return shells + [homes.home_of(account) for account in living if account.kind != "tunnel"]


def closed_from(account: Account, now: int) -> t.Optional[int]:
    """The day from which the user database refuses the account, in days since the epoch.

    Days are all it knows. The first one is rounded up while the time of day is still to come: keys have their own
    ``expiry-time``, and what else opens the account is closed at that moment by a timer (see expiry.py).
    """
    if not account.is_open:
        return SUSPENDED
    if account.expires is None:
        return None
    day = expirer.closing_day(account.expires)
    return day + 1 if account.expires % expirer.DAY and account.expires > now else day


def closed(model: Model, host: Host) -> t.FrozenSet[str]:
    """Accounts that nobody may be logged in to."""
    return frozenset(
        account.name
        for account in _living(model)
        if not account.is_open or (account.expires is not None and account.expires <= host.now)
    )


def _living(model: Model) -> t.Iterator[Account]:
    return (account for account in model.accounts if account.state != "absent")


def _user(account: Account, user: User, host: Host) -> User:
    """The user that the account is to be, with the identity that it has."""
    return User(
        name=user.name,
        uid=user.uid,
        gid=user.gid,
        home=homes.home_of(account),
        shell=account.shell if account.kind == "shell" else NO_SHELL,
        # pam_umask reads the session's umask there
        comment=f"umask={account.umask}" if account.kind == "shell" else user.comment,
        password=account.password_hash or _own_password(user, host),
        expires=closed_from(account, host.now),
    )


def _own_password(user: User, host: Host) -> str:
    """None, but a user who was taken over keeps what it had: sshd does not take it, and it can be given back."""
    made = host.record.made.get("accounts", Made()).users
    return "*" if user.name in made or user.name not in host.state.users else user.password


def _given_back(model: Model, host: Host) -> t.Iterator[User]:
    """Users that were taken over and are no account any more: as they were, with the password that they have now."""
    for account in model.accounts:
        before, user = host.record.managed.get(account.name), host.state.users.get(account.name)
        if account.state == "absent" and before is not None and user is not None:
            yield dataclasses.replace(before, password=user.password)


def _has_own_group(account: Account, user: User, known: State) -> bool:
    group = known.groups.get(account.name)
    return group is not None and group.gid == user.gid


def _named_groups(model: Model) -> t.Iterator[str]:
    """Groups that the model names, in its order: they are created if missing."""
    living = list(_living(model))
    return itertools.chain(
        (folder.group for folder in model.folders),
        (name for account in living for name in account.groups),
        (grant.group for account in living for grant in account.grants if grant.group),
    )


def _used_ids(host: Host) -> t.Set[int]:
    return (
        {user.uid for user in host.state.users.values()}
        | {group.gid for group in host.state.groups.values()}
        | set(host.record.tombstones)
    )


def _ids_besides(used: t.Set[int]) -> t.Iterator[int]:
    return (number for number in itertools.count(FIRST_ID) if number not in used)


def _user_problems(account: Account, user: User, host: Host) -> t.Iterator[str]:
    ours = account.name in host.record.made.get("accounts", Made()).users
    if user.uid < 1000:
        yield f"the host has a system user of that name (uid {user.uid}); choose another name"
    elif not ours and account.name not in host.record.managed and account.existing == "refuse":
        yield (
            f"the host has a user of that name (uid {user.uid}) that was not created here; "
            "choose another name, or say `existing: manage` to take it over"
        )
    if account.uid is not None and account.uid != user.uid:
        yield f"has uid {user.uid} on the host, not {account.uid}; leave `uid` out or give the present one"


def _group_problems(name: str, host: Host) -> t.Iterator[str]:
    group = host.state.groups.get(name)
    if group is not None and (group.gid < 1000 or group.gid > 65533):
        yield f"the host has a system group of that name (gid {group.gid}), which would be its own; choose another name"


def _uid_problems(uid: int, host: Host) -> t.Iterator[str]:
    owner = next((user.name for user in host.state.users.values() if user.uid == uid), None)
    if owner:
        yield f"uid {uid} belongs to {owner}; give another one or leave `uid` out"
    elif uid in host.record.tombstones:
        yield f"uid {uid} was that of a removed account, whose files would change hands; give another one"


def _shell_problems(account: Account, host: Host) -> t.Iterator[str]:
    shell = host.paths.get(chain(account.shell, host.paths.get)[-1])
    if shell is None or not stat.S_ISREG(shell.mode) or not shell.mode & 0o111:
        yield f"shell {account.shell} is no program of the host; install it or give another one"
