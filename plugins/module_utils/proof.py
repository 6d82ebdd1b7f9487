# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a candidate file and the daemon that obeys it: sshd's and sudo's own word, before and after.

A gate is entered with the candidate before the swap and left after it. What it raises undoes the transaction.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t

from . import layout, mounting, processes, sshd, sshd_policy, sudo, sudo_tasks
from .errors import Refused
from .host import Host
from .model import Model
from .plan import Action, Step
from .resources import File, State
from .steps import Ports


def ports(model: Model, host: Host, known: State, policy: bool) -> Ports:
    """The gates of a run: one for the file that sshd obeys, one for sudo's.

    With ``policy`` sshd's is proven even when this run does not change it: a file of somebody else's may have come to
    win over ours since the last run, and new accounts rely on it. So is that sudo lets new accounts do nothing.
    """

    @contextlib.contextmanager
    def sshd_gate(candidate: File) -> t.Iterator[None]:
        with sshd_candidate(candidate) as tree:
            _demand(_sshd_problems(tree, model, host))
        yield
        _demand(_sshd_problems(sshd.INSTALLED, model, host))
        sshd.reload(host.tools.systemd)

    @contextlib.contextmanager
    def sudo_gate(candidate: File) -> t.Iterator[None]:
        sudo_candidate(candidate)
        yield
        active = _sudo()
        _demand(_complaint(sudo.check_tree(active.visudo)))
        _demand(sudo.prove(_expected_rules(model, host), active))

    @contextlib.contextmanager
    def expiry_gate(candidate: File) -> t.Iterator[None]:
        yield
        _close_what_is_due()

    return Ports(
        known=known,
        gates={
            layout.SSHD_DROP_IN: sshd_gate,
            layout.SUDOERS: sudo_gate,
            layout.EXPIRY_TABLE: expiry_gate,
        },
        prove=(lambda: _demand(_policy_problems(model, host))) if policy else lambda: None,
        take_up={
            layout.SSHD_DROP_IN: lambda: sshd.reload(host.tools.systemd),
            layout.MOUNT_TABLE: lambda: _mount_what_is_listed(host.tools.systemd),
            layout.EXPIRY_TABLE: _close_what_is_due,
        },
        systemd=host.tools.systemd,
        sysusers=host.tools.sysusers,
    )


def _mount_what_is_listed(systemd: bool) -> None:
    if os.path.exists(layout.MOUNT_TABLE):
        mounting.apply(layout.MOUNT_TABLE, systemd)


def _close_what_is_due() -> None:
    """A moment of the table may have passed since the host was read; the program waits until this run has ended."""
    if os.path.exists(layout.EXPIRY_TABLE):
        processes.must(["systemctl", "start", "--no-block", layout.EXPIRY_SERVICE])


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
def sshd_candidate(candidate: File) -> t.Iterator[sshd.Tree]:
    with tempfile.TemporaryDirectory(prefix="sallyport-sshd-") as directory:
        yield sshd.build_candidate(directory, {candidate.path: candidate.content})


def sudo_candidate(candidate: File) -> None:
    _demand(_complaint(sudo.check(candidate.content, _sudo().visudo)))


def _expected_rules(model: Model, host: Host) -> t.Dict[str, t.FrozenSet[sudo_tasks.Rule]]:
    """Also for accounts that had tasks until now: they are to have none."""
    before = [account.name for account in host.record.accounts.values() if account.sudo_tasks]
    return {**dict.fromkeys(before, frozenset()), **sudo_tasks.expected_rules(model)}


def _policy_problems(model: Model, host: Host) -> t.List[str]:
    active = sudo.active()
    new = [account for account in model.accounts if account.is_open and account.name not in host.record.accounts]
    nothing: t.Dict[str, t.FrozenSet[sudo_tasks.Rule]] = {
        account.name: frozenset() for account in new if account.kind == "shell" and not account.sudo_tasks
    }
    return [
        *_sshd_problems(sshd.INSTALLED, model, host),
        *(sudo.prove(nothing, active) if active is not None else ()),
    ]


def _sshd_problems(tree: sshd.Tree, model: Model, host: Host) -> t.List[str]:
    samples = {cls: names[0] for cls, names in sshd_policy.classes(model).items()}
    return sshd.prove(tree, samples, _unlisted(model, host), model.server, host.tools.openssh)


def _unlisted(model: Model, host: Host) -> str:
    """A user of the host who is neither an account nor an admin."""
    listed = {account.name for account in model.accounts} | set(model.server.admins)
    return next(name for name in ("nobody", *sorted(host.state.users)) if name not in listed)


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
