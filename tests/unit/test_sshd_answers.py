# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an SSH server answers, with listeners of our own."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd_answers

HERE = "127.0.0.1"


@contextlib.contextmanager
def listener(says: t.Optional[bytes]) -> t.Iterator[sshd_answers.Place]:
    with socket.socket() as server:
        server.bind((HERE, 0))
        server.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _peer = server.accept()
                    with connection:
                        connection.sendall(says or b"")

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield (HERE, int(server.getsockname()[1]))
        finally:
            server.shutdown(socket.SHUT_RDWR)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sshd_answers, "PATIENCE", 0.2)


@pytest.fixture(name="nothing")
def a_closed_port() -> sshd_answers.Place:
    with socket.socket() as server:
        server.bind((HERE, 0))
        return (HERE, int(server.getsockname()[1]))


@pytest.mark.parametrize(
    ("shown", "place"),
    [
        ("0.0.0.0:22", (HERE, 22)),
        ("[::]:2222", ("::1", 2222)),
        ("10.0.0.1:22", ("10.0.0.1", 22)),
        ("[2001:db8::1]:22", ("2001:db8::1", 22)),
        ("10.0.0.1:22 rdomain blue", ("10.0.0.1", 22)),
    ],
)
def test_where_to_try(shown: str, place: sshd_answers.Place) -> None:
    assert sshd_answers.places({"listenaddress": [shown]}) == [place]


@pytest.mark.parametrize(("says", "answers"), [(b"SSH-2.0-x\r\n", True), (b"220 ftp\r\n", False), (b"", False)])
def test_only_a_banner_is_an_answer(says: bytes, answers: bool) -> None:
    with listener(says) as place:
        assert sshd_answers.answering([place]) == ({place} if answers else set())


def test_a_port_that_answered_has_to_answer_again(nothing: sshd_answers.Place) -> None:
    with listener(b"SSH-2.0-x\r\n") as place:
        assert sshd_answers.lost({place}, [place, nothing], place[1], reloaded=True) == []
        (problem,) = sshd_answers.lost({place, nothing}, [place, nothing], place[1], reloaded=True)
    assert f"does not answer on {HERE} port {nothing[1]}" in problem


def test_a_new_port_has_to_answer_where_sshd_listens_itself(nothing: sshd_answers.Place) -> None:
    assert len(sshd_answers.lost(set(), [nothing], nothing[1], reloaded=True)) == 1
    assert sshd_answers.lost(set(), [nothing], nothing[1], reloaded=False) == []


def test_a_port_that_is_not_configured_any_more_may_be_silent(nothing: sshd_answers.Place) -> None:
    assert sshd_answers.lost({nothing}, [], 22, reloaded=True) == []


def test_a_new_port_has_to_answer_on_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a port that belongs to another program sshd may get the other family alone."""
    taken = [("::1", 2222), (HERE, 2222)]
    monkeypatch.setattr(sshd_answers, "_answers", lambda place: place[0] == "::1")
    (problem,) = sshd_answers.lost(set(), taken, 2222, reloaded=True)
    assert f"does not answer on {HERE} port 2222" in problem
    monkeypatch.setattr(sshd_answers, "_answers", lambda place: place[0] == HERE)
    assert sshd_answers.lost(set(), taken, 2222, reloaded=True) == []
