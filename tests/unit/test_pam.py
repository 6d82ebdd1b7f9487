# SPDX-License-Identifier: GPL-3.0-or-later
"""PAM configurations as distributions write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.system import pam


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param({"sshd": "session optional pam_umask.so usergroups\n"}, True, id="in the file itself"),
        pytest.param({"sshd": "@include common\n", "common": "-session optional pam_umask.so\n"}, True, id="Debian"),
        pytest.param(
            {"sshd": "session include common\n", "common": "session optional pam_umask.so\n"}, True, id="Red Hat"
        ),
        pytest.param({"sshd": "# session optional pam_umask.so\n"}, False, id="a comment"),
        pytest.param({"sshd": "auth optional pam_umask.so\n"}, False, id="of another type"),
        pytest.param({"sshd": "@include sshd\n"}, False, id="a circle"),
        pytest.param({"sshd": "@include missing\n"}, False, id="a missing file"),
        pytest.param({}, False, id="no such service"),
    ],
)
def test_uses(tmp_path: Path, files: dict[str, str], found: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert pam.uses("sshd", "pam_umask.so", str(tmp_path)) is found
