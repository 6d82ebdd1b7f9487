# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted otherwise than the model says: whose grant it is, what is there, and what should be."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .. import layout
from ..host import Host, components
from ..model import Model
from ..nouns import mounts
from ..nouns.shares import hidden_in, shares
from ..resources import Mount, State
from ..system.mounter import ATTRIBUTE, IDMAP, MountInfo

Mounted = t.Mapping[str, MountInfo]


@dataclass(frozen=True)
class Wanted:
    """A mount of the model."""

    place: str  # the account, and where it sees the mount
    what: str
    mount: Mount


def wanted(model: Model, host: Host, known: State) -> t.Dict[str, Wanted]:
    """By target: the grants, the parts of them that are hidden, and what lies between the two."""
    named: t.Dict[str, t.Tuple[str, str]] = {}
    for account, grant, share in shares(model, host, known):
        jail, place = layout.jail(model.server.jails, account.name), f"access_accounts: {account.name}: "
        rights = f"{share.what} with rights {grant.rights}"
        named[jail + grant.at] = (place + grant.at, rights)
        for hidden in hidden_in(account, grant):
            for above in components(hidden.at):
                if above.startswith(grant.at.rstrip("/") + "/"):
                    named.setdefault(jail + above, (place + above, f"a part of {rights}"))
            named[jail + hidden.at] = (place + hidden.at, "nothing to see, since it is hidden")
    wants = mounts.desired(model, host, known).mounts
    return {target: Wanted(*named[target], mount) for target, mount in wants.items() if target in named}


def told(action: str, wants: t.Mapping[str, Wanted], mounted: Mounted) -> t.Optional[str]:
    """The sentence for an action of a run; ``None`` if it concerns no mount of the model."""
    for verb in ("create", "change"):
        start = f"{verb} mount "
        target = action[len(start) :] if action.startswith(start) else ""
        while target:  # the details in brackets, and a path may have some of its own
            if target in wants:
                want = wants[target]
                there = shown(want.mount, mounted, wants.keys())
                return f"{want.place}: should be {want.what}, and is {there}: a run would {verb} mount {target}"
            target = target.rpartition(" (")[0]
    return None


def shown(want: Mount, mounted: Mounted, ours: t.Container[str]) -> str:
    """What is mounted at the place of a mount, as the host names it."""
    info = mounted.get(want.target)
    if info is None:
        return "not mounted"
    if info.type != want.type or want.type == "none":
        paths = paths_of(info, {target: other for target, other in mounted.items() if target not in ours})
        if want.source not in paths:
            return f"another directory, {paths[0]}" if paths else f"another mount, a {info.type}"
    missing = [option for option in ATTRIBUTE if option in want.options and option not in info.options]
    surplus = [option for option in ATTRIBUTE if option in info.options and option not in want.options]
    if missing or surplus:
        return f"mounted {' and '.join(['without ' + part for part in missing] + ['with ' + part for part in surplus])}"
    is_mapped = any(option.startswith(IDMAP) for option in want.options)
    return "mounted with other owners than it should have" if is_mapped else "mounted in another way"


def paths_of(info: MountInfo, others: Mounted) -> t.List[str]:
    """The paths by which the host knows what is mounted, the shortest way first.

    Its ``root`` alone is a path of the filesystem, of which the host may see but a part, as a container does.
    """
    found = []
    for target, other in others.items():
        below = _below(info.root, other.root) if other.device == info.device else None
        if below is not None:
            found.append((len(below), (target.rstrip("/") + below) or "/"))
    return [path for _length, path in sorted(found)]


def _below(path: str, top: str) -> t.Optional[str]:
    """What of the path comes after the top, from a slash on."""
    if path == top:
        return ""
    start = top.rstrip("/") + "/"
    return path[len(start) - 1 :] if path.startswith(start) else None
