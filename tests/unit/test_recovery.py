# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long what waits for its confirmation may still be confirmed."""

from __future__ import annotations

import dataclasses
import time
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import journal, recovery
from ansible_collections.sallyport.ssh.plugins.module_utils.journal import Journal

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
