# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mounts a host has of those that a table lists, how they are brought about, and what the host can do."""

from __future__ import annotations

import dataclasses
import errno
import os
import pathlib
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import mounts
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Mount
from ansible_collections.sallyport.ssh.plugins.module_utils.system import mounter, mounting, processes

OK, BAD = processes.Outcome(0, "", ""), processes.Outcome(1, "", "/srv/a: /data is not mounted there: why\n")


@pytest.fixture
def bound(tmp_path: pathlib.Path) -> tuple[Mount, dict[str, mounter.MountInfo]]:
    """A mount, and the mountinfo of a host where it is active: source and target are the same directory here."""
    path = str(tmp_path)
    mount = Mount(path, path, "none", ("bind", "nosuid", "nodev", "noexec"))
    return mount, mounter.active(f"9 1 8:1 {path} {path} rw,nosuid,nodev,noexec - ext4 /dev/sda1 rw\n")


def test_the_host_has_what_the_table_lists_and_is_active(
    bound: tuple[Mount, dict[str, mounter.MountInfo]],
) -> None:
    mount, active = bound
    gone = dataclasses.replace(mount, target="/nowhere")
    assert mounting.have(mounts.render([mount, gone]), active) == {mount.target: mount}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"options": ("bind", "nosuid", "nodev", "noexec", "ro")}, id="read only"),
        pytest.param({"options": ("bind", "nosuid", "nodev")}, id="fewer restrictions"),
        pytest.param({"options": ("bind", "nosuid", "nodev", "noexec", "X-mount.idmap=u:1:2:1")}, id="mapped"),
        pytest.param({"source": "/"}, id="another source"),
        pytest.param({"source": "/nowhere"}, id="the source is gone"),
        pytest.param({"type": "fuse.bindfs"}, id="bindfs"),
    ],
)
def test_what_is_active_but_different_the_host_does_not_have(
    bound: tuple[Mount, dict[str, mounter.MountInfo]], change: dict[str, t.Any]
) -> None:
    mount, active = bound
    assert mounting.present(mount, active[mount.target])
    assert not mounting.present(dataclasses.replace(mount, **change), active[mount.target])


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    """The programs that were run, and what each answers."""
    told: dict[str, t.Any] = {"systemctl": OK, "/usr/bin/python3": OK, "ran": []}

    def run(argv: list[str], stdin: str = "", timeout: float = 0) -> processes.Outcome:
        told["ran"].append(argv[0])
        outcome: processes.Outcome = told[argv[0]]
        return outcome

    monkeypatch.setattr(processes, "run", run)
    return told


@pytest.mark.parametrize(
    ("systemd", "unit", "ran"),
    [
        pytest.param(True, OK, ["systemctl"], id="in the unit"),
        pytest.param(True, BAD, ["systemctl", "/usr/bin/python3"], id="the unit failed: ask for the reason"),
        pytest.param(False, OK, ["/usr/bin/python3"], id="no systemd"),
    ],
)
def test_the_table_is_mounted(runs: dict[str, t.Any], systemd: bool, unit: processes.Outcome, ran: list[str]) -> None:
    runs["systemctl"] = unit
    mounting.apply(layout.MOUNT_TABLE, systemd)
    assert runs["ran"] == ran


def test_what_could_not_be_mounted_is_told(runs: dict[str, t.Any]) -> None:
    runs["systemctl"] = runs["/usr/bin/python3"] = BAD
    with pytest.raises(mounting.Failed, match="/srv/a: /data is not mounted there: why"):
        mounting.apply(layout.MOUNT_TABLE, True)


@pytest.mark.parametrize(
    ("number", "supported", "filesystems"),
    [
        pytest.param(None, True, {}, id="it can"),
        pytest.param(errno.EINVAL, True, {"/": "overlay", "/nowhere/at/all": "overlay"}, id="the filesystem cannot"),
        pytest.param(errno.EPERM, False, {}, id="we may not"),
        pytest.param(errno.ENOSYS, False, {}, id="the kernel is too old"),
    ],
)
def test_idmapped_mounts_are_tried_and_not_guessed(
    monkeypatch: pytest.MonkeyPatch, number: int | None, supported: bool, filesystems: dict[str, str]
) -> None:
    def idmap(_tree: int, _mapping: str) -> None:
        if number is not None:
            raise OSError(number, "no")

    monkeypatch.setattr(mounter, "clone", lambda _directory: os.open("/", 0))
    monkeypatch.setattr(mounter, "idmap", idmap)
    monkeypatch.setattr(mounter, "read_mountinfo", lambda: "1 1 0:1 / / rw - overlay none rw\n")
    monkeypatch.setattr(mounting, "_linux", lambda: (6, 1))
    assert mounting.idmap_supported() is supported
    assert mounting.unmappable(["/", "/nowhere/at/all"]) == filesystems


@pytest.mark.parametrize(
    ("release", "program", "supported"),
    [
        pytest.param((5, 10), "/usr/bin/bindfs", True, id="it can"),
        pytest.param((5, 10), None, False, id="no program"),
        pytest.param((4, 18), "/usr/bin/bindfs", False, id="a kernel that cannot confine it"),
    ],
)
def test_bindfs_needs_its_program_and_a_kernel_that_can_confine_it(
    monkeypatch: pytest.MonkeyPatch, release: tuple[int, int], program: str | None, supported: bool
) -> None:
    monkeypatch.setattr(processes, "find", lambda _name: program)
    monkeypatch.setattr(mounting, "_linux", lambda: release)
    monkeypatch.setattr(os.path, "exists", lambda _path: True)
    assert mounting.bindfs_supported() is supported
