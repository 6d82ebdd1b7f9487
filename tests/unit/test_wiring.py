# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module answers when the host cannot be read."""

from __future__ import annotations

import errno
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import engine, wiring
from ansible_collections.sallyport.ssh.plugins.module_utils.errors import Refused
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model, Server, to_json


class Module:
    params: t.ClassVar = {"model": to_json(Model(Server("host"))), "confirmation": None}
    check_mode = False

    def __init__(self, **_options: t.Any) -> None:
        pass

    def fail_json(self, **answer: t.Any) -> t.NoReturn:
        raise SystemExit(answer["msg"])


def test_a_path_that_changes_while_it_is_read_is_said_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped(*_arguments: object, **_keywords: object) -> engine.Result:
        raise OSError(errno.EINVAL, "Invalid argument", "/data/pim/in")

    monkeypatch.setattr(wiring, "AnsibleModule", Module)
    monkeypatch.setattr(wiring, "require_root", lambda _module: None)
    monkeypatch.setattr(engine, "run", swapped)
    with pytest.raises(SystemExit, match=r"The host was not changed\.\n- .*'/data/pim/in'"):
        wiring.run()


@pytest.mark.parametrize(
    ("confirmation", "heading"),
    [
        ("confirm 20270101", "The change came too late to be confirmed."),
        ("ask", "The host cannot become what the model says; it was not changed."),
        (None, "The host cannot become what the model says; it was not changed."),
    ],
)
def test_a_refusal_says_what_was_refused(
    monkeypatch: pytest.MonkeyPatch, confirmation: t.Optional[str], heading: str
) -> None:
    def refused(*_arguments: object, **_keywords: object) -> t.NoReturn:
        raise Refused(["because"])

    monkeypatch.setattr(Module, "params", {**Module.params, "confirmation": confirmation})
    monkeypatch.setattr(wiring, "AnsibleModule", Module)
    monkeypatch.setattr(wiring, "require_root", lambda _module: None)
    monkeypatch.setattr(engine, "run", refused)
    monkeypatch.setattr(engine, "confirm", refused)
    with pytest.raises(SystemExit) as said:
        wiring.run()
    assert str(said.value) == f"{heading}\n- because"
