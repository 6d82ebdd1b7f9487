# SPDX-License-Identifier: GPL-3.0-or-later
"""verify.yml passes where everything holds and leaves no trace; what is changed behind its back is found and named."""

from __future__ import annotations

import re
import typing as t

import pytest
from conftest import Verdict, Verify, picture
from testinfra.host import Host


@pytest.fixture(scope="module")
def sound(host: Host, verify: Verify) -> tuple[Verdict, dict[str, tuple[str | None, str | None]]]:
    """A run on the host as it was provisioned, and what the host has otherwise after it."""
    before = picture(host)
    verdict = verify(host)
    after = picture(host)
    return verdict, {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }


def test_everything_holds(sound: tuple[Verdict, t.Any]) -> None:
    verdict, _changed = sound
    assert verdict.failures == {}
    assert verdict.code == 0, verdict.text
    assert re.search(r"changed=0 .*failed=0", verdict.text)


def test_the_host_is_as_it_was(sound: tuple[Verdict, dict[str, t.Any]]) -> None:
    _verdict, changed = sound
    assert changed == {}


def test_the_table_has_every_account(sound: tuple[Verdict, t.Any]) -> None:
    verdict, _changed = sound
    for row in (
        r"mapper +sftp +✓ \d+ +✓ \d+ +✓ \d+",
        r"halted +sftp, suspended +✓ 1",
        r"expired +sftp, expired +✓ 1",
        r"releaser +shell +✓ \d+ +· +· +✓ 4 +✓ 1",
        r"tunnel +tunnel +✓ \d+",
    ):
        assert re.search(row, verdict.text), verdict.text


@pytest.mark.parametrize(
    "promise",
    [
        "mapper.folders: the directory in which it starts: /deep/tree",
        "mapper.folders: /deep: what it sees there: own, tree",
        "mapper.application: /deep/tree: the application edits an uploaded file: works",
        "mapper.application: /deep/tree: whose an uploaded file is on the host: worker:worker",
        "mapper.refusals: /deep/tree/internal: what the application puts there is seen: refused",
        "bound.application: /over: the application reads an uploaded file: works",
        "auditor.refusals: /tree: the request fsetstat: refused",
        "sharer.application: /space: whose an uploaded file is on the host: sharer:space-files",
        "sourced.application: /plain: deleting a file of the application: works",
        "caller.login: a login with a key: works",
        "expired.login: a login with a key: refused",
        "halted.login: a login with a key: refused",
        "releaser.login: its umask: 0027",
        "releaser.forwarding: a connection to 127.0.0.1:7002: works",
        "releaser.forwarding: a listener at 127.0.0.1:7003: works",
        "releaser.forwarding: forwarding of the client's agent: works",
        "releaser.refusals: a connection to 127.0.0.1:9: refused",
        "releaser.sudo: what sudo allows: exactly its tasks",
        "plainuser.login: the user as whom it works: plainuser",
        "twofold.login: a login without the second factor: refused",
        "tunnel.refusals: a command: refused",
        "drift: the host is as the model",
    ],
)
def test_the_pipeline_is_told(sound: tuple[Verdict, t.Any], promise: str) -> None:
    cases = [
        f"{case.attrib['classname'].partition('.')[2]}: {case.attrib['name']}"
        for case in sound[0].junit.iter("testcase")
    ]
    assert cases.count(promise) == 1, "\n".join(cases)


class Sabotage(t.NamedTuple):
    """Something done behind the collection's back: what is found, and how to undo what a run leaves to its owner."""

    script: str
    failure: str = ""  # account: promise
    difference: str = ""
    repair: str = ""


SABOTAGES = {
    "a key file that its user cannot read": Sabotage(
        "chmod 0600 /etc/ssh/authorized_keys.d/auditor",
        "auditor: its key file, read as sshd reads it: works",
        "change file /etc/ssh/authorized_keys.d/auditor (mode 0600 → 0644)",
    ),
    "a grant that is not mounted": Sabotage(
        "umount -R /srv/sftp/mapper/deep/tree",
        "mapper: /deep/tree: what the application puts there is seen: works",
        "create mount /srv/sftp/mapper/deep/tree",
    ),
    "a mount without ro": Sabotage(
        "mount -o remount,bind,rw,nosuid,nodev,noexec /srv/sftp/reader/tree",
        "reader: /tree: the request open-write: refused",
        "and is mounted without ro: a run would change mount /srv/sftp/reader/tree",
    ),
    "a mode that shuts the account out": Sabotage(
        "chmod 0700 /data/space",
        "sharer: /space: uploading a file: works",
        "change directory /data/space (mode 2700 → 2770)",
    ),
    "a sudoers rule of somebody else's": Sabotage(
        "echo 'plainuser ALL=(root) NOPASSWD: /usr/bin/id' > /etc/sudoers.d/more; chmod 0440 /etc/sudoers.d/more",
        "plainuser: what sudo allows: exactly its tasks",
        "access_accounts: plainuser: sudo lists (root) NOPASSWD: /usr/bin/id",
        "rm /etc/sudoers.d/more",
    ),
    "a drop-in that gives forwarding to one account": Sabotage(
        "printf 'Match User bound\\n DisableForwarding no\\n AllowTcpForwarding yes\\n PermitOpen any\\n'"
        " > /etc/ssh/sshd_config.d/00-more.conf",
        "bound: a connection to 127.0.0.1:9: refused",
        "/etc/ssh/sshd_config.d/00-more.conf:3 wins: remove that line",
        "rm /etc/ssh/sshd_config.d/00-more.conf",
    ),
    "an account in the group of another policy": Sabotage(
        "gpasswd --add sourced $(getent group | grep -o '^sallyport-closed-[^:]*')",
        "sourced: a login with a key: works",
        "remove sourced",
    ),
    "a key that somebody added": Sabotage(
        "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC x'"
        " >> /etc/ssh/authorized_keys.d/releaser",
        difference="change file /etc/ssh/authorized_keys.d/releaser (content)",
    ),
    "a jail in which others can write": Sabotage(
        "chmod g+w /srv/sftp/jailed",
        "jailed: a login with a key: works",
        "change directory /srv/sftp/jailed (mode 0775 → 0755)",
    ),
    "a key file of nobody": Sabotage(
        "touch /etc/ssh/authorized_keys.d/stranger",
        difference="/etc/ssh/authorized_keys.d/stranger: is the key file of no account",
        repair="rm /etc/ssh/authorized_keys.d/stranger",
    ),
    "a folder that its application cannot enter": Sabotage(
        "chown root /data/room; gpasswd --delete worker room-files",
        "roomer: /room: the application reads an uploaded file: works",
        "change directory /data/room (owner root → worker)",
    ),
    "a hidden part that shows": Sabotage(
        "umount /srv/sftp/hider/tree/internal",
        "hider: /tree/internal: what the application puts there is seen: refused",
        "create mount /srv/sftp/hider/tree/internal",
    ),
    "a shell that does not exist": Sabotage(
        "usermod --shell /nonexistent twofold",
        "twofold: a login with a key: works",
        "change user twofold (shell /nonexistent → /bin/bash)",
    ),
    "a stranger among those who may log in": Sabotage(
        "gpasswd --add stranger sallyport",
        difference="group sallyport: has the member stranger, who is neither an account nor an admin",
        repair="gpasswd --delete stranger sallyport",
    ),
    "a mount that nobody declared": Sabotage(
        "mkdir /srv/sftp/mounted/extra; mount --bind /usr/share/doc /srv/sftp/mounted/extra",
        "mounted: /: what it sees there: own",
        "/srv/sftp/mounted/extra: is a mount in a jail that nobody declared",
        "umount /srv/sftp/mounted/extra; rmdir /srv/sftp/mounted/extra",
    ),
    "an expired account that is open again": Sabotage(
        "chage --expiredate -1 expired", "expired: a login with a key: refused", "change user expired (expires"
    ),
    "a file of ours that somebody edited": Sabotage(
        "echo '# mine' >> /etc/sallyport/fstab", difference="change file /etc/sallyport/fstab (content)"
    ),
    "an account that is not there": Sabotage("userdel gone", "gone: a login with a key: works", "create user gone"),
}


@pytest.fixture(scope="module")
def sabotaged(host: Host, verify: Verify, sound: object) -> Verdict:
    for sabotage in SABOTAGES.values():
        done = host.run("sh -c %s", sabotage.script)
        assert done.rc == 0, f"{sabotage.script}: {done.stderr}"
    return verify(host)


def test_the_run_fails_and_says_why(sabotaged: Verdict) -> None:
    assert sabotaged.code == 2, sabotaged.text
    assert re.search(r"changed=0 .*failed=1", sabotaged.text)
    assert re.search(r"\d+ broken promises and \d+ differences from the model: see the table above", sabotaged.text)


@pytest.mark.parametrize("name", SABOTAGES)
def test_is_found_and_named(sabotaged: Verdict, name: str) -> None:
    sabotage = SABOTAGES[name]
    if sabotage.failure:
        assert sabotage.failure in sabotaged.failures, sabotaged.text
    if sabotage.difference:
        assert sabotage.difference in sabotaged.differences, sabotaged.text
    assert sabotage.failure or sabotage.difference


def test_nobody_else_is_accused(sabotaged: Verdict) -> None:
    accused = {sabotage.failure.partition(":")[0] for sabotage in SABOTAGES.values() if sabotage.failure}
    assert {name.partition(":")[0] for name in sabotaged.failures} - {"drift"} == accused


def test_a_run_puts_right_what_is_ours_and_the_rest_is_up_to_its_owner(
    host: Host, sabotaged: Verdict, provision: t.Callable[[Host], str], verify: Verify
) -> None:
    for sabotage in SABOTAGES.values():
        if sabotage.repair:
            done = host.run("sh -c %s", sabotage.repair)
            assert done.rc == 0, f"{sabotage.repair}: {done.stderr}"
    provision(host)
    verdict = verify(host)
    assert verdict.failures == {}
    assert verdict.code == 0
