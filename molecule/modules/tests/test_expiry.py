# SPDX-License-Identifier: GPL-3.0-or-later
"""Expiry to the second of what a password opens: the host closes it and ends its sessions, without a run."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import time
import typing as t

import pytest
from conftest import ROOT, Model, Target, key, run, sh
from testinfra.host import Host

PASSWORD = "Correct-horse-7"
HASH = "$6$sallyport$z0sHupZPX2qSwE6ZUT0MKhl89/SQVisnDLMiXrehJ.lBg/FiJZcl0r5RlV4Km/AUQdhz.y58Zy379d9d.a5RO/"
AHEAD = 30  # seconds: enough for the run that sets it and two logins
LATE = 10  # seconds, on a machine that is busy
OURS = "/etc/sallyport/expiry /etc/systemd/system/sallyport-expiry.* /etc/systemd/system/*/sallyport-expiry.*"


class Expiring:
    """An account that a password opens, and somebody who logs in to it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def model(self, *listed: Model) -> Model:
        """Failed logins from here are none of what is tested: they would shut out the other tests."""
        network = ipaddress.ip_interface(f"{self.address}/24").network
        return {"server": {"ban": {"exempt": [str(network)]}}, "accounts": list(listed)}

    def account(self, moment: float, **options: t.Any) -> Model:
        return {"name": "lapsing", "kind": "shell", "password_hash": HASH, "expires": instant(moment), **options}

    def login(self, *command: str) -> subprocess.Popen[str]:
        options = {
            "UserKnownHostsFile": ROOT / ".cache/known_hosts",
            "GlobalKnownHostsFile": "none",
            "StrictHostKeyChecking": "yes",
            "IdentityFile": "none",
            "IdentityAgent": "none",
            "PreferredAuthentications": "password",
            "NumberOfPasswordPrompts": 1,
            "ConnectTimeout": 10,
        }
        arguments = ["ssh", "-F", "none", *(f"-o{name}={value}" for name, value in options.items())]
        return subprocess.Popen(
            ["sshpass", "-e", *arguments, f"lapsing@{self.address}", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "SSHPASS": PASSWORD},
        )

    def opens(self) -> bool:
        with self.login("true") as process:
            said = process.communicate(timeout=30)[0]
        assert process.returncode in (0, 5, 255), said
        return process.returncode == 0


def instant(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


@pytest.fixture(scope="module")
def expiring(host: Host) -> Expiring:
    return Expiring(str(host.ansible.get_variables()["ansible_host"]))


def test_managed_keys_need_no_timer(target: Target, expiring: Expiring) -> None:
    keys = [{"name": "laptop", "key": key(400)}]
    listed = {"name": "keyed", "keys": keys, "expires": instant(time.time() + 3600)}
    model = {**expiring.model(listed), "exclusive": True}
    applied, found = target.done(run("access", model), sh(f"ls -d {OURS} || true"))
    assert applied.changed
    assert found["stdout"] == ""


def test_a_password_expires_to_the_second_and_its_session_ends(target: Target, expiring: Expiring) -> None:
    """The last one of several, second by second, each of which starts the program once more."""
    moment = int(time.time()) + AHEAD
    before = [expiring.account(moment - second, name=f"lapsing{second}") for second in range(1, 8)]
    model = expiring.model(expiring.account(moment), *before)
    [applied] = target.done(run("access", model))
    assert applied.changed
    assert expiring.opens()
    with expiring.login("echo in; exec sleep 600") as session:
        assert session.stdout
        assert session.stdout.readline() == "in\n"
        try:
            session.wait(moment + LATE - time.time())
        finally:
            ended = time.time()
            session.kill()
    assert moment <= ended
    assert not expiring.opens()
    repeated, said = target.done(run("access", model), sh("journalctl --unit sallyport-expiry --output cat"))
    assert repeated.actions == []
    closed = [line.split()[0] for line in said["stdout_lines"] if line.endswith(" has expired and is closed")]
    assert closed == [account["name"] for account in reversed(model["accounts"])]


def test_what_expires_while_the_host_is_off_is_closed_at_boot(target: Target, expiring: Expiring) -> None:
    """The table has a moment that has passed, and the user database still says the day after."""
    closed, reopened = target.done(
        sh("getent shadow lapsing"),
        sh("chage --expiredate $(($(date +%s) / 86400 + 1)) lapsing; getent shadow lapsing"),
    )
    assert closed["stdout"] != reopened["stdout"]
    assert expiring.opens()
    subprocess.run([ROOT / "tools/host", "reboot", target.name], check=True, timeout=120)
    deadline = time.monotonic() + LATE
    while expiring.opens():
        assert time.monotonic() < deadline
    [shadow, failed] = target.done(sh("getent shadow lapsing"), sh("systemctl list-units --failed --no-legend --plain"))
    assert shadow["stdout"] == closed["stdout"]
    assert failed["stdout"] == ""


def test_another_moment_is_kept_by_the_timer_that_runs(target: Target, expiring: Expiring) -> None:
    later = time.time() + 3600
    model = expiring.model(expiring.account(later))
    applied, timer, repeated = target.done(
        run("access", model),
        sh("systemctl show --property TimersCalendar sallyport-expiry.timer"),
        run("access", model),
    )
    assert applied.changed
    assert f"next_elapse={time.strftime('%a %Y-%m-%d %H:%M:%S UTC', time.gmtime(later))}" in timer["stdout"]
    assert repeated.actions == []
    assert expiring.opens()


def test_a_run_that_fails_leaves_the_timer_as_it_was(target: Target, expiring: Expiring) -> None:
    """Keys cannot be written: all that came before them is undone."""
    show = sh(f"systemctl show --property TimersCalendar,ActiveState sallyport-expiry.timer; cat {OURS} | sha256sum")
    keys = [{"name": "laptop", "key": key(401)}]
    model = expiring.model(expiring.account(time.time() + 7200, keys=keys))
    before, _, failed, _, after = target.do(
        show,
        sh("mount -t tmpfs -o ro none /etc/ssh/authorized_keys.d"),
        run("access", model),
        sh("umount /etc/ssh/authorized_keys.d"),
        show,
    )
    assert "the host is as it was" in failed.message
    assert before["stdout"] == after["stdout"]
    assert "ActiveState=active" in after["stdout"]


def test_nothing_is_left_when_nobody_needs_it(target: Target, expiring: Expiring) -> None:
    removed, found, state, failed = target.done(
        run("access", {"exclusive": True}),
        sh(f"ls -d {OURS} /usr/local/libexec/sallyport-expiry || true"),
        sh("systemctl show --property LoadState,ActiveState sallyport-expiry.timer sallyport-expiry.service"),
        sh("systemctl list-units --failed --no-legend --plain; rm -r /home/lapsing*"),
    )
    assert removed.changed
    assert found["stdout"] == ""
    assert state["stdout"].split() == ["LoadState=not-found", "ActiveState=inactive"] * 2
    assert failed["stdout"] == ""
