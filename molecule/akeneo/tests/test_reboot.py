# SPDX-License-Identifier: GPL-3.0-or-later
"""After a reboot everything is as promised, without another run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from clients import Sftp
from conftest import FOLDER, ROOT, Logins
from logins import Answer, ssh
from testinfra.host import Host

MOUNTS = "findmnt --noheadings --raw --output TARGET,FSTYPE,OPTIONS | grep ^/srv/sftp | sort"


@pytest.mark.last
def test_mounts_and_logins_are_back(host: Host, logins: Logins, tmp_path: Path) -> None:
    before = host.check_output(MOUNTS)
    assert len(before.splitlines()) == 3
    subprocess.run([ROOT / "tools/host", "reboot", host.backend.get_hostname()], check=True, timeout=120)

    assert host.check_output(MOUNTS) == before
    (tmp_path / "file").write_text("after the reboot\n")
    for login in (logins.akeneosftp, logins.akeneosftp2):
        assert Sftp(login).ls("/") == Answer(0, "pim")
        assert Sftp(login).put(tmp_path / "file", "/pim/rebooted").ok
        assert ssh(logins.alice, "--", f"cd {FOLDER} && cat rebooted && rm rebooted") == Answer(0, "after the reboot\n")
    assert not Sftp(logins.auditor).put(tmp_path / "file", "/pim/rebooted").ok
    assert ssh(logins.alice, "--", "partners_mysql status >/dev/null && systemctl is-active pim_job_consumer@1").ok


@pytest.mark.last
def test_the_host_is_in_order(host: Host) -> None:
    assert host.check_output("systemctl list-units --failed --no-legend --plain") == ""
