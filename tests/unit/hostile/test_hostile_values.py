# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile values, each in an otherwise valid model: refused where it stands, or read back as it is by every program."""

from __future__ import annotations

import copy
import functools
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model
from ansible_collections.sallyport.ssh.tests.unit.hostile import (
    rows_names,
    rows_networks,
    rows_paths,
    rows_secrets,
    rows_shape,
    rows_sudo,
)
from ansible_collections.sallyport.ssh.tests.unit.hostile.models import BASE, Variables, put, resolved, steps
from ansible_collections.sallyport.ssh.tests.unit.hostile.rows import Accepted, Refused

TABLES = (rows_names, rows_shape, rows_paths, rows_networks, rows_secrets, rows_sudo)
REFUSED: t.List[Refused] = [row for table in TABLES for row in table.REFUSED]
ACCEPTED: t.List[Accepted] = [row for table in TABLES for row in table.ACCEPTED]
AT_LEAST = 300
LONGEST_PROBLEM = 600  # characters, whatever was given


def _id(row: t.Any) -> str:
    """A number may be too long to be written down."""
    shown = ascii(row.value)[:40] if isinstance(row.value, str) else type(row.value).__name__
    return f"{row.place} = {shown}"


def test_there_are_enough_of_them() -> None:
    assert len(REFUSED) + len(ACCEPTED) >= AT_LEAST
    assert isinstance(resolved(BASE), Model)


@pytest.mark.parametrize("row", REFUSED, ids=_id)
def test_is_refused_where_it_stands(row: Refused) -> None:
    found = resolved(put(row.place, row.value))
    assert isinstance(found, list), "accepted"
    assert [problem.partition(": ")[0] for problem in found] == [row.said_at], found
    (problem,) = found
    assert row.says in problem
    assert "; " in problem or problem.endswith("?"), f"no remedy: {problem}"
    assert problem.isprintable()
    assert len(problem) <= LONGEST_PROBLEM


@pytest.mark.parametrize("row", [row for row in rows_secrets.REFUSED if isinstance(row.value, str)], ids=_id)
def test_what_is_said_shows_no_part_of_a_secret(row: Refused) -> None:
    found = resolved(put(row.place, row.value))
    assert isinstance(found, list)
    shown = "\n".join(found)
    longest = max(row.value.split(), key=len, default="")
    pieces = [longest[at : at + 16] for at in range(0, max(len(longest) - 15, 0), 16)][:64]
    assert not [piece for piece in pieces if piece in shown]


@pytest.mark.parametrize("row", ACCEPTED, ids=_id)
def test_is_accepted_as_it_is(row: Accepted) -> None:
    model = resolved(put(row.place, row.value))
    assert isinstance(model, Model), model
    assert functools.reduce(_in, steps(row.found_at), model) == row.expected


@pytest.mark.parametrize("row", ACCEPTED, ids=_id)
def test_is_read_back_as_it_is(row: Accepted, read_back: t.Callable[[Model], t.List[str]]) -> None:
    model = resolved(_alone(row))
    assert isinstance(model, Model), model
    assert read_back(model) == []


def _in(value: t.Any, step: t.Union[str, int]) -> t.Any:
    return getattr(value, step) if isinstance(step, str) else value[step]


def _alone(row: Accepted) -> Variables:
    """Without the accounts that the row is not about: reading them back takes its time."""
    variables = copy.deepcopy(put(row.place, row.value))
    if row.place.startswith("accounts["):
        variables["accounts"] = [variables["accounts"][t.cast(int, steps(row.place)[1])]]
    return variables
