# SPDX-License-Identifier: GPL-3.0-or-later
"""The application's side of a folder, for a proof: its user at work in a directory, which is left as it was.

Root opens the directory without following a link and hands over the descriptor. What is done in it is done by a
process with the user's ids, so that the host decides whether the user may.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import json
import os
import pwd
import socket
import stat
import struct
import threading
import typing as t

from ..system import files

PREFIX = ".sallyport-proof-"
PATIENCE = 10.0  # seconds for one request
MOST = 64 * 1024  # bytes of a file or a request

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # nor does a FIFO stop anybody
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
_CHANGES = 0x40 | 0x80 | 0x100 | 0x200  # IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE
_EVENT = struct.Struct("iIII")


class Refused(Exception):
    """The host does not let the user do it; ``read_only``: nobody may, the file system takes no changes."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.read_only = code == errno.EROFS


class Applications:
    """The process that works as any user of the host. It is to be started before there are threads."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(PATIENCE)
        self._turn = threading.Lock()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                _leave_open(theirs.fileno())
                _serve(theirs)
            finally:
                os._exit(0)
        theirs.close()

    def close(self) -> None:
        self._socket.close()
        os.waitpid(self._pid, 0)

    def user(self, uid: int) -> Application:
        return Application(self, uid)

    def ask(self, uid: int, directory: int, verb: str, arguments: t.Sequence[t.Any]) -> str:
        try:
            with self._turn:
                socket.send_fds(self._socket, [json.dumps([uid, verb, *arguments]).encode()], [directory])
                answer = self._socket.recv(MOST)
            text, code = json.loads(answer)
        except (OSError, ValueError) as error:
            raise Refused(f"the application's side gives no answer: {error}") from error
        if code:
            raise Refused(text, code)
        return str(text)


class Application:
    """One user at work. What the host does not let it do is ``Refused``."""

    def __init__(self, process: Applications, uid: int) -> None:
        self._process, self._uid = process, uid

    def make(self, directory: int, name: str, text: str, mode: int) -> None:
        self._ask(directory, "make", name, text, mode)

    def read(self, directory: int, name: str) -> str:
        return self._ask(directory, "read", name)

    def append(self, directory: int, name: str, text: str) -> None:
        self._ask(directory, "append", name, text)

    def remove(self, directory: int, name: str) -> None:
        self._ask(directory, "remove", name)

    def make_directory(self, directory: int, name: str, mode: int) -> None:
        self._ask(directory, "make_directory", name, mode)

    def reach(self, directory: int, path: str) -> None:
        """Whether the directory is what the user finds at that path."""
        self._ask(directory, "reach", path)

    def _ask(self, directory: int, verb: str, *arguments: t.Any) -> str:
        return self._process.ask(self._uid, directory, verb, arguments)


def _leave_open(descriptor: int) -> None:
    """The lock of the run and other sockets must not live on in this process."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != descriptor:
            with contextlib.suppress(OSError):
                os.close(int(name))


@functools.cache
def _ids(uid: int) -> t.Tuple[int, t.Tuple[int, ...]]:
    """The primary group of a user, and all of them."""
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return uid, ()
    return user.pw_gid, tuple(os.getgrouplist(user.pw_name, user.pw_gid))


@contextlib.contextmanager
def _acting_as(uid: int) -> t.Iterator[None]:
    """With the effective ids of a user, and no more rights than those; nobody but root can disturb the process."""
    gid, groups = _ids(uid)
    if os.geteuid() != 0:  # a test without root is the user that it is
        yield
        return
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups([])


def _serve(requests: socket.socket) -> None:
    os.chdir("/")
    os.umask(0o007)
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(requests, MOST, 1)
        if not message:
            return
        uid, verb, *arguments = json.loads(message)
        try:
            with _acting_as(uid):
                answer: t.Tuple[str, int] = (_VERBS[verb](descriptors[0], *arguments) or "", 0)
        except OSError as error:
            answer = (error.strerror or str(error), error.errno or errno.EIO)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        requests.send(json.dumps(answer).encode())


def _make(directory: int, name: str, text: str, mode: int) -> None:
    descriptor = os.open(name, _NEW, 0o600, dir_fd=directory)
    with open(descriptor, "w", encoding="utf-8") as stream:
        os.fchmod(descriptor, mode)
        stream.write(text)


def _read(directory: int, name: str) -> str:
    with open(os.open(name, os.O_RDONLY | _NO_LINK, dir_fd=directory), encoding="utf-8", errors="replace") as stream:
        return stream.read(MOST // 2)


def _append(directory: int, name: str, text: str) -> None:
    with open(os.open(name, os.O_WRONLY | os.O_APPEND | _NO_LINK, dir_fd=directory), "w", encoding="utf-8") as stream:
        stream.write(text)


def _remove(directory: int, name: str) -> None:
    os.unlink(name, dir_fd=directory)


def _make_directory(directory: int, name: str, mode: int) -> None:
    os.mkdir(name, mode, dir_fd=directory)


def _reach(directory: int, path: str) -> None:
    if not os.path.samestat(os.stat(path), os.fstat(directory)):
        raise OSError(errno.ENOENT, "another directory is at that path")


_VERBS: t.Mapping[str, t.Callable[..., t.Optional[str]]] = {
    "make": _make,
    "read": _read,
    "append": _append,
    "remove": _remove,
    "make_directory": _make_directory,
    "reach": _reach,
}


class Places:
    """The directories of a proof. Each is opened once for all that use it, and its times are set back at the end.

    Set back unless somebody else has changed what is in it meanwhile: whoever watches the times has to see that.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._held: t.Dict[str, t.Tuple[contextlib.ExitStack, int, os.stat_result, int]] = {}
        self._users: t.Dict[str, int] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._notices = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._disturbed: t.Set[int] = set()

    def close(self) -> None:
        if self._notices >= 0:
            os.close(self._notices)

    @contextlib.contextmanager
    def held(self, path: str) -> t.Iterator[int]:
        """A descriptor of the directory; raises what ``files.opened`` does."""
        with self._turn:
            if path not in self._held:
                stack = contextlib.ExitStack()
                descriptor = stack.enter_context(files.opened(path))
                self._held[path] = (stack, descriptor, os.fstat(descriptor), self._watch(descriptor))
            self._users[path] = self._users.get(path, 0) + 1
            descriptor = self._held[path][1]
        try:
            yield descriptor
        finally:
            with self._turn:
                self._users[path] -= 1
                if not self._users[path]:
                    self._release(path)

    def _release(self, path: str) -> None:
        stack, descriptor, before, watch = self._held.pop(path)
        with stack, contextlib.suppress(OSError):
            self._notice()
            if watch >= 0 and watch not in self._disturbed:
                os.utime(descriptor, ns=(before.st_atime_ns, before.st_mtime_ns))
            if watch >= 0:
                self._libc.inotify_rm_watch(self._notices, watch)

    def _watch(self, descriptor: int) -> int:
        if self._notices < 0:
            return -1
        path = f"/proc/self/fd/{descriptor}".encode()
        return int(self._libc.inotify_add_watch(self._notices, path, _CHANGES))

    def _notice(self) -> None:
        """Read what happened so far. The kernel says -1 when it could not keep all of it."""
        while True:
            try:
                events = os.read(self._notices, MOST)
            except BlockingIOError:
                return
            while events:
                watch, _mask, _cookie, length = _EVENT.unpack_from(events)
                name = events[_EVENT.size : _EVENT.size + length].rstrip(b"\0")
                events = events[_EVENT.size + length :]
                if watch < 0:
                    self._disturbed.update(held[3] for held in self._held.values())
                elif name and not name.startswith(PREFIX.encode()):
                    self._disturbed.add(watch)


def clean(directory: int, names: t.Iterable[str]) -> None:
    """Remove what a proof has left, by name: what a name leads to is not looked at."""
    for name in names:
        if not name.startswith(PREFIX):
            raise ValueError(f"{name} is none of ours")
        with contextlib.suppress(OSError):
            if stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
                os.rmdir(name, dir_fd=directory)
            else:
                os.unlink(name, dir_fd=directory)
