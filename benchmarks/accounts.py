# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of a measurement: a user, a key and a private upload folder in a jail, each."""

from __future__ import annotations

import base64
import os
import random
import struct
from typing import Any

Account = dict[str, Any]


def make(count: int, real_key: str) -> list[Account]:
    """So many accounts as in ``access_accounts``; the public key ``real_key`` opens one of them, any one."""
    keys = [random_key() for _ in range(count)]
    keys[random.randrange(count)] = real_key
    return [
        {
            "name": f"customer{number:04}",
            "kind": "sftp",
            "keys": [{"name": "upload", "key": key}],
            "folders": [{"private": True, "at": "/upload"}],
        }
        for number, key in enumerate(keys, start=1)
    ]


def random_key() -> str:
    """Any 32 bytes are an ed25519 public key; making 1,000 pairs would take longer than using them."""
    parts = (b"ssh-ed25519", os.urandom(32))
    blob = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def key(account: Account) -> str:
    return str(account["keys"][0]["key"])
