# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a configuration of sshd has to show before it is obeyed: its settings, real logins, and real ways in."""

from __future__ import annotations

import os
import typing as t

from .. import layout
from ..host import Connection, Host
from ..logins import scratch
from ..model import Account, Model
from ..nouns import keys, sshd_policy
from ..nouns.sshd_settings import PolicyClass
from ..openssh import sshd, sshd_answers, sshd_daemon, sshd_match, sshd_tree
from ..openssh.sshd_effective import ADDRESSES, Effective
from ..resources import User
from ..system import users
from . import canary, sshd_promises, ways_in

Changes = t.Mapping[str, t.Optional[str]]  # path: text, None: no file
Ways = t.Mapping[str, t.FrozenSet[str]]


def problems(changes: Changes, model: Model, host: Host) -> t.List[str]:
    """What speaks against the installed configuration with these changes. Settings come first, then logins."""
    with scratch.directory() as directory:
        tree = sshd_tree.build_candidate(directory + "/tree", changes) if changes else sshd_tree.INSTALLED
        wrong = settings_problems(tree, model, host)
        if wrong:
            return wrong
        samples = canary.Samples(
            {name: _effective(tree, name, model, host) for name in model.server.admins},
            canary.sample(_complete(model), host.now),
            unlisted(model, host) if model.server.only_listed else None,
        )
    return canary.problems(changes, samples, host.tools.openssh)


def settings_problems(tree: sshd_tree.Tree, model: Model, host: Host) -> t.List[str]:
    """Of one account of every policy class, and of all that a Match line of another file could single out."""
    members = sshd_policy.classes(model)
    lines = sshd_match.foreign(tree.settings())
    groups = sshd_match.groups_by_user(*users.read()) if lines else {}
    return sshd_promises.prove(
        tree,
        {cls: names[0] for cls, names in members.items()},
        unlisted(model, host),
        model.server,
        host.tools.openssh,
        also=sshd_match.representatives(lines, members, groups),
        connection=host.connection,
        listening=sshd_daemon.listens(host.tools.systemd),
    )


def unlisted(model: Model, host: Host) -> str:
    """A user of the host who is neither an account nor an admin."""
    listed = {account.name for account in model.accounts} | set(model.server.admins)
    return next(name for name in ("nobody", *sorted(host.state.users)) if name not in listed)


def means(model: Model, host: Host) -> Ways:
    """What every admin has now to get in by: under the installed configuration, or any plain one, or he is in."""
    now = ways({}, model, host, coming=False)
    present = {host.connection.user} if host.connection and _tells(model, host) else set()
    return {
        admin.user.name: now[admin.user.name]
        | ways_in.of(admin, ways_in.PLAIN, host.now)
        | (frozenset({"what this run came in by"}) if admin.user.name in present else frozenset())
        for admin in _admins(model, host, coming=False)
    }


def _tells(model: Model, host: Host) -> bool:
    """Whether nobody gets in by what cannot be looked at here: tickets, and the word of other hosts."""
    found = _effective(sshd_tree.INSTALLED, host.connection.user if host.connection else "", model, host)
    return all(found.get(word) != ["yes"] for word in ("gssapiauthentication", "hostbasedauthentication"))


def ways(changes: Changes, model: Model, host: Host, coming: bool) -> Ways:
    """The real ways in of every admin. ``coming``: with the key files that this run is about to write."""
    with scratch.directory() as directory:
        tree = sshd_tree.build_candidate(directory + "/tree", changes) if changes else sshd_tree.INSTALLED
        return {
            admin.user.name: ways_in.of(admin, _effective(tree, admin.user.name, model, host), host.now)
            for admin in _admins(model, host, coming)
        }


def places(model: Model, host: Host) -> t.List[sshd_answers.Place]:
    """Where the installed configuration has sshd listen."""
    return sshd_answers.places(_effective(sshd_tree.INSTALLED, "root", model, host))


def _effective(tree: sshd_tree.Tree, user: str, model: Model, host: Host) -> Effective:
    over = host.connection or Connection(ADDRESSES[0], "127.0.0.1", model.server.port)
    return sshd.effective(
        tree.main, user, model.server.address, over.address, over.local_port, over.local_address
    )  # fmt: skip


def _complete(model: Model) -> t.Dict[PolicyClass, t.List[Account]]:
    """The accounts of every policy class, without those whose jail another module is still to make."""
    by_name = {account.name: account for account in model.accounts}
    return {
        cls: [
            by_name[name]
            for name in names
            if cls.kind != "sftp" or os.path.isdir(layout.jail(model.server.jails, name))
        ]
        for cls, names in sshd_policy.classes(model).items()
    }


def _admins(model: Model, host: Host, coming: bool) -> t.Iterator[ways_in.Admin]:
    own = users.read()[0]
    accounts = {account.name: account for account in model.accounts if account.is_open}
    for name in model.server.admins:
        user: t.Optional[User] = own.get(name) or users.known_elsewhere([name]).get(name)
        if user is None:
            continue
        account = accounts.get(name)
        file = keys.file_of(account, host.tools.openssh) if account else None
        password = own[name].password if name in own else None
        yield ways_in.Admin(
            user,
            account.password_hash if account and account.password_hash else password,
            {file.path: file.content} if file and coming else {},
        )


def key_files(accounts: t.Collection[str]) -> t.Dict[User, str]:
    """The key files of these accounts, by their users."""
    own = users.read()[0]
    return {own[name]: layout.keys_file(name) for name in accounts if name in own}
