# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a method did what it is measured for: all accounts are right, and a customer uploads a file."""

from __future__ import annotations

import json

from . import accounts
from .accounts import Account
from .hosts import BenchError
from .methods import HERE, Case


def verify(case: Case) -> str:
    """The name of the customer who uploaded the file."""
    found = json.loads(case.host.ssh("sudo python3 -", (HERE / "observe.py").read_text()))
    for account in case.listed:
        name, wanted = account["name"], expected(account)
        if found.get(name) != wanted:
            raise BenchError(f"{case.host.name}: {name} is {found.get(name)}, not {wanted}")
    return upload(case)


def expected(account: Account) -> dict[str, str]:
    name = account["name"]
    return {
        "group": name,
        "shell": "/usr/sbin/nologin",
        "jail": "drwxr-xr-x root:root",
        "upload": f"drwx------ {name}:{name}",
        "keys file": "-rw-r--r-- root:root",
        "keys": accounts.key(account),
    }


def upload(case: Case) -> str:
    public_key = case.key.with_suffix(".pub")
    content = public_key.read_text()
    customer = next(account["name"] for account in case.listed if accounts.key(account) == content.strip())
    case.host.sftp(customer, case.key, f"put {public_key} /upload/proof\n")
    arrived = case.host.ssh(f"sudo cat /srv/sftp/{customer}/upload/proof")
    if arrived != content:
        raise BenchError(f"{case.host.name}: what {customer} uploaded arrived as {arrived!r}")
    return str(customer)
