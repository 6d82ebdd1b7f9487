# SPDX-License-Identifier: GPL-3.0-or-later
"""An sftp account plants what somebody else is to run, read or trust: keys, rc files, units, programs with setuid."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from conftest import Accounts, Application
from logins import ssh
from packets import CREATING, MKDIR, NOTHING, REMOVE, RENAME, RMDIR, SETSTAT, WRITING, Attributes, Packets, mode

KIND = "sftp"  # of the accounts that attempt these

TRACE = "/srv/ran"  # what anything planted leaves behind: everybody may


def plant(packets: Packets, path: str, content: bytes, access: int = 0o755) -> None:
    parts = path.split("/")
    for count in range(2, len(parts)):
        packets.ask(MKDIR, "/".join(parts[:count]), Attributes(NOTHING))
    packets.ask(REMOVE, path)
    assert packets.written(path, WRITING | CREATING, content).ok
    assert packets.ask(SETSTAT, path, Attributes(mode(access))).ok


@pytest.fixture(scope="module")
def keys(accounts: Accounts, stranger: Path) -> None:
    """At every place in the jail where sshd could look."""
    for at in ("/own", "/shared", "/over"):
        for file in (
            ".ssh/authorized_keys",
            ".ssh/authorized_keys2",
            "authorized_keys",
            "customer",
            "neighbour",
            "root",
        ):
            plant(accounts.packets("customer"), f"{at}/{file}", Path(f"{stranger}.pub").read_bytes(), 0o644)


@pytest.mark.parametrize("account", ["customer", "neighbour", "caller", "partner", "root", "app"])
@pytest.mark.usefixtures("keys")
def test_a_customer_plants_a_key_for(accounts: Accounts, account: str) -> None:
    login = accounts.login(account, "stranger")
    assert f"{login.destination}: Permission denied" in ssh(login, "-s", "--", "sftp").text


def test_a_user_with_a_shell_plants_a_key(accounts: Accounts, stranger: Path) -> None:
    """Where the model says that none in the home counts."""
    plant(
        accounts.packets("partner"), "/home/partner/.ssh/authorized_keys", Path(f"{stranger}.pub").read_bytes(), 0o600
    )
    login = accounts.login("partner", "stranger")
    assert f"{login.destination}: Permission denied" in ssh(login, "--", "true").text


@pytest.mark.control
def test_keys_that_a_user_plants_open_an_account_that_allows_it(accounts: Accounts, stranger: Path) -> None:
    """The control of the attempts above."""
    plant(accounts.packets("keeper"), "/home/keeper/.ssh/authorized_keys", Path(f"{stranger}.pub").read_bytes(), 0o600)
    assert ssh(accounts.login("keeper", "stranger"), "--", "whoami").text == "keeper\n"
    assert accounts.packets("keeper").ask(REMOVE, "/home/keeper/.ssh/authorized_keys").ok


FILES = """
    .ssh/rc .ssh/environment .bashrc .bash_profile .profile .pam_environment .forward .procmailrc .plan
    .config/systemd/user/default.target.wants/x.service .config/environment.d/x.conf .config/autostart/x.desktop
    etc/profile etc/ssh/sshrc etc/cron.d/x var/spool/cron/crontabs/customer etc/ld.so.preload
""".split()


@pytest.fixture(scope="module")
def ran(accounts: Accounts) -> str:
    """What ran, after logins of every kind, of the files that a customer planted wherever its home could be."""
    assert accounts.root(f"rm -f {TRACE}; touch {TRACE}; chmod 0666 {TRACE}").ok
    for at in ("/own", "/shared", "/over"):
        for file in FILES:
            plant(
                accounts.packets("customer"), f"{at}/{file}", f"#!/bin/sh\necho ran {at}/{file} >> {TRACE}\n".encode()
            )
    for arguments in (["-s", "--", "sftp"], ["--", "id"], []):
        ssh(accounts.login("customer"), *arguments)
    return accounts.root(f"cat {TRACE}").text


@pytest.mark.parametrize("file", FILES)
def test_a_customer_plants(accounts: Accounts, ran: str, file: str) -> None:
    assert file not in ran
    said = accounts.root(f"sh /data/shared/{file}; cat {TRACE}").text  # the control: it would leave its trace
    assert f"ran /shared/{file}" in said


@pytest.mark.parametrize(
    "path", ["/.ssh", "/.config", "/etc", "/bin", "/lib", "/lib64", "/usr", "/dev", "/proc", "/tmp", "/home", "/root"]
)
def test_a_customer_makes_in_its_jail(accounts: Accounts, customer: Packets, path: str) -> None:
    assert not customer.ask(MKDIR, path, Attributes(NOTHING)).ok
    assert not customer.ask(RENAME, "/own", path).ok
    customer.ask(MKDIR, "/own/made", Attributes(NOTHING))
    assert customer.ask(MKDIR, f"/own/made{path}", Attributes(NOTHING)).ok
    assert customer.ask(RMDIR, f"/own/made{path}").ok


@pytest.mark.parametrize("account", ["partner", "deploy"])
def test_a_user_with_a_shell_plants_an_rc_file(accounts: Accounts, account: str) -> None:
    """An admin, for whom nothing was restricted, shows that sshd would run it."""
    assert accounts.root(f"rm -f {TRACE}; touch {TRACE}; chmod 0666 {TRACE}").ok
    plant(accounts.packets(account), f"/home/{account}/.ssh/rc", f"#!/bin/sh\nid >> {TRACE}\n".encode())
    assert ssh(accounts.login(account), "--", "true").ok
    assert (f"({account})" in accounts.root(f"cat {TRACE}").text) is (account == "deploy")
    accounts.packets(account).ask(REMOVE, f"/home/{account}/.ssh/rc")


@pytest.mark.parametrize("account", ["partner", "keeper"])
def test_a_user_with_a_shell_plants_an_environment(accounts: Accounts, account: str) -> None:
    """The host's own sshd_config allows it."""
    plant(accounts.packets(account), f"/home/{account}/.ssh/environment", b"PLANTED=yes\nLD_PRELOAD=/tmp/x.so\n", 0o600)
    answer = ssh(accounts.login(account), "--", "env")
    assert "HOME=" in answer.text
    assert "PLANTED" not in answer.text
    accounts.packets(account).ask(REMOVE, f"/home/{account}/.ssh/environment")


DEVICES = {"a character device": 0o020666, "a block device": 0o060666, "a pipe": 0o010666, "a link": 0o120777}


@pytest.mark.parametrize("at", ["/own", "/shared", "/over"])
@pytest.mark.parametrize("kind", DEVICES.values(), ids=DEVICES.keys())
def test_a_customer_uploads(accounts: Accounts, at: str, kind: int) -> None:
    """By the mode that it gives, at once or later: it is a file like any other."""
    customer, path = accounts.packets("customer"), f"{at}/device"
    customer.ask(REMOVE, path)
    assert customer.opened(path, WRITING | CREATING, mode(kind)).ok
    assert customer.read(path).code in (1, 3)  # its end, or no right to read
    customer.ask(SETSTAT, path, Attributes(mode(kind)))
    found = accounts.root(f"stat -c %F /srv/sftp/customer{path}")
    assert found.text == "regular empty file\n"


def test_no_folder_takes_devices_or_programs(accounts: Accounts) -> None:
    """Whoever brought them there."""
    mounts = accounts.root("findmnt -rno TARGET,OPTIONS | grep '^/srv/sftp/'").text.splitlines()
    assert len(mounts) > 10
    assert [line for line in mounts if not {"nosuid", "nodev", "noexec"} < set(line.split()[1].split(","))] == []


UPLOADS = {"setuid": 0o4755, "setgid": 0o2755, "both": 0o6755, "sticky as well": 0o7755}


@pytest.mark.parametrize("at", ["/shared", "/over"])
@pytest.mark.parametrize("access", UPLOADS.values(), ids=UPLOADS.keys())
def test_a_customer_uploads_a_program_that_is(accounts: Accounts, at: str, access: int) -> None:
    """Nobody runs it where the customer put it; elsewhere it would run."""
    program = base64.b64decode(accounts.root("base64 -w0 /usr/bin/id").text)
    plant(accounts.packets("customer"), f"{at}/id", program, access)
    path = f"/srv/sftp/customer{at}/id"
    refused = accounts.root(path)
    assert (refused.code, "Permission denied" in refused.text) == (126, True)
    elsewhere = accounts.root(f"cp {path} /root/id && chmod 0755 /root/id && /root/id; rm /root/id")
    assert elsewhere.text.startswith("uid=0")


DEEP = {"/deep": "/data/deep", "/deepover": "/opt/transfer/deepover"}


@pytest.mark.parametrize("at", DEEP)
@pytest.mark.parametrize("way", ["renames", "renames over", "removes"])
@pytest.mark.parametrize("what", ["down", "down/internal"])
def test_a_customer_moves_a_hidden_part_from_under_its_cover(accounts: Accounts, at: str, way: str, what: str) -> None:
    """Another one in its place would be hidden at the next boot, and what was hidden would not."""
    digger = accounts.packets("digger")

    def attempt(name: str) -> bool:
        if way == "removes":
            return digger.ask(RMDIR, f"{at}/{name}").ok
        if way == "renames":
            return digger.ask(RENAME, f"{at}/{name}", f"{at}/moved").ok
        digger.ask(MKDIR, f"{at}/moved", Attributes(NOTHING))
        return digger.extended("posix-rename@openssh.com", f"{at}/{name}", f"{at}/moved").ok

    assert digger.ask(MKDIR, f"{at}/free", Attributes(NOTHING)).ok
    assert attempt("free")
    digger.ask(RMDIR, f"{at}/moved")
    assert not attempt(what)
    digger.ask(RMDIR, f"{at}/moved")
    assert not digger.read(f"{at}/down/internal/secret").ok
    assert Application(accounts, "app", DEEP[at]).run("cat down/internal/secret").ok
