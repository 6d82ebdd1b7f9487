# SPDX-License-Identifier: GPL-3.0-or-later
"""What users may write into their own line of the user database hides nobody from the collection."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import User
from ansible_collections.sallyport.ssh.plugins.module_utils.system import expirer, users

# All that Python takes for the end of a line and the C library does not. chfn lets a user have those beyond ASCII.
ENDS = ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


def passwd(end: str) -> str:
    return f"root:x:0:0::/root:/bin/sh\nacme:x:6400:6400:umask=0007,{end},,:/home/acme:/bin/sh\n"


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_a_user_with_an_odd_comment_is_still_a_user(end: str) -> None:
    found, _groups = users.parse(passwd(end), "acme:*:1:::::20000:\n", "")
    assert found["acme"] == User("acme", 6400, 6400, "/home/acme", "/bin/sh", f"umask=0007,{end},,", expires=20000)
    assert found.keys() == {"root", "acme"}


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_and_expires_as_everybody_does(end: str, tmp_path: t.Any) -> None:
    (tmp_path / "passwd").write_text(passwd(end), encoding="utf-8")
    assert [row[0] for row in expirer.rows(str(tmp_path / "passwd"), 7)] == ["root", "acme"]
