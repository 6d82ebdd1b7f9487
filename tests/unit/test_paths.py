# SPDX-License-Identifier: GPL-3.0-or-later
"""Which paths root may work below, and sshd's own rule for a jail."""

from __future__ import annotations

import stat

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import PathStat
from ansible_collections.sallyport.ssh.plugins.module_utils.paths import jail_faults, missing_parents, parent_faults
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory

OWNER, OTHER = 1000, 1001


def directory(mode: int = 0o755, uid: int = 0) -> PathStat:
    return PathStat(stat.S_IFDIR | mode, uid, uid)


LINK = PathStat(stat.S_IFLNK | 0o777, 0, 0)
FILE = PathStat(stat.S_IFREG | 0o644, 0, 0)
ROOT = {"/": directory()}


@pytest.mark.parametrize(
    ("paths", "place", "remedy"),
    [
        pytest.param({"/srv": directory(uid=OTHER)}, "/srv belongs to uid 1001", "chown root /srv", id="foreign owner"),
        pytest.param({"/srv": directory(0o775)}, "/srv has mode 0775", "chmod go-w /srv", id="group or ACL mask"),
        pytest.param({"/srv": directory(0o757)}, "/srv has mode 0757", "chmod go-w /srv", id="others"),
        pytest.param({"/srv": directory(0o1777)}, "/srv has mode 1777", "chmod go-w /srv", id="sticky helps nothing"),
        pytest.param({"/srv": LINK}, "/srv is a link", "put a directory there", id="link"),
        pytest.param({"/srv": FILE}, "/srv is no directory", "move it away", id="file"),
        pytest.param({"/": directory(uid=OTHER)}, "/ belongs to", "chown root /", id="the root itself"),
        pytest.param({"/srv/sftp/a": directory(uid=OTHER)}, "/srv/sftp/a belongs", "chown", id="the jail itself"),
        pytest.param({"/srv/sftp/a": directory(0o770)}, "/srv/sftp/a has mode", "chmod go-w", id="mode of the jail"),
    ],
)
def test_sshd_refuses_a_jail_for_any_component(paths: dict[str, PathStat], place: str, remedy: str) -> None:
    (fault,) = jail_faults("/srv/sftp/a", {**ROOT, **paths})
    assert fault.startswith(place)
    assert remedy in fault


def test_every_fault_of_a_jail_is_told_at_once() -> None:
    paths = {**ROOT, "/srv": directory(0o775, OTHER), "/srv/sftp": directory(0o777)}
    assert len(jail_faults("/srv/sftp/a", paths)) == 3


def test_a_jail_that_is_not_there_yet_is_judged_by_what_is() -> None:
    assert jail_faults("/srv/sftp/a", {**ROOT, "/srv": directory(0o711)}) == []


@pytest.mark.parametrize(
    ("paths", "place"),
    [
        pytest.param({"/data": directory(uid=OTHER)}, "/data belongs to uid 1001", id="somebody else's"),
        pytest.param({"/data": directory(0o775)}, "/data has mode 0775", id="a group's"),
        pytest.param({"/data": directory(0o1777)}, "/data has mode 1777", id="sticky: others come first"),
        pytest.param({"/data": directory(0o777, OWNER)}, "/data has mode 0777", id="the owner lets everybody in"),
        pytest.param({"/data": LINK}, "/data is a link", id="parent is a link"),
        pytest.param({"/data": directory(), "/data/pim": LINK}, "/data/pim is a link", id="is a link itself"),
        pytest.param({"/data": directory(), "/data/pim": FILE}, "/data/pim is no directory", id="is a file"),
    ],
)
def test_a_folder_that_somebody_else_could_replace_is_refused(paths: dict[str, PathStat], place: str) -> None:
    (fault,) = parent_faults("/data/pim", OWNER, {**ROOT, **paths})
    assert fault.startswith(place)
    assert ":" in fault


@pytest.mark.parametrize(
    "paths",
    [
        pytest.param({"/data": directory()}, id="root's"),
        pytest.param({"/data": directory(0o700, OWNER)}, id="the owner's home"),
        pytest.param({"/data": directory(), "/data/pim": directory(0o2777, OTHER)}, id="itself in any state"),
        pytest.param({}, id="nothing there yet"),
    ],
)
def test_a_folder_that_only_root_and_its_owner_can_replace_is_accepted(paths: dict[str, PathStat]) -> None:
    assert parent_faults("/data/pim", OWNER, {**ROOT, **paths}) == []


def test_only_parents_that_are_missing_or_ours_are_wanted() -> None:
    paths = {**ROOT, "/data": directory(0o700, OWNER), "/data/ours": directory(0o700)}
    wanted = missing_parents("/data/ours/new/pim", paths, frozenset({"/data/ours"}))
    assert wanted == [Directory("/data/ours", 0o755), Directory("/data/ours/new", 0o755)]
