# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets go by standard input: what is asked of Ansible's own connections, and what happens where they cannot."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible import constants
from ansible.playbook.play_context import PlayContext
from ansible.plugins.connection import ConnectionBase
from ansible.plugins.loader import become_loader, connection_loader, init_plugin_loader
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Model, Server
from ansible_collections.sallyport.ssh.plugins.plugin_utils import pipelining
from ansible_collections.sallyport.ssh.plugins.plugin_utils.action import ResolvingAction

SECRET = Model(Server("host"), accounts=(Account("a", "sftp", password_hash="$6$x$y"), Account("b", "sftp")))
PLAIN = Model(Server("host"), accounts=(Account("b", "sftp"),))
NO_TERMINAL = {"module_stdout": "", "module_stderr": "sudo: sorry, you must have a tty to run sudo\n", "rc": 1}
ANSWER = {"changed": True}


@pytest.fixture(scope="module", autouse=True)
def loader() -> None:
    init_plugin_loader()


def connected(transport: str = "ssh", become: str = "", **options: t.Any) -> ConnectionBase:
    """One of Ansible's own, which has not been used."""
    connection: ConnectionBase = connection_loader.get(transport, PlayContext())
    connection.set_options(direct={"pipelining": False, **options})
    if become:
        connection.set_become_plugin(become_loader.get(become))
    return connection


class Calling(ResolvingAction):
    """Notes whether each call of the module would have been piped."""

    def __init__(self, connection: ConnectionBase, *answers: t.Mapping[str, t.Any]) -> None:
        vars(self).update(_connection=connection, _display=types.SimpleNamespace(warning=self._warn))
        self._answers = iter(answers)
        self.piped: t.List[bool] = []
        self.warnings: t.List[str] = []

    def _warn(self, text: str) -> None:
        self.warnings.append(text)

    def _execute_module(self, *_arguments: t.Any, **_named: t.Any) -> t.Any:
        self.piped.append(self._is_pipelining_enabled("new"))
        return {**next(self._answers), "invocation": {}}


@pytest.mark.parametrize("transport", ["ssh", "local"])
@pytest.mark.parametrize("become", ["", "sudo"], ids=["as it logs in", "as root"])
def test_what_has_secrets_is_piped_and_the_rest_is_as_it_is_configured(transport: str, become: str) -> None:
    action = Calling(connected(transport, become), ANSWER, ANSWER, ANSWER)
    assert action.call(PLAIN, {}, {}) == ANSWER
    assert action.call(SECRET, {}, {}) == ANSWER
    assert action.call(PLAIN, {}, {}) == ANSWER
    assert action.piped == [False, True, False]
    assert action.warnings == []


def test_an_error_leaves_the_connection_as_it_was() -> None:
    action = Calling(connected())
    with pytest.raises(StopIteration):
        action.call(SECRET, {}, {})
    assert action.piped == [True]
    assert not action._is_pipelining_enabled("new")


@pytest.mark.parametrize(
    ("connection", "why"),
    [
        pytest.param(lambda: connected(become="su"), "become_method su", id="su"),
        pytest.param(lambda: connected(ssh_extra_args="-tt"), "request a terminal", id="a terminal"),
        pytest.param(lambda: connected(ssh_args="-o RequestTTY=force"), "request a terminal", id="an option"),
    ],
)
def test_what_cannot_be_piped_is_said(connection: t.Callable[[], ConnectionBase], why: str) -> None:
    action = Calling(connection(), ANSWER, ANSWER)
    assert action.call(SECRET, {}, {}) == ANSWER
    assert action.piped == [False]
    (warning,) = action.warnings
    assert "stays there if this run is killed" in warning
    assert why in warning
    action.call(PLAIN, {}, {})
    assert len(action.warnings) == 1


def test_files_that_are_to_be_kept_are_kept_and_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", True)
    action = Calling(connected(), ANSWER)
    action.call(SECRET, {}, {})
    assert action.piped == [False]
    assert "ANSIBLE_KEEP_REMOTE_FILES" in action.warnings[0]


@pytest.mark.parametrize(
    "said",
    [
        "sudo: sorry, you must have a tty to run sudo",
        "sudo: Entschuldigung, Sie müssen ein TTY haben, um sudo zu starten",
        "sudo: désolé, vous devez avoir un tty pour exécuter sudo",
    ],
)
def test_where_sudo_wants_a_terminal_it_is_called_again_with_one(said: str) -> None:
    action = Calling(connected(become="sudo"), {**NO_TERMINAL, "module_stderr": said}, ANSWER, ANSWER)
    assert action.call(SECRET, {}, {}) == ANSWER
    assert action.call(SECRET, {}, {}) == ANSWER  # such as the confirmation
    assert action.piped == [True, False, False]
    assert all("requiretty" in warning for warning in action.warnings)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"failed": True, "msg": "sudo: a tty"}, id="the module's own word"),
        pytest.param({"module_stdout": "", "module_stderr": "sudo: a password is required", "rc": 1}, id="a password"),
        pytest.param({"module_stdout": "", "module_stderr": "mesg: ttyname failed", "rc": 0}, id="a profile"),
    ],
)
def test_no_other_failure_is_tried_again(answer: t.Mapping[str, t.Any]) -> None:
    action = Calling(connected(become="sudo"), answer)
    assert action.call(SECRET, {}, {}) == answer
    assert action.piped == [True]
    assert action.warnings == []


def test_a_connection_without_such_an_option_is_left_alone() -> None:
    class Other:
        transport = "other"
        become = None

        def get_option(self, name: str) -> t.Any:
            raise KeyError(name)

    other = t.cast(ConnectionBase, Other())
    with pipelining.forced(other):
        assert "connection other" in pipelining.obstacle(other)
