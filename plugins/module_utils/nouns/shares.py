# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sftp accounts share with the host: declared folders, and sources, which are no declared folder."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from .. import layout
from ..host import Host
from ..model import Account, Folder, Grant, Model
from ..resources import State


def jailed(model: Model) -> t.Iterator[t.Tuple[Account, str]]:
    """The accounts that have a jail, suspended or not, and its path."""
    for account in model.accounts:
        if account.kind == "sftp" and account.state != "absent":
            yield account, layout.jail(model.server.jails, account.name)


def hidden_in(account: Account, grant: Grant) -> t.Iterator[Grant]:
    """The parts of a grant that the account does not see."""
    return (other for other in account.grants if other.hidden and other.at.startswith(grant.at.rstrip("/") + "/"))


def applied(model: Model, host: Host) -> Model:
    """The accounts and folders that earlier runs brought into order: what is wrong there now, its users did."""
    record = host.record
    return dataclasses.replace(model, accounts=tuple(record.accounts.values()), folders=tuple(record.folders.values()))


def mapped_paths(model: Model) -> t.List[str]:
    """The directories whose owners are mapped, if their filesystem can do that (see mounting.unmappable)."""
    folders = [folder.path for folder in model.folders if folder.sharing == "mapped"]
    grants = (grant for account, _jail in jailed(model) for grant in account.grants)
    return folders + [grant.source for grant in grants if grant.source is not None and grant.sharing == "mapped"]


def named_users(model: Model) -> t.List[str]:
    """Users whom the model names and who need not be accounts of it."""
    owners = [folder.owner for folder in model.folders]
    owners += [grant.owner for account in model.accounts for grant in account.grants if grant.owner is not None]
    return [*model.server.admins, *owners]


@dataclass(frozen=True)
class Share:
    """What a grant opens: a directory of the host, and whom its files belong to; ``None``: nobody of that name."""

    what: str  # how messages call it
    path: str
    sharing: str  # mapped | group
    uid: t.Optional[int]
    gid: t.Optional[int]


def shares(model: Model, host: Host, known: State) -> t.Iterator[t.Tuple[Account, Grant, Share]]:
    """Every directory that an account has a grant of, suspended or not."""
    folders = {folder.name: folder for folder in model.folders}
    for account, _jail in jailed(model):
        for grant in account.grants:
            if grant.folder is not None:
                yield account, grant, _of_folder(folders[grant.folder], known)
            elif grant.source is not None:
                yield account, grant, _of_source(grant.source, grant, host, known)


def _of_folder(folder: Folder, known: State) -> Share:
    uid, gid = _uid(folder.owner, known), _gid(folder.group, known)
    return Share(f"folder {folder.name}", folder.path, folder.sharing, uid, gid)


def _of_source(path: str, grant: Grant, host: Host, known: State) -> Share:
    """A source belongs to whom it belongs to now, unless the grant says otherwise; root's group is its owner's own."""
    present = host.paths.get(path)
    uid = _uid(grant.owner, known) if grant.owner is not None else present.uid if present else None
    gid = _gid(grant.group, known) if grant.group is not None else present.gid if present else None
    if gid == 0 and grant.group is None:
        gid = next((user.gid for user in known.users.values() if user.uid == uid), gid)
    return Share(f"source {path}", path, grant.sharing, uid, gid)


def _uid(name: str, known: State) -> t.Optional[int]:
    user = known.users.get(name)
    return user.uid if user else None


def _gid(name: str, known: State) -> t.Optional[int]:
    group = known.groups.get(name)
    return group.gid if group else None


def mapping(share: Share, host: Host) -> t.Optional[str]:
    """How owners are mapped where this lies: ``idmap``, else ``bindfs``, else not at all."""
    if host.tools.idmapped_mounts and share.path not in host.unmappable:
        return "idmap"
    return "bindfs" if host.tools.bindfs else None
