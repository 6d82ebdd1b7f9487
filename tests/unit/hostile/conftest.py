# SPDX-License-Identifier: GPL-3.0-or-later
"""One sandbox for all that is read back; without root, or one of the programs, it is left out, as elsewhere."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model, to_json
from ansible_collections.sallyport.ssh.tests.unit.hostile import sandbox

Back = t.Callable[[Model], t.List[str]]


@pytest.fixture(name="read_back", scope="session")
def real_programs(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Back]:
    """Where a model does not come back from the real programs as it is."""
    if not sandbox.USABLE:
        pytest.skip(sandbox.WHY_NOT)
    real = sandbox.Sandbox(tmp_path_factory.mktemp("sandbox"))

    def read_back(model: Model) -> t.List[str]:
        return list(real.ask(to_json(model)))

    yield read_back
    real.close()
