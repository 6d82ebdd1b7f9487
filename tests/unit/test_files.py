# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and directories on a real tree: order of writing, links refused, nothing half done."""

from __future__ import annotations

import functools
import os
import stat
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.errors import Refused
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory, File
from ansible_collections.sallyport.ssh.plugins.module_utils.system import files

ME = (os.getuid(), os.getgid())


def test_a_staged_file_is_not_the_file_yet(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    files.stage(File(str(path), "new", 0o640), *ME)
    assert path.read_text() == "old"
    files.swap_in(str(path))
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)
    assert os.listdir(tmp_path) == ["file"]


def test_the_mode_is_final_before_the_content_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def fchmod(descriptor: int, mode: int) -> None:
        seen.append((mode, os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fchmod", fchmod)
    files.stage(File(str(tmp_path / "secret"), "content", 0o600), *ME)
    assert seen == [(0o600, 0)]


def test_a_planted_link_at_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    path = str(tmp_path / "file")
    os.symlink(victim, files.temporary(path))
    files.stage(File(path, "new", 0o644), *ME)
    assert victim.read_text() == "untouched"


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert files.read(str(path)) is None
    path.write_bytes(b"a\r\n\xff")
    content = files.read(str(path))
    assert content is not None
    files.stage(File(str(path), content), *ME)
    files.swap_in(str(path))
    assert path.read_bytes() == b"a\r\n\xff"


def test_a_link_is_not_read(tmp_path: Path) -> None:
    os.symlink("/etc/passwd", tmp_path / "link")
    with pytest.raises(OSError, match="symbolic links"):
        files.read(str(tmp_path / "link"))


def test_a_directory_is_made_and_its_mode_restored(tmp_path: Path) -> None:
    directory = Directory(str(tmp_path / "folder"), 0o2770)
    assert files.make_directory(directory, *ME) is True
    os.chmod(directory.path, 0o700)
    assert files.make_directory(directory, *ME) is False
    assert stat.S_IMODE(os.stat(directory.path).st_mode) == 0o2770


@pytest.mark.parametrize("place", ["folder", "folder/inner"])
def test_no_directory_is_made_or_changed_through_a_link(tmp_path: Path, place: str) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    os.symlink(target, tmp_path / "folder")
    with pytest.raises(Refused, match="is a link or no directory"):
        files.make_directory(Directory(str(tmp_path / place), 0o777), *ME)
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    assert os.listdir(target) == []


@pytest.mark.parametrize("trouble", [Refused(["is a link"]), FileNotFoundError(), NotADirectoryError()])
def test_what_a_user_has_just_swapped_is_tried_again(trouble: Exception) -> None:
    answers = iter([trouble, trouble, None])
    files.patiently(functools.partial(_raise_next, answers), "/data/in", time.monotonic() + 60)
    assert list(answers) == []


@pytest.mark.parametrize(
    ("trouble", "patience", "raised"),
    [
        pytest.param(Refused(["is a link"]), 0.0, Refused, id="a link for too long"),
        pytest.param(FileNotFoundError(), 0.0, Refused, id="away for too long"),
        pytest.param(PermissionError(), 60.0, PermissionError, id="anything else"),
    ],
)
def test_nothing_is_tried_for_ever(trouble: Exception, patience: float, raised: type[Exception]) -> None:
    answers = iter([trouble, None])
    with pytest.raises(raised):
        files.patiently(functools.partial(_raise_next, answers), "/data/in", time.monotonic() + patience)
    assert list(answers) == [None]


def _raise_next(answers: t.Iterator[Exception | None]) -> None:
    answer = next(answers)
    if answer is not None:
        raise answer


def test_a_home_starts_with_the_plain_files_of_the_skeleton(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skeleton = tmp_path / "skel"
    skeleton.mkdir()
    (skeleton / ".profile").write_text("hello")
    os.symlink("/etc/shadow", skeleton / "link")
    monkeypatch.setattr(files, "SKELETON", str(skeleton))
    home = tmp_path / "home"
    directory = Directory(str(home), 0o750, skeleton=True)
    files.make_directory(directory, *ME)
    assert os.listdir(home) == [".profile"]
    assert (home / ".profile").read_text() == "hello"
    files.unmake_directory(directory)
    assert not home.exists()


def test_a_directory_that_was_filled_meanwhile_is_not_unmade(tmp_path: Path) -> None:
    directory = Directory(str(tmp_path / "folder"), 0o750)
    files.make_directory(directory, *ME)
    (tmp_path / "folder" / "upload").write_text("precious")
    with pytest.raises(OSError, match="not empty any more"):
        files.unmake_directory(directory)
    assert (tmp_path / "folder" / "upload").read_text() == "precious"


def test_a_directory_that_holds_something_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    assert files.remove_directory(str(tmp_path / "folder")) is False
    (tmp_path / "folder" / "file").unlink()
    assert files.remove_directory(str(tmp_path / "folder")) is True
