# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller makes of a change that waits for it: confirmed over a new connection, or said to be undone."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.sallyport.ssh.plugins.plugin_utils import confirmation

CONFIRMED: confirmation.Answer = {"changed": True, "confirmed": True}
STILL_WAITING: confirmation.Answer = {"confirmed": False, "waiting": True}
UNDONE: confirmation.Answer = {"confirmed": False, "waiting": False}
Said = t.Union[confirmation.Answer, Exception]
NOBODY = AnsibleConnectionFailure("Permission denied (publickey)")


class Ssh:
    """A connection of Ansible's ssh plugin, as far as it is looked at."""

    transport = "ssh"

    def __init__(self, arguments: str | None = "-o ProxyJump=bastion") -> None:
        self.arguments = arguments

    def get_option(self, name: str) -> str | None:
        assert name == "ssh_extra_args"
        return self.arguments

    def set_option(self, name: str, value: str | None) -> None:
        assert name == "ssh_extra_args"
        self.arguments = value


class Paramiko:
    transport = "paramiko"

    def __init__(self) -> None:
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1


class Host:
    """Answers in turn, the last one for ever; keeps what it was asked and over what."""

    def __init__(self, connection: t.Any, confirm: t.Sequence[Said], outcome: t.Sequence[Said] = ()) -> None:
        self.connection = connection
        self._answers = {"confirm": list(confirm), "outcome": list(outcome)}
        self.asked: list[tuple[str, t.Any]] = []

    def __call__(self, what: str) -> confirmation.Answer:
        self.asked.append((what, getattr(self.connection, "arguments", None)))
        verb, transaction = what.split(" ")
        assert transaction == "4711"
        answers = self._answers[verb]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes by sleeping alone."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))


def test_a_connection_of_its_own_confirms_and_the_usual_ones_are_as_before() -> None:
    connection = Ssh()
    host = Host(connection, [CONFIRMED])
    assert confirmation.confirm(connection, host, "4711", 10) == CONFIRMED  # type: ignore[arg-type]
    assert host.asked == [("confirm 4711", "-o ProxyJump=bastion -S none")]
    assert connection.arguments == "-o ProxyJump=bastion"


def test_another_transport_connects_anew() -> None:
    connection = Paramiko()
    assert confirmation.confirm(connection, Host(connection, [CONFIRMED]), "4711", 10) == CONFIRMED  # type: ignore[arg-type]
    assert connection.resets == 1


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(NOBODY, id="nobody is let in"),
        pytest.param({"failed": True, "module_stderr": "sudo: a password is required"}, id="sudo asks for a password"),
    ],
)
def test_it_is_tried_again_until_the_time_is_up(first: Said) -> None:
    connection = Ssh(None)
    host = Host(connection, [first, first, CONFIRMED])
    assert confirmation.confirm(connection, host, "4711", 10) == CONFIRMED  # type: ignore[arg-type]
    assert [what for what, _arguments in host.asked] == ["confirm 4711"] * 3
    assert connection.arguments is None


def test_an_answer_of_the_host_that_it_failed_is_an_answer() -> None:
    failed = {"failed": True, "confirmed": False, "msg": "The run failed and was undone: the host is as it was."}
    connection = Ssh()
    assert confirmation.confirm(connection, Host(connection, [failed]), "4711", 10) == failed  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        pytest.param([UNDONE], "the host has undone the change, and is as it was", id="undone"),
        pytest.param([STILL_WAITING, NOBODY, UNDONE], "the host has undone the change, and is as it was", id="later"),
        pytest.param([UNDONE, NOBODY], "but still lets no new connection in", id="another file keeps it out"),
        pytest.param([NOBODY], "undoes the change by itself, and could not be reached since", id="unreachable"),
    ],
)
def test_without_a_new_connection_the_run_fails_and_says_what_became_of_the_change(
    outcome: t.Sequence[Said], said: str
) -> None:
    connection = Ssh()
    host = Host(connection, [NOBODY], outcome)
    answer = confirmation.confirm(connection, host, "4711", 10)  # type: ignore[arg-type]
    assert answer["failed"]
    assert said in answer["msg"]
    assert answer["problems"] == ["connection: Permission denied (publickey)"]
    assert {what for what, arguments in host.asked if "-S none" not in arguments} <= {"outcome 4711"}
