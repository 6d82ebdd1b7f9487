# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run writes into the state of record: the model that it applies, and what it makes of that."""

from __future__ import annotations

import dataclasses
import typing as t

from . import layout, records
from .host import Host
from .model import Model
from .plan import Action, Step
from .records import Made, Record
from .resources import File, State, User


def record(
    model: Model,
    host: Host,
    nouns: t.AbstractSet[str],
    want: t.Mapping[str, State],
    have: State,
    actions: t.Sequence[Action],
) -> Record:
    """The state of record once the actions are done."""
    earlier = host.record
    born = [account for account in model.accounts if "accounts" in nouns or account.name in host.state.users]
    made = {
        noun: _made_now(earlier.everything, want[noun], have) if noun in nouns else part
        for noun, part in {**dict.fromkeys(want, Made()), **earlier.made}.items()
    }
    gone = [action.before for action in actions if action.step is Step.REMOVE_USER and isinstance(action.before, User)]
    return Record(
        accounts={account.name: account for account in born if account.state != "absent"},
        folders={folder.name: folder for folder in model.folders},
        sudo_tasks={task.name: task for task in model.sudo_tasks},
        made={noun: part for noun, part in made.items() if part != Made()},
        managed=_managed(model, have, made["accounts"], earlier) if "accounts" in nouns else earlier.managed,
        tombstones=earlier.tombstones | {number for user in gone for number in (user.uid, user.gid)},
    )


def _made_now(earlier: Made, want: State, have: State) -> Made:
    """Of what is wanted: what earlier runs made, and what the host does not have yet. Every file of ours is made."""
    kinds = {}
    for f in dataclasses.fields(Made):
        wanted, present = getattr(want, f.name), getattr(have, f.name)
        kinds[f.name] = frozenset(
            key
            for key in wanted
            if f.name in ("files", "mounts") or key in getattr(earlier, f.name) or key not in present
        )
    return Made(**kinds)


def _managed(model: Model, have: State, made: Made, earlier: Record) -> t.Dict[str, User]:
    """Users of somebody else that are accounts now, each as it was when it was taken over."""
    return {
        account.name: earlier.managed.get(account.name, have.users[account.name])
        for account in model.accounts
        if account.state != "absent" and account.name in have.users and account.name not in made.users
    }


def with_record(actions: t.Sequence[Action], earlier: Record, record: Record) -> t.List[Action]:
    """The record is written when nothing is left but removals, and then still names what they remove."""
    leaving = any(action.step > Step.RECORD and action.after is None for action in actions)
    interim = records.while_leaving(earlier, record) if leaving else record
    old, middle, new = (File(layout.RECORD, records.render(item), 0o600) for item in (earlier, interim, record))
    written = [
        Action(step, None if before == old and earlier == Record() else before, after)
        for step, before, after in ((Step.RECORD, old, middle), (Step.FINAL_RECORD, middle, new))
        if before != after
    ]
    return sorted([*actions, *written], key=lambda action: action.step)
