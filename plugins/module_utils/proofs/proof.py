# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a candidate file and the daemon that obeys it: sshd's and sudo's own word, before and after.

A gate is entered with the candidate before the swap and left after it. What it raises undoes the transaction.
"""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass, field

from .. import layout
from ..errors import Refused
from ..host import Host
from ..logins import scratch
from ..model import Model
from ..nouns import sudo_tasks
from ..openssh import sshd, sshd_answers, sshd_daemon, sshd_tree
from ..plan import Action, Step
from ..resources import File, State
from ..system import daemons, sudo
from ..transactions.ports import Ports
from . import sshd_proof, trial, ways_in, ways_to_root


@dataclass
class _Seen:
    """What the gates of a run have seen so far."""

    means: t.Optional[sshd_proof.Ways] = None  # by which admins get in, before anything changed
    keys: t.Set[str] = field(default_factory=set)  # accounts whose key files have changed
    proven: bool = False  # the configuration that is installed


def ports(model: Model, host: Host, known: State, policy: bool, tried: t.Collection[str] = ()) -> Ports:
    """The gates of a run: one for the file that sshd obeys, one for sudo's.

    With ``policy`` sshd's is proven even when this run does not change it: a file of somebody else's may have come to
    win over ours since the last run, and new accounts rely on it. So is that sudo lets new accounts do nothing.
    ``tried`` are the accounts of which all that they are promised is tried, before the change is kept.
    """

    seen = _Seen()

    @contextlib.contextmanager
    def sshd_gate(candidate: File) -> t.Iterator[None]:
        changes = {candidate.path: candidate.content}
        _demand(sshd_proof.problems(changes, model, host))
        seen.means = sshd_proof.means(model, host)
        _demand(ways_in.lost(seen.means, sshd_proof.ways(changes, model, host, coming=True)))
        answering = sshd_answers.answering(sshd_proof.places(model, host))
        yield
        _demand(sshd_proof.settings_problems(sshd_tree.INSTALLED, model, host))
        listens = sshd_daemon.listener(host.tools.systemd) is not None
        sshd_daemon.reload(host.tools.systemd)
        _demand(sshd_answers.lost(answering, sshd_proof.places(model, host), model.server.port, listens))
        seen.proven = True

    @contextlib.contextmanager
    def keys_gate(candidate: File) -> t.Iterator[None]:
        seen.keys.add(os.path.basename(candidate.path))
        if seen.means is None:
            seen.means = sshd_proof.means(model, host)
        yield

    @contextlib.contextmanager
    def sudo_gate(candidate: File) -> t.Iterator[None]:
        sudo_candidate(candidate)
        active = _sudo()
        before = ways_to_root.of(model.server.admins, active)
        yield
        _demand(_complaint(sudo.check_tree(active.visudo)))
        _demand(ways_to_root.lost(before, ways_to_root.of(model.server.admins, active)))
        _demand(sudo.prove(_expected_rules(model, host), active))

    @contextlib.contextmanager
    def expiry_gate(candidate: File) -> t.Iterator[None]:
        yield
        daemons.close_what_is_due()

    def prove() -> None:
        if not policy:
            return
        if not seen.proven:
            _demand(sshd_proof.problems({}, model, host))
            seen.means = sshd_proof.means(model, host)
        _demand(_new_rules(model, host))

    def opened() -> None:
        """Keys are what the last gate could not see: they come after it."""
        _demand(ways_in.unreadable(sshd_proof.key_files(seen.keys)))
        if seen.means is not None:
            _demand(ways_in.lost(seen.means, sshd_proof.ways({}, model, host, coming=False)))
        promises(model, host, known, tried)

    return Ports(
        known=known,
        gates={
            **{layout.keys_file(account.name): keys_gate for account in model.accounts},
            layout.SSHD_DROP_IN: sshd_gate,
            layout.SUDOERS: sudo_gate,
            layout.EXPIRY_TABLE: expiry_gate,
        },
        prove=prove,
        opened=opened,
        take_up=daemons.take_up(host.tools.systemd),
        take_back=daemons.take_up(host.tools.systemd, undoing=True),
        systemd=host.tools.systemd,
        sysusers=host.tools.sysusers,
    )


def promises(model: Model, host: Host, known: State, tried: t.Collection[str]) -> None:
    """Try all that these accounts are promised, with what is installed now."""
    _demand(trial.problems({}, model, host, known, tried))


def check(actions: t.Iterable[Action]) -> None:
    """What can be validated in check mode, when users and groups are not there yet: the candidates' own text."""
    for action in actions:
        if action.step is Step.SSHD and isinstance(action.after, File):
            with sshd_candidate(action.after) as tree:
                outcome = sshd.test(tree.main)
                _demand([] if outcome.ok else [tree.original(f"sshd refuses the configuration: {outcome.said}")])
        if action.step is Step.SUDO and isinstance(action.after, File):
            sudo_candidate(action.after)


@contextlib.contextmanager
def sshd_candidate(candidate: File) -> t.Iterator[sshd_tree.Tree]:
    with scratch.directory() as directory:
        yield sshd_tree.build_candidate(directory + "/tree", {candidate.path: candidate.content})


def sudo_candidate(candidate: File) -> None:
    _demand(_complaint(sudo.check(candidate.content, _sudo().visudo)))


def _expected_rules(model: Model, host: Host) -> t.Dict[str, t.FrozenSet[sudo_tasks.Rule]]:
    """Also for accounts that had tasks until now: they are to have none."""
    before = [account.name for account in host.record.accounts.values() if account.sudo_tasks]
    return {**dict.fromkeys(before, frozenset()), **sudo_tasks.expected_rules(model)}


def _new_rules(model: Model, host: Host) -> t.List[str]:
    """What sudo lets new accounts do that have no task."""
    active = sudo.active()
    new = [account for account in model.accounts if account.is_open and account.name not in host.record.accounts]
    nothing: t.Dict[str, t.FrozenSet[sudo_tasks.Rule]] = {
        account.name: frozenset() for account in new if account.kind == "shell" and not account.sudo_tasks
    }
    return sudo.prove(nothing, active) if active is not None else []


def _sudo() -> sudo.Sudo:
    active = sudo.active()
    if active is None:
        raise Refused(["the host has no sudo; install it (apt-get install sudo)"])
    return active


def _complaint(text: t.Optional[str]) -> t.List[str]:
    return [f"visudo refuses the policy: {text}"] if text else []


def _demand(problems: t.Sequence[str]) -> None:
    if problems:
        raise Refused(problems)
