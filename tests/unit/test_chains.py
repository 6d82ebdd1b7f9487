# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths that decide what a path is, on real trees and on host readings."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.chains import chain
from ansible_collections.sallyport.ssh.plugins.module_utils.host import PathStat

DIRECTORY = PathStat(stat.S_IFDIR | 0o755, 0, 0)
FILE = PathStat(stat.S_IFREG | 0o755, 0, 0)


def link(target: str) -> PathStat:
    return PathStat(stat.S_IFLNK | 0o777, 0, 0, target)


PATHS: t.Mapping[str, PathStat] = {
    "/": DIRECTORY,
    "/bin": link("usr/bin"),
    "/usr": DIRECTORY,
    "/usr/bin": DIRECTORY,
    "/usr/bin/id": FILE,
    "/usr/bin/vi": link("/etc/alternatives/vi"),
    "/usr/bin/up": link("../bin/./id"),
    "/usr/bin/loop": link("loop"),
    "/usr/bin/gone": link("/opt/gone"),
    "/usr/bin/top": link("../../../../usr/bin/id"),
    "/etc": DIRECTORY,
    "/etc/alternatives": DIRECTORY,
    "/etc/alternatives/vi": link("/usr/bin/vim.basic"),
    "/usr/bin/vim.basic": FILE,
}


@pytest.mark.parametrize(
    ("path", "walked"),
    [
        pytest.param("/usr/bin/id", "/ /usr /usr/bin /usr/bin/id", id="plain"),
        pytest.param("/bin/id", "/ /bin /usr /usr/bin /usr/bin/id", id="relative link in the middle"),
        pytest.param(
            "/bin/vi",
            "/ /bin /usr /usr/bin /usr/bin/vi /etc /etc/alternatives /etc/alternatives/vi"
            " /usr /usr/bin /usr/bin/vim.basic",
            id="links to links",
        ),
        pytest.param("/usr/bin/up", "/ /usr /usr/bin /usr/bin/up /usr /usr/bin /usr/bin/id", id="dots in a link"),
        pytest.param("/usr/bin/top", "/ /usr /usr/bin /usr/bin/top /usr / / / /usr /usr/bin /usr/bin/id", id="above /"),
        pytest.param("/usr/bin/gone", "/ /usr /usr/bin /usr/bin/gone /opt", id="ends where something is missing"),
        pytest.param("/", "/", id="root"),
    ],
)
def test_the_chain_is_what_the_kernel_walks(path: str, walked: str) -> None:
    assert chain(path, PATHS.get) == walked.split()


def test_links_in_a_circle_end_at_a_link() -> None:
    walked = chain("/usr/bin/loop", PATHS.get)
    assert walked[-1] == "/usr/bin/loop"
    assert len(walked) < 50


def test_the_chain_of_a_real_tree_ends_where_realpath_does(tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "real" / "deep" / "tool").write_text("")
    (tmp_path / "short").symlink_to("real/deep")
    (tmp_path / "tool").symlink_to(tmp_path / "short" / ".." / "deep" / "tool")

    def lstat(path: str) -> t.Optional[PathStat]:
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return None
        target = os.readlink(path) if stat.S_ISLNK(found.st_mode) else None
        return PathStat(found.st_mode, found.st_uid, found.st_gid, target)

    walked = chain(str(tmp_path / "tool"), lstat)
    assert walked[-1] == os.path.realpath(tmp_path / "tool")
    assert str(tmp_path / "short") in walked
