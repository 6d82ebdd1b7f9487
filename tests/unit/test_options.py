# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract is written as an argument_spec and as documentation, and generated for the role: all say the same."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sallyport.ssh.plugins.doc_fragments.model import ModuleDocFragment
from ansible_collections.sallyport.ssh.plugins.module_utils.options import ARGUMENT_SPEC, CONTRACT
from ansible_collections.sallyport.ssh.plugins.plugin_utils.unavailable import UNAVAILABLE

ROOT = Path(__file__).resolve().parents[2]
COMPARED = ("type", "elements", "default", "required", "choices", "aliases")
Options = t.Dict[str, t.Dict[str, t.Any]]


def flat(options: Options, nested: str, path: str = "") -> t.Iterator[t.Tuple[str, t.Dict[str, t.Any]]]:
    """Every option at every depth, by its dotted name."""
    for name, option in options.items():
        yield path + name, option
        yield from flat(option.get(nested, {}), nested, f"{path}{name}.")


DOCUMENTED: t.Dict[str, t.Dict[str, t.Any]] = dict(
    flat(yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"], "suboptions")
)
SPECIFIED: t.Dict[str, t.Dict[str, t.Any]] = dict(flat(ARGUMENT_SPEC, "options"))
ROLE: t.Dict[str, t.Any] = yaml.safe_load((ROOT / "roles/access/meta/argument_specs.yml").read_text())


def test_everything_is_documented_and_nothing_else() -> None:
    assert sorted(DOCUMENTED) == sorted(SPECIFIED)


@pytest.mark.parametrize("name", SPECIFIED)
def test_the_documentation_says_what_is_specified(name: str) -> None:
    assert {what: DOCUMENTED[name].get(what) for what in COMPARED} == {
        what: SPECIFIED[name].get(what) for what in COMPARED
    }


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documentation_is_in_sentences(name: str) -> None:
    assert DOCUMENTED[name]["description"]
    for text in DOCUMENTED[name]["description"]:
        assert text.endswith(".")


def test_secrets_are_marked() -> None:
    secret = {name for name, option in SPECIFIED.items() if option.get("no_log")}
    assert secret == {"accounts.password", "accounts.password_hash", "model"}


def test_what_is_unavailable_is_in_the_contract_and_said_in_the_documentation() -> None:
    for name in UNAVAILABLE:
        assert "available in this version" in " ".join(DOCUMENTED[name]["description"])


def test_the_specs_of_the_role_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "tools/role-specs", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_role_takes_every_option_of_the_contract() -> None:
    assert sorted(ROLE["argument_specs"]["main"]["options"]) == sorted(f"access_{name}" for name in CONTRACT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_server": {"prot": 22}},
        {"access_accounts": [{"nam": "acme"}, 3]},
        {"access_accounts": {"acme": None}},
        {"access_exclusive": "maybe", "access_proof": 7},
    ],
    ids=str,
)
def test_ansible_leaves_the_validation_of_the_role_to_us(wrong: t.Dict[str, t.Any]) -> None:
    """Else it would stop at the first thing that it finds, and say no place."""
    found = ArgumentSpecValidator(ROLE["argument_specs"]["main"]["options"]).validate(wrong)
    assert found.error_messages == []
