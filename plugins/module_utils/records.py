# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of record: what the collection made on a host, and the model that it last applied there.

Removal, exclusivity and undo go by it: what it does not name was not ours and is never removed. It holds no password
and no hash; those of an account that a run does not list stay as the host has them.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import typing as t
from dataclasses import dataclass, field

from .model import Account, Folder, Model, SudoTask, from_data, to_data
from .resources import User

VERSION = 1


@dataclass(frozen=True)
class Made:
    """Names, paths and targets of what the collection created and nobody else may lose."""

    users: t.FrozenSet[str] = frozenset()
    groups: t.FrozenSet[str] = frozenset()
    directories: t.FrozenSet[str] = frozenset()
    files: t.FrozenSet[str] = frozenset()
    links: t.FrozenSet[str] = frozenset()
    mounts: t.FrozenSet[str] = frozenset()


_FIELDS = dataclasses.fields(Made)


@dataclass(frozen=True)
class Record:
    accounts: t.Mapping[str, Account] = field(default_factory=dict)
    folders: t.Mapping[str, Folder] = field(default_factory=dict)
    sudo_tasks: t.Mapping[str, SudoTask] = field(default_factory=dict)
    made: t.Mapping[str, Made] = field(default_factory=dict)  # by the noun that made it
    managed: t.Mapping[str, User] = field(default_factory=dict)  # foreign users as they were before we managed them
    tombstones: t.FrozenSet[int] = frozenset()  # uids and gids of what was removed: never given out again

    @property
    def everything(self) -> Made:
        """What was made, whichever noun made it."""
        return self.made_by(self.made.keys())

    def made_by(self, nouns: t.AbstractSet[str]) -> Made:
        parts = (made for noun, made in self.made.items() if noun in nouns)
        return functools.reduce(_both, parts, Made())

    def effective(self, model: Model, users: t.Mapping[str, User]) -> Model:
        """The model with what earlier runs applied and this one does not list, unless the model is exclusive.

        What an exclusive model does not list comes back as ``absent``. ``users`` are the host's: an account that this
        run does not list keeps the password that it has there.
        """
        listed = {account.name for account in model.accounts}
        earlier = [
            dataclasses.replace(account, password_hash=_kept_password(users.get(name)))
            for name, account in sorted(self.accounts.items())
            if name not in listed
        ]
        if model.exclusive:
            earlier = [dataclasses.replace(account, state="absent") for account in earlier]
        folders = {folder.name: folder for folder in model.folders}
        tasks = {task.name: task for task in model.sudo_tasks}
        if not model.exclusive:
            folders = {**self.folders, **folders}
            tasks = {**self.sudo_tasks, **tasks}
        return dataclasses.replace(
            model,
            accounts=model.accounts + tuple(earlier),
            folders=tuple(folders.values()),
            sudo_tasks=tuple(tasks.values()),
        )


def while_leaving(earlier: Record, record: Record) -> Record:
    """The record until what leaves has left: whoever finds it so goes on removing that."""
    leaving = {
        name: dataclasses.replace(account, state="absent")
        for name, account in earlier.accounts.items()
        if name not in record.accounts
    }
    nouns = {**dict.fromkeys(earlier.made, Made()), **record.made}
    return dataclasses.replace(
        record,
        accounts={**leaving, **record.accounts},
        made={noun: _both(made, earlier.made.get(noun, Made())) for noun, made in nouns.items()},
        managed={**earlier.managed, **record.managed},
    )


def _both(one: Made, other: Made) -> Made:
    return Made(**{f.name: getattr(one, f.name) | getattr(other, f.name) for f in _FIELDS})


def render(record: Record) -> str:
    """The record as stable JSON text."""
    data = {
        "version": VERSION,
        "accounts": {name: _without_secret(account) for name, account in record.accounts.items()},
        "folders": {name: to_data(folder) for name, folder in record.folders.items()},
        "sudo_tasks": {name: to_data(task) for name, task in record.sudo_tasks.items()},
        "made": {noun: _made_data(made) for noun, made in record.made.items()},
        "managed": {name: to_data(dataclasses.replace(user, password="*")) for name, user in record.managed.items()},
        "tombstones": sorted(record.tombstones),
    }
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def parse(text: str) -> Record:
    """The inverse of ``render``; a record of a newer version is an error, never a guess."""
    data = json.loads(text)
    if data["version"] > VERSION:
        raise ValueError("the record was written by a newer version of the collection: use that one")
    return Record(
        accounts={name: from_data(Account, item) for name, item in data["accounts"].items()},
        folders={name: from_data(Folder, item) for name, item in data["folders"].items()},
        sudo_tasks={name: from_data(SudoTask, item) for name, item in data["sudo_tasks"].items()},
        made={noun: _made_from(item) for noun, item in data["made"].items()},
        managed={name: from_data(User, item) for name, item in data["managed"].items()},
        tombstones=frozenset(data["tombstones"]),
    )


def _kept_password(user: t.Optional[User]) -> t.Optional[str]:
    return user.password if user is not None and user.password.startswith("$") else None


def _without_secret(account: Account) -> t.Any:
    return to_data(dataclasses.replace(account, password_hash=None))


def _made_data(made: Made) -> t.Any:
    return {f.name: sorted(getattr(made, f.name)) for f in _FIELDS if getattr(made, f.name)}


def _made_from(data: t.Mapping[str, t.Iterable[str]]) -> Made:
    return Made(**{kind: frozenset(names) for kind, names in data.items()})
