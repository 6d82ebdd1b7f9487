# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a host: the steps to a path, and which directories would be empty."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import read
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Made
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory, File, Link, State, of


def test_every_step_to_a_path_is_read_links_included(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    os.symlink("real", tmp_path / "link")
    found = read.paths([str(tmp_path / "link" / "missing")])
    assert found[str(tmp_path / "link")].target == "real"
    assert found[str(tmp_path / "real")].is_directory
    assert found["/"].uid == 0
    assert str(tmp_path / "real" / "missing") not in found


@pytest.mark.parametrize(
    ("left", "emptied"),
    [
        pytest.param([], {"", "/inner"}, id="nothing else in it"),
        pytest.param(["ours"], {"", "/inner"}, id="a file that goes as well"),
        pytest.param(["upload"], {"/inner"}, id="a file that stays"),
        pytest.param(["inner/upload"], set(), id="a file that stays further down"),
    ],
)
def test_a_directory_that_would_still_hold_something_is_kept(
    tmp_path: Path, left: list[str], emptied: set[str]
) -> None:
    jail = tmp_path / "jail"
    (jail / "inner").mkdir(parents=True)
    for name in left:
        (jail / name).touch()
    found = read._emptied([str(jail), str(jail / "inner"), str(tmp_path / "gone")], [str(jail / "ours")], ())
    assert found == {f"{jail}{path}" for path in emptied}


def test_what_a_user_put_in_place_of_a_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for name, target in (("loop", "loop"), ("link", "empty")):
        os.symlink(target, tmp_path / name)
    below = [str(tmp_path / name) for name in ("file", "loop", "link", "loop/in", "link/in")]
    assert read._emptied(below, [], ()) == set()


def test_what_is_observed_is_what_is_wanted_or_was_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    (tmp_path / "foreign").touch()
    (tmp_path / "folder").mkdir(mode=0o711)
    os.symlink("file", tmp_path / "link")
    names = {name: str(tmp_path / name) for name in ("file", "folder", "link", "missing")}
    want = of(File(names["file"], ""), Directory(names["folder"], 0o755), File(names["missing"], ""))
    have = read.observe(want, Made(links=frozenset({names["link"]})), State())
    assert set(have.files) == {names["file"]}
    assert (have.files[names["file"]].content, have.files[names["file"]].mode) == (
        "content",
        stat.S_IMODE(os.stat(names["file"]).st_mode),
    )
    assert have.directories[names["folder"]].mode == 0o711
    assert have.links == {names["link"]: Link(names["link"], "file")}


def test_a_file_that_is_a_link_is_not_read_through(tmp_path: Path) -> None:
    os.symlink("/etc/passwd", tmp_path / "file")
    have = read.observe(of(File(str(tmp_path / "file"), "ours")), Made(), State())
    assert have.files[str(tmp_path / "file")].content == ""
