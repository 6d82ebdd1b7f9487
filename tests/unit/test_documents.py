# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents show is valid and complete."""

from __future__ import annotations

import collections.abc as c
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sallyport.ssh.plugins.module_utils.options import CONTRACT
from ansible_collections.sallyport.ssh.plugins.plugin_utils.unavailable import ANY, UNAVAILABLE
from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context, resolve

ROOT = Path(__file__).resolve().parents[2]
CONTEXT = Context(inventory_hostname="host.example.com", connecting_user="deploy")


def shown(document: str) -> dict[str, t.Any]:
    """The variables in the YAML of a document, all of it together."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(access_.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return dict(yaml.safe_load("".join(blocks)))


@pytest.mark.parametrize("document", ["README.md", "docs/model.md"])
def test_a_model_that_is_shown_is_valid(document: str) -> None:
    assert resolve(shown(document), context=CONTEXT).accounts


def test_the_reference_has_every_option_that_is_available() -> None:
    model = {name.removeprefix("access_"): value for name, value in shown("docs/model.md").items()}
    alternatives = {"accounts.password", "accounts.folders.owner", "accounts.folders.group", "accounts.folders.sharing"}
    unavailable = {path for path, what in UNAVAILABLE.items() if what is ANY}
    assert set(options(CONTRACT)) - set(written(model)) == alternatives | unavailable


def options(spec: c.Mapping[str, c.Mapping[str, t.Any]], above: str = "") -> c.Iterator[str]:
    for name, option in spec.items():
        yield above + name
        if name not in ("keys", "global_keys") or above == "people.":  # all keys are written in the same way
            yield from options(option.get("options", {}), f"{above}{name}.")


def written(value: t.Any, above: str = "") -> c.Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from written(item, above)
    if isinstance(value, dict):
        for name, inner in value.items():
            yield above + name
            yield from written(inner, f"{above}{name}.")
