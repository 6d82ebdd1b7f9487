# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell account becomes somebody else, reads and changes what is others', and asks services to do it instead."""

from __future__ import annotations

import shlex
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import CREDENTIALS, Accounts
from testinfra.host import Host
from wire import Ran

KIND = "shell"  # of the accounts that attempt these

SAID = ("denied", "not permitted", "Read-only", "not empty", "No such file", "busy", "cannot overwrite")


@pytest.fixture
def partner(accounts: Accounts) -> t.Callable[[str], str]:
    """Runs a script, which must fail; what it said."""

    def attempt(script: str) -> str:
        ran = accounts.wire("partner").execute(f"PATH=$PATH:/usr/sbin:/sbin; {script}")
        assert ran.code not in (0, 127), ran  # 127: that program is not there to be tried
        assert "uid=0" not in ran.text
        return ran.text

    return attempt


@pytest.mark.control
def test_a_shell_account_has_its_shell(accounts: Accounts) -> None:
    """The control of all that follow: scripts run, and fail for no other reason than that they may not."""
    ran = accounts.wire("partner").execute("id; touch ~/mine; rm ~/mine; systemctl is-active web; ls / > /dev/null")
    assert (ran.code, "(partner)" in ran.text, "active" in ran.text) == (0, True, True)


# What is there, as root sees, and what partner may not read.
SECRETS = """
    /etc/shadow /etc/gshadow /etc/sudoers /etc/sudoers.d/sallyport-tasks /etc/ssh/ssh_host_ed25519_key /root/secret
    /root/.ssh/authorized_keys /var/lib/sallyport/record.json /proc/1/environ /proc/1/root/etc/hostname /home/keeper
    /home/deploy/.ssh/authorized_keys /data/other/secret /data/shared /data/catalog /data/common /opt/transfer/over
    /srv/sftp/customer/own /srv/sftp/customer/shared /srv/sftp/customer/over /srv/sftp/customer/catalog
    /srv/sftp/customer/shared/internal /srv/sftp/neighbour/other/secret /srv/sftp/member/common
""".split()


@pytest.mark.parametrize("path", SECRETS)
def test_a_shell_account_reads(accounts: Accounts, partner: t.Callable[[str], str], path: str) -> None:
    assert accounts.root(f"test -e {path}").ok
    assert "denied" in partner(f"test -d {path} && ls {path}/ || cat {path}")


# What decides who gets in and what root runs: each is there, and partner may not change it.
DECISIVE = """
    /usr/local/libexec/sallyport/web /usr/local/libexec/sallyport /usr/local/libexec /usr/local/bin/web
    /usr/local/bin /usr/local/sbin/make-report /usr/local/sbin /usr/bin/python3 /usr/lib/python3 /usr/local/lib
    /etc/sudoers.d/sallyport-tasks /etc/sudoers.d /etc/sudo.conf /etc/ssh/sshd_config.d/00-sallyport.conf
    /etc/ssh/sshd_config.d /etc/ssh/authorized_keys.d/partner /etc/ssh/authorized_keys.d
    /etc/systemd/system/web.service /etc/systemd/system /etc/systemd/system/queue@.service
    /usr/local/libexec/sallyport-mounts /etc/sallyport/fstab /etc/sallyport /etc/passwd /etc/group /etc/environment
    /etc/profile /etc/profile.d /etc/pam.d/sshd /etc/security /etc/cron.d /etc/ld.so.conf.d /etc/ld.so.cache
    /var/spool /run/sallyport /run/systemd/system /home /home/keeper /srv /srv/sftp /srv/sftp/customer /data
    /proc/sys/kernel/core_pattern
""".split()


@pytest.mark.parametrize("path", DECISIVE)
def test_a_shell_account_changes(accounts: Accounts, partner: t.Callable[[str], str], path: str) -> None:
    if not accounts.root(f"test -e {path}").ok:
        assert path in ("/etc/cron.d", "/etc/sudo.conf", "/run/sallyport")  # not on every host: nor can it be made
    new, moved = f"{path}/planted", f"{path}.planted"
    for script in (
        f"test -d {path} && touch {new} || echo >> {path}",
        f"mv {path} {moved}",
        f"test -d {path} && ln -sfn /tmp {path}/link || ln -sfn /tmp {path}",
        f"rm -r {path}",
    ):
        said = partner(script)
        assert any(word in said for word in SAID), said
    assert accounts.root(f"ls -d {new} {moved} 2>/dev/null").text == ""


# What asks for a password, which PAM thinks about for a second or two
ASKING = {
    "becomes root": "su -c id root </dev/null",
    "becomes root by login": "su - root -c id </dev/null",
    "becomes the application's user": "su -c id app </dev/null",
    "becomes a group": "sg common-files id </dev/null",
    "becomes a group of root's": "newgrp shadow </dev/null; id -gn | grep -w shadow",
    "changes its password": "printf 'a\\nb\\nb\\n' | passwd",
    "changes its shell": "printf '\\n' | chsh -s /bin/dash",
    "changes another user's shell": "chsh -s /bin/dash app </dev/null",
    "changes its name": "printf '\\n' | chfn -o umask=000",
}
USERS = "getent passwd partner app; getent shadow partner"


@pytest.fixture(scope="module")
def asked(accounts: Accounts) -> dict[str, Ran]:
    """What all of them ended with, and how partner and app were listed before and afterwards."""
    before = accounts.root(USERS)
    assert before.ok
    with ThreadPoolExecutor(len(ASKING)) as pool:  # no more sessions than a connection may have
        ran = dict(zip(ASKING.values(), pool.map(accounts.wire("partner").execute, ASKING.values())))
    assert accounts.root(USERS) == before
    return ran


@pytest.mark.parametrize("command", ASKING.values(), ids=ASKING.keys())
def test_a_shell_account_says_that_it(asked: dict[str, Ran], command: str) -> None:
    ran = asked[command]
    assert ran.code != 0, ran
    assert "uid=" not in ran.text


COMMANDS = {
    "gives a file to root": "touch ~/given && chown root ~/given",
    "gives a file to a group": "touch ~/given && chgrp common-files ~/given",
    "makes a device": "mknod ~/device b 8 1",
    "makes a root of its own": "unshare -Ur cat /root/secret",
    "mounts over a jail": "mount --bind /tmp /srv/sftp/customer",
    "mounts in a namespace of its own": "unshare -Urm sh -c 'mount --bind /tmp /srv/sftp/customer && cat /root/secret'",
    "unmounts a folder": "umount /srv/sftp/customer/shared",
    "unmounts a folder of bindfs": "umount /srv/sftp/customer/over",
    "unmounts a folder of bindfs as FUSE does": "fusermount3 -u /srv/sftp/customer/over",
    "uncovers a hidden part": "umount -l /srv/sftp/customer/shared/internal",
    "enters another root": "chroot /srv/sftp/customer /own/x",
    "enters the namespaces of root": "nsenter -t 1 -m -p id",
    "ends sshd": "kill -9 $(pgrep -o -x sshd)",
    "ends a service": "kill -9 $(systemctl show -p MainPID --value web)",
    "ends everything": "kill -9 1",
    "looks into a process of root's": "cat /proc/$(pgrep -o -x sshd)/mem /proc/$(pgrep -o -x sshd)/maps",
    "follows a process of root's": "python3 -c 'import ctypes; exit(ctypes.CDLL(None).ptrace(16, 1, None, None) < 0)'",
    "opens the file of a process of root's": "cat /proc/1/fd/0 /proc/1/cwd/root/secret",
    "changes the kernel": "echo x > /proc/sys/kernel/hostname",
    "listens on a low port": "python3 -c 'import socket; socket.create_server((\"\", 80))'",
    "sends what no program may": "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'",
    "links a secret hard": "ln /etc/shadow ~/shadow",
    "links a program of root's hard": "ln /usr/bin/sudo ~/sudo",
    "restarts sshd": "systemctl --no-ask-password restart ssh",
    "restarts its service past its task": "systemctl --no-ask-password restart web",
    "runs a command by systemd": "systemd-run --no-ask-password id",
    "runs a command by systemd's root": "systemd-run --no-ask-password --uid=0 --pipe id",
    "runs a command by a timer": "systemd-run --no-ask-password --on-active=1 touch /run/escaped",
    "asks the manager itself": "busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 "
    "org.freedesktop.systemd1.Manager RestartUnit ss ssh.service replace",
    "asks the manager for variables": "busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 "
    "org.freedesktop.systemd1.Manager SetEnvironment as 1 LD_PRELOAD=/tmp/x.so",
    "links a unit": "printf '[Service]\\nExecStart=/bin/true\\n' > ~/x.service; "
    "systemctl --no-ask-password link ~/x.service",
    "reverts a unit": "systemctl --no-ask-password revert web",
    "masks a unit": "systemctl --no-ask-password mask --runtime web",
    "sets a unit's property": "systemctl --no-ask-password set-property --runtime web CPUWeight=1",
    "stays after logging out": "loginctl --no-ask-password enable-linger keeper",
    "ends another session": "loginctl --no-ask-password terminate-user deploy",
    "turns the host off": "systemctl --no-ask-password poweroff",
    "reads the log of sshd": "journalctl -q -u ssh -n 1 | grep .",
    "adds a user": "useradd planted",
    "joins a group": "gpasswd -a partner common-files",
    "changes who is asked for passwords": "visudo -f /etc/sudoers.d/sallyport-tasks",
    "installs a program": "apt-get -qq install hello",
    "changes the firewall": "ip link add name planted type dummy",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_shell_account(accounts: Accounts, partner: t.Callable[[str], str], command: str) -> None:
    state = "systemctl show -p MainPID --value ssh web; stat -c %U:%G /home/partner; getent passwd partner; hostname"
    before = accounts.root(state)
    assert before.ok
    assert "secret of" not in partner(command)
    assert accounts.root(state) == before


@pytest.fixture(scope="module")
def common_password(host: Host) -> t.Iterator[str]:
    """That of caller, which partner shall know. app, who has a shell, has the same."""
    host.check_output("usermod -p %s app", (CREDENTIALS / "password.hash").read_text().strip())
    yield (CREDENTIALS / "password").read_text().strip()
    host.check_output("usermod -p '!' app")


@pytest.mark.parametrize("command", ["-c id", "-s /bin/sh -c id", "- -c id", "-m -c id", "-p -s /bin/bash -c id"])
def test_a_shell_account_becomes_an_sftp_account_whose_password_it_knows(
    accounts: Accounts, common_password: str, command: str
) -> None:
    def run(user: str) -> str:
        script = f"echo {shlex.quote(common_password)} | SHELL=/bin/sh su {command.replace(' -c', f' {user} -c', 1)}"
        if command.startswith("-c"):
            script = f"echo {shlex.quote(common_password)} | su {user} {command}"
        return accounts.wire("partner").execute(script).text

    assert "(app)" in run("app")
    assert "(caller)" not in run("caller")


@pytest.mark.parametrize("account", ["keeper", "deploy", "app", "customer", "root"])
def test_a_shell_account_logs_in_from_inside_as(accounts: Accounts, account: str) -> None:
    """With a key that it made itself, and without any."""
    key = "cd; test -f key || ssh-keygen -q -t ed25519 -N '' -f key"
    client = "ssh -F none -i key -oBatchMode=yes -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null"
    ran = accounts.wire("partner").execute(f"{key}; {client} {account}@127.0.0.1 id")
    assert (ran.code, "Permission denied" in ran.text) == (255, True), ran
