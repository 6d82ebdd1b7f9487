# SPDX-License-Identifier: GPL-3.0-or-later
"""The public contract as an argument_spec: every option that a person may write, its type, choices and default.

The controller's validation walks this table, the modules take it as it is, and a test holds the documentation
(doc_fragments/model.py) against it. An option without a default may be left out unless it is required; a mapping that
is left out counts as empty, so the defaults of its own options apply.
"""

from __future__ import annotations

import typing as t

Spec = t.Dict[str, t.Dict[str, t.Any]]

# Option names that look like secrets and are none say no_log=False, or Ansible would warn about every one of them.
_NETWORKS: t.Dict[str, t.Any] = dict(type="list", elements="str", default=[])
_NAMES: t.Dict[str, t.Any] = dict(type="list", elements="str", default=[])
_NAME: t.Dict[str, t.Any] = dict(type="str", required=True)

_KEYS: t.Dict[str, t.Any] = dict(
    type="list",
    elements="dict",
    default=[],
    no_log=False,
    options=dict(
        {"from": _NETWORKS},
        name=_NAME,
        key=dict(type="str", required=True, no_log=False),
        expires=dict(type="raw"),
    ),
)

_SERVER: Spec = dict(
    address=dict(type="str"),
    port=dict(type="int", default=22),
    admins=dict(type="list", elements="str"),
    only_listed=dict(type="bool", default=True),
    crypto=dict(type="str", choices=["vendor", "modern"], default="vendor"),
    log_transfers=dict(type="bool", default=True),
    idle_timeout=dict(type="str", default="15m"),
    max_auth_tries=dict(type="int", default=6),
    max_startups=dict(type="str", default="100:30:500"),
    confirm_within=dict(type="str", default="2m"),
    password_policy=dict(
        type="dict",
        no_log=False,
        options=dict(
            min_length=dict(type="int", default=12),
            min_classes=dict(type="int", default=3),
        ),
    ),
    user_ca_keys=dict(type="list", elements="str", default=[], no_log=False),
    global_keys=_KEYS,
    ban=dict(
        type="dict",
        options=dict(
            failures=dict(type="int", default=10),
            window=dict(type="str", default="10m"),
            duration=dict(type="str", default="10m"),
            exempt=_NETWORKS,
        ),
    ),
    jails=dict(type="str", default="/srv/sftp"),
)

_PERSON: Spec = dict(
    name=_NAME,
    keys=_KEYS,
    state=dict(type="str", choices=["present", "absent"], default="present"),
)

_TEAM: Spec = dict(name=_NAME, people=_NAMES)

_SHARING: t.Dict[str, t.Any] = dict(type="str", choices=["mapped", "group"], default="mapped")

_FOLDER: Spec = dict(
    name=_NAME,
    path=dict(type="str", required=True),
    owner=dict(type="str", required=True),
    group=dict(type="str"),
    mode=dict(type="str", default="2770"),
    sharing=_SHARING,
    subfolders=_NAMES,
    retention=dict(type="str"),
    size_limit=dict(type="str"),
)

_GRANT: Spec = dict(
    at=dict(type="str", required=True),
    rights=dict(type="str", choices=["read_write", "read_only", "drop_box", "no_delete"], default="read_write"),
    folder=dict(type="str"),
    source=dict(type="str"),
    private=dict(type="bool", default=False),
    hidden=dict(type="bool", default=False),
    owner=dict(type="str"),
    group=dict(type="str"),
    sharing=_SHARING,
)

_FORWARDING: Spec = dict(
    agent=dict(type="bool", default=False),
    local=dict(type="raw", default=[]),
    remote=dict(type="raw", default=False),
    x11=dict(type="bool", default=False),
)

_ACCOUNT: Spec = dict(
    {"from": _NETWORKS},
    name=_NAME,
    kind=dict(type="str", choices=["sftp", "shell", "tunnel"], default="sftp"),
    state=dict(type="str", choices=["present", "suspended", "absent"], default="present"),
    people=_NAMES,
    teams=_NAMES,
    keys=_KEYS,
    home_keys=dict(type="bool", default=False, no_log=False),
    principals=_NAMES,
    password_hash=dict(type="str", no_log=True),
    password=dict(type="str", no_log=True),
    second_factor=dict(type="str", choices=["none", "password", "totp"], default="none"),
    expires=dict(type="raw"),
    folders=dict(type="list", elements="dict", default=[], options=_GRANT),
    start_in=dict(type="str", default="/"),
    umask=dict(type="str", default="0007"),
    existing=dict(type="str", choices=["refuse", "manage"], default="refuse"),
    uid=dict(type="int"),
    groups=_NAMES,
    shell=dict(type="str", default="/bin/bash"),
    home=dict(type="str"),
    forwarding=dict(type="dict", options=_FORWARDING),
    sudo_tasks=_NAMES,
    max_sessions=dict(type="int", default=10),
    on_removal=dict(type="raw", default="keep"),
    note=dict(type="str", default=""),
)

_SUDO_TASK: Spec = dict(
    name=_NAME,
    service=dict(type="str"),
    service_pattern=dict(type="str"),
    protected=_NAMES,
    actions=dict(
        type="list",
        elements="str",
        choices=["status", "start", "stop", "restart", "reload", "enable", "disable"],
        default=[],
    ),
    run_as=dict(type="str", default="root"),
    commands=dict(type="list", elements="list", default=[]),
)


def _named(name: str, **option: t.Any) -> Spec:
    """A top-level option, which also answers to the name of the role's variable."""
    return {name: dict(option, aliases=["access_" + name])}


CONTRACT: Spec = {
    **_named("server", type="dict", options=_SERVER),
    **_named("people", type="list", elements="dict", default=[], options=_PERSON),
    **_named("teams", type="list", elements="dict", default=[], options=_TEAM),
    **_named("folders", type="list", elements="dict", default=[], options=_FOLDER),
    **_named("accounts", type="list", elements="dict", default=[], options=_ACCOUNT),
    **_named("sudo_tasks", type="list", elements="dict", default=[], options=_SUDO_TASK),
    **_named("exclusive", type="bool", default=False),
    **_named("proof", type="str", choices=["all", "changed", "sample", "none"], default="changed"),
}

# What a module takes: the contract, and from the action plugin the resolved model and its part in confirming a change:
# "ask" when it can confirm, or the change that it confirms.
ARGUMENT_SPEC: Spec = {**CONTRACT, "model": dict(type="str", no_log=True), "confirmation": dict(type="str")}
