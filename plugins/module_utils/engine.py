# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole run on one host: read, decide, compare, apply. Reading order is the order of the data."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
from dataclasses import dataclass

from . import bookkeeping, differences, layout, plan, read
from .errors import Overtaken, Refused
from .host import Host
from .model import Model
from .nouns import accounts, folders, jails, mounts, shares, sshd_policy, sudo_tasks
from .plan import Action, Step
from .proofs import promises, proof
from .records import Made
from .resources import Directory, File, Group, Link, Mount, State, User
from .system.processes import Failed
from .transactions import journal, recovery, transaction
from .transactions.ports import Ports
from .transactions.transaction import Undone


class Noun(t.Protocol):
    """What the files of the nouns have in common."""

    def desired(self, model: Model, host: Host, known: State) -> State: ...

    def problems(self, model: Model, host: Host, known: State) -> t.List[str]: ...

    def paths_needed(self, model: Model) -> t.List[str]: ...


NOUNS: t.Mapping[str, Noun] = {
    "accounts": accounts,
    "folders": folders,
    "jails": jails,
    "sudo_tasks": sudo_tasks,
    "sshd_policy": sshd_policy,
}
NOTES = {
    "accounts": accounts.notes,
    "folders": folders.notes,
    "jails": mounts.notes,
    "sshd_policy": sshd_policy.notes,
}
ALL = frozenset(NOUNS)


@dataclass(frozen=True)
class Result:
    actions: t.Tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    notes: t.Tuple[str, ...] = ()  # what the model asks for and this host is too old to do
    waiting: t.Optional[str] = None  # the transaction that a new connection has to confirm, or all is undone

    @property
    def changed(self) -> bool:
        return bool(self.actions)


@dataclass(frozen=True)
class _Run:
    """What one look at the host has led to."""

    model: Model  # the effective one
    host: Host
    known: State
    actions: t.List[Action]

    def ports(self, nouns: t.AbstractSet[str]) -> Ports:
        """A slice alone makes no whole account: there is nothing to try yet."""
        tried = promises.select(self.model, self._touched, self.model.proof) if nouns == ALL else ()
        return proof.ports(self.model, self.host, self.known, policy="sshd_policy" in nouns, tried=tried)

    def carry_out(self, nouns: t.AbstractSet[str], confirming: bool) -> t.Optional[journal.Journal]:
        asking = confirming and plan.could_lock_out(self.actions, self.model.server.admins)
        within = float(self.model.server.confirm_within) if asking else None
        return transaction.run(self.actions, self.ports(nouns), within)

    def prove(self) -> None:
        """Where nothing has to change, only what was asked for by name is tried."""
        if self.model.proof in ("all", "sample"):
            proof.promises(self.model, self.host, self.known, promises.select(self.model, (), self.model.proof))

    @property
    def _touched(self) -> t.FrozenSet[str]:
        """The accounts that this run changes: in the model, or on a host that had come to differ from it."""
        earlier = self.host.record.accounts
        named = plan.named(self.actions, self.model.server.jails)
        return frozenset(
            account.name
            for account in self.model.accounts
            if account.name in named or earlier.get(account.name) != dataclasses.replace(account, password_hash=None)
        )


def run(model: Model, nouns: t.AbstractSet[str] = ALL, check: bool = False, confirming: bool = False) -> Result:
    """Bring this host to the model, or only say what that would take. Raises ``Refused`` or ``transaction.Undone``.

    With ``confirming`` whoever called will call ``confirm`` over a new connection: what could lock people out waits.
    """
    with _looking_on() if check else recovery.turn():
        planned = _plan(model, nouns)
        waiting = None
        if check:
            proof.check(planned.actions)
        elif planned.actions:
            try:
                waiting = planned.carry_out(nouns, confirming)
            except Undone as undone:
                if undone.remains or not isinstance(undone.cause, Overtaken):
                    raise
                planned = _plan(model, nouns)
                waiting = planned.carry_out(nouns, confirming)
        elif nouns == ALL:
            planned.prove()
        notes = [text for name, told in NOTES.items() if name in nouns for text in told(planned.model, planned.host)]
        return _result(planned.actions, notes, waiting.id if waiting else None)


def confirm(model: Model, transaction_id: str, nouns: t.AbstractSet[str] = ALL) -> None:
    """Called over a new connection: keep what waits for it, and carry out the rest."""
    with transaction.locked():
        pending = journal.read()
        if pending is None or (pending.id, pending.state) != (transaction_id, journal.WAITING):
            raise Refused(["nothing waits for this confirmation any more: the host has gone back to what it was"])
        try:
            planned = _plan(model, nouns)
        except (Refused, Failed, OSError) as error:
            raise Undone(error, transaction.undo(pending.actions, recovery.ports(), pending)) from error
        transaction.finish(pending, planned.actions, planned.ports(nouns))


def waits(transaction_id: str) -> bool:
    """Whether this transaction is still to be confirmed, or undone."""
    pending = journal.read()
    return pending is not None and pending.id == transaction_id


@contextlib.contextmanager
def _looking_on() -> t.Iterator[None]:
    if journal.read() is not None:
        raise Refused(["a run is under way or was interrupted: the next one undoes it, and only then can be foreseen"])
    yield


def look(model: Model) -> t.Tuple[Model, Host, State]:
    """The effective model, the host as far as it decides, and all its users and groups."""
    earlier = read.record()
    present = read.identities(shares.named_users(earlier.effective(model, {})))
    model = earlier.effective(model, present.users)
    needed = [path for noun in NOUNS.values() for path in noun.paths_needed(model)]
    host = read.host(earlier, present, needed, shares.mapped_paths(model))
    return model, host, accounts.identify(model, host)


def _plan(model: Model, nouns: t.AbstractSet[str]) -> _Run:
    model, host, known = look(model)
    earlier = host.record
    refused = [text for name in sorted(nouns) for text in NOUNS[name].problems(model, host, known)]
    if refused:
        raise Refused(refused)
    parts = _desired(model, host, known)
    want = State().merged(*parts.values())
    known = known.merged(State(groups=want.groups))
    made = earlier.made_by(nouns)
    have = read.observe(want, made, known, accounts.closed(model, host))
    _refuse_foreign_files(have, want, model)
    ours = earlier.made.get("accounts", Made()).users | _new_users(have, parts["accounts"])
    actions = [action for action in plan.diff(have, want, made, ours) if _belongs(action, parts, made, nouns)]
    _refuse_unborn(model, host, nouns, actions)
    record = bookkeeping.record(model, host, nouns, parts, have, actions)
    return _Run(model, host, known, bookkeeping.with_record(actions, earlier, record))


def _result(actions: t.Sequence[Action], notes: t.Sequence[str], waiting: t.Optional[str]) -> Result:
    """Writing the record belongs to every change: it is spoken of only when it is all there is."""
    spoken = [action for action in actions if action.step not in (Step.RECORD, Step.FINAL_RECORD)] or actions
    return Result(
        tuple(map(str, spoken)), *differences.before_and_after(spoken), notes=tuple(notes), waiting=waiting
    )  # fmt: skip


def _desired(model: Model, host: Host, known: State) -> t.Dict[str, State]:
    """What each noun wants, every gid given out."""
    want = {name: noun.desired(model, host, known) for name, noun in NOUNS.items()}
    groups = accounts.allocate(State().merged(*want.values()).groups, host, known)
    return {
        name: dataclasses.replace(
            part,
            groups={
                group.name: dataclasses.replace(group, gid=groups[group.name].gid) for group in part.groups.values()
            },
        )
        for name, part in want.items()
    }


_KINDS = {User: "users", Group: "groups", Directory: "directories", File: "files", Link: "links", Mount: "mounts"}


def _belongs(action: Action, want: t.Mapping[str, State], made: Made, nouns: t.AbstractSet[str]) -> bool:
    """Whether one of the nouns of this run wants the resource, or has made it and lets it go."""
    kind = _KINDS[type(action.resource)]
    key = plan.key_of(action.resource)
    return key in getattr(made, kind) or any(key in getattr(want[noun], kind) for noun in nouns)


def _new_users(have: State, wanted: State) -> t.FrozenSet[str]:
    return frozenset(wanted.users.keys() - have.users.keys())


def _refuse_foreign_files(have: State, want: State, model: Model) -> None:
    """A file of somebody else's in the place of one of ours is never overwritten."""
    taken_over = {layout.keys_file(account.name) for account in model.accounts if account.existing == "manage"}
    foreign = [
        f"{path}: exists and was not written by Sallyport; move it away"
        for path, file in have.files.items()
        if path in want.files
        and path not in taken_over
        and layout.HEADER.strip() not in file.content
        and not path.startswith(layout.STATE)
    ]
    if foreign:
        raise Refused(sorted(foreign))


def _refuse_unborn(model: Model, host: Host, nouns: t.AbstractSet[str], actions: t.Sequence[Action]) -> None:
    """A slice gives nothing to accounts that are no users yet: only those who create them give out their ids."""
    if "accounts" in nouns:
        return
    unborn = {account.name for account in model.accounts if account.state != "absent"} - host.state.users.keys()
    if nouns == {"folders"}:
        unborn &= {name for action in actions for name in _named(action.after)}
    if unborn:
        raise Refused(
            [
                f"access_accounts: {name}: is no user of the host yet; apply sallyport.ssh.accounts first"
                for name in sorted(unborn)
            ]
        )


def _named(resource: t.Optional[plan.Resource]) -> t.Iterable[str]:
    if isinstance(resource, Group):
        return resource.members
    return [resource.owner] if isinstance(resource, (Directory, File)) else []
