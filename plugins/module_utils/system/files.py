# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and directories on disk: whole files swapped in by rename, directories opened without following a link.

A reader sees the old file or the new one, never a mixture; after a crash at any instant as well.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import stat
import time
import typing as t

from ..errors import Refused
from ..host import components
from ..resources import Directory, File

SKELETON = "/etc/skel"
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class NotEmpty(OSError):
    """A directory that was to go holds what somebody else put there."""


def temporary(path: str) -> str:
    return _beside(path, "tmp")


def earlier(path: str) -> str:
    """Where the file that a transaction replaces stays until the transaction is kept."""
    return _beside(path, "old")


def _beside(path: str, kind: str) -> str:
    """With a name that sshd's ``*.conf``, sudo, systemd and ``%u`` all pass over."""
    directory, name = os.path.split(path)
    return f"{directory}/.sallyport-{name}.{kind}"


def read(path: str) -> t.Optional[str]:
    """The content of a plain file; ``None`` if there is none. Bytes that are no UTF-8 survive the round trip."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(descriptor, encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return stream.read()


def stage(file: File, uid: int, gid: int) -> None:
    """Write the file's temporary: mode and owner first, then the content, then to disk."""
    discard(file.path)
    descriptor = os.open(temporary(file.path), NEW_FILE, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, file.mode)
        stream.write(file.content)
        stream.flush()
        os.fsync(descriptor)


def stage_link(path: str, target: str) -> None:
    """Make the temporary of a link; swapped in like a file."""
    discard(path)
    os.symlink(target, temporary(path))


def swap_in(path: str) -> None:
    """The staged file becomes the file."""
    os.rename(temporary(path), path)


def keep(path: str) -> None:
    """Keep what a transaction finds beside the file, so that going back needs no space."""
    if os.path.lexists(path) and not os.path.lexists(earlier(path)):
        os.link(path, earlier(path), follow_symlinks=False)


def set_aside(path: str) -> None:
    """The file goes, and what a transaction found is kept beside its place."""
    if os.path.lexists(earlier(path)):
        remove(path)
    elif os.path.lexists(path):
        os.rename(path, earlier(path))


def put_back(path: str, existed: bool) -> bool:
    """Undo ``keep`` and ``swap_in``, or ``set_aside``, however far they came; says whether there was anything to do."""
    if not existed:
        present = os.path.lexists(path)
        remove(path)
        return present
    if not os.path.lexists(earlier(path)):
        return False
    if os.path.lexists(path) and os.path.samestat(os.lstat(path), os.lstat(earlier(path))):
        forget(path)  # kept and not yet replaced
        return False
    os.rename(earlier(path), path)
    return True


def forget(path: str) -> None:
    """Let go of what was kept: there is no way back any more."""
    remove(earlier(path))


def discard(path: str) -> None:
    """Forget what was staged and not swapped in."""
    remove(temporary(path))


def remove(path: str) -> None:
    """A read-only filesystem refuses to remove even what is not there."""
    if os.path.lexists(path):
        os.unlink(path)


def note(path: str) -> None:
    """An empty file of ours says something by being there."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def settle(paths: t.Iterable[str]) -> None:
    """Bring the names in the directories of these paths to disk; what a user put in the place of one is left alone."""
    for directory in sorted({os.path.dirname(path) for path in paths}):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            descriptor = os.open(directory, OPEN_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@contextlib.contextmanager
def opened(path: str) -> t.Iterator[int]:
    """A descriptor of the directory, reached component by component: a link anywhere in it is refused."""
    descriptor = os.open("/", OPEN_DIRECTORY)
    try:
        for component in components(path)[1:]:
            try:
                inner = os.open(os.path.basename(component), OPEN_DIRECTORY, dir_fd=descriptor)
            except NotADirectoryError:
                raise Refused([f"{component}: is a link or no directory; put a directory there"]) from None
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def make_directory(directory: Directory, uid: int, gid: int) -> bool:
    """Create the directory or set its owner and mode, never what is in it. Says whether it was created."""
    parent, name = os.path.split(directory.path)
    with opened(parent) as above:
        created = True
        try:
            os.mkdir(name, 0o700, dir_fd=above)
        except FileExistsError:
            created = False
    with opened(directory.path) as descriptor:
        if created and directory.skeleton:
            _copy_skeleton(descriptor, uid, gid)
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, directory.mode)
    return created


def patiently(work: t.Callable[[], t.Any], path: str, until: float) -> None:
    """Try again while a link is where a directory should be, or nothing is: users may be swapping what is theirs."""
    while True:
        try:
            work()
            return
        except Refused:
            if time.monotonic() >= until:
                raise
        except (FileNotFoundError, NotADirectoryError) as error:
            if time.monotonic() >= until:
                raise Refused([f"{path}: somebody has moved away what was there ({error}); put it back"]) from error
        time.sleep(random.uniform(0.001, 0.02))  # noqa: S311 # in no step with those who swap; no secret


def _copy_skeleton(home: int, uid: int, gid: int) -> None:
    """The plain files of /etc/skel, into a home that still is root's alone."""
    for entry in _skeleton():
        descriptor = os.open(entry.name, NEW_FILE, 0o600, dir_fd=home)
        with open(entry.path, "rb") as source, open(descriptor, "wb") as target:
            shutil.copyfileobj(source, target)
            os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, stat.S_IMODE(entry.stat().st_mode))


def _skeleton() -> t.List[os.DirEntry[str]]:
    try:
        return [entry for entry in os.scandir(SKELETON) if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def unmake_directory(directory: Directory) -> None:
    """Remove a directory that this run made, with the skeleton that it started from."""
    with opened(directory.path) as descriptor:
        for entry in _skeleton() if directory.skeleton else ():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(entry.name, dir_fd=descriptor)
    if not remove_directory(directory.path):
        raise NotEmpty(f"{directory.path} was created and is not empty any more")


def remove_directory(path: str) -> bool:
    """Remove an empty directory. Says whether it was removed: one that holds something stays."""
    parent, name = os.path.split(path)
    try:
        with opened(parent) as above:
            os.rmdir(name, dir_fd=above)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ENOENT, errno.ENOTDIR):
            return False
        raise
    return True
