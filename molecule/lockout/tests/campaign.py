# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried on hosts: on each of them one thing after the other, on all of them at once.

A test asks for what came of its trial. So the time is that of the slowest host, and trials mostly wait.
"""

from __future__ import annotations

import concurrent.futures
import threading
import typing as t
from dataclasses import dataclass

from boxes import Box, eventually
from runs import Model, Target, key, run

SECONDS = 900.0  # for all that is tried on one host

NEWCOMER = "/etc/ssh/authorized_keys.d/newcomer"  # there when a change has been made, confirmed or not


@dataclass(frozen=True)
class Place:
    """A host where something is tried, with the private keys of its accounts."""

    box: Box
    target: Target

    @property
    def accounts(self) -> list[Model]:
        def own(name: str) -> list[Model]:
            return [{"name": "own", "key": " ".join((self.box.keys / f"{name}.pub").read_text().split()[:2])}]

        return [
            {"name": "resident", "kind": "shell", "keys": own("resident")},
            {"name": "courier", "keys": own("courier"), "folders": [{"private": True, "at": "/own"}]},
        ]

    @property
    def population(self) -> Model:
        """What earlier runs have made. Everybody else may still log in."""
        return {"server": {"only_listed": False}, "accounts": self.accounts, "exclusive": True, "proof": "none"}

    @property
    def wanted(self) -> Model:
        """What changes all that decides who gets in: from now on nobody but admins and accounts, and one more."""
        newcomer = {
            "name": "newcomer",
            "kind": "shell",
            "keys": [{"name": "laptop", "key": key(900)}],
            "forwarding": {"agent": True},
            "sudo_tasks": ["newcomer_cron"],
        }
        return {
            "server": {},
            "accounts": [*self.accounts, newcomer],
            "sudo_tasks": [{"name": "newcomer_cron", "service": "cron", "actions": ["status"]}],
        }

    def populate(self) -> None:
        self.target.done(run("access", self.population))
        self.box.console("rm -rf /home/newcomer")

    def tidy(self) -> dict[str, str]:
        """For the next trial: the same accounts, and all of them get in. Returns who did not, and why."""
        refusals = self.box.refusals()
        if refusals:
            self.box.console("systemctl restart ssh || kill -HUP $(cat /run/sshd.pid)")
            eventually(self.box.admin_gets_in)
        if self.box.has(NEWCOMER):
            self.populate()
        return refusals


Trial = t.Callable[[Place], t.Any]
TRIALS: dict[str, Trial] = {}


def trial(function: Trial) -> Trial:
    """A test of this trial asks for its outcome, by its name."""
    TRIALS[function.__name__.replace("_", " ")] = function
    return function


class Campaign:
    """The outcomes of trials, by host and name."""

    def __init__(self, todo: t.Mapping[str, t.Collection[str]], place: t.Callable[[str], Place]) -> None:
        self._over = threading.Event()
        self._place = place
        self._outcomes: dict[tuple[str, str], concurrent.futures.Future[t.Any]] = {
            (host, name): concurrent.futures.Future() for host, names in todo.items() for name in names
        }
        self._threads = [threading.Thread(target=self._go_through, args=item) for item in todo.items()]
        for thread in self._threads:
            thread.start()

    def outcome(self, host: str, name: str) -> t.Any:
        """What the trial returned; what it raised is raised here."""
        return self._outcomes[host, name].result(SECONDS)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(SECONDS)

    def _go_through(self, host: str, names: t.Collection[str]) -> None:
        try:
            place = self._place(host)
            place.populate()
        except BaseException as error:
            for name in names:
                self._outcomes[host, name].set_exception(error)
            return
        for name in names:
            if not self._over.is_set():
                self._try(place, name)

    def _try(self, place: Place, name: str) -> None:
        future = self._outcomes[place.target.name, name]
        try:
            try:
                came_of_it = TRIALS[name](place)
            finally:
                refusals = place.tidy()
            assert refusals == {}, f"after the trial these do not get in: {refusals}"
            future.set_result(came_of_it)
        except BaseException as error:
            future.set_exception(error)
