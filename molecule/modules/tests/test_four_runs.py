# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module: check mode says what would change and changes nothing, a run does just that, a second one nothing."""

from __future__ import annotations

import typing as t

import pytest
from conftest import PICTURE, Model, Target, check, differences, key, run

# Applied first, with the same model
NEEDS: t.Mapping[str, tuple[str, ...]] = {
    "accounts": (),
    "folders": ("accounts",),
    "jails": ("accounts", "folders"),
    "sudo_tasks": ("accounts",),
    "sshd_policy": ("accounts",),
    "access": (),
}
PASSWORD_HASH = "$6$salt$" + "a" * 86


def model(number: int) -> Model:
    """Something of everything, with names and keys of its own."""
    return {
        "folders": [
            {
                "name": f"folder{number}",
                "path": f"/data/four/{number}",
                "owner": f"shell{number}",
                "group": f"files{number}",
            }
        ],
        "accounts": [
            {
                "name": f"shell{number}",
                "kind": "shell",
                "keys": [{"name": "laptop", "key": key(10 * number), "expires": "2099-01-31T00:00:00Z"}],
                "groups": [f"extra{number}"],
                "sudo_tasks": [f"restart_cron{number}"],
                "expires": "2098-01-01T00:00:00Z",
            },
            {
                "name": f"sftp{number}",
                "keys": [{"name": "upload", "key": key(10 * number + 1), "from": ["192.0.2.0/24"]}],
                "password_hash": PASSWORD_HASH,
                "umask": f"00{number}7",
                "folders": [
                    {"folder": f"folder{number}", "at": "/shared"},
                    {"private": True, "at": "/upload"},
                ],
            },
        ],
        "sudo_tasks": [{"name": f"restart_cron{number}", "service": "cron", "actions": ["status", "restart"]}],
    }


@pytest.mark.parametrize("module", NEEDS)
def test_four_runs(target: Target, module: str) -> None:
    wanted = model(list(NEEDS).index(module))
    needed = [run(name, wanted) for name in NEEDS[module]]
    before, announced, announced_only, applied, after, settled, repeated, still = target.done(
        *needed,
        PICTURE,
        check(module, wanted),
        PICTURE,
        run(module, wanted),
        PICTURE,
        check(module, wanted),
        run(module, wanted),
        PICTURE,
    )[len(needed) :]

    assert announced.changed
    assert differences(before, announced_only) == {}

    assert applied.changed
    assert applied.actions == announced.actions
    assert differences(before, after) != {}

    assert (settled.changed, settled.actions) == (False, [])
    assert (repeated.changed, repeated.actions) == (False, [])
    assert differences(after, still) == {}


def test_a_slice_gives_nothing_to_users_who_are_not_there(target: Target) -> None:
    """Their uids might be those of others by the time they come."""
    slices = [module for module, needed in NEEDS.items() if needed]
    wanted = model(7)
    before, *refused, after = target.do(PICTURE, *(run(module, wanted) for module in slices), PICTURE)
    for result in refused:
        assert (
            "access_accounts: shell7: is no user of the host yet; apply sallyport.ssh.accounts first" in result.message
        )
    assert differences(before, after) == {}
