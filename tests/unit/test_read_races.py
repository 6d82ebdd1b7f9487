# SPDX-License-Identifier: GPL-3.0-or-later
"""What users do to a path while it is looked at never ends a run with a raw error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import paths, read
from ansible_collections.sallyport.ssh.plugins.module_utils.system import files


def test_a_link_that_is_none_any_more_when_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("elsewhere")

    def swapped(path: str) -> str:
        raise OSError(22, "Invalid argument", path)

    monkeypatch.setattr(os, "readlink", swapped)
    found = read.paths([f"{tmp_path}/link/below"])
    assert found[f"{tmp_path}/link"].is_link
    assert f"{tmp_path}/link/below" not in found


def test_a_mount_that_root_may_not_look_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user's own FUSE mount is."""
    inside = f"{tmp_path}/fuse"
    lstat = os.lstat

    def refused(path: str) -> os.stat_result:
        if path.startswith(inside):
            raise PermissionError(13, "Permission denied", path)
        return lstat(path)

    monkeypatch.setattr(os, "lstat", refused)
    found = read.paths([f"{inside}/below"])
    assert paths.kind_fault(inside, found[inside]) == (
        f"{inside} is a mount that root may not look into: unmount it, or choose another place"
    )


def test_a_directory_that_has_become_a_link_is_not_brought_to_disk(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    files.settle([f"{tmp_path}/link/name", f"{tmp_path}/gone/name", f"{tmp_path}/real/name"])


def test_a_directory_that_cannot_be_opened_for_want_of_descriptors_is_not_taken_for_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stay on the host for ever, and nobody would know that it was made here."""

    def exhausted(*_arguments: object, **_keywords: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "open", exhausted)
    with pytest.raises(OSError, match="Too many open files"):
        read._emptied([str(tmp_path)], [], [])


def test_a_link_that_took_the_place_of_a_directory_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert not files.remove_directory(f"{tmp_path}/link")
    assert (tmp_path / "link").is_symlink()
