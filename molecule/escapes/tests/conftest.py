# SPDX-License-Identifier: GPL-3.0-or-later
"""Who attempts something: one connection of every account to every host, and the admin's, whom nothing restricts."""

from __future__ import annotations

import collections
import os
import re
import shlex
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest
from logins import CACHE, Answer, Login
from packets import Packets
from testinfra.host import Host
from wire import Wire

T = t.TypeVar("T")
ATTEMPTS = pytest.StashKey[dict[str, tuple[str, str]]]()  # by test: whose it is, and what, on whichever host
ROOT = CACHE.parent
CREDENTIALS = CACHE / "escapes"
ADMIN = "deploy"
# sudo tasks
PROGRAMS = "/usr/local/libexec/sallyport"
TRACE = "/run/escaped"  # root alone can make it
TRAP = f"touch {TRACE}"
STATE = (
    "systemctl show -p Id -p ActiveState -p ExecMainStartTimestampMonotonic -p UnitFileState "
    f"ssh web mail queue@1 queue@2 queue@3; ls {TRACE} 2>/dev/null"
)
OUTSIDE = "/etc /root /usr/local /var/spool /data/other /home/app /home/seller /run/sallyport"
PICTURE = f"""
find {OUTSIDE} /data /srv /home -maxdepth 0 -printf '%p %M %U:%G\\n' 2>/dev/null | sort
find {OUTSIDE} -not -path '*/.ssh*' -not -name '*-' -printf '%p %M %U:%G %l\\n' 2>/dev/null | sort
find {OUTSIDE} -type f -not -path '*/.ssh*' -not -name '*-' -exec sha256sum {{}} + 2>/dev/null | sort
"""
SFTP = ("customer", "reader", "member", "neighbour", "digger", "caller", "halted", "ended")
# Whose key opens what
OWNERS = {
    "customer": "ann",
    "reader": "ann",
    "member": "ann",
    "digger": "ann",
    "neighbour": "ben",
    "partner": "sue",
    "keeper": "tom",
    "tunnel": "tom",
}


class Accounts:
    """The accounts of one host, from outside."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._wires: dict[str, Wire] = {}
        self._packets: dict[str, Packets] = {}
        self._controls: dict[tuple[object, ...], object] = {}

    def login(self, account: str, person: str = "") -> Login:
        if not person:
            self.wire(account)  # while one session is open, no other starts a service manager of its own
        return Login(self.address, account, key=_key(account, person))

    def with_password(self, account: str) -> Login:
        """With the password of caller, whoever it is tried on."""
        return Login(self.address, account, password=(CREDENTIALS / "password").read_text().strip())

    def wire(self, account: str) -> Wire:
        """The connection that all attempts of an account share."""
        if account not in self._wires or not self._wires[account].is_active():
            self._wires[account] = Wire(self.address, account, _key(account))
        return self._wires[account]

    def packets(self, account: str) -> Packets:
        """An SFTP session of an account; one that the server ended is replaced."""
        if account not in self._packets or not self._packets[account].alive:
            self._packets[account] = Packets(self.wire(account))
        return self._packets[account]

    def root(self, script: str) -> Answer:
        """What root gets: over the admin's connection, for a tenth of what a command of testinfra's takes."""
        return Answer(*self.wire(ADMIN).execute(f"sudo sh -c {shlex.quote(script)}"))

    def control(self, attempt: t.Callable[..., T], *arguments: t.Any) -> T:
        """What the admin gets, whom nothing restricts: asked once, however many accounts attempt the same."""
        key = (attempt.__name__, *map(str, arguments))
        if key not in self._controls:
            self._controls[key] = attempt(ADMIN, *arguments)
        return t.cast(T, self._controls[key])

    def close(self) -> None:
        for wire in self._wires.values():
            wire.close()


def _key(account: str, person: str = "") -> Path:
    if account == ADMIN and not person:
        return CACHE / "id_ed25519"
    return CREDENTIALS / (person or OWNERS[account])


class Application:
    """A user of the host, at work in a directory."""

    def __init__(self, accounts: Accounts, user: str, directory: str) -> None:
        self._accounts, self.user, self.directory = accounts, user, directory

    def run(self, script: str) -> Answer:
        script = shlex.quote(f"cd {self.directory} && {script}")
        return self._accounts.root(f"runuser -u {self.user} -- sh -c {script}")


@pytest.fixture(scope="session")
def known() -> t.Iterator[dict[str, Accounts]]:
    """By the hosts' addresses."""
    found: dict[str, Accounts] = {}
    yield found
    for accounts in found.values():
        accounts.close()


@pytest.fixture(scope="module")
def accounts(host: Host, known: dict[str, Accounts]) -> Accounts:
    address = host.ansible.get_variables()["ansible_host"]
    return known.setdefault(address, Accounts(address))


@pytest.fixture(scope="session")
def pictures() -> dict[str, str]:
    """What the hosts had before the first attempt, by their addresses."""
    return {}


@pytest.fixture(scope="module", autouse=True)
def outside(accounts: Accounts, pictures: dict[str, str]) -> str:
    """What no attempt may change."""
    if accounts.address not in pictures:
        pictures[accounts.address] = accounts.root(PICTURE).text
    return pictures[accounts.address]


@pytest.fixture
def customer(accounts: Accounts) -> Packets:
    return accounts.packets("customer")


@pytest.fixture(scope="session")
def stranger() -> Path:
    """A key that no model names."""
    return CREDENTIALS / "stranger"


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("from the customer\n")
    return path


def refused(login: Login, answer: Answer) -> bool:
    """Whether sshd did not let somebody in, which is not the only way in which ssh fails."""
    said = (f"{login.destination}: Permission denied (", "no authentication methods enabled", "account has expired")
    return answer.code == 255 and any(text in answer.text for text in said)


def keygen(*arguments: str | Path) -> None:
    subprocess.run(["ssh-keygen", "-q", *arguments], check=True, stdin=subprocess.DEVNULL, timeout=60)


def pytest_configure(config: pytest.Config) -> None:
    """One connection of the admin for many commands: two thirds of the time that the tests would take."""
    sockets = tempfile.TemporaryDirectory(prefix="sallyport-", ignore_cleanup_errors=True)
    config.add_cleanup(sockets.cleanup)
    options = f"-o ControlMaster=auto -o ControlPersist=20s -o ControlPath={sockets.name}/%C"
    os.environ["ANSIBLE_SSH_EXTRA_ARGS"] = options


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[ATTEMPTS] = {
        item.nodeid: (kind_of(item), re.sub(r"ansible://[^-]*-debian\d+", "", item.nodeid))
        for item in items
        if not item.get_closest_marker("control")
    }
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def kind_of(item: pytest.Item) -> str:
    """The kind of account that attempts something; nothing where it is not an account of this model."""
    account = str(item.callspec.params.get("account", "")) if hasattr(item, "callspec") else ""
    kinds = {"partner": "shell", "keeper": "shell", "tunnel": "tunnel", **dict.fromkeys(SFTP, "sftp")}
    return kinds.get(account) or str(getattr(item.module, "KIND", ""))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How many attempts of each kind of account failed, as they should, whatever the number of hosts."""
    attempts = config.stash[ATTEMPTS]
    passed = {attempts[report.nodeid] for report in terminalreporter.getreports("passed") if report.nodeid in attempts}
    counts = collections.Counter(kind for kind, _ in passed)
    said = ", ".join(f"{counts[kind]} of {kind} accounts" for kind in ("sftp", "shell", "tunnel"))
    terminalreporter.write_line(f"{counts.total()} attempts refused: {said}, {counts['']} of others")
