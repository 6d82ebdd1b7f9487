# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own tools, killed at the calls that change the user database; and what they leave when they are."""

from __future__ import annotations

import functools
import glob
import os
import signal
import subprocess
import typing as t
from dataclasses import dataclass

from .strikes import Work, done, parse

TOOLS = ("systemd-sysusers", "groupadd", "groupdel", "useradd", "usermod", "userdel", "gpasswd", "chpasswd", "chage")
CALLS = ("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "fsync", "fdatasync")
TRACES = "/run/faults/tool"
SLOWLY = 700_000  # microseconds at each kind of call: all of them last until the next run is well under way
# shadow's locks, which the next of its tools takes over, and files that were not yet renamed
LEFT = ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")


@dataclass(frozen=True)
class Strike:
    """The ``number``-th tool of a run, at the ``at``-th call of that name."""

    tool: str
    number: int
    call: str
    at: int

    options = ()  # the run itself is not traced

    def __str__(self) -> str:
        return f"{self.call} {self.at} of {self.tool} ({self.number})"


def strikes(work: Work) -> t.List[Strike]:
    """Of all tools that the work calls: what each of them calls, when nothing disturbs it."""
    for trace in glob.glob(f"{TRACES}*"):
        os.unlink(trace)
    trace = f"--trace={','.join('?' + name for name in CALLS)}"
    done(
        functools.partial(
            _with_tools,
            lambda number, argv: ["strace", "--quiet=all", f"--output={TRACES}.{number}.{argv[0]}", trace, *argv],
            work,
        )
    )
    found = []
    for path in sorted(glob.glob(f"{TRACES}.*"), key=lambda path: int(path.split(".")[1])):
        number, tool = path.split(".")[1:]
        found += [Strike(tool, int(number), call.name, call.number) for call in parse(path)]
    return found


def struck(strike: Strike, work: Work) -> None:
    def wrapped(number: int, argv: t.Sequence[str]) -> t.List[str]:
        if number != strike.number:
            return list(argv)
        return [
            "strace",
            "--quiet=all",
            "--output=/dev/null",
            f"--inject={strike.call}:signal=KILL:when={strike.at}",
            *argv,
        ]

    _with_tools(wrapped, work)


@dataclass(frozen=True)
class Slow:
    """The ``number``-th tool of a run is slow, and the run is killed while it goes on."""

    tool: str
    number: int

    options = ()

    def __str__(self) -> str:
        return f"{self.tool} ({self.number})"


def outlived(strike: Slow, work: Work) -> None:
    delay = f"--inject={','.join('?' + name for name in CALLS)}:delay_enter={SLOWLY}:when=1"

    def wrapped(number: int, argv: t.Sequence[str]) -> t.List[str]:
        if number != strike.number:
            return list(argv)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        return ["strace", "--quiet=all", "--output=/dev/null", delay, *argv]

    _with_tools(wrapped, work)


def _with_tools(wrapped: t.Callable[[int, t.Sequence[str]], t.List[str]], work: Work) -> None:
    usual, numbers = subprocess.run, iter(range(1000))

    def run(argv: t.Sequence[str], **options: t.Any) -> t.Any:
        return usual(wrapped(next(numbers), argv) if argv[0] in TOOLS else argv, **options)

    setattr(subprocess, "run", run)  # noqa: B010 # in this process, which ends with its work
    work()


def clean() -> None:
    """What killed tools leave, and nobody uses."""
    for name in LEFT:
        for path in (
            *glob.glob(f"/etc/{name}.[0-9]*"),
            *glob.glob(f"/etc/.#{name}*"),
            f"/etc/{name}.lock",
            f"/etc/{name}+",
        ):
            if os.path.lexists(path):
                os.unlink(path)
