# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory for as long as a trial takes. What a killed run left is removed by the next one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import typing as t

from .. import layout

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def directory() -> t.Iterator[str]:
    """Root's; users may pass through it, and see only what is named to them."""
    with _above():
        try:
            path, held = _made()
        except OSError:
            _unless_used()
            raise
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)
        with _above():
            _unless_used()


def _made() -> t.Tuple[str, int]:
    for name in os.listdir(layout.SCRATCH):
        _remove_unless_held(os.path.join(layout.SCRATCH, name))
    path = tempfile.mkdtemp(dir=layout.SCRATCH)
    try:
        os.chmod(path, 0o711)  # noqa: S103 - users pass through it
        held = os.open(path, DIRECTORY)
    except OSError:
        os.rmdir(path)
        raise
    fcntl.flock(held, fcntl.LOCK_EX)
    return path, held


def _unless_used() -> None:
    """The directory above goes, unless another run has its own in there."""
    with contextlib.suppress(OSError):
        os.rmdir(layout.SCRATCH)


@contextlib.contextmanager
def _above() -> t.Iterator[int]:
    """The directory above, locked. Who removes it has the lock, so what was opened may be gone once we have it."""
    while True:
        with contextlib.suppress(FileExistsError):
            os.mkdir(layout.SCRATCH, 0o700)
        with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as opened:
            descriptor = os.open(layout.SCRATCH, DIRECTORY)
            opened.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(descriptor), os.stat(layout.SCRATCH)):
                os.fchmod(descriptor, 0o711)
                opened.pop_all()
                break
    try:
        yield descriptor
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # of a process that was forked meanwhile as well
        os.close(descriptor)


def _remove_unless_held(path: str) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(descriptor)
