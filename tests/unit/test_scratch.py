# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of a trial: gone afterwards, whatever happens."""

from __future__ import annotations

import errno
import os
import pathlib
import tempfile
import threading
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.logins import scratch


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(layout, "SCRATCH", str(tmp_path / "scratch"))


def test_what_a_killed_run_left_goes_with_the_next() -> None:
    os.makedirs(f"{layout.SCRATCH}/left/own")
    with scratch.directory() as first:
        assert os.listdir(layout.SCRATCH) == [os.path.basename(first)]
        with scratch.directory() as second:
            assert os.path.exists(first)
            assert first != second
    assert not os.path.exists(layout.SCRATCH)


def test_scratch_directories_of_many_at_once() -> None:
    failed: t.List[BaseException] = []

    def use() -> None:
        try:
            for _time in range(20):
                with scratch.directory() as path:
                    assert os.path.isdir(path)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=use) for _thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert not os.path.exists(layout.SCRATCH)


@pytest.mark.parametrize(
    ("where", "what", "number"),
    [
        pytest.param(tempfile, "mkdtemp", errno.ENOSPC, id="no space for the directory"),
        pytest.param(os, "chmod", errno.EROFS, id="its mode cannot be set"),
    ],
)
def test_nothing_is_left_where_the_directory_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, where: t.Any, what: str, number: int
) -> None:
    def fail(*_any: t.Any, **_more: t.Any) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(where, what, fail)
        with pytest.raises(OSError, match=os.strerror(number)), scratch.directory():
            pass
    assert not os.path.exists(layout.SCRATCH)


def test_what_another_run_uses_stays_where_the_directory_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_any: t.Any) -> t.NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with scratch.directory() as other:
        with monkeypatch.context() as broken:
            broken.setattr(tempfile, "mkdtemp", fail)
            with pytest.raises(OSError, match="No space"), scratch.directory():
                pass
        assert os.path.isdir(other)
