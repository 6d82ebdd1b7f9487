# SPDX-License-Identifier: GPL-3.0-or-later
"""A piece of work in a process of its own, struck by strace at one of its system calls."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import typing as t
from dataclasses import dataclass, replace

# names that a system does not have are passed over with a question mark
COMMANDS = ("clone", "clone3", "fork", "vfork")
CREATING = ("openat2", "mkdir", "mkdirat", "symlink", "symlinkat", "link", "linkat")
CHANGING = (
    *CREATING,
    *("write", "fsync", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir"),
    *("fchmod", "fchmodat", "fchown", "fchownat", "mount", "umount2", "move_mount", "mount_setattr", "open_tree"),
    "kill",
)
SECONDS = 120
TRACE = "/run/faults/trace"
_CALL = re.compile(r"(\w+)\((.*)")

Work = t.Callable[[], None]


@dataclass(frozen=True)
class Call:
    """The ``number``-th call of this name that the work makes; ``arguments`` as strace shows them."""

    name: str
    number: int
    arguments: str = ""


@dataclass(frozen=True)
class Strike:
    """``how`` is what strace does: ``signal=KILL`` or ``error=ENOSPC``; at these calls, and maybe all that follow."""

    how: str
    calls: t.Tuple[Call, ...]
    lasting: bool = False

    def __str__(self) -> str:
        call = self.calls[0]
        return f"{call.name} {call.number} ({call.arguments[:120]})"

    @property
    def earlier(self) -> Strike:
        """The same one call earlier."""
        (call,) = self.calls
        return replace(self, calls=(replace(call, number=call.number - 1),))

    @property
    def options(self) -> t.List[str]:
        end = "+" if self.lasting else ""
        return [f"--inject=?{call.name}:{self.how}:when={call.number}{end}" for call in self.calls]


def calls(work: Work, names: t.Iterable[str]) -> t.Tuple[Ended, t.List[Call]]:
    """What the work calls, in its order, when nothing disturbs it, and how it ends."""
    ended = done(work, [f"--trace={','.join('?' + name for name in names)}", "--decode-fds", "--string-limit=80"])
    return ended, parse(TRACE)


def parse(path: str) -> t.List[Call]:
    counts: t.Dict[str, int] = {}
    found = []
    with open(path, encoding="utf-8", errors="replace") as trace:
        for matched in filter(None, map(_CALL.match, trace)):
            counts[matched[1]] = counts.get(matched[1], 0) + 1
            found.append(Call(matched[1], counts[matched[1]], matched[2].rstrip()))
    return found


@dataclass(frozen=True)
class Ended:
    code: int  # negative: by this signal
    said: str


def done(work: Work, strace: t.Sequence[str] = ()) -> Ended:
    """Do the work, under strace when it has options. Only the process itself is traced, not what it starts."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _work(work, writing, bool(strace))
    os.close(writing)
    tracer = None
    if strace:
        options = ["strace", "--quiet=all", f"--output={TRACE}", *strace, f"--attach={child}"]
        tracer = subprocess.Popen(options, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with open(reading, encoding="utf-8", errors="replace") as pipe:
        said = pipe.read()
    status = os.waitpid(child, 0)[1]
    if tracer is not None:
        complained = tracer.communicate(timeout=SECONDS)[1]
        if b"strace:" in complained:
            raise RuntimeError(complained.decode())
    return Ended(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), said)


def _work(work: Work, writing: int, wait: bool) -> t.NoReturn:
    code, said = 0, ""
    try:
        signal.alarm(SECONDS)
        _await_tracer() if wait else None
        work()
    except BaseException as error:
        code, said = getattr(error, "code", None) or 1, f"{type(error).__name__}: {error}"
        if code == 1 and type(error).__name__ not in ("Refused", "Failed", "OSError"):
            import traceback

            said = traceback.format_exc()
    os.write(writing, said.encode("utf-8", "replace")[:60000])
    os._exit(code)


def _await_tracer() -> None:
    while True:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            if not any(line == "TracerPid:\t0\n" for line in status):
                break
        time.sleep(0.002)
    time.sleep(0.01)
