# SPDX-License-Identifier: GPL-3.0-or-later
"""What every account is promised and refused, one sentence each, and whom a proof tries. Trying is done in trial.py."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..host import Host
from ..model import Account, Model
from ..nouns.sshd_policy import classes
from ..resources import State
from .grounds import GROUP, HIDDEN, READ_WRITE, Ground, grounds, listings

WORKS, REFUSED = "works", "refused"
NOTHING = "nothing"
EXACTLY = "exactly its tasks"

# The columns of the report, in its order
AREAS = ("login", "folders", "application", "forwarding", "sudo", "refusals")

# All by which SFTP changes something
WRITES = (
    "open-write",
    "open-create",
    "mkdir",
    "rmdir",
    "remove",
    "rename",
    "posix-rename",
    "setstat",
    "fsetstat",
    "lsetstat",
    "symlink",
    "hardlink",
)
LINKS = ("symlink", "hardlink")

# Destinations and a listener that no model is likely to declare; nothing need answer there
ELSEWHERE = ("127.0.0.1:9", "127.0.0.1:7", "127.0.0.1:13")
LISTENERS = ("127.0.0.1:49321", "127.0.0.1:49322")

MOST = 100  # of the accounts that one run has changed

ACTS: t.Mapping[str, str] = {
    "login": "a login with a key",
    "key file": "its key file, read as sshd reads it",
    "key alone": "a login without the second factor",
    "password": "a password at the login",
    "command": "a command",
    "terminal": "a terminal",
    "subsystem": "another subsystem than sftp",
    "sftp": "sftp",
    "user": "the user as whom it works",
    "home": "the directory in which it starts",
    "umask": "its umask",
    "reach": "a connection to {}",
    "listen": "a listener at {}",
    "agent": "forwarding of the client's agent",
    "x11": "forwarding of graphical programs",
    "sudo": "what sudo allows",
    "start": "the directory in which it starts",
    "listing": "{}: what it sees there",
    "seen": "{}: what the application puts there is seen",
    "there": "{}: it is there",
    "upload": "{}: uploading a file",
    "read back": "{}: reading it back",
    "rename": "{}: renaming it",
    "replace": "{}: renaming it over another one",
    "directory": "{}: making and removing a directory",
    "delete": "{}: deleting it",
    "keeps": "{}: whose an uploaded file is on the host",
    "reads": "{}: reading a file of the application",
    "edits": "{}: editing a file of the application",
    "deletes": "{}: deleting a file of the application",
    "application reaches": "{}: the application reaches the folder",
    "application makes": "{}: the application makes a file",
    "application reads": "{}: the application reads an uploaded file",
    "application edits": "{}: the application edits an uploaded file",
    "application deletes": "{}: the application deletes an uploaded file",
    **{f"write {name}": f"{{}}: the request {name}" for name in WRITES},
}


@dataclass(frozen=True)
class Promise:
    """One thing that is tried. ``found`` has to be what is ``expected``."""

    account: str
    area: str
    act: str  # of ACTS
    expected: str
    place: str = ""  # a path of the jail, a destination, a listener
    theirs: bool = False  # users can keep it from holding with what is theirs: a full disk, a .bashrc, a mode

    def __str__(self) -> str:
        return ACTS[self.act].format(self.place)


REMEDIES: t.Mapping[str, str] = {
    "login": "see what sshd and PAM log of it, then apply the model again",
    "folders": "see what is mounted there (findmnt) and whose it is on the host, then apply the model again",
    "application": "see what is mounted there (findmnt) and whose it is on the host, then apply the model again",
    "refusals": "suspend the account until it is refused again; see who opened this, then apply the model again",
    "forwarding": "see which file of sshd's says otherwise (sshd -T), then apply the model again",
    "sudo": "take out of sudoers what no sudo task says, then apply the model again",
}


def remedy(promise: Promise) -> str:
    return REMEDIES["refusals" if promise.expected == REFUSED else promise.area]


def promises(
    account: Account, seen: t.Sequence[Ground], host: Host, known: State, whole: bool = True
) -> t.List[Promise]:
    """All that one account is promised; ``seen`` are its grounds (see grounds.py).

    Without ``whole`` what sshd alone refuses is left out: it is the same for all accounts of a policy class.
    """
    if account.state == "absent":
        return []
    if not account.is_open or (account.expires is not None and account.expires <= host.now):
        return [Promise(account.name, "login", "login", REFUSED)]
    return [
        *_login(account),
        *(_sftp(account, seen, host, known) if account.kind == "sftp" else ()),
        *(_shell(account, host, known) if account.kind == "shell" else ()),
        *_declared(account),
        *(_refusals(account) if whole else ()),
    ]


def all_promises(
    model: Model, names: t.Collection[str], host: Host, known: State, singled_out: t.Collection[str] = ()
) -> t.Dict[str, t.List[Promise]]:
    """By account, in the order of the model: whole for one of every policy class, and for those ``singled_out``."""
    seen = grounds(model, host, known)
    tried = ([name for name in members if name in names] for members in classes(model).values())
    first = {members[0] for members in tried if members}
    return {
        account.name: promises(
            account, seen.get(account.name, ()), host, known, account.name in first or account.name in singled_out
        )
        for account in model.accounts
        if account.name in names and account.state != "absent"
    }


def select(model: Model, changed: t.Collection[str], how: str) -> t.List[str]:
    """Whom a proof tries, in the order of the model. ``changed``: those too, and one account of every policy class.

    Of very many that have changed only some are tried, and of those that look different one each at least: a login
    costs more than all the rest of what a run does for an account.
    """
    if how == "none":
        return []
    wanted = {account.name for account in model.accounts} if how == "all" else representatives(model)
    if how == "changed":
        wanted |= _some_of([account for account in model.accounts if account.name in changed])
    return [account.name for account in model.accounts if account.name in wanted and account.state != "absent"]


def _some_of(accounts: t.Sequence[Account]) -> t.Set[str]:
    different = {_looks(account): account.name for account in accounts}
    return {*different.values(), *[account.name for account in accounts][: max(0, MOST - len(different))]}


def _looks(account: Account) -> t.Hashable:
    """What tells accounts apart for a proof: all but who they are and where their folders lie."""
    grants = tuple((grant.rights, grant.private, grant.hidden, grant.sharing) for grant in account.grants)
    return (
        *(account.kind, account.state, account.second_factor, account.password_hash is None, account.umask, grants),
        *(account.forwarding, account.sudo_tasks, account.shell, account.sources, account.expires),
    )


def representatives(model: Model) -> t.Set[str]:
    """One account of every policy class: what sshd alone decides is the same for all of a class."""
    return {names[0] for names in classes(model).values()}


def _login(account: Account) -> t.Iterator[Promise]:
    yield Promise(account.name, "login", "login", WORKS)
    if account.keys:
        yield Promise(account.name, "login", "key file", WORKS)
    if account.second_factor == "password":
        yield Promise(account.name, "login", "key alone", REFUSED)
    elif account.password_hash is None:
        yield Promise(account.name, "login", "password", REFUSED)


def _sftp(account: Account, seen: t.Sequence[Ground], host: Host, known: State) -> t.Iterator[Promise]:
    def promise(area: str, act: str, expected: str, place: str = "", theirs: bool = False) -> Promise:
        return Promise(account.name, area, act, expected, place, theirs)

    inside = any(account.start_in == ground.at or account.start_in.startswith(ground.at + "/") for ground in seen)
    yield promise("folders", "start", account.start_in, theirs=inside)
    for path, names in listings(account).items():
        # of a grant that goes, what the account has put there stays, and may stay for ever
        yield promise("folders", "listing", ", ".join(sorted(names)) or NOTHING, path, theirs=True)
        for name in ("open-create", "mkdir"):
            yield promise("refusals", f"write {name}", REFUSED, path)
    for ground in seen:
        at = ground.at
        if ground.rights == HIDDEN:
            yield promise("refusals", "seen", REFUSED, at)
        elif not ground.is_shared:
            yield promise("folders", "there", WORKS, at)
        else:
            yield promise("application", "application reaches", WORKS, at, theirs=True)
            yield promise("application", "application makes", WORKS, at, theirs=True)
            yield promise("folders", "seen", WORKS, at, theirs=True)
            yield promise("application", "reads", WORKS, at, theirs=True)
        if ground.rights == READ_WRITE:
            for area, act in _changes(account, ground):
                yield promise(area, act, WORKS, at, theirs=True)
            for name in LINKS:
                yield promise("refusals", f"write {name}", REFUSED, at)
            owner = _owner(ground, known)
            if owner:
                yield promise("application" if ground.is_shared else "folders", "keeps", owner, at, theirs=True)
        else:
            for name in WRITES:
                yield promise("refusals", f"write {name}", REFUSED, at)


def _changes(account: Account, ground: Ground) -> t.Iterator[t.Tuple[str, str]]:
    """What works where the account may write. By group, the mode of a file counts, and with it the umask."""
    for act in ("upload", "read back", "rename", "replace", "directory", "delete"):
        yield "folders", act
    if not ground.is_shared:
        return
    yield "application", "edits"
    yield "application", "deletes"
    mode = ground.upload_mode & ~int(account.umask, 8)
    for act, needed in (("reads", 0o040), ("edits", 0o020)):
        if ground.sharing != GROUP or mode & needed or ground.keeps[0] == ground.owner:
            yield "application", f"application {act}"
    yield "application", "application deletes"


def _owner(ground: Ground, known: State) -> str:
    uid, gid = ground.keeps
    user = next((user.name for user in known.users.values() if user.uid == uid), str(uid))
    group = next((group.name for group in known.groups.values() if group.gid == gid), str(gid))
    return "" if uid is None else user if gid is None else f"{user}:{group}"


def _shell(account: Account, host: Host, known: State) -> t.Iterator[Promise]:
    """A shell reads files of its user's, who can make it say anything."""
    user = known.users.get(account.name)
    yield Promise(account.name, "login", "command", WORKS, theirs=True)
    yield Promise(account.name, "login", "user", account.name, theirs=True)
    yield Promise(account.name, "login", "home", user.home if user else "", theirs=True)
    if host.tools.pam_umask:
        yield Promise(account.name, "login", "umask", account.umask.rjust(4, "0"), theirs=True)
    if host.tools.sudo is not None:
        yield Promise(account.name, "sudo", "sudo", EXACTLY)


def _declared(account: Account) -> t.Iterator[Promise]:
    """The ways that the model opens."""
    if account.kind == "sftp":
        return
    for place in account.forwarding.local:
        yield Promise(account.name, "forwarding", "reach", WORKS, place)
    for place in account.forwarding.remote:
        yield Promise(account.name, "forwarding", "listen", WORKS, place, theirs=True)
    for act in _on_screen(account):
        yield Promise(account.name, "forwarding", act, WORKS)


def _refusals(account: Account) -> t.Iterator[Promise]:
    """What sshd alone refuses."""
    refused = {"sftp": ("command", "terminal", "subsystem"), "tunnel": ("command", "terminal", "subsystem", "sftp")}
    for act in refused.get(account.kind, ()):
        yield Promise(account.name, "refusals", act, REFUSED)
    is_sftp = account.kind == "sftp"
    local = () if is_sftp else account.forwarding.local
    remote = () if is_sftp else account.forwarding.remote
    for act, elsewhere, declared in (("reach", ELSEWHERE, local), ("listen", LISTENERS, remote)):
        undeclared = [place for place in elsewhere if place not in declared]
        if undeclared:
            yield Promise(account.name, "refusals", act, REFUSED, undeclared[0])
    for act in ("agent", "x11"):
        if act not in _on_screen(account):
            yield Promise(account.name, "refusals", act, REFUSED)


def _on_screen(account: Account) -> t.List[str]:
    """What shell accounts alone can have forwarded to where their user sits."""
    given = {"agent": account.forwarding.agent, "x11": account.forwarding.x11}
    return [act for act, is_given in given.items() if is_given and account.kind == "shell"]
