# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying what promises.py says, on the host: real logins through the side sshd, and the application beside them.

One login for each account, a second one where something else has to come on top of the key. No trace is left.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import secrets
import typing as t
from dataclasses import dataclass

from .. import layout
from ..errors import Refused
from ..host import Host
from ..logins import mux, sftp, sftp_packets, side
from ..model import Account, Model
from ..nouns.sshd_policy import classes
from ..openssh import sshd_match, sshd_tree
from ..resources import State
from ..system import files, users
from . import application, beside, over, transfer
from .application import Applications, Places
from .grounds import Ground, grounds, listings
from .promises import REFUSED, WORKS, Promise, all_promises, remedy
from .transfer import Answer, Found, Names

NOT_TRIED = "not tried"
ENDED = ("ended", "")
AT_ONCE = 8
MOST_LOGINS = 6  # more for an account whose connection ends: OpenSSH 8.4 closes one when a forward is refused over it


@dataclass(frozen=True)
class Finding:
    """What became of a promise."""

    promise: Promise
    found: str
    said: str = ""  # by the host

    @property
    def ok(self) -> bool:
        return self.found == self.promise.expected

    def __str__(self) -> str:
        said = f" ({self.said})" if self.said else ""
        return (
            f"access_accounts: {self.promise.account}: {self.promise}: expected: {self.promise.expected}, "
            f"found: {self.found}{said}; {remedy(self.promise)}"
        )


@dataclass(frozen=True)
class Proof:
    findings: t.Tuple[Finding, ...] = ()
    logins: int = 0

    @property
    def broken(self) -> t.List[Finding]:
        """Without what could not be tried any more because of another one of the same account."""
        wrong = [finding for finding in self.findings if not finding.ok]
        explained = {finding.promise.account for finding in wrong if finding.found != NOT_TRIED}
        return [each for each in wrong if each.found != NOT_TRIED or each.promise.account not in explained]


def problems(
    changes: t.Mapping[str, t.Optional[str]], model: Model, host: Host, known: State, names: t.Collection[str]
) -> t.List[str]:
    """What keeps a run from being kept: account, promise, what was found, and the remedy.

    An account that was there before does not undo a run with what users can break: else whoever fills a disk could not
    be shut out.
    """
    shells = {account.name for account in model.accounts if account.kind == "shell"}

    def is_theirs(finding: Finding) -> bool:
        """Whose shell it is can also end the session, before all has been tried."""
        return finding.promise.theirs or (finding.found == NOT_TRIED and finding.promise.account in shells)

    return [
        str(finding)
        for finding in prove(changes, model, host, known, names).broken
        if finding.promise.account not in host.record.accounts or not is_theirs(finding)
    ]


def prove(
    changes: t.Mapping[str, t.Optional[str]], model: Model, host: Host, known: State, names: t.Collection[str]
) -> Proof:
    """Try all that these accounts are promised. ``changes`` are files of sshd's that are not installed yet."""
    promised = all_promises(model, names, host, known, _singled_out(model))
    if not promised:
        return Proof()
    found: t.Dict[str, Found] = {name: {} for name in promised}
    present = [account for account in model.accounts if account.name in promised and _is_user(account.name)]
    for name in promised.keys() - {account.name for account in present}:
        found[name]["login", ""] = Answer(REFUSED, "the host has no such user")
    with contextlib.ExitStack() as stack:
        trial = Trial(model, host, known, promised, stack)  # which forks: the side sshd brings threads
        running = stack.enter_context(side.started(changes, [each.name for each in present], host.tools.openssh))
        logins = _log_in(running, trial, present, found)
        for _time in range(MOST_LOGINS):
            cut = [account for account in present if found[account.name].pop(ENDED, None) is not None]
            trial.go_on_with(found)
            logins += _log_in(running, trial, cut, found) if cut else 0
    look = beside.Look(model)
    for account in present:
        acts = {promise.act for promise in promised[account.name]}
        found[account.name].update(look.at(account, acts & beside.ACTS))
    return Proof(
        tuple(
            Finding(promise, *found[name].get((promise.act, promise.place), _untried(found[name])))
            for name, listed in promised.items()
            for promise in listed
        ),
        logins,
    )


def _singled_out(model: Model) -> t.Set[str]:
    """For whom sshd may decide otherwise than for their class, because of a file of somebody else's."""
    lines = sshd_match.foreign(sshd_tree.INSTALLED.settings())
    if not lines:
        return set()
    groups = sshd_match.groups_by_user(*users.read())
    return {name for _class, name in sshd_match.representatives(lines, classes(model), groups)}


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _untried(found: Found) -> Answer:
    login = found.get(("login", ""), Answer(REFUSED))
    return Answer(NOT_TRIED, "the login was refused") if login.found == REFUSED else found.get(ENDED, Answer(NOT_TRIED))


def _log_in(running: side.Side, trial: Trial, accounts: t.Sequence[Account], found: t.Dict[str, Found]) -> int:
    """All the logins; says how many there were."""
    twofold = [account.name for account in accounts if account.is_open and account.second_factor != "none"]
    single = [account.name for account in accounts if account.name not in twofold]
    for name in twofold:
        found[name]["key alone", ""] = _demanded(running, name)
    for names, easy in ((single, False), (twofold, True)):
        for name, outcome in running.connect_many(names, trial, AT_ONCE, easy).items() if names else ():
            if isinstance(outcome, side.Refusal):
                found[name]["login", ""] = Answer(REFUSED, outcome.reason)
            else:
                found[name].update(outcome)
    return len(single) + 2 * len(twofold)


def _demanded(running: side.Side, name: str) -> Answer:
    try:
        wanted = running.demanded(name)
    except side.Refusal as refusal:
        return Answer(REFUSED, refusal.reason)
    return Answer(REFUSED, f"it wants {' and '.join(wanted)} as well") if wanted else Answer(WORKS)


class Trial:
    """What is done over each connection. Several run at once."""

    def __init__(
        self,
        model: Model,
        host: Host,
        known: State,
        promised: t.Mapping[str, t.Sequence[Promise]],
        stack: contextlib.ExitStack,
    ) -> None:
        self._accounts = {account.name: account for account in model.accounts}
        self._grounds = grounds(model, host, known)
        self._promised = promised
        self._users = {user.uid: user.name for user in known.users.values()}
        self._groups = {group.gid: group.name for group in known.groups.values()}
        self._jails = model.server.jails
        self._applications = Applications()
        stack.callback(self._applications.close)
        self._places = Places()
        stack.callback(self._places.close)
        self._found: t.Mapping[str, Found] = {}

    def go_on_with(self, found: t.Mapping[str, Found]) -> None:
        """What has been found over a connection that ended is not tried again."""
        self._found = {name: dict(answers) for name, answers in found.items()}

    def __call__(self, connection: side.Connection) -> Found:
        account = self._accounts[connection.user]
        found: Found = {("login", ""): Answer(WORKS)}
        try:
            if account.kind == "sftp":
                self._transfers(connection, account, found)
            if account.kind == "shell":
                found.update(over.shell(connection))
            for promise in self._promised[account.name]:
                done = self._found.get(account.name, {})
                if promise.act in over.ACTS and (promise.act, promise.place) not in done:
                    found[promise.act, promise.place] = over.ACTS[promise.act](connection, promise.place)
        except (OSError, mux.Failed) as error:
            found[ENDED] = Answer(NOT_TRIED, f"the connection ended: {error}")
        return found

    def _transfers(self, connection: side.Connection, account: Account, found: Found) -> None:
        names = Names(secrets.token_hex(8))
        is_in = False
        try:
            with connection.subsystem("sftp") as channel:
                client = sftp.Client(channel)
                is_in = True
                listed = listings(account)
                found.update(transfer.whole(client, listed))
                for path in listed:
                    found.update(self._in_root_s(client, account, path, names))
                for ground in self._grounds.get(account.name, ()):
                    found.update(self._on(client, account, ground, names))
        except (sftp_packets.Broken, mux.Failed, OSError) as error:
            if is_in:
                found[ENDED] = Answer(NOT_TRIED, str(error))
            else:  # whom sshd has let in already, and not into this jail
                found["login", ""] = Answer(REFUSED, connection.said() or str(error))

    def _in_root_s(self, client: sftp.Client, account: Account, path: str, names: Names) -> Found:
        answers = transfer.writes(client, path, names, ("open-create", "mkdir"))
        if any(answer.found == WORKS for answer in answers.values()):
            with contextlib.suppress(OSError), self._places.held(layout.jail(self._jails, account.name) + path) as here:
                application.clean(here, names)
        return {(act, path): answer for act, answer in answers.items()}

    def _on(self, client: sftp.Client, account: Account, ground: Ground, names: Names) -> Found:
        try:
            with self._places.held(ground.path) as here:
                try:
                    owner = functools.partial(self._owner, ground.keeps[1] is not None)
                    if not ground.is_shared:
                        return transfer.private(client, ground, names, here, owner)
                    user = self._applications.user(ground.owner)
                    return transfer.shared(client, ground, names, here, user, owner)
                finally:
                    application.clean(here, names)
        except (OSError, Refused) as error:
            # No application can work there, and the account sees a mount point of root's, or worse
            found = {act: Answer(NOT_TRIED, str(error)) for act in ("seen", "there")}
            found.update(transfer.writes(client, ground.at, names))
            return {(act, ground.at): answer for act, answer in found.items()}
        finally:
            # A user may have put another directory at the path, where nothing of this is
            seen = layout.jail(self._jails, account.name) + ground.at
            with contextlib.suppress(OSError, Refused), files.opened(seen) as there:
                application.clean(there, names)

    def _owner(self, with_group: bool, status: os.stat_result) -> str:
        owner, group = self._users.get(status.st_uid), self._groups.get(status.st_gid)
        return f"{owner or status.st_uid}" + (f":{group or status.st_gid}" if with_group else "")
