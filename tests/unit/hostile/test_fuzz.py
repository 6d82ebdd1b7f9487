# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is given: all that is wrong is said with its place, or every program reads back what was meant.

The same few hundred models every time; ``SALLYPORT_FUZZ=long`` goes on with new ones for ten minutes.
"""

from __future__ import annotations

import collections.abc as c
import copy
import os
import time
import typing as t

import hypothesis
import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model, from_json, to_json
from ansible_collections.sallyport.ssh.plugins.module_utils.options import CONTRACT
from ansible_collections.sallyport.ssh.plugins.plugin_utils.problems import shown
from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context
from ansible_collections.sallyport.ssh.tests.unit.hostile import strategies
from ansible_collections.sallyport.ssh.tests.unit.hostile.models import (
    BASE,
    CONTEXT,
    PRIVATE,
    SHA512,
    Variables,
    resolved,
)
from hypothesis import HealthCheck, given, settings

IS_LONG = os.environ.get("SALLYPORT_FUZZ") == "long"
SECONDS = 300.0  # of each of the two, when it is long
SECRETS = (strategies.CANARY, PRIVATE.splitlines()[1][:20], SHA512[-40:])
FAST = Context(CONTEXT.inventory_hostname, CONTEXT.connecting_user, hashing=False)

Property = t.Callable[[t.Any], None]
Counted = t.Callable[[str, object], None]  # tests/torture adds them up


def fuzz(strategy: strategies.Strategy, check: Property, examples: int) -> None:
    """Each failure is shown as the smallest model that fails."""
    rules = settings(
        max_examples=examples,
        derandomize=not IS_LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    until = time.monotonic() + (SECONDS if IS_LONG else 0)
    number = int(time.time())
    while True:
        test = rules(given(strategy)(check))
        if IS_LONG:
            print(f"seed {number}")
            test = hypothesis.seed(number)(test)
        test()
        number += 1
        if time.monotonic() >= until:
            return


def judged(variables: Variables, context: Context) -> t.Optional[Model]:
    """The model, if there is one. What is said of it otherwise is about places of what was given, and no secret."""
    before = copy.deepcopy(variables)
    found = resolved(variables, context)
    assert variables == before, "what was given has changed"
    again = resolved(before, context)
    assert found == again, "another time it is another one"
    if isinstance(found, Model):
        assert from_json(to_json(found)) == found
        return found
    assert found
    assert len(set(found)) == len(found)
    for problem in found:
        place, _colon, why = problem.partition(": ")
        assert problem.isprintable()
        assert len(problem) < 1000
        assert "; " in why or why.endswith("?"), f"no remedy: {problem}"
        assert exists(place, variables), f"no place: {problem}"
        assert not [secret for secret in SECRETS if secret in problem], "a secret is shown"
    return None


def exists(place: str, variables: t.Any) -> bool:
    """Whether a place is one of what was given, or an option of it that was left out."""
    return place in set(_places(CONTRACT, variables, ""))


def _places(spec: t.Optional[t.Mapping[str, t.Any]], value: t.Any, place: str) -> t.Iterator[str]:
    yield place
    dot = f"{place}." if place else ""
    if spec is not None and not isinstance(value, c.Mapping):
        value = {}
    if isinstance(value, c.Mapping):
        for name, given in value.items():
            here = f"{dot}{shown(name)[1:-1]}"
            option = (spec or {}).get(name, {})
            yield from _inside(option, given, here)
        for name, option in (spec or {}).items():
            if value.get(name) is None:
                yield from _inside(option, None, f"{dot}{name}")
    elif isinstance(value, (list, tuple)):
        for position, given in enumerate(value):
            yield from _places(None, given, f"{place}[{position}]")


def _inside(option: t.Mapping[str, t.Any], value: t.Any, place: str) -> t.Iterator[str]:
    if option.get("elements") == "dict" and isinstance(value, (list, tuple)):
        yield place
        for position, given in enumerate(value):
            yield from _places(option["options"], given, f"{place}[{position}]")
    else:
        yield from _places(option.get("options") if option.get("type") == "dict" else None, value, place)


def test_whatever_is_given_is_a_model_or_is_refused_with_its_places(record_property: Counted) -> None:
    counts = {"accepted": 0, "refused": 0}

    def check(variables: Variables) -> None:
        counts["accepted" if judged(variables, FAST) else "refused"] += 1

    check({".": None})  # a name that looks like the place of something
    check({"accounts": [{"name": "a", "sudo_tasks": ["shop_mysql"]}], "sudo_tasks": [{"name": "\nshop_mysql"}]})
    fuzz(strategies.anything(), check, examples=300)
    record_property("models", sum(counts.values()))


def test_what_is_accepted_is_read_back_as_it_is(
    read_back: t.Callable[[Model], t.List[str]], record_property: Counted
) -> None:
    counts = {"accepted": 0, "refused": 0}

    def check(variables: Variables) -> None:
        model = judged(variables, CONTEXT)
        counts["accepted" if model else "refused"] += 1
        if model:
            assert read_back(model) == []

    fuzz(strategies.nearly_right(), check, examples=70)
    print(counts)
    record_property("models", sum(counts.values()))
    record_property("models read back from the real programs", counts["accepted"])
    assert min(counts.values()) >= 10, f"one of the two is hardly tried: {counts}"


@pytest.mark.parametrize("option", ["server.port", "accounts.folders.at", "people.keys.key"])
def test_every_option_is_fuzzed(option: str) -> None:
    """Also one that nobody has told the strategies about."""
    assert option in {path for _place, _option, path in strategies.places(CONTRACT, BASE, "", "")}
