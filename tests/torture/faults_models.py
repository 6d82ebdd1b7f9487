# SPDX-License-Identifier: GPL-3.0-or-later
"""Two models, and all that lies between them: going from either to the other takes every step that a plan can have."""

from __future__ import annotations

import sys
import typing as t

from .report import ROOT

APPLICATION = "faultsapp"
ADMIN = "deploy"
ENDS = "2099-01-01T12:30:00Z"
HASHES = {
    "a": "$6$rounds=5000$faultsfaultsa$" + "a" * 86,
    "b": "$6$rounds=5000$faultsfaultsb$" + "b" * 86,
}

Model = dict[str, t.Any]


def pair(key: str, other_key: str) -> dict[str, str]:
    """Both models as the engine takes them: ``key`` opens whoever stays."""
    return {name: _resolved(_model(name, key, other_key)) for name in ("a", "b")}


def _model(name: str, key: str, other_key: str) -> Model:
    is_a = name == "a"
    keys = [{"name": "customer", "key": key}]
    if not is_a:
        keys.append({"name": "second", "key": other_key})
    return {
        "server": {
            "admins": [ADMIN],
            "max_auth_tries": 6 if is_a else 5,
            "ban": {"exempt": ["127.0.0.0/8"]},
        },
        "exclusive": True,
        "people": [{"name": "customer", "keys": keys}],
        "folders": [
            {
                "name": "faults-a",
                "path": "/data/faults/a",
                "owner": APPLICATION,
                "group": "faults-files",
                "mode": "2770" if is_a else "2750",
                "subfolders": ["in"] if is_a else ["in", "out"],
            }
        ],
        "sudo_tasks": [
            {"name": "faults_status" if is_a else "faults_restart", "service": "cron", "actions": ["status"]},
            {"name": "faults_both", "service": "cron", "actions": ["status"] if is_a else ["status", "start"]},
        ],
        "accounts": [
            {
                "name": "stay",
                "people": ["customer"],
                "folders": [
                    {"folder": "faults-a", "at": "/a", "rights": "read_write" if is_a else "read_only"},
                    {"private": True, "at": "/own"},
                ],
            },
            {
                "name": "op",
                "kind": "shell",
                "people": ["customer"],
                "umask": "0007" if is_a else "0027",
                "password_hash": HASHES[name],
                "groups": ["faults-files"] if is_a else ["faults-more"],
                "sudo_tasks": ["faults_both", "faults_status" if is_a else "faults_restart"],
                **({"expires": ENDS} if not is_a else {}),
            },
            # sessions end, and the way back in opens
            {"name": "shut", "kind": "shell", "people": ["customer"], "state": "present" if is_a else "suspended"},
            {
                "name": "leaver" if is_a else "comer",
                "people": ["customer"],
                "password_hash": HASHES[name],
                "folders": [{"folder": "faults-a", "at": "/a"}, {"private": True, "at": "/own"}],
            },
            {"name": "leavesh" if is_a else "comesh", "kind": "shell", "people": ["customer"]},
        ],
    }


def _resolved(model: Model) -> str:
    path = str(ROOT / ".collections")
    if path not in sys.path:
        sys.path.insert(0, path)
    from ansible_collections.sallyport.ssh.plugins.module_utils.model import to_json
    from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context, resolve

    return to_json(resolve(model, context=Context("faults", ADMIN, through_sshd=True)))
