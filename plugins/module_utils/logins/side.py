# SPDX-License-Identifier: GPL-3.0-or-later
"""A side sshd: a second one beside the host's own, with its complete configuration, PAM and users, for real logins.

It listens on loopback and takes one-time keys besides all that the host's own takes. It has two faces: the strict one
wants from everybody what the configuration wants; for the easy one the key is enough, so that what an account can do
is tried out where a login takes more than a key. It ends when we end, killed or not (see keeper.py).
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import os
import socket
import threading
import time
import typing as t
from dataclasses import dataclass, replace

from ..errors import Refused
from ..openssh import sshd, sshd_tree
from ..openssh.sshd_config import Setting
from ..system import processes
from . import scratch, side_config, side_log
from .keeper import Keeper, children, log_of
from .login import Channel, Connection, Refusal

__all__ = ["Channel", "Connection", "Refusal", "Side", "started"]

T = t.TypeVar("T")

LISTENING = "Server listening on"
START_PATIENCE = 10.0
PORTS_TRIED = 10
QUIET_PATIENCE = 1.0
REASON_PATIENCE = 0.5  # sshd may log why after it has closed the connection

CLIENT = (
    "-F", "none", "-N", "-M", "-T",
    *(
        argument
        for option in (
            "BatchMode=yes", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null", "UpdateHostKeys=no",
            "CheckHostIP=no", "HostKeyAlias=sallyport", "IdentitiesOnly=yes", "IdentityAgent=none",
            "PreferredAuthentications=publickey", "GSSAPIAuthentication=no", "ControlPersist=no", "LogLevel=VERBOSE",
            "ConnectTimeout=10", "ForwardX11=yes", "ForwardX11Trusted=yes", "Compression=no", "EscapeChar=none",
            "AddressFamily=inet", "KexAlgorithms=^curve25519-sha256,ecdh-sha2-nistp256",
            "Ciphers=^aes128-gcm@openssh.com",
        )
        for argument in ("-o", option)
    ),
)  # fmt: skip


@dataclass
class _Lane:
    """One listening sshd. One login at a time uses it, so that its log is about that login."""

    port: int
    log: str
    process: int = 0
    read: int = 0  # of its log, by earlier logins


class Side:
    """Its methods may be called by several threads at once."""

    def __init__(
        self,
        directory: str,
        keeper: Keeper,
        strict: sshd_tree.Tree,
        build_easy: t.Callable[[], sshd_tree.Tree],
        openssh: t.Tuple[int, int],
    ) -> None:
        self._directory, self._keeper, self._build_easy, self._openssh = directory, keeper, build_easy, openssh
        self._trees = {False: strict}
        self._idle: t.Dict[bool, t.List[_Lane]] = {False: [], True: []}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._client = _program("ssh", "openssh-client")
        self._sshd = _program("sshd", "openssh-server")

    @contextlib.contextmanager
    def connect(self, user: str, easy: bool = False, elsewhere: bool = False) -> t.Iterator[Connection]:
        """A login as the user; raises ``Refusal``.

        It comes from one of the account's sources, or with ``elsewhere`` from none. With ``easy`` the key is enough.
        """
        with self._lane(easy) as lane:
            system_log = os.path.getsize(log_of(self._directory))

            def log() -> str:
                return _text(lane.log, lane.read)

            def said() -> str:
                deadline = time.monotonic() + REASON_PATIENCE
                while True:
                    text = side_log.reason(log(), _text(log_of(self._directory), system_log), user)
                    if text or time.monotonic() > deadline:
                        return text
                    time.sleep(0.005)

            control = self._path(f"control-{next(self._numbers)}")
            connection = Connection(user, self._command(user, lane, elsewhere, control), control, said, log)
            try:
                yield connection
            finally:
                connection.close()

    def demanded(self, user: str, elsewhere: bool = False) -> t.Tuple[str, ...]:
        """What sshd still wants after the one-time key: () if the user is in, ("password",) …; raises ``Refusal``."""
        try:
            with self.connect(user, elsewhere=elsewhere):
                return ()
        except Refusal as refusal:
            if refusal.demanded:
                return refusal.demanded
            raise

    def connect_many(
        self, users: t.Collection[str], work: t.Callable[[Connection], T], at_once: int = 8, easy: bool = False
    ) -> t.Dict[str, t.Union[T, Refusal]]:
        """What ``work`` makes of a login of each user, several at a time; a refusal in its place."""

        def one(user: str) -> t.Union[T, Refusal]:
            try:
                with self.connect(user, easy) as connection:
                    return work(connection)
            except Refusal as refusal:
                return refusal

        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            return dict(zip(users, pool.map(one, users)))

    @contextlib.contextmanager
    def _lane(self, easy: bool) -> t.Iterator[_Lane]:
        with self._lock:
            if easy not in self._trees:
                self._trees[easy] = self._build_easy()
            lane = self._idle[easy].pop(0) if self._idle[easy] else self._open_lane(self._trees[easy])
        deadline = time.monotonic() + QUIET_PATIENCE
        while children(lane.process) and time.monotonic() < deadline:  # they may have more to say of the last login
            time.sleep(0.002)
        lane.read = os.path.getsize(lane.log)
        try:
            yield lane
        finally:
            with self._lock:
                self._idle[easy].append(lane)

    def _open_lane(self, tree: sshd_tree.Tree) -> _Lane:
        settings = tree.settings()
        keys_file = _keys_file(self._directory)
        said = ""
        for _attempt in range(PORTS_TRIED):
            lane = _Lane(_free_port(), self._path(f"log-{next(self._numbers)}"))
            overruling = side_config.overruling(settings, lane.port, keys_file, self._openssh)
            argv = [self._sshd, "-D", "-f", tree.main, "-E", lane.log, *overruling]
            pid = self._keeper.start(argv, lane.log, LISTENING, START_PATIENCE)
            if pid is not None:
                return replace(lane, process=pid)
            said = side_log.reason(_text(lane.log), "", "")
            checked = sshd.test(tree.main)  # makes the directory that sshd misses where none has run yet
            if not checked.ok:
                said = checked.said
                break
        raise Refused([tree.original(f"sshd does not start with this configuration: {said or 'it does not say why'}")])

    def _command(self, user: str, lane: _Lane, elsewhere: bool, control: str) -> t.List[str]:
        return [
            self._client,
            *CLIENT,
            *("-i", self._path("key"), "-o", f"UserKnownHostsFile={self._path('known_hosts')}"),
            *("-o", f"ForwardAgent={self._path('agent')}"),
            *("-S", control, "-b", side_config.ELSEWHERE if elsewhere else side_config.ADDRESS),
            *("-p", str(lane.port), "-l", user, side_config.ADDRESS),
        ]

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, "own", name)


@contextlib.contextmanager
def started(
    changes: t.Mapping[str, t.Optional[str]], users: t.Collection[str], openssh: t.Tuple[int, int], root: str = "/"
) -> t.Iterator[Side]:
    """The side sshd with the installed configuration and the changes (path: text, None: no file) made in it.

    The one-time key opens ``users`` and nobody else. Call it where no other thread runs: it forks.
    """
    with scratch.directory() as directory:
        own = os.path.join(directory, "own")
        os.mkdir(own, 0o700)

        def build(name: str, easy: bool = False) -> sshd_tree.Tree:
            def edit(path: str, line: str) -> str:
                return side_config.edited(path, line, _keys_file(directory), easy)

            return sshd_tree.build_candidate(os.path.join(own, name), changes, root, edit)

        strict = build("strict")
        settings = strict.settings()
        _make_key(own, settings)
        _publish_key(directory, users)
        _write_known_hosts(own, settings)
        keeper = Keeper(directory)
        try:
            with socket.socket(socket.AF_UNIX) as agent:  # without one, ssh would not ask for it to be forwarded
                agent.bind(os.path.join(own, "agent"))
                agent.listen()
                yield Side(directory, keeper, strict, lambda: build("easy", easy=True), openssh)
        finally:
            keeper.end()


def _make_key(own: str, settings: t.Sequence[Setting]) -> None:
    kind = side_config.key_type(settings)
    if kind is None:
        raise Refused(["sshd: it accepts no type of key that could be made for a trial login: accept ssh-ed25519"])
    processes.must(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "sallyport", "-f", os.path.join(own, "key")])


def _publish_key(directory: str, users: t.Iterable[str]) -> None:
    """A file for each user who is to be let in, readable by sshd as that user."""
    with open(os.path.join(directory, "own", "key.pub"), encoding="ascii") as stream:
        key = stream.read()
    first = os.path.join(directory, "own", "authorized_keys")
    with open(first, "w", encoding="ascii") as stream:
        os.fchmod(stream.fileno(), 0o644)
        stream.write(f'from="{side_config.ADDRESS},{side_config.ELSEWHERE}" {key}')
    public = os.path.dirname(_keys_file(directory))
    os.mkdir(public)
    os.chmod(public, 0o711)  # noqa: S103 - sshd passes through it as the user
    for user in set(users):
        if user in ("", ".", "..") or "/" in user:
            raise ValueError(f"no user name: {user!r}")
        os.link(first, os.path.join(public, user))


def _keys_file(directory: str) -> str:
    return os.path.join(directory, "keys", "%u")


def _write_known_hosts(own: str, settings: t.Sequence[Setting]) -> None:
    lines = [f"sallyport {public}" for public in map(_public, side_config.host_keys(settings)) if public]
    if not lines:
        raise Refused(["sshd: none of its host keys is there: make them (ssh-keygen -A)"])
    with open(os.path.join(own, "known_hosts"), "w", encoding="ascii") as stream:
        stream.writelines(lines)


def _public(path: str) -> t.Optional[str]:
    """The public half of a host key: from its own file, or else from the key itself."""
    if os.path.exists(path + ".pub"):
        return _text(path + ".pub").strip() + "\n"
    return processes.must(["ssh-keygen", "-y", "-f", path]).out.strip() + "\n" if os.path.exists(path) else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((side_config.ADDRESS, 0))
        return int(probe.getsockname()[1])


def _program(name: str, package: str) -> str:
    found = processes.find(name)
    if found is None:
        raise Refused([f"the host has no {name}, without which no login can be tried; install {package}"])
    return found


def _text(path: str, start: int = 0) -> str:
    with open(path, encoding="utf-8", errors="replace") as stream:
        stream.seek(start)
        return stream.read()
