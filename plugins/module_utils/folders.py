# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfer folders and their groups, and whether what accounts share with the host can be shared."""

from __future__ import annotations

import typing as t

from .host import Host, components
from .model import Folder, Grant, Model
from .paths import kind_fault, missing_parents, parent_faults
from .resources import Directory, Group, State, of
from .shares import Share, mapping, shares


def desired(model: Model, host: Host, known: State) -> State:
    """The folders with their parents and groups; the owner and the accounts that share by group are members of it."""
    items: t.List[t.Union[Directory, Group]] = []
    members: t.Dict[int, t.Set[str]] = {}
    made = host.record.everything.directories
    for account, _grant, share in shares(model, host, known):
        if share.sharing == "group" and share.gid:
            members.setdefault(share.gid, set()).add(account.name)
    for folder in model.folders:
        mode = int(folder.mode, 8)
        items.extend(missing_parents(folder.path, host.paths, made))
        items.append(Directory(folder.path, mode, folder.owner, folder.group))
        items.extend(Directory(path, mode, folder.owner, folder.group) for path in subfolders(folder))
        owner, group = known.users.get(folder.owner), known.groups.get(folder.group)
        if group is None:
            items.append(Group(folder.group, -1))
        elif owner is not None and folder.sharing == "group" and owner.gid != group.gid:
            members.setdefault(group.gid, set()).add(owner.name)
    groups = {folder.group for folder in model.folders}
    for name, group in known.groups.items():
        if name in groups or group.gid in members:
            items.append(Group(name, group.gid, frozenset(members.get(group.gid, ()))))
    return of(*items)


def paths_needed(model: Model) -> t.List[str]:
    """The paths that the rules of this file look at."""
    sources = [grant.source for account in model.accounts for grant in account.grants if grant.source is not None]
    return [path for folder in model.folders for path in (folder.path, *subfolders(folder))] + sources


def problems(model: Model, host: Host, known: State) -> t.List[str]:
    found: t.List[str] = []
    for folder in model.folders:
        found.extend(_folder_problems(folder, host, known))
    for account, grant, share in shares(model, host, known):
        place = f"access_accounts: {account.name}: {grant.at}: {share.what}"
        told = _source_problems(grant, share, host) if grant.source is not None else iter(())
        found.extend(f"{place}: {problem}" for problem in list(told) or _share_problems(grant, share, host))
    return list(dict.fromkeys(found))


def _folder_problems(folder: Folder, host: Host, known: State) -> t.Iterator[str]:
    place = f"access_folders: {folder.name}"
    owner = known.users.get(folder.owner)
    if owner is None:
        yield (
            f"{place}.owner: the host has no user {folder.owner!r}, and no account has that name: "
            "create the user first, or name another owner"
        )
        return
    for fault in parent_faults(folder.path, owner.uid, host.paths):
        yield f"{place}.path: {fault}"
    faults = (kind_fault(path, host.paths.get(path)) for path in subfolders(folder))
    yield from (f"{place}.subfolders: {fault}" for fault in faults if fault)


def subfolders(folder: Folder) -> t.List[str]:
    return [folder.path + part for name in folder.subfolders for part in components(name)[1:]]


def _source_problems(grant: Grant, share: Share, host: Host) -> t.Iterator[str]:
    if share.path not in host.paths:
        yield "the host has no such directory: create it first, or declare it in access_folders"
        return
    if share.uid is None:
        yield f"the host has no user {grant.owner!r}, and no account has that name: name another owner"
        return
    yield from parent_faults(share.path, share.uid, host.paths)


def _share_problems(grant: Grant, share: Share, host: Host) -> t.Iterator[str]:
    if share.uid is None or share.gid is None:
        return
    if grant.rights != "read_only":
        if share.uid == 0:
            yield "it belongs to root, and nothing is ever mapped to root: say rights: read_only, or name an owner"
        elif share.gid == 0:
            yield "its group is root's, and nothing is ever mapped to root: name another group"
    if share.sharing == "mapped" and mapping(share, host) is None:
        filesystem = host.unmappable.get(share.path)
        why = f"its filesystem ({filesystem})" if filesystem else "this host"
        yield (
            f"{why} has no idmapped mounts, and bindfs is not there (the program, /dev/fuse and Linux 5.2): "
            "install bindfs, or say sharing: group"
        )
