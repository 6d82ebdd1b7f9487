# SPDX-License-Identifier: GPL-3.0-or-later
"""What a transaction needs from the host besides files, users and mounts."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..errors import Refused
from ..plan import label
from ..resources import Directory, File, State

Gate = t.Callable[[File], t.ContextManager[None]]


@dataclass(frozen=True)
class Ports:
    """What a transaction needs from the host besides files, users and mounts.

    ``gates`` are context managers for the files that a daemon obeys, by path: entered with the candidate before it is
    swapped in (to validate and prove it) and left after it was (to prove it installed, and to reload). ``take_up``
    makes a daemon read such a file again after it was removed, ``take_back`` after it was put back. ``prove`` is called
    once when all that confines is in place, before anything opens a way in; ``opened`` when the keys are in place too.
    """

    known: State
    gates: t.Mapping[str, Gate]
    prove: t.Callable[[], None]
    take_up: t.Mapping[str, t.Callable[[], None]]
    take_back: t.Mapping[str, t.Callable[[], None]]
    systemd: bool
    sysusers: bool
    opened: t.Callable[[], None] = lambda: None
    recovering: bool = False  # after a run that died: nobody knows what its daemons have read


def owner(resource: t.Union[Directory, File], known: State) -> t.Tuple[int, int]:
    try:
        return known.users[resource.owner].uid, known.groups[resource.group].gid
    except KeyError as missing:
        raise Refused([f"{label(resource)}: {missing} is not on the host yet; apply `accounts` first"]) from None
