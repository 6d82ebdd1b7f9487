# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection that a run came over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Connection
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import connection


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7 50022 192.0.2.1 22", Connection("203.0.113.7", "192.0.2.1", 22)),
        ("2001:db8::7 50022 2001:db8::1 2222", Connection("2001:db8::7", "2001:db8::1", 2222)),
        ("", None),
        ("203.0.113.7 50022 192.0.2.1", None),
        ("203.0.113.7 50022 192.0.2.1 ssh", None),
    ],
)
def test_what_sshd_tells_a_session(text: str, expected: t.Optional[Connection]) -> None:
    assert connection.parse(text) == expected


@pytest.mark.parametrize(
    ("outer", "expected"),
    [("203.0.113.7 50022 192.0.2.1 22", ["203.0.113.7", "192.0.2.1", 22, "deploy"]), (None, None)],
    ids=["through sshd", "not through sshd"],
)
def test_it_is_found_although_sudo_has_taken_it_out(
    outer: t.Optional[str], expected: t.Optional[t.List[t.Any]]
) -> None:
    asking = (
        "import json; from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import connection;"
        "found = connection.current(); print(json.dumps(found and list(vars(found).values())))"
    )
    without = (
        "import os, subprocess, sys; path = {'PYTHONPATH': os.environ['PYTHONPATH']};"
        f"subprocess.run([sys.executable, '-c', {asking!r}], env=path, check=True)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("SSH_CONNECTION", None)
    if outer is not None:
        environment.update(SSH_CONNECTION=outer, LOGNAME="deploy")
    said = subprocess.run(
        [sys.executable, "-c", without], env=environment, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    if outer is None and os.environ.get("SSH_CONNECTION"):
        return  # these tests themselves came through sshd
    assert json.loads(said) == expected
