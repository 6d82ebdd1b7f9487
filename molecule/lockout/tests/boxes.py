# SPDX-License-Identifier: GPL-3.0-or-later
"""A host under test: as its console sees it, as its admin and its accounts do, and while a run passes over it."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import subprocess
import threading
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from logins import CACHE, Answer, Login, run, ssh

TOOL = CACHE.parent / "tools/host"
PICTURE = CACHE.parent / "molecule/modules/tests/picture.py"
PATIENCE = 30.0
PAUSE = 0.8  # between two logins that find nothing wrong
GIVEN_UP = 5.0
CURED = 1.0  # seconds for which a refusal may last that comes of a reload

Picture = t.Dict[str, str]


@dataclass(frozen=True)
class Box:
    name: str
    address: str
    keys: Path  # the private keys of its accounts, by their names

    def console(self, script: str) -> str:
        """As root, without a login."""
        return self._tool("console", "sh", "-ec", script)

    def wire(self, *command: str) -> str:
        """With a program of this machine, in the host's network."""
        return self._tool("wire", *command)

    def has(self, path: str) -> bool:
        return self.console(f"test ! -e {path} || echo yes") == "yes\n"

    def comes(self, path: str, there: bool = True) -> bool:
        """Whether this path comes in time, or goes; the host itself waits."""
        is_so = f"test {'-e' if there else '! -e'} {path}"
        said = self.console(
            f"for i in $(seq {PATIENCE * 10:.0f}); do if {is_so}; then echo yes; break; fi; sleep 0.1; done"
        )
        return said == "yes\n"

    def reboot(self) -> None:
        subprocess.run([TOOL, "reboot", self.name], check=True, capture_output=True, timeout=120)

    def picture(self) -> Picture:
        said = self._tool("console", "python3", "-c", PICTURE.read_text())
        return t.cast(Picture, json.loads(said))

    def admin(self, command: str = "sudo -n id -u") -> Answer:
        """What the admin gets over a new connection; without another command root's id."""
        return ssh(Login(self.address, "deploy", key=CACHE / "id_ed25519"), "-oControlPath=none", "--", command)

    def admin_gets_in(self) -> bool:
        return entered(self.admin())

    def refusal_of(self, user: str) -> str | None:
        """What keeps a user out; nothing does: ``None``."""
        if user == "admin":
            answer = self.admin()
            return None if entered(answer) else answer.text
        login = Login(self.address, user, key=self.keys / user)
        if user == "courier":
            answer = run("sftp", *login.options, "-b", "-", login.destination, text="ls /own\n")
            return None if answer.ok else answer.text
        answer = ssh(login, "--", "id -un")
        return None if answer == Answer(0, f"{user}\n") else answer.text

    def refusals(self) -> dict[str, str]:
        """Who does not get in of those who have to, and why."""
        found = {user: self.refusal_of(user) for user in ("admin", "resident", "courier")}
        return {user: said for user, said in found.items() if said is not None}

    def _tool(self, verb: str, *arguments: str) -> str:
        done = subprocess.run(
            [TOOL, verb, self.name, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout


def entered(answer: Answer) -> bool:
    """As root. sudo may have complained of a file before."""
    return answer.ok and "0" in answer.text.splitlines()


def differences(before: Picture, after: Picture) -> dict[str, tuple[str | None, str | None]]:
    return {
        path: (before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    }


def eventually(happens: t.Callable[[], bool], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


class Refusal(t.NamedTuple):
    """A time without a login: since when, how long it was said again, and what was said to whom."""

    since: float  # seconds since the epoch
    seconds: float
    said: str


@dataclass
class Watch:
    """Logins of the admin and of accounts, one after the other, each over a new connection."""

    box: Box
    logins: list[tuple[float, str]] = field(default_factory=list)  # when, and who
    refusals: list[Refusal] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        users = itertools.cycle(["admin", "admin", "resident", "admin", "admin", "courier"])
        while not self._end.is_set():
            self._log_in(next(users))
            self._end.wait(PAUSE)

    def _log_in(self, user: str) -> None:
        first = said = self.box.refusal_of(user)
        began = last = time.time()
        while said is not None and last - began < GIVEN_UP:
            said = self.box.refusal_of(user)
            last = last if said is None else time.time()
        if said is None:
            self.logins.append((time.time(), user))
        if first is not None:
            self.refusals.append(Refusal(began, last - began, f"{user}: {first.strip()}"))

    def lost(self, start: float = 0.0, end: float = math.inf) -> list[str]:
        """Who was kept out in this time, for longer than a reload takes."""
        return [
            refusal.said
            for refusal in self.refusals
            if refusal.seconds > CURED and refusal.since <= end and start <= refusal.since + refusal.seconds
        ]

    def admin_got_in(self, start: float, end: float) -> bool:
        return any(user == "admin" and start <= when <= end for when, user in self.logins)


SEEN: list[Watch] = []


@contextlib.contextmanager
def watching(box: Box) -> t.Iterator[Watch]:
    """Log in again and again while something happens."""
    watch = Watch(box)
    SEEN.append(watch)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        assert eventually(lambda: watch.logins != []), f"the admin cannot log in before: {watch.refusals}"
        yield watch
    finally:
        watch._end.set()
        thread.join(2 * PATIENCE)
