# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading back means something: what validation refuses, the real programs would have read as something else."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Forwarding, Key, Model, SudoTask
from ansible_collections.sallyport.ssh.tests.unit.hostile.models import BASE, ed25519, resolved

KIND, BLOB = ed25519(60).split()
BAD_POINT = "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBB" + "A" * 86 + "="


def base() -> Model:
    model = resolved(BASE)
    assert isinstance(model, Model)
    return model


def shell(**options: t.Any) -> Model:
    account = dataclasses.replace(base().accounts[1], **options)
    return dataclasses.replace(base(), accounts=(account,))


def sftp(**options: t.Any) -> Model:
    account = dataclasses.replace(base().accounts[0], **options)
    return dataclasses.replace(base(), accounts=(account,))


def task(**options: t.Any) -> Model:
    tasks = (dataclasses.replace(base().sudo_tasks[0], **options), *base().sudo_tasks[1:])
    listed = tuple(item.name for item in tasks)
    return dataclasses.replace(shell(sudo_tasks=listed), sudo_tasks=tasks)


HOSTILE: t.Dict[str, t.Callable[[], Model]] = {
    "a destination with a line end": lambda: shell(
        forwarding=Forwarding(local=("[fe80::1%x\nMatch all\n PermitRootLogin yes\n]:22",))
    ),
    "a destination that is two": lambda: shell(forwarding=Forwarding(local=("[fe80::1%x any]:22",))),
    "a network with a quote": lambda: shell(
        keys=(Key(KIND, BLOB, "a", "b", ('10.0.0.0/8",command="id',)),), sources=()
    ),
    "a network that is more": lambda: sftp(sources=("10.0.0.0/8,*",)),
    "a key that is none": lambda: shell(keys=(Key("ecdsa-sha2-nistp256", BAD_POINT, "a", "b"),)),
    "a key of two lines": lambda: shell(keys=(Key(KIND, f"{BLOB} x\n{KIND} {BLOB}", "a", "b"),)),
    "a year of five digits": lambda: shell(keys=(Key(KIND, BLOB, "a", "b", (), 253_402_300_800),)),
    "a home with a colon": lambda: shell(home="/srv/x:/bin/sh"),
    "a start with a colon": lambda: sftp(start_in="/pim:/bin/sh"),
    "a umask with an option": lambda: sftp(umask="0007 -d /"),
    "jails with a token": lambda: dataclasses.replace(
        base(), server=dataclasses.replace(base().server, jails="/srv/%u")
    ),
    "a timeout beyond 32 bits": lambda: dataclasses.replace(
        base(), server=dataclasses.replace(base().server, idle_timeout=2**31)
    ),
    "start-ups in short": lambda: dataclasses.replace(
        base(), server=dataclasses.replace(base().server, max_startups="10")
    ),
    "an action with a comma": lambda: task(actions=("status,ALL",)),
    "an action that is more": lambda: task(actions=("status, /bin/sh",)),
    "a keyword as a name": lambda: shell(name="Defaults"),
    "an alias as a name": lambda: shell(name="OPS"),
    "a group as who runs it": lambda: dataclasses.replace(
        shell(), sudo_tasks=(*base().sudo_tasks[:2], SudoTask("shop_cache", run_as="%sudo", commands=(("/bin/true",),)))
    ),
    "a system group as a name": lambda: sftp(name="users"),
}


@pytest.mark.parametrize("model", HOSTILE.values(), ids=HOSTILE)
def test_is_noticed(model: t.Callable[[], Model], read_back: t.Callable[[Model], t.List[str]]) -> None:
    assert read_back(model())


def test_and_what_is_right_is_not(read_back: t.Callable[[Model], t.List[str]]) -> None:
    assert [read_back(model) for model in (base(), shell(), sftp(), task())] == [[]] * 4


def test_an_account_more_is_noticed(read_back: t.Callable[[Model], t.List[str]]) -> None:
    """Two accounts of one name: whatever becomes of them, it is not what both say."""
    twice = (Account("acme", "tunnel", uid=7000, forwarding=Forwarding(local=("a:1",))), *base().accounts)
    assert read_back(dataclasses.replace(base(), accounts=twice))
