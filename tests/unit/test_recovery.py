# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long what waits for its confirmation may still be confirmed, and what the next run finds otherwise."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.system import files
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions import journal, recovery, transaction
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions.journal import Journal
from ansible_collections.sallyport.ssh.tests.unit.transactions import move_state

WAITING = Journal("20270101", (), journal.WAITING, time.time() + 600, journal.this_boot())


@pytest.mark.parametrize(
    ("pending", "waits"),
    [
        (WAITING, True),
        (dataclasses.replace(WAITING, boot="another"), False),
        (dataclasses.replace(WAITING, state=journal.OPEN), False),
        (dataclasses.replace(WAITING, until=time.time() - 1), False),
        (None, False),
    ],
    ids=["waiting", "from before a reboot", "still open", "too late", "nothing"],
)
def test_how_long_it_waits(pending: t.Optional[Journal], waits: bool) -> None:
    assert (recovery._left(pending) > 0) is waits


def test_what_a_run_left_that_could_not_even_begin_goes_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_state(tmp_path, monkeypatch)
    monkeypatch.setattr(transaction, "locked", contextlib.nullcontext)
    os.makedirs(layout.STATE)
    left = [layout.RECOVERY_PROGRAM, files.temporary(layout.RECOVERY_PROGRAM), files.temporary(layout.JOURNAL)]
    for path in left:
        Path(path).touch()
    with recovery.turn():
        assert [path for path in left if os.path.exists(path)] == []
