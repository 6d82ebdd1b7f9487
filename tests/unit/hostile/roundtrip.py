# SPDX-License-Identifier: GPL-3.0-or-later
"""What an accepted model comes to on a well-disposed host, read back by the real programs.

Runs in the sandbox. What is expected is said once more here, from the model: that the product agrees with itself
proves little.
"""

from __future__ import annotations

import base64
import collections.abc as c
import dataclasses
import hashlib
import json
import re
import typing as t
from pathlib import Path

from ansible_collections.sallyport.ssh.plugins.module_utils import differences, layout, plan, records
from ansible_collections.sallyport.ssh.plugins.module_utils.host import components
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Model, from_json, to_json
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import mounts, sshd_policy
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd, sshd_tree
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import sshd_promises
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import State
from ansible_collections.sallyport.ssh.plugins.module_utils.system import expirer, processes, users
from ansible_collections.sallyport.ssh.tests.unit.hostile import roundtrip_sudo
from ansible_collections.sallyport.ssh.tests.unit.hostile.outcome import (
    VERSION,
    Outcome,
    Problems,
    lines,
    outcome_of,
    run,
)

UNLISTED = "backup"

# The options that a line of a key file may have, as sshd takes them apart, and the arguments of internal-sftp.
_OPTIONS = re.compile(r'(?:from="(?P<sources>[0-9a-f.:/,]+)")?,?(?:expiry-time="(?P<moment>[0-9]{14}Z?)")?')
_SFTP = re.compile(r"internal-sftp(?P<read_only> -R)? -P[a-z,]+(?P<log> -lINFO -fAUTHPRIV)? -u(?P<umask>[0-7]{4})")


def answer(text: str) -> t.List[str]:
    """Where the model, as JSON, does not come back as it is; ``[]``: it does, from everywhere."""
    model = from_json(text)
    if from_json(to_json(model)) != model:
        return ["the model is another one after JSON"]
    outcome, refused = outcome_of(model)
    if refused:
        return [f"refused by a host that has all it needs: {text}" for text in refused]
    return [f"{check.__name__.strip('_')}: {text}" for check in CHECKS for text in _found(check, outcome)]


def _found(check: c.Callable[[Outcome], Problems], outcome: Outcome) -> Problems:
    """A program that does not even take what it was given is a finding, too."""
    try:
        yield from check(outcome)
    except (processes.Failed, LookupError, ValueError) as error:
        yield f"{type(error).__name__}: {error}"


def _user_database(outcome: Outcome) -> Problems:
    """getent, and our own parser, say of every account what was wanted, and nothing of the others has changed."""
    want, before = outcome.want, outcome.host.state
    new = [user for name, user in want.users.items() if name not in before.users]
    users.create([group for name, group in want.groups.items() if name not in before.groups], new, sysusers=True)
    users.settle_new(new)
    for name, user in want.users.items():
        if name in before.users:
            users.change(before.users[name], user)
    users.add_members({group.name: group.members for group in want.groups.values()}, sysusers=True)
    found, groups = users.read()
    for name, user in want.users.items():
        if found.get(name) != user:
            yield f"{name} is {found.get(name)}, not {user}"
        line = f"{name}:x:{user.uid}:{user.gid}:{user.comment}:{user.home}:{user.shell}"
        if lines("getent", "passwd", name) != [line]:
            yield f"getent passwd {name} says {lines('getent', 'passwd', name)}, not {line}"
        shadow = lines("getent", "shadow", name)[0].split(":")
        day = "" if user.expires is None else str(user.expires)
        if (shadow[0], shadow[1], shadow[7], len(shadow)) != (name, user.password, day, 9):
            yield f"getent shadow {name} has {len(shadow)} fields, or another password or day"
    for name, group in want.groups.items():
        members = groups[name].members if name in groups else None
        if members is None or group.members - members:
            yield f"group {name} has {members}, not {group.members}"
    if found.keys() - want.users.keys() != before.users.keys() - want.users.keys():
        yield f"there are other users: {sorted(found.keys() ^ before.users.keys())}"
    for name in before.users.keys() - want.users.keys():
        if found[name] != before.users[name]:
            yield f"{name}, who is nobody's business, has changed"


def _sshd(outcome: Outcome) -> Problems:
    model, text = outcome.model, outcome.want.files[layout.SSHD_DROP_IN].content
    Path(layout.SSHD_DROP_IN).write_text(text)
    samples = {cls: names[0] for cls, names in sshd_policy.classes(model).items()}
    yield from sshd_promises.prove(sshd_tree.INSTALLED, samples, UNLISTED, model.server, VERSION)
    blocks = len(samples) + sum(1 for cls in samples if cls.sources) + 1 + model.server.only_listed
    if len(re.findall(r"(?m)^Match ", text)) != blocks or len(re.findall(r"(?im)^\s*match\b", text)) != blocks:
        yield f"there are not {blocks} Match blocks: {text!r}"
    for account in model.accounts:
        if account.state != "absent":
            address = account.sources[0].partition("/")[0] if account.sources else "192.0.2.1"
            found = sshd.effective(layout.SSHD_CONFIG, account.name, "h", address)
            for keyword, expected in _settings(account, model).items():
                said = " ".join(found.get(keyword, ()))
                if said != expected:
                    yield f"{account.name}: {keyword} is {said!r}, not {expected!r}"
            if account.is_open and account.kind == "sftp":
                yield from _sftp_server(account, " ".join(found["forcecommand"]), model)


def _sftp_server(account: Account, command: str, model: Model) -> Problems:
    read = _SFTP.fullmatch(command)
    only = all(grant.rights == "read_only" for grant in account.grants if not grant.hidden)
    if not read or (read["umask"], bool(read["read_only"]), bool(read["log"])) != (
        account.umask,
        only,
        model.server.log_transfers,
    ):
        yield f"{account.name}: its server is {command!r}"


def _settings(account: Account, model: Model) -> t.Dict[str, str]:
    """What the options of an account mean to sshd."""
    server, listed = model.server, account.forwarding
    common = {"maxauthtries": str(server.max_auth_tries), "maxstartups": server.max_startups, "permittunnel": "no"}
    if not account.is_open:
        return {**common, "authorizedkeysfile": "none", "pubkeyauthentication": "no", "passwordauthentication": "no"}
    sftp = account.kind == "sftp"
    files = "/etc/ssh/authorized_keys.d/%u" + (" .ssh/authorized_keys" if account.home_keys else "")
    found = {
        **common,
        "authorizedkeysfile": files,
        "passwordauthentication": "yes" if account.password_hash else "no",
        "allowagentforwarding": "yes" if listed.agent and account.kind == "shell" else "no",
        "x11forwarding": "yes" if listed.x11 and account.kind == "shell" else "no",
        "permitopen": "none" if sftp else " ".join(sorted(listed.local)) or "none",
        "permitlisten": "none" if sftp else " ".join(sorted(listed.remote)) or "none",
        "chrootdirectory": f"{server.jails}/%u" if sftp else "none",
        "unusedconnectiontimeout": "none" if server.idle_timeout is None else str(server.idle_timeout),
    }
    if account.second_factor == "password":
        found["authenticationmethods"] = "publickey,password"
    if VERSION < (9, 2):
        del found["unusedconnectiontimeout"]
    return found


def _keys(outcome: Outcome) -> Problems:
    """ssh-keygen reads each line as the key that it is; the options are those of the model and no others."""
    for account in outcome.model.accounts:
        file = outcome.want.files.get(layout.keys_file(account.name))
        if (file is not None) != bool(account.is_open and account.keys):
            yield f"{account.name}: the key file is {file}"
        if file is None:
            continue
        path = Path("/run/keys")
        path.write_text(file.content)
        said = [line.split(" ")[1:3] for line in lines("ssh-keygen", "-lf", str(path))]
        wanted = [
            [f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}", f"{key.owner}/{key.name}"]
            for key in account.keys
            for digest in [hashlib.sha256(base64.b64decode(key.blob)).digest()]
        ]
        if said != wanted:
            yield f"{account.name}: ssh-keygen reads {said}, not {wanted}"
        entries = [line for line in file.content.splitlines() if not line.startswith("#")]
        for line, key in zip(entries, account.keys):
            options = line.partition(f"{key.type} {key.blob}")[0].strip()
            limit = min((at for at in (key.expires, account.expires) if at is not None), default=None)
            read = _OPTIONS.fullmatch(options)
            sources = tuple((read["sources"] or "").split(",")) if read and read["sources"] else ()
            if not read or sources != (key.sources or account.sources) or bool(read["moment"]) != (limit is not None):
                yield f"{account.name}: the options of a key are {options!r}"


def _mount_table(outcome: Outcome) -> Problems:
    """Our parser and findmnt read the mounts that are wanted, and those are the model's."""
    wanted = outcome.want.mounts
    file = outcome.want.files.get(layout.MOUNT_TABLE)
    grants = {
        f"{outcome.model.server.jails}/{account.name}{grant.at}"
        for account in outcome.model.accounts
        if account.kind == "sftp" and account.state != "absent"
        for grant in account.grants
        if not grant.private
    }
    if wanted.keys() != grants or (file is not None) != bool(wanted):
        yield f"mounts are {sorted(wanted)}, not {sorted(grants)}"
    if file is None:
        return
    if mounts.parse(file.content) != wanted:
        yield f"the table is read as {mounts.parse(file.content)}"
    Path("/run/fstab").write_text(file.content)
    columns = "--output=SOURCE,TARGET,FSTYPE,OPTIONS"
    said = json.loads(run("findmnt", "--tab-file", "/run/fstab", "--json", "--list", columns).stdout)["filesystems"]
    found = {row["target"]: (row["source"], row["fstype"], row["options"]) for row in said}
    mounted = {
        mount.target: (mount.source, mount.type, ",".join(mount.options).replace(" ", "\\040"))
        for mount in wanted.values()
    }
    plain = {target: (source, kind, options.replace("\\040", " ")) for target, (source, kind, options) in found.items()}
    if plain != {
        target: (source, kind, options.replace("\\040", " ")) for target, (source, kind, options) in mounted.items()
    }:
        yield f"findmnt reads {found}, not {mounted}"
    unit = outcome.want.files[mounts.UNIT].content
    paths = sorted({part for mount in wanted.values() for part in components(mount.source)[2:]})
    names = lines("systemd-escape", "--path", "--suffix=mount", *paths) if paths else [""]
    missing = [name for name in " ".join(names).split() if f"Wants={name}\n" not in unit]
    if missing:
        yield f"the unit lacks {missing}"


def _expiry_table(outcome: Outcome) -> Problems:
    file = outcome.want.files.get(layout.EXPIRY_TABLE)
    timed = {account.name: account.expires for account in outcome.model.accounts}
    for name, day in expirer.due(file.content if file else "", float("inf")).items():
        at = timed.get(name)
        if at is None or day != max(1, at // 86400):
            yield f"{name} is closed on day {day}"


def _record(outcome: Outcome) -> Problems:
    """What is kept for the next run is the model, without its secrets."""
    model = outcome.model
    record = records.Record(
        accounts={account.name: dataclasses.replace(account, password_hash=None) for account in model.accounts},
        folders={folder.name: folder for folder in model.folders},
        sudo_tasks={task.name: task for task in model.sudo_tasks},
    )
    text = records.render(record)
    if records.parse(text) != record:
        yield "the record is another one after it was read"
    for account in model.accounts:
        if account.password_hash and account.password_hash in text:
            yield f"the record holds the hash of {account.name}"


def _difference(outcome: Outcome) -> Problems:
    """The diff can be shown, and shows no hash."""
    before = State(users=outcome.host.state.users, groups=outcome.host.state.groups)
    actions = plan.diff(
        before, outcome.want, records.Made(), frozenset(outcome.want.users.keys() - before.users.keys())
    )
    shown = "".join([*map(str, actions), *differences.before_and_after(actions)])
    for account in outcome.model.accounts:
        if account.password_hash and account.password_hash in shown:
            yield f"the diff shows the hash of {account.name}"


CHECKS: t.Sequence[c.Callable[[Outcome], Problems]] = (
    _user_database,
    _sshd,
    _keys,
    roundtrip_sudo.sudoers,
    roundtrip_sudo.programs,
    _mount_table,
    _expiry_table,
    _record,
    _difference,
)
