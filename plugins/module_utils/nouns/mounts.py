# SPDX-License-Identifier: GPL-3.0-or-later
"""The mount table, and the unit that mounts it at boot.

The table is in fstab format, so that an administrator can read it; what mounts it is our own program (see mounter.py).
"""

from __future__ import annotations

import dataclasses
import inspect
import typing as t

from .. import layout
from ..host import Host, components
from ..model import Account, Grant, Model
from ..paths import kind_fault
from ..resources import Directory, File, Link, Mount, State, of
from ..system import mounter
from .folders import lost, subfolders
from .shares import Share, applied, hidden_in, jailed, mapping, shares

# the system's Python, kept from everything that the environment or a group may have put in its way
PROGRAM = (layout.PYTHON, "-I", "-S", layout.MOUNT_PROGRAM)
UNIT = layout.UNITS + "/" + layout.MOUNT_UNIT
ENABLED = f"{layout.UNITS}/multi-user.target.wants/{layout.MOUNT_UNIT}"
LAST_ID = 2**32 - 2  # the last one that is not "no id"
CONFINED = ("nosuid", "nodev", "noexec")
# without these bindfs shows for a second what the application has changed meanwhile, and passes on capabilities
BINDFS = ("allow_other", "attr_timeout=0", "entry_timeout=0", "xattr-none")


def desired(model: Model, host: Host, known: State) -> State:
    """The mounts with the table, the program and the unit that they need; nothing at all without mounts."""
    closed = {(account.name, grant.at) for account, grant, _at, _fault in _closed(model, host)}
    mounts = [
        _mount(account, grant, share, model, host, known)
        for account, grant, share in shares(model, host, known)
        if (account.name, grant.at) not in closed
    ]
    wanted = [mount for mount in mounts if mount]
    if not wanted:
        return State()
    wanted.extend(_hidden(model, {mount.target: mount for mount in wanted if mount.type == "none"}))
    unit = [File(UNIT, _unit(wanted)), Link(ENABLED, UNIT)] if host.tools.systemd else []
    return of(
        *wanted,
        *unit,
        Directory(layout.EMPTY, 0o000),
        Directory(layout.MOUNT_TABLE.rpartition("/")[0], 0o755),
        File(layout.MOUNT_TABLE, render(wanted)),
        Directory(layout.MOUNT_PROGRAM.rpartition("/")[0], 0o755),
        File(layout.MOUNT_PROGRAM, f"# {layout.HEADER}{inspect.getsource(mounter)}"),
    )


def paths_needed(model: Model) -> t.List[str]:
    """What lies behind the hidden parts."""
    folders = {folder.name: folder.path for folder in model.folders}
    return [
        _behind(grant, hidden, folders.get(grant.folder or "", grant.source or ""))[-1]
        for account, _jail in jailed(model)
        for grant in account.grants
        for hidden in hidden_in(account, grant)
        if not grant.private
    ]


def problems(model: Model, host: Host, known: State) -> t.List[str]:
    """Hidden parts that could not be hidden: a mount needs a directory to lie over."""
    before = set(paths_needed(applied(model, host)))
    return [
        f"access_accounts: {account.name}: {hidden.at}: {fault}"
        for account, _grant, hidden, path, fault in _hidden_faults(model, host)
        if path not in before
    ]


def notes(model: Model, host: Host) -> t.List[str]:
    """Grants that a run goes on without (see ``folders.lost``)."""
    return [
        f"access_accounts: {account.name}: {at}: {fault}. An earlier run had it in order: see who changed it; "
        f"until it is put right, the account does not see {grant.at}"
        for account, grant, at, fault in _closed(model, host)
    ]


def _closed(model: Model, host: Host) -> t.Iterator[t.Tuple[Account, Grant, str, str]]:
    """Grants of what is not in order any more, or whose hidden parts would show: where, and what is wrong."""
    gone = lost(model, host)
    before = set(paths_needed(applied(model, host)))
    for account, grant, share in shares(model, host, host.state):
        if share.path in gone:
            yield account, grant, grant.at, gone[share.path]
    for account, grant, hidden, path, fault in _hidden_faults(model, host):
        if path in before:
            yield account, grant, hidden.at, fault


def _hidden_faults(model: Model, host: Host) -> t.Iterator[t.Tuple[Account, Grant, Grant, str, str]]:
    """Each with the grant, its hidden part, and the path of that part."""
    gone = lost(model, host)
    planned = {path for folder in model.folders for path in (folder.path, *subfolders(folder))}
    for account, grant, share in shares(model, host, host.state):
        for hidden in hidden_in(account, grant) if share.path not in gone else ():
            behind = _behind(grant, hidden, share.path)
            for path in behind:
                fault = kind_fault(path, host.paths.get(path))
                if not fault and path not in host.paths and path not in planned:
                    fault = f"{path} is not there, and cannot be hidden: create it first"
                if fault:
                    yield account, grant, hidden, behind[-1], fault
                    break


def _behind(grant: Grant, hidden: Grant, source: str) -> t.List[str]:
    """The directories of the host from the grant's own, which is not among them, to the one that is hidden."""
    return [source + part for part in components(hidden.at[len(grant.at.rstrip("/")) :])[1:]]


def _mount(account: Account, grant: Grant, share: Share, model: Model, host: Host, known: State) -> t.Optional[Mount]:
    """``None`` where a problem has been told already: an owner that is not there, no way to map."""
    user = known.users.get(account.name)
    if user is None or share.uid is None or share.gid is None:
        return None
    target = layout.jail(model.server.jails, account.name) + grant.at
    options = (*CONFINED, "ro") if grant.rights == "read_only" else CONFINED
    if share.sharing == "group" or share.uid in (0, user.uid):
        return Mount(target, share.path, "none", ("bind", *options))
    how = mapping(share, host)
    if how == "idmap":
        ranges = " ".join([*_idmap("u", share.uid, user.uid), *_idmap("g", share.gid, user.gid)])
        return Mount(target, share.path, "none", ("bind", *options, mounter.IDMAP + ranges))
    if how == "bindfs":
        ids = f"map={share.uid}/{user.uid}"
        if share.gid != 0:
            ids += f":@{share.gid}/@{user.gid}"
        hidden = (mounter.HIDE + part.at[len(grant.at.rstrip("/")) :] for part in hidden_in(account, grant))
        return Mount(target, share.path, "fuse.bindfs", (*options, ids, *BINDFS, *hidden))
    return None


def _idmap(kind: str, on_disk: int, seen: int) -> t.List[str]:
    """The owner becomes the account, everybody else but root stays who they are.

    The kernel lets nobody touch a file whose owner or group has no counterpart: what the application moved into the
    folder with another group would be out of the account's reach.
    """
    if on_disk in (0, seen):
        return [f"{kind}:1:1:{LAST_ID}"]
    low, high = sorted((on_disk, seen))
    ranges = [(1, low - 1), (low + 1, high - 1), (high + 1, LAST_ID)]
    kept = [f"{kind}:{first}:{first}:{last - first + 1}" for first, last in ranges if first <= last]
    return [f"{kind}:{on_disk}:{seen}:1", *kept]


def _hidden(model: Model, mounted: t.Mapping[str, Mount]) -> t.List[Mount]:
    """What lies over the hidden parts of mounts that are no bindfs mounts: those hide them by themselves.

    The directories between a mount and its hidden part are mounted over themselves. A mount point cannot be renamed:
    the account could move such a directory away otherwise, and what is in it would show from the next boot on.
    """
    found: t.Dict[str, Mount] = {}
    for account, jail in jailed(model):
        for grant in account.grants:
            outer = mounted.get(jail + grant.at)
            if outer is None:
                continue
            for hidden in hidden_in(account, grant):
                part = hidden.at[len(grant.at.rstrip("/")) :]
                for above in mounter.between(part):
                    pinned = dataclasses.replace(outer, target=outer.target + above, source=outer.source + above)
                    found[pinned.target] = pinned
                target = jail + hidden.at
                found[target] = Mount(target, layout.EMPTY, "none", ("bind", *CONFINED, "ro"))
    return list(found.values())


def render(mounts: t.Iterable[Mount]) -> str:
    """The table: what lies in another mount comes after it."""
    lines = [
        f"{_escape(mount.source)} {_escape(mount.target)} {mount.type} {','.join(map(_option, mount.options))} 0 0\n"
        for mount in sorted(mounts, key=lambda mount: mount.target.split("/"))
    ]
    return "# " + layout.HEADER + "".join(lines)


def parse(text: str) -> t.Dict[str, Mount]:
    """The inverse of ``render``, by target."""
    entries = mounter.parse(text)
    return {entry.target: Mount(entry.target, entry.source, entry.type, entry.options) for entry in entries}


def _option(option: str) -> str:
    return _escape(option).replace(",", "\\054")


def _escape(field: str) -> str:
    return "".join(f"\\{ord(char):03o}" if char in " \t\n\\#" else char for char in field)


def _unit(mounts: t.Iterable[Mount]) -> str:
    """Before sshd, after the filesystems that the sources lie on, and no reason for sshd not to start.

    ``Wants`` and not ``RequiresMountsFor``: one disk that is missing must not keep all other folders away.
    """
    disks = sorted({_mount_unit(part) for mount in mounts for part in components(mount.source)[1:]})
    command = " ".join((*PROGRAM, layout.MOUNT_TABLE))
    order = "".join(f"Wants={disk}\nAfter={disk}\n" for disk in disks)
    return f"""# {layout.HEADER}[Unit]
Description=Transfer folders in the jails of SFTP accounts
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
After=local-fs.target remote-fs.target systemd-tmpfiles-setup.service
Before=ssh.service ssh.socket sshd.service sshd.socket
{order}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={command}
ExecReload={command}
# a bindfs process lives as long as its mount
KillMode=process
TimeoutStartSec=10min

[Install]
WantedBy=multi-user.target
"""


def _mount_unit(path: str) -> str:
    """As systemd-escape --path --suffix=mount."""
    name = "".join(
        char
        if char.isascii() and (char.isalnum() or char in ":_" or (char == "." and place))
        else "-"
        if char == "/"
        else "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
        for place, char in enumerate(path.strip("/"))
    )
    return name + ".mount"
