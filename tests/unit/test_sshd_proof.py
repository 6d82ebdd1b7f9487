# SPDX-License-Identifier: GPL-3.0-or-later
"""By what an admin gets in now, so that he can lose it: more than the files on disk tell."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Connection, Host
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import as_user, sshd
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh.as_user import Read
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import sshd_proof
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import State, User
from ansible_collections.sallyport.ssh.plugins.module_utils.system import users

HASH = "$y$j9T$salt$hash"
KEYS_ELSEWHERE = {"authorizedkeysfile": ["/nowhere/%u"], "pubkeyauthentication": ["yes"]}


def found(
    monkeypatch: pytest.MonkeyPatch, password: str, connected: str, effective: t.Mapping[str, t.Sequence[str]]
) -> t.FrozenSet[str]:
    nothing = Read(refused="No such file or directory")
    deploy = User("deploy", 1000, 1000, "/home/deploy", "/bin/bash", password=password)
    monkeypatch.setattr(
        as_user, "read", lambda wanted, *_how: {u.name: dict.fromkeys(paths, nothing) for u, paths in wanted.items()}
    )
    monkeypatch.setattr(users, "read", lambda: ({"deploy": deploy}, {}))
    monkeypatch.setattr(sshd, "effective", lambda *_who: effective)
    host = Host(State(), connection=Connection("198.18.0.1", "198.18.0.9", 22, connected) if connected else None)
    return sshd_proof.means(Model(Server("host", admins=("deploy",))), host)["deploy"]


@pytest.mark.parametrize(
    ("password", "connected", "effective", "means"),
    [
        ("*", "", {}, set()),
        ("*", "deploy", {}, {"what this run came in by"}),
        ("*", "ada", {}, set()),
        ("*", "deploy", {"gssapiauthentication": ["yes"]}, set()),
        ("*", "deploy", {"hostbasedauthentication": ["yes"]}, set()),
        (HASH, "", {"passwordauthentication": ["no"]}, {"his password"}),
        ("!" + HASH, "", {"passwordauthentication": ["yes"]}, set()),
    ],
    ids=[
        "nothing",
        "who is in has means, whatever the files say by now",
        "another is in",
        "he may be in by a ticket",
        "he may be in by the word of a host",
        "what a plain sshd takes may be what the running one takes",
        "a locked password",
    ],
)
def test_the_means_of_an_admin(
    monkeypatch: pytest.MonkeyPatch,
    password: str,
    connected: str,
    effective: t.Mapping[str, t.Sequence[str]],
    means: t.Set[str],
) -> None:
    assert found(monkeypatch, password, connected, {**KEYS_ELSEWHERE, **effective}) == means
