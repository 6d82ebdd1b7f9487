# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfer folders and their groups, and whether what accounts share with the host can be shared."""

from __future__ import annotations

import typing as t

from ..host import Host, components
from ..model import Folder, Grant, Model
from ..paths import kind_fault, missing_parents, parent_faults
from ..resources import Directory, Group, State, of
from .privileged import PRIVILEGED_GROUPS
from .shares import Share, applied, mapping, shares


def desired(model: Model, host: Host, known: State) -> State:
    """The folders with their parents and groups; the owner and the accounts that share by group are members of it."""
    items: t.List[t.Union[Directory, Group]] = []
    members: t.Dict[int, t.Set[str]] = {}
    made = host.record.everything.directories
    gone = lost(model, host)
    for account, grant, share in shares(model, host, known):
        if share.sharing == "group" and share.gid:
            members.setdefault(share.gid, set()).add(account.name)
        if _gives_owner(grant) and share.path not in gone:
            items.extend(_given(share, host, known))
    for folder in model.folders:
        mode = int(folder.mode, 8)
        if folder.path not in gone:
            items.extend(missing_parents(folder.path, host.paths, made))
        paths = (path for path in (folder.path, *subfolders(folder)) if gone.keys().isdisjoint(components(path)))
        items.extend(Directory(path, mode, folder.owner, folder.group) for path in paths)
        owner, group = known.users.get(folder.owner), known.groups.get(folder.group)
        if group is None:
            items.append(Group(folder.group, -1))
        elif owner is not None and folder.sharing == "group" and owner.gid != group.gid:
            members.setdefault(group.gid, set()).add(owner.name)
    groups = {folder.group for folder in model.folders}
    groups |= {grant.group for _account, grant, _share in shares(model, host, known) if grant.group is not None}
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
    gone = lost(model, host)
    for folder in model.folders:
        if folder.owner in known.users:
            faults = _folder_faults(folder, host)
            found.extend(f"access_folders: {folder.name}.{fault}" for path, fault in faults if path not in gone)
        else:
            found.append(
                f"access_folders: {folder.name}.owner: the host has no user {folder.owner!r}, and no account has that "
                "name: create the user first, or name another owner"
            )
    for account, grant, share in shares(model, host, known):
        if share.path not in gone:
            place = f"access_accounts: {account.name}: {grant.at}: {share.what}"
            told = _source_problems(grant, share, host) if grant.source is not None else []
            found.extend(f"{place}: {problem}" for problem in told or _share_problems(grant, share, host, known))
    return list(dict.fromkeys(found)) + _contradictions(model, host, known)


def notes(model: Model, host: Host) -> t.List[str]:
    """Folders and parts of them that a run goes on without (see ``lost``)."""
    gone = lost(model, host)
    return [
        f"access_folders: {folder.name}.{fault}. An earlier run had it in order: see who changed it; "
        "the run leaves it as it is, and goes on without it"
        for folder in model.folders
        for path, fault in _folder_faults(folder, host)
        if path in gone
    ]


def lost(model: Model, host: Host) -> t.Dict[str, str]:
    """Folders, subfolders and sources that an earlier run had in order, and what is wrong with them now.

    That is no refusal: nobody who can write in a folder, or owns a source, may keep a run from closing his access.
    """
    before = set(paths_needed(applied(model, host)))
    faults = [fault for folder in model.folders for fault in _folder_faults(folder, host)]
    for _account, grant, share in shares(model, host, host.state):
        if grant.source is not None:
            faults.extend((share.path, fault) for fault in _source_faults(share, host))
    return {path: fault for path, fault in faults if path in before}


def _folder_faults(folder: Folder, host: Host) -> t.Iterator[t.Tuple[str, str]]:
    """What is wrong with its directories, each with the path that a run can do without."""
    owner = host.state.users.get(folder.owner)  # one who is not born yet owns nothing
    for fault in parent_faults(folder.path, owner.uid if owner else 0, host.paths):
        yield folder.path, f"path: {fault}"
    for path in subfolders(folder):
        kind = kind_fault(path, host.paths.get(path))
        if kind:
            yield path, f"subfolders: {kind}"


def subfolders(folder: Folder) -> t.List[str]:
    return [folder.path + part for name in folder.subfolders for part in components(name)[1:]]


def _source_faults(share: Share, host: Host) -> t.List[str]:
    faults = parent_faults(share.path, share.uid or 0, host.paths)
    if not faults and share.path not in host.paths:
        return ["the host has no such directory: create it first, or declare it in access_folders"]
    return faults


def _source_problems(grant: Grant, share: Share, host: Host) -> t.List[str]:
    if share.uid is None and grant.owner is not None:
        return [f"the host has no user {grant.owner!r}, and no account has that name: name another owner"]
    return _source_faults(share, host)


def _gives_owner(grant: Grant) -> bool:
    return grant.source is not None and (grant.owner is not None or grant.group is not None)


def _given(share: Share, host: Host, known: State) -> t.Iterator[Directory]:
    """The directory of a source for those to whom a grant gives it, never what is in it."""
    present = host.paths.get(share.path)
    if present is not None and share.uid is not None and share.gid is not None:
        yield Directory(share.path, present.mode & 0o7777, *_names(share, known))


def _names(share: Share, known: State) -> t.Tuple[str, str]:
    owner = next((user.name for user in known.users.values() if user.uid == share.uid), str(share.uid))
    group = next((group.name for group in known.groups.values() if group.gid == share.gid), str(share.gid))
    return owner, group


def _contradictions(model: Model, host: Host, known: State) -> t.List[str]:
    """Grants of one source that one of them gives to others than whom it belongs to in the other one."""
    sources = [
        (f"access_accounts: {account.name}: {grant.at}", grant, share)
        for account, grant, share in shares(model, host, known)
        if grant.source is not None and share.uid is not None and share.gid is not None
    ]
    given = {share.path: (place, share) for place, grant, share in sources if _gives_owner(grant)}
    found = []
    for place, _grant, share in sources:
        other, there = given.get(share.path, (place, share))
        if (share.uid, share.gid) != (there.uid, there.gid):
            here, elsewhere = ":".join(_names(share, known)), ":".join(_names(there, known))
            found.append(
                f"{place}: {share.what}: belongs to {here}, and to {elsewhere} in {other}: "
                "give both the same owner and group"
            )
    return found


def _share_problems(grant: Grant, share: Share, host: Host, known: State) -> t.Iterator[str]:
    if share.uid is None or share.gid is None:
        return
    if grant.rights != "read_only":
        if share.uid == 0:
            yield "it belongs to root, and nothing is ever mapped to root: say rights: read_only, or name an owner"
        elif share.gid == 0:
            yield "its group is root's, and nothing is ever mapped to root: name another group"
    group = next((group.name for group in known.groups.values() if group.gid == share.gid), "")
    if share.sharing == "group" and share.gid and group in PRIVILEGED_GROUPS:
        yield f"its group is {group}, which gives its members more than files: name another group"
    if share.sharing == "mapped" and mapping(share, host) is None:
        filesystem = host.unmappable.get(share.path)
        why = f"its filesystem ({filesystem})" if filesystem else "this host"
        yield (
            f"{why} has no idmapped mounts, and bindfs is not there (the program, /dev/fuse and Linux 5.2): "
            "install bindfs, or say sharing: group"
        )
