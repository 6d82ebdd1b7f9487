# SPDX-License-Identifier: GPL-3.0-or-later
"""Running programs: argument lists only, a fixed environment, a time limit, secrets by standard input."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from dataclasses import dataclass

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Descriptors that every program gets: what they lock stays locked until the last program of a killed run has ended.
HELD: t.Set[int] = set()
ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C", "LANG": "C"}


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def said(self) -> str:
        """What the program complained about, in one line."""
        return "; ".join(line.strip() for line in (self.err or self.out).splitlines() if line.strip())


class Failed(Exception):
    """A program that had to succeed did not."""

    def __init__(self, argv: t.Sequence[str], outcome: Outcome) -> None:
        super().__init__(f"{argv[0]} failed ({outcome.code}): {outcome.said}")
        self.outcome = outcome


def run(argv: t.Sequence[str], stdin: str = "", timeout: float = 120) -> Outcome:
    """Run a program to its end; one that outlives ``timeout`` seconds counts as failed with code 124."""
    try:
        done = subprocess.run(
            list(argv),
            input=stdin.encode("utf-8", "surrogateescape"),
            capture_output=True,
            env=ENVIRONMENT,
            cwd="/",
            pass_fds=tuple(HELD),
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(124, "", f"gave no answer within {timeout:g} seconds")
    except FileNotFoundError:
        return Outcome(127, "", "no such program")
    out, err = (stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr))
    return Outcome(done.returncode, out, err)  # its line ends as they are


def must(argv: t.Sequence[str], stdin: str = "", timeout: float = 120) -> Outcome:
    """``run``, raising ``Failed`` unless the program succeeds."""
    outcome = run(argv, stdin, timeout)
    if not outcome.ok:
        raise Failed(argv, outcome)
    return outcome


def find(program: str) -> t.Optional[str]:
    """The path of a program on the fixed PATH, or ``None``."""
    return shutil.which(program, path=PATH)
