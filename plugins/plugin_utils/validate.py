# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wrote becomes the resolved model, or an error for everything that is wrong with it.

The one entry of the controller-side validation. The order is that of the references: server, people, folders and
tasks, then the accounts, which name all of them.
"""

from __future__ import annotations

import collections.abc as c
import dataclasses
import difflib
import typing as t
from dataclasses import dataclass

from ..module_utils.model import Model
from ..module_utils.options import CONTRACT
from . import accounts, folders, passwords, people, server, shape, sudo_tasks
from .problems import Invalid, Item, Problems, shown

__all__ = ["Context", "Invalid", "resolve"]

PREFIX = "access_"

_take = shape.compiled(CONTRACT)


@dataclass(frozen=True)
class Context:
    """What the model leaves to the inventory."""

    inventory_hostname: str
    connecting_user: str
    through_sshd: bool = False  # Ansible comes in through the sshd itself, which must not shut it out
    hashing: bool = True  # costs 2 ms a password; whoever only validates goes without
    variables: c.Collection[str] = ()  # the names of all variables of the host, where the role's may be misspelt


def resolve(variables: c.Mapping[str, t.Any], *, context: Context) -> Model:
    """The model of one host; ``Invalid`` holds all that is wrong.

    Options go by their own names or by those of the role's variables, and messages use the names that were written.
    """
    problems = Problems()
    prefix = PREFIX if any(str(name).startswith(PREFIX) for name in variables) else ""
    if prefix:
        _misspelt(context.variables, problems)
    contract = _take(_unprefixed(variables, prefix, problems), prefix, problems)
    model = _model(contract, context, problems)
    problems.finish()
    return model


def _misspelt(names: c.Iterable[str], problems: Problems) -> None:
    """A misspelt variable would never reach the role; one that resembles none of the role's is somebody else's."""
    right = [PREFIX + name for name in CONTRACT]
    for name in names:
        if name.startswith(PREFIX) and name not in right:
            close = difflib.get_close_matches(name, right, n=1, cutoff=0.85)
            if close:
                problems.add(shown(name)[1:-1], f"is no variable of the role; did you mean {close[0]}?")


def _unprefixed(variables: c.Mapping[str, t.Any], prefix: str, problems: Problems) -> dict[str, t.Any]:
    given: dict[str, t.Any] = {}
    for name, value in variables.items():
        short = str(name).removeprefix(PREFIX)
        if short in given:
            problems.add(prefix + short, f"is given twice, as {short} and as {PREFIX}{short}; give it once")
        given[short] = value
    return given


def _model(contract: Item, context: Context, problems: Problems) -> Model:
    if passwords.MISSING:
        _without_passwords(contract, problems)
    owners = people.Owners()
    sshd = server.resolve(contract["server"], context.inventory_hostname, problems)
    admins = server.admins(contract["server"], context.connecting_user, context.through_sshd, problems)
    everybody = people.resolve(contract, owners, problems)
    shared = folders.resolve(contract, sshd.jails, problems)
    tasks = sudo_tasks.resolve(contract, problems)
    around = accounts.Around(
        prefix=contract.place,
        host=context.inventory_hostname,
        jails=sshd.jails,
        people=everybody,
        owners=owners,
        folders=accounts.folder_paths(shared),
        sudo_tasks=frozenset(item["name"] for item in contract["sudo_tasks"] if item["name"]),
        policy=server.policy(contract["server"], problems),
        hashing=context.hashing,
    )
    logins = accounts.resolve(contract["accounts"], around, problems)
    _keep_admins_apart(contract, admins, problems)
    return Model(
        server=dataclasses.replace(sshd, admins=admins),
        folders=shared,
        accounts=logins,
        sudo_tasks=tasks,
        exclusive=contract["exclusive"],
        proof=contract["proof"],
    )


def _without_passwords(contract: Item, problems: Problems) -> None:
    """Passwords cannot be looked at here; everything else still can."""
    held = [account for account in contract["accounts"] if account["password"] or account["password_hash"]]
    for account in held:
        account["password"] = account["password_hash"] = None
    if held:
        problems.add(
            f"{contract.place}accounts",
            "has passwords, for which the controller needs libpass; run pip install libpass",
        )


def _keep_admins_apart(contract: Item, admins: tuple[str, ...], problems: Problems) -> None:
    for account in contract["accounts"]:
        if account["name"] in admins:
            problems.add(
                f"{account.place}.name",
                f'"{account["name"]}" is an admin of the server; an account is confined, so give it another name',
            )
