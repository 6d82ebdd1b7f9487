# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on hosts where something went on meanwhile: links in place of sources, reboots, closing, removal."""

from __future__ import annotations

from pathlib import Path

import paramiko
import pytest
from clients import Paramiko, Sftp
from conftest import Application, Logins, Provision, model, reboot
from logins import Answer, ssh
from testinfra.host import Host

PLANTED = {"/data/planter/outbox": "/data", "/home/planter/outbox": "/home"}
MOUNTS = "findmnt --noheadings --raw --output TARGET,FSTYPE,VFS-OPTIONS | grep ^/srv/sftp | sort"
BINDFS = "ps -e -o args= | grep '^[b]indfs' | grep -o '/srv/sftp/.*' | sort"


def plant(host: Host, path: str) -> None:
    """The owner puts a link in the place of its directory."""
    planted = Application(host, "planter", "/").run(f"mv {path} {path}.aside && ln -s /var/lib/sallyport {path}")
    assert planted.ok, planted


def take_back(host: Host, path: str) -> None:
    assert Application(host, "planter", "/").run(f"rm {path} && mv {path}.aside {path}").ok


@pytest.mark.last
@pytest.mark.parametrize("path", PLANTED)
def test_a_run_follows_no_link_that_the_owner_planted(host: Host, provision: Provision, path: str) -> None:
    """It goes on without: nobody keeps a run from closing his access by what he puts in its way."""
    target = f"/srv/sftp/planted{PLANTED[path]}"
    plant(host, path)
    try:
        assert f"{path} is a link" in " ".join(provision(host).split())
        point = host.file(target)
        assert (point.user, point.mode, point.listdir()) == ("root", 0o755, [])
        assert "changed=0" in provision(host)
    finally:
        take_back(host, path)
    assert "changed=1" in provision(host)
    assert host.file(target).user == "planted"
    assert "changed=0" in provision(host)


@pytest.mark.last
def test_a_root_owned_source_is_not_written(host: Host, provision: Provision) -> None:
    account = {"name": "wants", "folders": [{"source": "/data/sources/roots", "at": "/roots"}]}
    said = provision(host, {"access_accounts": [account]}, code=2)
    assert "access_accounts: wants: /roots: source /data/sources/roots: it belongs to root" in said
    assert "rights: read_only, or name an owner" in said


@pytest.mark.last
def test_a_run_hides_again_what_the_application_made_anew(host: Host, logins: Logins, provision: Provision) -> None:
    """Where bindfs maps: elsewhere the directory is busy, and stays."""
    worker = Application(host, "worker", "/opt/transfer/over")
    assert worker.run("rm -r internal && mkdir -m 2770 internal && echo secret > internal/secret").ok
    assert "changed=1" in provision(host)
    assert "secret" not in Sftp(logins.key("mapper")).ls("/deep/over/internal").text
    assert "Device or resource busy" in Application(host, "worker", "/data/tree").run("mv internal aside").text


@pytest.mark.last
def test_a_boot_follows_no_link_and_brings_everything_else_back(
    host: Host, logins: Logins, provision: Provision, local: Path
) -> None:
    before = host.check_output(MOUNTS).splitlines()
    for path in PLANTED:
        plant(host, path)
    reboot(host)

    after = host.check_output(MOUNTS).splitlines()
    assert after == [line for line in before if not line.startswith("/srv/sftp/planted/")]
    assert Sftp(logins.key("planted")).ls("/") == Answer(0, "data\nhome")
    for at in PLANTED.values():
        assert Sftp(logins.key("planted")).ls(at) == Answer(0, "")
        assert not Sftp(logins.key("planted")).put(local, f"{at}/file").ok
    for at, path in (("/deep/down/tree", "/data/tree"), ("/deep/over", "/opt/transfer/over")):
        assert Sftp(logins.key("mapper")).put(local, f"{at}/rebooted").ok
        command = "cat rebooted && mv rebooted done && rm done"
        assert Application(host, "worker", path).run(command) == Answer(0, "from the customer\n")
        assert not Sftp(logins.key("mapper")).put(local, f"{at}/internal/file").ok

    for path in PLANTED:
        take_back(host, path)
    provision(host)
    assert host.check_output(MOUNTS).splitlines() == before


@pytest.mark.last
def test_closing_ends_sessions_and_removal_leaves_no_mount_and_no_process(
    host: Host, logins: Logins, provision: Provision
) -> None:
    accounts = model("access_accounts")
    accounts["sharer1"]["state"] = "suspended"
    gone = {"mapper", "other", "sourced", "planted", "native"}
    assert host.check_output(BINDFS)
    with Paramiko(logins.key("sharer1")).session() as closed, Paramiko(logins.key("sharer2", "ben")).session() as stays:
        for name in gone:
            accounts[name] = {"name": name, "state": "absent", "existing": accounts[name].get("existing", "refuse")}
        accounts["native"]["kind"] = "shell"
        provision(host, {"access_accounts": [accounts[name] for name in (*gone, "sharer1")]})
        with pytest.raises((OSError, EOFError, paramiko.SSHException)):
            closed.listdir("/space")
        assert stays.listdir("/") == ["space"]
    mounted = {line.split()[0].split("/")[3] for line in host.check_output(MOUNTS).splitlines()}
    assert mounted == {"sharer1", "sharer2"}
    assert host.run(BINDFS).stdout == ""
    assert ssh(logins.key("native", "ann"), "--", "true").code == 255
    assert ssh(logins.key("native", "stranger"), "--", "whoami") == Answer(0, "native\n")
    assert host.file("/srv/sftp/mapper/deep/own/file").exists
    assert host.file("/data/tree/in").user == "worker"


@pytest.mark.last
def test_the_host_is_in_order(host: Host) -> None:
    assert host.check_output("systemctl list-units --failed --no-legend --plain") == ""
