# SPDX-License-Identifier: GPL-3.0-or-later
"""One login over loopback, held by OpenSSH's own client, and all that can be done over it without another one."""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import subprocess
import time
import typing as t

from ..system import processes
from . import mux

LOGIN_PATIENCE = 20.0
CLOSING_PATIENCE = 0.2  # ssh may sleep through a SIGTERM that comes just before it waits
MOST_OUTPUT = 16 * 1024 * 1024
NO_ANSWER = 124

_IN = re.compile(r"^Authenticated to ", re.MULTILINE)
_WANTED = re.compile(r"Permission denied \(([^)]*)\)")
_PARTIAL = re.compile(r"^Authenticated .*with partial success", re.MULTILINE)
_FORCED = re.compile(r"^Starting session: forced-command \(config\) '(.*)' for ", re.MULTILINE)
_HERE = re.compile(r" (by|from) 127\.0\.0\.\d+ port \d+")
_NOT_OPENED = re.compile(r"channel \d+: open failed: (?P<why>[^:\r\n]+)")


class Refusal(Exception):
    """A login was refused; ``reason`` is sshd's own."""

    def __init__(self, user: str, reason: str, demanded: t.Sequence[str] = ()) -> None:
        super().__init__(f"{user}: {reason}")
        self.user, self.reason = user, reason
        self.demanded = tuple(demanded)  # what sshd wants besides the key, which it has taken


class Channel:
    """A session whose streams are pipes. ``stdout.read(n)`` may return less, and b"" at the end."""

    def __init__(self, link: mux.Link, stdin: t.BinaryIO, stdout: t.BinaryIO) -> None:
        self.stdin, self.stdout = stdin, stdout
        self._link = link

    def wait(self, timeout: float = 10) -> int:
        """The exit code; 255 if there was none, 124 if the session did not end in time."""
        return _exit_code(self._link, time.monotonic() + timeout)


class Connection:
    """A login. ``said()`` is sshd's own account of what went wrong in it so far, "" if nothing did."""

    def __init__(
        self, user: str, argv: t.Sequence[str], control: str, said: t.Callable[[], str], log: t.Callable[[], str]
    ) -> None:
        """Log in; raises ``Refusal``."""
        self.user, self.said = user, said
        self._control, self._log = control, log
        self._heard = b""
        self._client = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**processes.ENVIRONMENT, "DISPLAY": "localhost:0"},  # it asks for X11 only where there is a display
            cwd="/",
        )
        self._stderr = t.cast(t.IO[bytes], self._client.stderr)
        try:
            self._log_in()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._client.terminate()
        try:
            self._client.wait(CLOSING_PATIENCE)
        except subprocess.TimeoutExpired:
            self._client.kill()
            self._client.wait()
        self._stderr.close()

    def run(self, command: str, tty: bool = False, timeout: float = 10) -> processes.Outcome:
        """A command's outcome, as ssh has it: 255 if it had no exit code, 124 if it did not end in time."""
        return self._run(command, timeout, tty=tty)

    @contextlib.contextmanager
    def subsystem(self, name: str = "sftp") -> t.Iterator[Channel]:
        """A subsystem; where sshd has none of this name, its stdout is at its end at once. Raises ``mux.Failed``."""
        with contextlib.ExitStack() as stack:
            stdin, stdin_near = _pipe(stack)
            stdout_near, stdout = _pipe(stack)
            nothing = stack.enter_context(open(os.devnull, "r+b", buffering=0))
            link = stack.enter_context(mux.Link(self._control, LOGIN_PATIENCE))
            link.session(name, (stdin.fileno(), stdout.fileno(), nothing.fileno()), subsystem=True)
            stdin.close()
            stdout.close()
            yield Channel(link, stdin_near, stdout_near)

    def reach(self, destination: str, timeout: float = 10) -> str:
        """What sshd makes of connecting to HOST:PORT: "open", "prohibited", or "closed" (it would, nothing listens)."""
        host, port = _split(destination)
        while self._hear():
            pass
        heard = len(self._heard)
        with contextlib.ExitStack() as stack:
            nothing = stack.enter_context(open(os.devnull, "rb", buffering=0))
            _near, stdout = _pipe(stack)
            link = stack.enter_context(mux.Link(self._control, timeout))
            try:
                link.connect(host, port, (nothing.fileno(), stdout.fileno()))
            except mux.Failed:
                why = self._hear_until(_NOT_OPENED, heard)
                return "closed" if why and why["why"].startswith("connect failed") else "prohibited"
            except socket.timeout:
                return "closed"
        return "open"

    def listen(self, listener: str) -> bool:
        """Whether sshd listens for us on HOST:PORT or PORT. A port that is taken counts as refused."""
        host, port = _split(listener)
        with mux.Link(self._control, LOGIN_PATIENCE) as link:
            try:
                link.listen(host, port)
            except mux.Failed:
                return False
            link.listen_no_more(host, port)
            return True

    def agent(self) -> bool:
        """Whether sshd forwards an agent. It gives the client no answer, so its log does."""
        before = len(self._log())
        self._run("true", 10, agent=True)
        asked = self._log()[before:]
        return "auth-agent-req" in asked and "agent forwarding disabled" not in asked

    def forced(self) -> str:
        """What sshd ran last in place of what was asked for; "" if it is as it was asked for."""
        found = _FORCED.findall(self._log())
        return found[-1] if found else ""

    def x11(self) -> bool:
        """Whether sshd forwards X11; it needs xauth for that."""
        return "X11 forwarding request failed" not in self._run("true", 10, x11=True).err

    def _run(
        self, command: str, timeout: float, tty: bool = False, agent: bool = False, x11: bool = False
    ) -> processes.Outcome:
        deadline = time.monotonic() + timeout
        with contextlib.ExitStack() as stack:
            nothing = stack.enter_context(open(os.devnull, "rb", buffering=0))
            out_near, out = _pipe(stack)
            err_near, err = _pipe(stack)
            link = stack.enter_context(mux.Link(self._control, timeout))
            try:
                link.session(command, (nothing.fileno(), out.fileno(), err.fileno()), tty, False, agent, x11)
            except mux.Failed as failed:
                return processes.Outcome(mux.NO_EXIT, "", str(failed))
            out.close()
            err.close()
            texts = _read_all([out_near, err_near], deadline)
            code = _exit_code(link, deadline)
        if time.monotonic() >= deadline:
            return processes.Outcome(NO_ANSWER, texts[0], f"gave no answer within {timeout:g} seconds")
        return processes.Outcome(code, *texts)

    def _log_in(self) -> None:
        deadline = time.monotonic() + LOGIN_PATIENCE
        while not _IN.search(self._text()):
            if not self._hear(deadline - time.monotonic()):
                raise self._refusal()
        while not os.path.exists(self._control):  # it is made right after
            if time.monotonic() > deadline or self._client.poll() is not None:
                raise self._refusal()
            time.sleep(0.001)

    def _refusal(self) -> Refusal:
        text = self._text()
        wanted = _WANTED.search(text)
        if _PARTIAL.search(text) and wanted:
            return Refusal(self.user, f"sshd still wants {wanted[1]}", wanted[1].split(","))
        last = (text.strip().splitlines() or ["ssh gave no answer"])[-1].strip()
        return Refusal(self.user, self.said() or _HERE.sub("", last))

    def _text(self) -> str:
        return self._heard.decode(errors="replace")

    def _hear(self, patience: float = 0) -> bool:
        """Take what the client says, waiting for it so long. False: it said no more."""
        if not select.select([self._stderr], [], [], max(patience, 0))[0]:
            return False
        more = os.read(self._stderr.fileno(), 65536)
        self._heard += more
        return bool(more)

    def _hear_until(self, pattern: t.Pattern[str], start: int) -> t.Optional[t.Match[str]]:
        deadline = time.monotonic() + 1
        while True:
            found = pattern.search(self._heard[start:].decode(errors="replace"))
            if found or not self._hear(deadline - time.monotonic()):
                return found


def _pipe(stack: contextlib.ExitStack) -> t.Tuple[t.BinaryIO, t.BinaryIO]:
    read, write = os.pipe()
    return (
        t.cast(t.BinaryIO, stack.enter_context(open(read, "rb", buffering=0))),
        t.cast(t.BinaryIO, stack.enter_context(open(write, "wb", buffering=0))),
    )


def _read_all(streams: t.List[t.BinaryIO], deadline: float) -> t.List[str]:
    texts = dict.fromkeys(streams, b"")
    waiting = list(streams)
    while waiting and time.monotonic() < deadline:
        for stream in select.select(waiting, [], [], max(deadline - time.monotonic(), 0))[0]:
            more = os.read(stream.fileno(), 65536)
            texts[stream] = (texts[stream] + more)[:MOST_OUTPUT]
            if not more:
                waiting.remove(stream)
    return [texts[stream].decode("utf-8", "surrogateescape") for stream in streams]


def _exit_code(link: mux.Link, deadline: float) -> int:
    while time.monotonic() < deadline:
        if select.select([link], [], [], max(deadline - time.monotonic(), 0))[0]:
            code = link.exit_code()
            if code is not None:
                return code
    return NO_ANSWER


def _split(place: str) -> t.Tuple[str, int]:
    """HOST:PORT, [ADDRESS]:PORT, or PORT alone, which is loopback."""
    host, _colon, port = place.rpartition(":")
    return host.strip("[]") or "localhost", int(port)
