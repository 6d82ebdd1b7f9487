# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of every module, without a host."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model
from ansible_collections.sallyport.ssh.plugins.plugin_utils.action import ResolvingAction

VARIABLES: t.Dict[str, t.Any] = {"inventory_hostname": "host"}


class Recording(ResolvingAction):
    """Keeps what would be handed to the module."""

    def __init__(
        self, arguments: t.Dict[str, t.Any], transport: str = "ssh", login: t.Optional[str] = "deploy"
    ) -> None:
        ansible = {
            "_task": types.SimpleNamespace(args=arguments),
            "_connection": types.SimpleNamespace(transport=transport),
        }
        vars(self).update(ansible)
        self.login = login
        self.handed: t.List[Model] = []

    def _get_remote_user(self) -> t.Optional[str]:
        return self.login

    def applied(self, model: Model, variables: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
        self.handed.append(model)
        return {"changed": False}


@pytest.fixture(autouse=True)
def no_ansible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, variables: {})


def test_a_retried_task_hands_over_the_same_model_again() -> None:
    action = Recording({"accounts": [{"name": "acme"}]})
    action.run(task_vars=VARIABLES)
    action.run(task_vars=VARIABLES)
    first, second = action.handed
    assert first == second
    assert [account.name for account in second.accounts] == ["acme"]


@pytest.mark.parametrize(
    ("transport", "login", "admins"),
    [
        pytest.param("ssh", "deploy", ("deploy",), id="the login of the connection"),
        pytest.param("podman", None, ("root",), id="a connection that logs nobody in"),
    ],
)
def test_whoever_connects_is_the_admin(transport: str, login: t.Optional[str], admins: t.Tuple[str, ...]) -> None:
    action = Recording({}, transport, login)
    action.run(task_vars=VARIABLES)
    assert action.handed[0].server.admins == admins


def test_all_problems_are_said_at_once_and_nothing_is_handed_over() -> None:
    action = Recording({"accounts": [{"name": "root"}, {"name": "b", "kind": "ftp"}]})
    with pytest.raises(AnsibleActionFail, match="2 problems; the host was not contacted") as failed:
        action.run(task_vars=VARIABLES)
    assert str(failed.value).count("\n- accounts[") == 2
    assert action.handed == []
