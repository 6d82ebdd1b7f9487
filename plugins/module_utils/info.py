# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has, under the names of the contract's options: what ``access_info`` returns. Pure.

What the collection applied comes from the record, and beside it stands what the host makes of it now: whether a key is
installed, a folder mounted, a password set. No hash and no private key is ever part of it.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t
from dataclasses import dataclass, field

from . import layout
from .host import Tools
from .model import Account, Folder, Grant, Key
from .nouns import keys
from .openssh import fingerprints
from .openssh.sshd_config import Setting
from .records import Record
from .resources import Mount, State
from .system import expirer

Described = t.Dict[str, t.Any]

CONTRACT_NAMES = {"sources": "from", "grants": "folders"}
JAIL_OF_USER = "/%u"


@dataclass(frozen=True)
class Facts:
    """A host as it was read for this."""

    address: str
    record: Record = Record()
    present: State = State()  # users and groups
    tools: Tools = Tools()
    sudo_version: t.Optional[str] = None
    effective: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)  # what sshd -T shows
    policy: t.Sequence[Setting] = ()  # the settings of our drop-in
    host_keys: t.Sequence[t.Tuple[str, str]] = ()  # type and blob
    key_files: t.Mapping[str, str] = field(default_factory=dict)  # by account
    mounts: t.Mapping[str, Mount] = field(default_factory=dict)  # ours that are active as the mount table lists them
    directories: t.AbstractSet[str] = frozenset()  # of the recorded folders those that are there


@dataclass(frozen=True)
class Around:
    """What all accounts are looked up in."""

    groups: t.Mapping[str, t.List[str]]
    mounted: t.AbstractSet[str]


def describe(facts: Facts) -> Described:
    """The host, its accounts, folders and sudo tasks, each list in the order of names."""
    record, around = facts.record, Around(groups_of(facts.present), mounted_places(facts.mounts))
    return {
        "server": server(facts),
        "accounts": [account(record.accounts[name], facts, around) for name in sorted(record.accounts)],
        "folders": [folder(record.folders[name], facts) for name in sorted(record.folders)],
        "sudo_tasks": [options(record.sudo_tasks[name]) for name in sorted(record.sudo_tasks)],
        "tools": tools(facts),
    }


def server(facts: Facts) -> Described:
    ports = [int(port) for port in facts.effective.get("port", ())]
    is_listed = layout.LOGIN_GROUP in " ".join(facts.effective.get("allowgroups", ())).split()
    may = facts.present.groups.get(layout.LOGIN_GROUP)
    chroots = [setting.value for setting in facts.policy if setting.keyword == "chrootdirectory"]
    return {
        "address": facts.address,
        "ports": ports,
        "only_listed": is_listed,
        "admins": sorted(may.members - facts.record.accounts.keys()) if is_listed and may else [],
        "jails": next((path[: -len(JAIL_OF_USER)] for path in chroots if path.endswith(JAIL_OF_USER)), None),
        "host_keys": [host_key(facts.address, ports, kind, blob) for kind, blob in facts.host_keys],
    }


def host_key(address: str, ports: t.Sequence[int], kind: str, blob: str) -> Described:
    return {
        "type": kind,
        "sha256": fingerprints.sha256(blob),
        "md5": fingerprints.md5(blob),
        "known_hosts": fingerprints.known_hosts(address, ports, kind, blob),
        "sshfp": fingerprints.sshfp(address, kind, blob),
    }


def account(item: Account, facts: Facts, around: Around) -> Described:
    user = facts.present.users.get(item.name)
    described = options(item)
    del described["password_hash"]
    if item.kind != "shell":
        described["shell"] = None
    installed = facts.key_files.get(item.name, "").split("\n")
    described.update(
        uid=user.uid if user else None,
        home=user.home if user and item.kind == "shell" else None,
        groups=around.groups.get(item.name, []),
        has_password=user is not None and user.password.startswith("$"),
        closed_from=_day(user.expires) if user and user.expires is not None else None,
        expires=_instant(item.expires),
        existing="manage" if item.name in facts.record.managed else "refuse",
        keys=[key(part, keys.line(part, item, facts.tools.openssh) in installed) for part in item.keys],
        folders=[grant(part, item.name, around.mounted) for part in item.grants],
    )
    return described


def key(item: Key, installed: bool) -> Described:
    return {
        "owner": item.owner,
        "name": item.name,
        "key": f"{item.type} {item.blob}",
        "fingerprint": fingerprints.sha256(item.blob),
        "from": list(item.sources),
        "expires": _instant(item.expires),
        "installed": installed,
    }


def grant(item: Grant, owner: str, mounted: t.AbstractSet[str]) -> Described:
    """A private folder has no mount, and what is hidden may be masked without one: there is nothing to say of them."""
    needs_mount = not (item.private or item.hidden)
    return {**options(item), "mounted": f"/{owner}{item.at}" in mounted if needs_mount else None}


def folder(item: Folder, facts: Facts) -> Described:
    return {**options(item), "exists": item.path in facts.directories}


def tools(facts: Facts) -> Described:
    found = facts.tools
    return {
        "openssh": "{}.{}".format(*found.openssh) if any(found.openssh) else None,
        "sudo": facts.sudo_version,
        "systemd": found.systemd,
        "sysusers": found.sysusers,
        "idmapped_mounts": found.idmapped_mounts,
        "bindfs": found.bindfs,
    }


def options(item: t.Any) -> Described:
    """A part of the model under the names of the contract's options, those with their default value too."""
    return {CONTRACT_NAMES.get(f.name, f.name): _plain(getattr(item, f.name)) for f in dataclasses.fields(item)}


def mounted_places(mounts: t.Iterable[str]) -> t.FrozenSet[str]:
    """``/ACCOUNT/AT`` of every target, wherever the jails are: each of its ends that starts with a slash."""
    return frozenset(target[place:] for target in mounts for place, character in enumerate(target) if character == "/")


def groups_of(present: State) -> t.Dict[str, t.List[str]]:
    """The supplementary groups of users, without those by which sshd tells who may log in and how."""
    found: t.Dict[str, t.List[str]] = {}
    for name in sorted(present.groups):
        if name != layout.LOGIN_GROUP and not name.startswith(layout.CLASS_GROUP):
            for member in present.groups[name].members:
                found.setdefault(member, []).append(name)
    return found


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return options(value) if dataclasses.is_dataclass(value) else value


def _instant(moment: t.Optional[int]) -> t.Optional[str]:
    return None if moment is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def _day(number: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(number * expirer.DAY))
