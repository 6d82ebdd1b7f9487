# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose sudo is sudo-rs: the same rules, read by its own visudo, listed and obeyed by its own sudo."""

from __future__ import annotations

import typing as t

import pytest
from conftest import Model, Target, key, run, sh

MODEL: Model = {
    "accounts": [
        {
            "name": "rusty",
            "kind": "shell",
            "keys": [{"name": "laptop", "key": key(300)}],
            "sudo_tasks": ["rs_cron", "rs_pattern", "rs_commands"],
        }
    ],
    "sudo_tasks": [
        {"name": "rs_cron", "service": "cron", "actions": ["status", "restart"]},
        {"name": "rs_pattern", "service_pattern": "demo_job@[0-9]+", "actions": ["status"]},
        {"name": "rs_commands", "commands": [["/usr/bin/id", "-u"]]},
    ],
}


@pytest.fixture(scope="module")
def rs(target: Target) -> t.Iterator[Target]:
    """The host with sudo-rs in front of sudo on the PATH, for as long as these tests run."""
    target.done(
        sh("ln -s /usr/lib/cargo/bin/sudo /usr/local/bin/sudo"),
        sh('[ "$(readlink -f "$(command -v sudo)")" = /usr/lib/cargo/bin/sudo ]'),
    )
    yield target
    target.done(
        run("access", {"accounts": [{"name": "rusty", "state": "absent"}]}),
        sh("rm /usr/local/bin/sudo"),
    )


def as_rusty(command: str) -> str:
    """A shell line that says what the command answers and how it ends."""
    return f"su -s /bin/sh rusty -c '{command}' 2>&1; echo ended with $?"


def test_tasks_work_and_nothing_else_does(rs: Target) -> None:
    applied, repeated, commands, *refused = rs.do(
        run("access", MODEL),
        run("access", MODEL),
        sh(as_rusty("rs_commands")),
        sh(as_rusty("rs_cron stop")),
        sh(as_rusty("sudo -n /usr/local/libexec/sallyport/rs_cron stop")),
        sh(as_rusty("sudo -n /usr/local/libexec/sallyport/rs_cron status --help")),
        sh(as_rusty("sudo -n /usr/local/libexec/sallyport/rs_commands argument")),
        sh(as_rusty("rs_pattern cron status")),
        sh(as_rusty("sudo -n id")),
    )
    assert applied.ok, applied.message
    assert repeated.actions == []
    assert commands["stdout_lines"] == ["0", "ended with 0"]
    for answer in refused:
        assert answer["stdout_lines"][-1] != "ended with 0", answer


def test_a_rule_of_somebody_else_s_for_an_account_is_refused_and_undone(rs: Target) -> None:
    more = {**MODEL, "sudo_tasks": [*MODEL["sudo_tasks"], {"name": "rs_more", "service": "cron", "actions": ["start"]}]}
    more["accounts"] = [{**MODEL["accounts"][0], "sudo_tasks": ["rs_cron", "rs_pattern", "rs_commands", "rs_more"]}]
    _, _, refused, after, _ = rs.do(
        run("access", MODEL),
        sh("echo 'rusty ALL=(root) NOPASSWD: /usr/bin/true' >/etc/sudoers.d/loose && chmod 0440 /etc/sudoers.d/loose"),
        run("access", more),
        sh("cat /etc/sudoers.d/sallyport-tasks; ls /usr/local/bin"),
        sh("rm /etc/sudoers.d/loose"),
    )
    assert "/usr/bin/true" in refused.message
    assert "the host is as it was" in refused.message
    assert "rs_more" not in after["stdout"]
