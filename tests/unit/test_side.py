# SPDX-License-Identifier: GPL-3.0-or-later
"""Real logins through a side sshd, with trees below a temporary root, as root."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.errors import Refused
from ansible_collections.sallyport.ssh.plugins.module_utils.logins import sftp, side
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd

VERSION = sshd.version()
pytestmark = pytest.mark.skipif(VERSION == (0, 0) or os.geteuid() != 0, reason="needs sshd, and root to run it")

MAIN, OURS = layout.SSHD_CONFIG, layout.SSHD_DROP_IN
PASSWORD_AS_WELL = "Match User root\nPasswordAuthentication yes\nAuthenticationMethods publickey,password\n"


class Hosts:
    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        key = root / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        self.main = f"Include sshd_config.d/*.conf\nHostKey {key}\nUsePAM yes\nPermitRootLogin yes\nX11Forwarding no\n"

    def started(
        self, drop_in: str = "", users: t.Collection[str] = ("root",), main: str = ""
    ) -> t.ContextManager[side.Side]:
        return side.started({MAIN: self.main + main, OURS: drop_in}, users, VERSION, str(self.root))


@pytest.fixture(name="hosts", scope="session")
def host_with_a_key(tmp_path_factory: pytest.TempPathFactory) -> Hosts:
    return Hosts(tmp_path_factory.mktemp("host"))


@pytest.fixture(name="login", scope="module")
def login_as_root(hosts: Hosts) -> t.Iterator[side.Connection]:
    with hosts.started("Subsystem sftp internal-sftp\n") as running, running.connect("root") as connection:
        yield connection


def wait_until(what: t.Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# One login


@pytest.mark.parametrize(
    ("command", "code", "out", "err"),
    [
        ("true", 0, "", ""),
        ("exit 3", 3, "", ""),
        ("echo out; echo err >&2", 0, "out\n", "err\n"),
        ("kill -9 $$", 255, "", ""),
        ("id -un", 0, "root\n", ""),
        ("cat", 0, "", ""),
        ("head -c 300000 /dev/zero | tr '\\0' x", 0, "x" * 300000, ""),
    ],
)
def test_commands(login: side.Connection, command: str, code: int, out: str, err: str) -> None:
    outcome = login.run(command)
    assert (outcome.code, outcome.out, outcome.err) == (code, out, err)


def test_a_command_that_does_not_end(login: side.Connection) -> None:
    assert login.run("echo started; sleep 60", timeout=0.5).code == 124
    assert login.run("true").ok


def test_a_terminal(login: side.Connection) -> None:
    assert login.run("tty", tty=True).out.startswith("/dev/pts/")
    assert login.run("tty").out == "not a tty\n"


def test_sftp(login: side.Connection) -> None:
    with login.subsystem() as channel:
        assert "etc" in sftp.Client(channel).listing("/")
        channel.stdin.close()
        assert channel.wait() == 0


def test_a_subsystem_that_is_not_there(login: side.Connection) -> None:
    with login.subsystem("netconf") as channel:
        assert channel.stdout.read(1) == b""


def test_forwards(hosts: Hosts, login: side.Connection) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = f"127.0.0.1:{listener.getsockname()[1]}"
        assert login.reach(taken) == "open"
        assert not login.listen(taken)
    assert login.reach("127.0.0.1:1") == "closed"
    assert login.listen("127.0.0.1:0")


def test_what_is_not_forwarded(hosts: Hosts) -> None:
    with hosts.started("AllowTcpForwarding no\nAllowAgentForwarding no\n") as running, running.connect("root") as login:
        assert login.reach("127.0.0.1:22") == "prohibited"
        assert not login.listen("127.0.0.1:0")
        assert not login.agent()
        assert not login.x11()


def test_the_agent_is_forwarded(login: side.Connection) -> None:
    assert login.agent()


def test_where_it_comes_from(hosts: Hosts) -> None:
    with hosts.started() as running:
        with running.connect("root") as login:
            assert login.run("echo $SSH_CONNECTION").out.startswith("127.0.0.1 ")
        with running.connect("root", elsewhere=True) as login:
            assert login.run("echo $SSH_CONNECTION").out.startswith("127.0.0.2 ")


def test_what_sshd_ran_instead(hosts: Hosts) -> None:
    with hosts.started("ForceCommand echo 'not you'\n") as running, running.connect("root") as login:
        assert login.run("true").out == "not you\n"
        assert login.forced() == "echo 'not you'"


# Refusals


@pytest.mark.parametrize(
    ("drop_in", "reason"),
    [
        ("DenyUsers root\n", "User root not allowed because listed in DenyUsers"),
        ("PermitRootLogin no\n", "ROOT LOGIN REFUSED"),
        ("Match User root\nAuthenticationMethods hostbased\n", "No AuthenticationMethods left"),
        ("RevokedKeys /etc/ssh/there-is-none\n", "/etc/ssh/there-is-none"),
    ],
    ids=["denied", "no root", "methods that are off", "revoked keys that are not there"],
)
def test_a_refusal_has_sshd_s_own_reason(hosts: Hosts, drop_in: str, reason: str) -> None:
    with hosts.started(drop_in) as running, pytest.raises(side.Refusal) as refused, running.connect("root"):
        pass
    assert reason in refused.value.reason
    assert not refused.value.demanded


def test_reasons_of_many_at_once_are_not_mixed_up(hosts: Hosts) -> None:
    users = ["root", "daemon", "bin", "sys", "games"]
    with hosts.started("AllowUsers root\n", users) as running:
        found = running.connect_many(users, lambda connection: connection.run("true").code, at_once=4)
    assert found.pop("root") == 0
    for user, refusal in found.items():
        assert isinstance(refusal, side.Refusal)
        assert refusal.reason == f"User {user} not allowed because not listed in AllowUsers"


def test_the_key_opens_nobody_else(hosts: Hosts) -> None:
    with hosts.started(users=["daemon"]) as running, pytest.raises(side.Refusal, match="Permission denied"):
        running.demanded("root")


@pytest.mark.parametrize("name", ["", "..", "a/b"])
def test_what_is_no_user_name(hosts: Hosts, name: str) -> None:
    with pytest.raises(ValueError, match="no user name"), hosts.started(users=[name]):
        pass


@pytest.mark.parametrize(
    ("drop_in", "said"), [("Nonsense yes\n", "Nonsense"), ("Match User\n", "line 1")], ids=["keyword", "Match"]
)
def test_a_configuration_that_sshd_does_not_take(hosts: Hosts, drop_in: str, said: str) -> None:
    with hosts.started(drop_in) as running, pytest.raises(Refused, match=said) as refused, running.connect("root"):
        pass
    assert f"{OURS}" in str(refused.value)


# The two faces


def test_the_strict_face_wants_what_the_configuration_wants(hosts: Hosts) -> None:
    with hosts.started(PASSWORD_AS_WELL) as running:
        assert running.demanded("root") == ("password",)
        with pytest.raises(side.Refusal, match="still wants password"), running.connect("root"):
            pass


def test_for_the_easy_face_the_key_is_enough(hosts: Hosts) -> None:
    with hosts.started(PASSWORD_AS_WELL) as running, running.connect("root", easy=True) as login:
        assert login.run("true").ok


@pytest.mark.parametrize("elsewhere", [False, True])
def test_here_is_a_source_and_elsewhere_is_none(hosts: Hosts, elsewhere: bool) -> None:
    drop_in = "Match Group root Address *,!10.0.0.0/8\nPubkeyAuthentication no\n"
    with hosts.started(drop_in) as running:
        if elsewhere:
            with pytest.raises(side.Refusal):
                running.demanded("root", elsewhere=True)
        else:
            assert running.demanded("root") == ()


# Traces


def test_nothing_is_left(hosts: Hosts) -> None:
    with hosts.started() as running:
        directory = pathlib.Path(running._directory)
        assert directory.stat().st_mode & 0o777 == 0o711
        assert (directory / "own").stat().st_mode & 0o777 == 0o700
        assert (directory / "own" / "key").stat().st_mode & 0o777 == 0o600
        with running.connect("root") as login:
            left = int(login.run("sleep 300 >/dev/null 2>&1 & echo $!").out)
    assert not directory.exists()
    assert not os.path.exists(f"/proc/{left}")


def test_a_run_that_is_killed_takes_its_sshd_and_sessions_along(hosts: Hosts, tmp_path: pathlib.Path) -> None:
    told = tmp_path / "told"
    program = (
        "import sys, time\n"
        f"sys.path[:] = {sys.path!r}\n"
        f"from {side.__name__.rpartition('.')[0]} import side\n"
        f"with side.started({{{MAIN!r}: {hosts.main!r}}}, ['root'], {VERSION!r}, {str(hosts.root)!r}) as running:\n"
        "    with running.connect('root') as login:\n"
        "        pid = login.run('sleep 300 >/dev/null 2>&1 & echo $!').out.strip()\n"
        f"        open({str(told)!r}, 'w').write(pid + ' ' + running._directory + '\\n')\n"
        "        time.sleep(60)\n"
    )
    killed = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    wait_until(lambda: told.exists() and told.read_text().endswith("\n"))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    pid, directory = told.read_text().split()
    wait_until(lambda: not os.path.exists(f"/proc/{pid}") and not os.path.exists(directory))
    wait_until(lambda: not any(directory in line for line in command_lines()))


def command_lines() -> t.Iterator[str]:
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield entry.read_text(errors="replace")


def test_no_record_of_logins_grows(hosts: Hosts) -> None:
    records = [path for path in ("/var/log/wtmp", "/var/log/lastlog", "/var/log/btmp") if os.path.exists(path)]
    before = [(os.path.getsize(path), os.stat(path).st_mtime_ns) for path in records]
    with hosts.started() as running, running.connect("root") as login:
        assert login.run("true", tty=True).ok
    assert [(os.path.getsize(path), os.stat(path).st_mtime_ns) for path in records] == before
