# SPDX-License-Identifier: GPL-3.0-or-later
"""How a mount that somebody has changed is told: in the words of the model, and with paths that the host knows."""

from __future__ import annotations

import stat
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Folder, Grant, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import accounts
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import drift_mounts
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, User, of
from ansible_collections.sallyport.ssh.plugins.module_utils.system import mounter

# a host in a container: what it calls /data lies elsewhere on the filesystem
MOUNTINFO = """
22 1 0:97 / / rw,relatime - overlay overlay rw
30 22 254:0 /var/volumes/data/_data /data rw,nosuid - ext4 /dev/vda rw
31 22 254:0 /var/volumes/srv/_data /srv rw,nosuid - ext4 /dev/vda rw
32 22 254:0 /run/userdata/hosts /etc/hosts rw,nosuid - ext4 /dev/vda rw
"""
JAIL = "/srv/sftp/acme"
DATA = "/var/volumes/data/_data"

MODEL = Model(
    Server("host"),
    accounts=(
        Account(
            "acme",
            "sftp",
            grants=(
                Grant("/pim", folder="pim", rights="read_only"),
                Grant("/pim/a/b", hidden=True),
                Grant("/plain", source="/data/plain", sharing="group"),
                Grant("/own", private=True),
            ),
        ),
    ),
    folders=(Folder("pim", "/data/pim", "erp", "erp"),),
)
DIRECTORY = PathStat(stat.S_IFDIR | 0o755, 1000, 1000)
HOST = Host(
    state=of(User("erp", 1000, 1000, "/", ""), Group("erp", 1000)),
    tools=Tools(idmapped_mounts=True),
    paths={
        **{path: PathStat(stat.S_IFDIR | 0o755, 0, 0) for path in ("/", "/data")},
        **dict.fromkeys(("/data/pim", "/data/pim/a", "/data/pim/a/b", "/data/plain"), DIRECTORY),
    },
)
WANTED = drift_mounts.wanted(MODEL, HOST, accounts.identify(MODEL, HOST))


def told(action: str, *lines: str) -> t.Optional[str]:
    return drift_mounts.told(action, WANTED, mounter.active("\n".join([MOUNTINFO, *lines])))


@pytest.mark.parametrize(
    ("at", "line", "said"),
    [
        pytest.param(
            "/pim",
            f"40 31 254:0 {DATA}/pim {JAIL}/pim rw,nosuid,nodev,noexec,idmapped - ext4 /dev/vda rw",
            "/pim: should be folder pim with rights read_only, and is mounted without ro: a run",
            id="mounted again without ro",
        ),
        pytest.param(
            "/pim",
            f"40 31 254:0 {DATA}/pim {JAIL}/pim ro,nosuid,nodev,noexec - ext4 /dev/vda rw",
            "/pim: should be folder pim with rights read_only, and is mounted with other owners than it should have:",
            id="not mapped",
        ),
        pytest.param(
            "/plain",
            f"40 31 254:0 {DATA}/plain {JAIL}/plain ro,nodev,nosuid - ext4 /dev/vda rw",
            "/plain: should be source /data/plain with rights read_write, and is mounted without noexec and with ro: a",
            id="other options",
        ),
        pytest.param(
            "/plain",
            f"40 31 254:0 {DATA}/secret/x {JAIL}/plain rw,nosuid,nodev,noexec - ext4 /dev/vda rw",
            "/plain: should be source /data/plain with rights read_write, and is another directory, /data/secret/x:",
            id="another directory of a container's volume",
        ),
        pytest.param(
            "/plain",
            f"40 31 0:97 /usr/share/doc {JAIL}/plain rw,nosuid,nodev,noexec - overlay overlay rw",
            "/plain: should be source /data/plain with rights read_write, and is another directory, /usr/share/doc:",
            id="a directory of the host",
        ),
        pytest.param(
            "/pim",
            f"40 31 0:200 / {JAIL}/pim rw - tmpfs none rw",
            "/pim: should be folder pim with rights read_only, and is another mount, a tmpfs: a run would change",
            id="a filesystem of its own",
        ),
        pytest.param(
            "/plain",
            f"33 22 254:0 {DATA}/plain /again rw - ext4 /dev/vda rw\n"
            f"40 31 254:0 {DATA}/plain {JAIL}/plain rw,nosuid - ext4 /dev/vda rw",
            "/plain: should be source /data/plain with rights read_write, and is mounted without nodev and without no",
            id="a directory that the host has twice",
        ),
        pytest.param(
            "/pim/a/b",
            f"40 31 254:0 {DATA}/pim/a/b {JAIL}/pim/a/b ro,nosuid,nodev,noexec - ext4 /dev/vda rw",
            "/pim/a/b: should be nothing to see, since it is hidden, and is another directory, /data/pim/a/b: a run",
            id="a hidden part",
        ),
        pytest.param(
            "/pim/a",
            f"40 31 254:0 {DATA}/pim/b {JAIL}/pim/a ro,nosuid,nodev,noexec - ext4 /dev/vda rw",
            "/pim/a: should be a part of folder pim with rights read_only, and is another directory, /data/pim/b: a",
            id="on the way to a hidden part",
        ),
    ],
)
def test_a_mount_that_somebody_has_changed(at: str, line: str, said: str) -> None:
    sentence = told(f"change mount {JAIL}{at} (source {DATA}/x → /data/pim, options)", line) or ""
    assert sentence.startswith(f"access_accounts: acme: {said}")
    assert sentence.endswith(f": a run would change mount {JAIL}{at}")
    assert "/var/volumes" not in sentence


def test_one_that_is_missing() -> None:
    assert told(f"create mount {JAIL}/pim/a/b") == (
        "access_accounts: acme: /pim/a/b: should be nothing to see, since it is hidden, and is not mounted: "
        f"a run would create mount {JAIL}/pim/a/b"
    )


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(f"remove mount {JAIL}/old", id="of an earlier model"),
        pytest.param("change file /etc/sallyport/fstab (content)", id="no mount"),
        pytest.param("end the sessions of user acme", id="no resource"),
    ],
)
def test_what_is_no_mount_of_the_model_is_told_as_it_is(action: str) -> None:
    assert told(action) is None
