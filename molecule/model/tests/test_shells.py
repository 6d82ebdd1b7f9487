# SPDX-License-Identifier: GPL-3.0-or-later
"""Shell accounts: keys in the home, forwards, a second factor, groups, the shell and umask of the model's choice."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import CREDENTIALS, INSIDE, Logins, refused
from logins import Answer, Login, forwarding, run, ssh
from testinfra.host import Host


def test_its_shell_groups_and_home(logins: Logins) -> None:
    command = 'echo "$SHELL"; id --name --groups | tr " " "\\n" | grep -v sallyport; pwd'
    answer = ssh(logins.key("operator1"), "--", command)
    assert answer.ok
    shell, *groups, home = answer.text.split()
    assert (shell, home) == ("/bin/sh", "/home/operator1")
    assert set(groups) == {"operator1", "extra-files", "operators"}


@pytest.mark.parametrize("how", ["command", "sftp"])
def test_its_umask(host: Host, logins: Logins, local: Path, how: str) -> None:
    if host.file("/etc/os-release").contains("bullseye"):
        pytest.skip("sshd opens sessions without pam_umask there, and a run says so")
    login = logins.key("operator1")
    local.chmod(0o666)
    if how == "command":
        assert ssh(login, "--", "rm -f made; touch made").ok
    else:
        batch = run("sftp", *login.options, "-b", "-", login.destination, text=f"-rm made\nput {local} made\n")
        assert batch.ok
    assert host.file("/home/operator1/made").mode == 0o640


def test_a_key_in_its_home_opens_it_where_the_model_says_so(logins: Logins) -> None:
    """As ssh-copy-id does it."""
    login, stranger = logins.key("operator1"), logins.key("operator1", "stranger")
    assert refused(stranger, ssh(stranger, "--", "true"))
    public = (CREDENTIALS / "stranger.pub").read_text().strip()
    copied = f"umask 077; mkdir -p .ssh && echo '{public}' >> .ssh/authorized_keys"
    assert ssh(login, "--", copied) == Answer(0, "")
    assert ssh(stranger, "--", "whoami") == Answer(0, "operator1\n")
    assert ssh(login, "--", "rm -r .ssh").ok
    assert refused(stranger, ssh(stranger, "--", "true"))


@pytest.mark.parametrize("account", ["native", "twofold"])
def test_a_key_in_a_home_opens_nothing_else(host: Host, logins: Logins, account: str) -> None:
    public = (CREDENTIALS / "stranger.pub").read_text().strip()
    home = f"/home/{account}/.ssh"
    host.check_output(f"install -d -o {account} -m 0700 {home} && echo '{public}' > {home}/authorized_keys")
    login = logins.key(account, "stranger")
    assert refused(login, ssh(login, "--", "true"))


def test_the_declared_forward_answers_and_no_other(logins: Logins) -> None:
    login = logins.key("operator1")
    assert "port 7001" in ssh(login, "-W", "127.0.0.1:7001").text
    for destination in ("127.0.0.1:7002", "127.0.0.1:22", "localhost:7001"):
        answer = ssh(login, "-W", destination)
        assert (answer.code, "stdio forwarding failed" in answer.text) == (255, True), destination


def test_the_declared_listener_opens_on_loopback_and_no_other(host: Host, logins: Logins) -> None:
    login = logins.key("operator1")
    with forwarding(login, "-L", "PORT:127.0.0.1:7001", "-R", "127.0.0.1:7003:127.0.0.1:7001"):
        assert host.check_output("ss -Hltn 'sport = :7003'").split()[3] == "127.0.0.1:7003"
    for listener in ("7004", "0.0.0.0:7003", "*:7003", "127.0.0.1:22222"):
        answer = ssh(login, "-N", "-oExitOnForwardFailure=yes", "-R", f"{listener}:127.0.0.1:22")
        assert "remote port forwarding failed" in answer.text, listener


def test_without_a_word_of_it_nothing_is_forwarded(logins: Logins) -> None:
    login = logins.key("native")
    assert "stdio forwarding failed" in ssh(login, "-W", "127.0.0.1:7001").text
    answer = ssh(login, "-N", "-oExitOnForwardFailure=yes", "-R", "7003:127.0.0.1:22")
    assert "remote port forwarding failed" in answer.text


def both(login: Login) -> Answer:
    """With the key first and then the password."""
    options = ["-oPreferredAuthentications=publickey,password", f"-oIdentityFile={CREDENTIALS / 'ann'}"]
    return run("ssh", *options, *login.options, login.destination, "whoami", password=login.password)


def test_a_second_factor_needs_both(logins: Logins) -> None:
    assert both(logins.password("twofold")) == Answer(0, "twofold\n")


@pytest.mark.parametrize("login", ["key", "password"])
def test_one_factor_of_two_is_refused(logins: Logins, login: str) -> None:
    single = getattr(logins, login)("twofold")
    assert refused(single, ssh(single, "--", "true"))


def test_a_second_factor_is_refused_when_the_password_is_wrong(logins: Logins) -> None:
    login = Login(logins.address, "twofold", password="wrong")
    answer = both(login)
    assert answer == Answer(255, f"{login.destination}: Permission denied (password).\n")


def test_a_user_of_the_host_is_managed(host: Host, logins: Logins) -> None:
    assert ssh(logins.key("native"), "--", "whoami; pwd") == Answer(0, "native\n/home/native\n")
    assert host.file("/home/native/.bashrc").user == "native"


def test_it_reads_nothing_of_the_others(logins: Logins) -> None:
    login = logins.key("operator1")
    jail = "/srv/sftp/mapper/deep"
    for path in (f"{jail}/own", f"{jail}/over", "/data/tree", "/home/twofold", "/var/lib/sallyport"):
        assert "Permission denied" in ssh(login, "--", f"ls {path}/.").text, path


def test_the_host_from_which_a_person_may_come(host: Host, logins: Logins) -> None:
    """cleo's key is for 127.0.0.7; the host logs in to itself, from there and from elsewhere."""
    private = (CREDENTIALS / "cleo").read_text()
    host.check_output("umask 077; printf %%s %s > /root/cleo", private)
    for source, code in (("127.0.0.7", 0), ("127.0.0.8", 1)):
        command = f"sftp -oBatchMode=yes -i /root/cleo -oBindAddress={source} {INSIDE} -b /dev/null narrow@127.0.0.1"
        assert host.run(f"{command} || exit 1").rc == code, source
    host.check_output("rm /root/cleo")
    login = logins.key("narrow", "cleo")
    assert refused(login, ssh(login, "-s", "--", "sftp"))
    assert ssh(logins.key("narrow"), "-s", "--", "sftp").ok
