# SPDX-License-Identifier: GPL-3.0-or-later
"""The run as a whole, without a host: when it reads again and when it gives up."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import engine
from ansible_collections.sallyport.ssh.plugins.module_utils.errors import Overtaken, Refused
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.plan import Action, Step
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import proof
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import State, User
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions import recovery, transaction
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions.transaction import Undone

TAKEN = Overtaken(["user alice: the host would not give it uid 6400"])


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The uids that each look at the host finds free, one after the other."""
    found: list[int] = []

    def look(model: Model, nouns: t.AbstractSet[str]) -> engine._Run:
        found.append(6400 + len(found))
        alice = User("alice", found[-1], found[-1], "/home/alice", "/bin/bash")
        return engine._Run(model, t.cast(Host, None), State(), [Action(Step.USER, None, alice)])

    monkeypatch.setattr(engine, "_plan", look)
    monkeypatch.setattr(engine, "NOTES", {})
    monkeypatch.setattr(recovery, "turn", contextlib.nullcontext)
    monkeypatch.setattr(engine._Run, "ports", lambda *_: None)
    return found


def apply(monkeypatch: pytest.MonkeyPatch, *outcomes: Exception | None) -> engine.Result:
    """A run whose transactions end like this, one after the other."""
    coming = iter(outcomes)

    def run(actions: object, ports: object, within: object) -> None:
        outcome = next(coming)
        if outcome is not None:
            raise outcome

    monkeypatch.setattr(transaction, "run", run)
    monkeypatch.setattr(proof, "check", lambda *_: pytest.fail("nothing is only looked at"))
    return engine.run(Model(Server("192.0.2.1")))


def test_a_run_that_was_overtaken_looks_again(looks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    result = apply(monkeypatch, Undone(TAKEN, []), None)
    assert looks == [6400, 6401]
    assert result.actions == ("create user alice",)


@pytest.mark.parametrize(
    ("outcomes", "most"),
    [
        pytest.param([Undone(TAKEN, []), Undone(TAKEN, [])], 2, id="overtaken again"),
        pytest.param([Undone(TAKEN, ["user alice is still there"])], 1, id="not wholly undone"),
        pytest.param([Undone(Refused(["sshd would refuse it"]), [])], 1, id="something else"),
    ],
)
def test_it_gives_up(looks: list[int], monkeypatch: pytest.MonkeyPatch, outcomes: list[Exception], most: int) -> None:
    with pytest.raises(Undone):
        apply(monkeypatch, *outcomes)
    assert len(looks) == most
