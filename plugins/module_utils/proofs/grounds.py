# SPDX-License-Identifier: GPL-3.0-or-later
"""The places in a jail that a proof looks at: what an account sees there, and whose it is on the host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .. import layout
from ..host import Host, components
from ..model import Account, Model
from ..nouns.shares import Share, hidden_in, shares
from ..resources import State

READ_WRITE, READ_ONLY, HIDDEN = "read_write", "read_only", "hidden"
PRIVATE, MAPPED, GROUP = "private", "mapped", "group"
SETGID = 0o2000


@dataclass(frozen=True)
class Ground:
    """One directory, as one account sees it."""

    at: str  # in the jail
    path: str  # on the host
    rights: str  # read_write | read_only | hidden
    sharing: str  # mapped | group | private: nobody else's
    owner: int  # the application's user; of a private folder the account's
    keeps: t.Tuple[t.Optional[int], t.Optional[int]]  # owner and group of what the account uploads; None: not promised

    @property
    def is_shared(self) -> bool:
        return self.sharing != PRIVATE

    @property
    def application_mode(self) -> int:
        """Of a file that the application makes: what is promised for it, and no more."""
        if self.owner == 0:  # shown as it is, to read
            return 0o644
        return 0o660 if self.sharing == GROUP else 0o600

    @property
    def upload_mode(self) -> int:
        """Of what the account uploads: where owners are mapped, the most closed one there is."""
        return 0o664 if self.sharing == GROUP else 0o600


def grounds(model: Model, host: Host, known: State) -> t.Dict[str, t.List[Ground]]:
    """By account, those of sftp accounts that are open. Grants of what nobody owns are left out."""
    found: t.Dict[str, t.List[Ground]] = {}
    for account in model.accounts:
        if account.is_open and account.kind == "sftp":
            found[account.name] = list(_private(account, model, known))
    setgid = {folder.path for folder in model.folders if int(folder.mode, 8) & SETGID}
    setgid |= {path for path, status in host.paths.items() if status.mode & SETGID}
    for account, grant, share in shares(model, host, known):
        user = known.users.get(account.name)
        if account.name in found and user is not None and share.uid is not None:
            keeps = _keeps(share, user.uid, share.path in setgid)
            found[account.name].append(Ground(grant.at, share.path, grant.rights, share.sharing, share.uid, keeps))
            for hidden in hidden_in(account, grant):
                behind = share.path + hidden.at[len(grant.at.rstrip("/")) :]
                found[account.name].append(Ground(hidden.at, behind, HIDDEN, share.sharing, share.uid, (None, None)))
    return {name: sorted(items, key=lambda ground: ground.at) for name, items in found.items()}


def listings(account: Account) -> t.Dict[str, t.FrozenSet[str]]:
    """The directories of the jail that are root's, each with all that an account sees in it."""
    ats = [grant.at for grant in account.grants if not grant.hidden]
    found: t.Dict[str, t.Set[str]] = {"/": set()}
    for at in ats:
        above = components(at)
        for parent, child in zip(above, above[1:]):
            found.setdefault(parent, set()).add(child.rpartition("/")[2])
    return {path: frozenset(names) for path, names in sorted(found.items())}


def _private(account: Account, model: Model, known: State) -> t.Iterator[Ground]:
    user = known.users.get(account.name)
    jail = layout.jail(model.server.jails, account.name)
    for grant in account.grants if user is not None else ():
        if grant.private and user is not None:
            read_only = all(other.rights == READ_ONLY for other in account.grants if not other.hidden)
            rights = READ_ONLY if read_only else READ_WRITE
            yield Ground(grant.at, jail + grant.at, rights, PRIVATE, user.uid, (user.uid, None))


def _keeps(share: Share, account: int, setgid: bool) -> t.Tuple[t.Optional[int], t.Optional[int]]:
    """What is mapped becomes the application's altogether; else a file is the account's, and setgid gives its group."""
    if share.sharing == MAPPED and share.uid not in (0, account):
        return share.uid, share.gid or None
    return account, (share.gid or None) if setgid else None
