# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what the transaction that is under way is about to change, so that whoever comes later can undo it.

It is written before the first change and removed after the last one. It names what was there before and what is made,
and holds no content of files and no password: files that are replaced stay beside their place (files.earlier), and
passwords are set after the journal has been settled.
"""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t
from dataclasses import dataclass

from .. import layout
from ..model import from_data, to_data
from ..plan import Action, Resource, Step
from ..resources import Directory, File, Group, Link, Mount, User
from ..system import files

VERSION = 1
OPENING = Step.KEY  # the first step that opens a way in
LAST = Step.RECORD  # what comes later is not undone when a run is interrupted: the next one completes it

OPEN = "open"  # under way: to be undone when its run has died
WAITING = "waiting"  # done, and to be undone unless it is confirmed in time
KEPT = "kept"  # not to be undone any more


@dataclass(frozen=True)
class Journal:
    id: str
    actions: t.Tuple[Action, ...]
    state: str = OPEN
    until: float = 0.0  # seconds since the epoch: when waiting ends; 0: nothing has to be confirmed
    boot: str = ""


_KINDS: t.Mapping[str, t.Type[t.Any]] = {
    kind.__name__: kind for kind in (User, Group, Directory, File, Link, Mount)
}  # fmt: skip


def of(identity: str, actions: t.Iterable[Action], until: float = 0.0) -> Journal:
    """The final record is among the actions that are named, because a file is kept beside it as well."""
    plain = (_without_secrets(item) for item in actions if names(item.step))
    return Journal(identity, tuple(plain), until=until, boot=this_boot())


def names(step: Step) -> bool:
    return step <= LAST or step is Step.FINAL_RECORD


def this_boot() -> str:
    """What tells one boot from another; in a container the start of its first process does."""
    identity = (files.read("/proc/sys/kernel/random/boot_id") or "").strip()
    first = (files.read("/proc/1/stat") or "").rpartition(")")[2].split()
    return f"{identity} {first[19]}"


def read() -> t.Optional[Journal]:
    kept = files.read(layout.JOURNAL_KEPT)
    if kept is not None:
        return dataclasses.replace(parse(kept), state=KEPT)
    text = files.read(layout.JOURNAL)
    return parse(text) if text is not None else None


def write(journal: Journal) -> None:
    """The journal is on disk, whole, when this returns."""
    files.stage(File(layout.JOURNAL, render(journal), 0o600), 0, 0)
    files.swap_in(layout.JOURNAL)
    files.settle([layout.JOURNAL])


def wait(journal: Journal, until: float) -> Journal:
    """From now on it is undone unless it is confirmed until then."""
    waiting = dataclasses.replace(journal, state=WAITING, until=until)
    write(waiting)
    return waiting


def keep() -> None:
    """From now on it is not undone any more. A new name needs no space on disk, nor does the way back."""
    os.rename(layout.JOURNAL, layout.JOURNAL_KEPT)
    files.settle([layout.JOURNAL])


def reopen() -> None:
    if os.path.lexists(layout.JOURNAL_KEPT):
        os.rename(layout.JOURNAL_KEPT, layout.JOURNAL)
        files.settle([layout.JOURNAL])


def remove() -> None:
    for path in (layout.JOURNAL, layout.JOURNAL_KEPT):
        files.remove(path)
    files.discard(layout.JOURNAL)
    files.settle([layout.JOURNAL])


def render(journal: Journal) -> str:
    data = {
        "version": VERSION,
        "id": journal.id,
        "state": journal.state,
        "until": journal.until,
        "boot": journal.boot,
        "actions": [
            [action.step.name, _resource_data(action.before), _resource_data(action.after)]
            for action in journal.actions
        ],
    }
    return json.dumps(data, separators=(",", ":")) + "\n"


def parse(text: str) -> Journal:
    """The inverse of ``render``; a journal of a newer version is an error, never a guess."""
    data = json.loads(text)
    if data["version"] > VERSION:
        raise ValueError("the journal was written by a newer version of the collection: use that one")
    actions = (Action(Step[step], _resource(before), _resource(after)) for step, before, after in data["actions"])
    return Journal(data["id"], tuple(actions), data["state"], data["until"], data["boot"])


def _resource_data(resource: t.Optional[Resource]) -> t.Any:
    return None if resource is None else {type(resource).__name__: to_data(resource)}


def _resource(data: t.Optional[t.Mapping[str, t.Any]]) -> t.Optional[Resource]:
    if data is None:
        return None
    ((kind, fields),) = data.items()
    return t.cast(Resource, from_data(_KINDS[kind], fields))


def _without_secrets(action: Action) -> Action:
    return Action(action.step, _plain(action.before), _plain(action.after))


def _plain(resource: t.Optional[Resource]) -> t.Optional[Resource]:
    if isinstance(resource, User):
        return dataclasses.replace(resource, password="*")
    return dataclasses.replace(resource, content="") if isinstance(resource, File) else resource
