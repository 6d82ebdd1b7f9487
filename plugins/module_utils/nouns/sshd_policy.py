# SPDX-License-Identifier: GPL-3.0-or-later
"""The sshd policy: which class each account is in, the groups that select the classes, and our drop-in.

One Match block per class, never per account: sshd reads its whole configuration at every connection and refuses all
of them when it exceeds 256 KiB.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import typing as t

from .. import layout
from ..host import Host
from ..model import Account, Folder, Forwarding, Grant, Model, Server, to_data
from ..openssh.sshd_config import ACCUMULATE
from ..resources import File, Group, State, of
from .sshd_settings import FIRST, OLDEST, UNPROVEN, PolicyClass, Version, elsewhere, of_class, of_host, of_others

UNALLOCATED = -1  # a gid that the system is to choose
LARGEST = 200 * 1024
STRICTEST_FIRST = ("closed", "sftp", "tunnel", "shell")  # sshd takes the first block that matches


def class_of(account: Account, model: Model) -> PolicyClass:
    """The class of an account that is not absent."""
    return _class(account, _folders(model))


def group_name(cls: PolicyClass) -> str:
    """The group that selects the class. The same settings have the same name on every host and in every run."""
    text = json.dumps(to_data(cls), sort_keys=True)
    return f"{layout.CLASS_GROUP}{cls.kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def classes(model: Model) -> t.Dict[PolicyClass, t.List[str]]:
    """The names of the accounts of every class, in the order of the drop-in's blocks."""
    folders = _folders(model)
    members: t.Dict[PolicyClass, t.List[str]] = {}
    for account in model.accounts:
        if account.state != "absent":
            members.setdefault(_class(account, folders), []).append(account.name)
    return {cls: sorted(members[cls]) for cls in sorted(members, key=_rank)}


def groups(model: Model, known: State) -> State:
    """The group of those who may log in, if only listed ones may, and one group for every class."""
    wanted = {group_name(cls): frozenset(names) for cls, names in classes(model).items()}
    if model.server.only_listed:
        may = [account.name for account in model.accounts if account.is_open]
        wanted[layout.LOGIN_GROUP] = frozenset([*may, *model.server.admins])
    return of(*(Group(name, _gid(name, known), members) for name, members in wanted.items()))


def desired(model: Model, host: Host, known: State) -> State:
    return groups(model, known).merged(of(File(layout.SSHD_DROP_IN, render(model, host))))


def render(model: Model, host: Host) -> str:
    """The drop-in: what holds for everybody, then the classes, the stricter ones first."""
    version, server = host.tools.openssh, model.server
    lines = ["# " + line for line in layout.HEADER.splitlines()]
    lines += [f"{keyword} {value}" for keyword, value in of_host(server, version, host.tools.sshd_ports)]
    for cls in classes(model):
        restricted = elsewhere(cls)
        if restricted:
            address, settings = restricted
            lines += ["", f"Match Group {group_name(cls)} Address {address}", *_indented(settings)]
        lines += ["", f"Match Group {group_name(cls)}", *_indented(of_class(cls, server, version))]
    lines += ["", *_coming(server, version)]
    others = of_others(server)
    if others:
        users, settings = others
        lines += ["", f"Match User {users}", *_indented(settings)]
    return "\n".join(lines) + "\n"


def _coming(server: Server, version: Version) -> t.List[str]:
    """The last block for classes: of those that come with the next reload. Their groups are changed before it.

    Until then nothing else would confine these accounts. What other blocks have said, this one does not change.
    """
    users = ",".join(["*", *("!" + admin for admin in server.admins)])
    settings = of_class(PolicyClass("closed"), server, version)
    closed = [(keyword, value) for keyword, value in settings if keyword.lower() not in ACCUMULATE]
    return [f"Match Group {layout.CLASS_GROUP}* User {users}", *_indented(closed)]


def expectations(cls: PolicyClass, server: Server, version: Version, from_source: bool = True) -> t.Dict[str, str]:
    """What ``sshd -T -C`` must show for a member of the class, coming from one of its sources or from elsewhere."""
    settings = dict(of_class(cls, server, version))
    restricted = elsewhere(cls)
    if restricted and not from_source:
        settings.update(restricted[1])
    # No key but the listed ones: a command or a certificate authority would be another way in.
    settings.update(AuthorizedKeysCommand="none", TrustedUserCAKeys="none")
    return {keyword.lower(): value for keyword, value in settings.items()}


def other_expectations(server: Server, version: Version) -> t.Dict[str, str]:
    """What ``sshd -T -C`` must show for somebody who is neither an account nor an admin."""
    _users, others = of_others(server) or ("", ())
    settings = {keyword.lower(): value for keyword, value in (*of_host(server, version, (server.port,)), *others)}
    return {keyword: value for keyword, value in settings.items() if keyword not in UNPROVEN}


def paths_needed(model: Model) -> t.List[str]:
    """None: what sshd is told depends on no path of the host (the jails are another noun)."""
    return []


def problems(model: Model, host: Host, known: State) -> t.List[str]:
    version, server = host.tools.openssh, model.server
    if version < OLDEST:
        has = "no sshd was found" if version == (0, 0) else "this is OpenSSH {}.{}".format(*version)
        return [f"sshd: {has}: install OpenSSH {OLDEST[0]}.{OLDEST[1]} or newer"]
    found = []
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+/?", server.jails):
        found.append(f"access_server.jails: sshd would misread '{server.jails}': use letters, digits and ._-/")
    found += _admin_problems(model, known)
    found += _rules_on_our_group(model, host)
    found += _foreign_members(model, known)
    size = len(render(model, host).encode())
    if size > LARGEST:
        found.append(
            f"{layout.SSHD_DROP_IN}: {len(classes(model))} policy classes make it {size // 1024} KiB, and over 256 KiB "
            f"sshd refuses everybody: let more accounts share from, forwarding, umask and the like"
        )
    return found


def notes(model: Model, host: Host) -> t.List[str]:
    """What somebody chose and the sshd of this host is too old to do; the defaults are had where they can be."""
    chosen = [
        ("idle_timeout", model.server.idle_timeout, Server.idle_timeout, FIRST["ChannelTimeout"]),
        ("ban", model.server.ban, Server.ban, FIRST["PerSourcePenalties"]),
    ]
    return [
        "access_server.{0}: OpenSSH {1}.{2} cannot do it, {3}.{4} can: upgrade it, or say {0}: null".format(
            option, *host.tools.openssh, *first
        )
        for option, value, default, first in chosen
        if value not in (None, default) and host.tools.openssh < first
    ]


def _admin_problems(model: Model, known: State) -> t.Iterator[str]:
    admins = model.server.admins
    if model.server.only_listed and not admins:
        yield "access_server.admins: with only_listed nobody could administer this host: name at least one login"
    for name in admins:
        if model.server.only_listed and name not in known.users:
            yield f"access_server.admins: '{name}' is no user of this host: create or remove it"
    for account in model.accounts:
        if account.name in admins and account.state != "absent" and not (account.kind == "shell" and account.is_open):
            yield (
                f"access_accounts: '{account.name}' is one of access_server.admins and would be locked out "
                f"(kind {account.kind}, state {account.state}): use another name for the account"
            )


def _rules_on_our_group(model: Model, host: Host) -> t.Iterator[str]:
    if model.server.only_listed:
        for place in host.group_rules:
            yield (
                f"{place}: has a rule on group '{layout.LOGIN_GROUP}', which admins and accounts join, "
                "and which would hold for them before anything is proven: name a group of your own there"
            )


def _foreign_members(model: Model, known: State) -> t.Iterator[str]:
    """Users whose primary group selects a policy: no list of members shows them, and none takes them out."""
    selecting = {item.gid: item for item in groups(model, known).groups.values() if item.gid != UNALLOCATED}
    for user in known.users.values():
        group = selecting.get(user.gid)
        if group is not None:
            yield (
                f"user '{user.name}': its primary group is '{group.name}', which decides what may log in: "
                f"give it another primary group"
            )


def _gid(name: str, known: State) -> int:
    return known.groups[name].gid if name in known.groups else UNALLOCATED


def _folders(model: Model) -> t.Dict[str, Folder]:
    return {folder.name: folder for folder in model.folders}


def _class(account: Account, folders: t.Mapping[str, Folder]) -> PolicyClass:
    # What has no effect for a kind must not split its accounts into several classes.
    if account.state == "suspended":
        return PolicyClass("closed")
    password = account.password_hash is not None
    home_keys = account.home_keys and account.kind == "shell"
    common = PolicyClass(
        account.kind,
        password=password,
        second_factor=account.second_factor,
        sources=tuple(sorted(set(account.sources))) if password or home_keys else (),
        forwarding=_forwarding(account),
        home_keys=home_keys,
    )
    if account.kind != "sftp":
        return common
    grants = [grant for grant in account.grants if not grant.hidden]
    read_only = all(grant.rights == "read_only" for grant in grants)
    return dataclasses.replace(
        common,
        umask=account.umask,
        read_only=read_only,
        group_sharing=not read_only and any(_sharing(grant, folders) == "group" for grant in grants),
    )


def _forwarding(account: Account) -> Forwarding:
    if account.kind == "sftp":
        return Forwarding()
    listed = account.forwarding
    return Forwarding(
        agent=listed.agent and account.kind == "shell",
        local=tuple(sorted(set(listed.local))),
        remote=tuple(sorted(set(listed.remote))),
        x11=listed.x11 and account.kind == "shell",
    )


def _sharing(grant: Grant, folders: t.Mapping[str, Folder]) -> str:
    if grant.private:
        return "mapped"
    return folders[grant.folder].sharing if grant.folder is not None else grant.sharing


def _rank(cls: PolicyClass) -> t.Tuple[int, str]:
    return STRICTEST_FIRST.index(cls.kind), group_name(cls)


def _indented(settings: t.Iterable[t.Tuple[str, str]]) -> t.List[str]:
    return [f"    {keyword} {value}" for keyword, value in settings]
