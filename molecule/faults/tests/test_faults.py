# SPDX-License-Identifier: GPL-3.0-or-later
"""Struck at some of their system calls, runs lock nobody out, and the next one puts everything right."""

from __future__ import annotations

import typing as t

import pytest
from testinfra.host import Host
from torture import faults
from torture.machine import reached

EVERY = 67  # calls of a kind lie between two strikes: a prime, so that no pattern of calls escapes it


@pytest.fixture(scope="module")
def said(host: Host) -> dict[str, t.Any]:
    name = host.backend.get_hostname()
    with reached(name) as machine:
        return faults.struck(machine, faults.Part(name, "trixie", first=5, every=EVERY))


@pytest.mark.parametrize("kind", faults.KINDS)
def test_a_run_that_is_struck_locks_nobody_out_and_is_undone_or_completed(said: dict[str, t.Any], kind: str) -> None:
    assert [text for text in said["defects"] if text.startswith(f"{kind} at")] == []
    assert said["results"][kind]["points"] > 0


def test_runs_that_nothing_strikes_do_what_they_did_before(said: dict[str, t.Any]) -> None:
    assert [text for text in said["defects"] if not text.startswith(tuple(f"{kind} at" for kind in faults.KINDS))] == []
