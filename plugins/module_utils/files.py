# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and directories on disk: whole files swapped in by rename, directories opened without following a link.

A reader sees the old file or the new one, never a mixture; after a crash at any instant as well.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import typing as t

from .errors import Refused
from .host import components
from .resources import Directory, File

SKELETON = "/etc/skel"
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def temporary(path: str) -> str:
    """Beside the file, with a name that sshd's ``*.conf``, sudo and ``%u`` all pass over."""
    directory, name = os.path.split(path)
    return f"{directory}/.sallyport-{name}.tmp"


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


def discard(path: str) -> None:
    """Forget what was staged and not swapped in. A read-only filesystem refuses to remove even what is not there."""
    if os.path.lexists(temporary(path)):
        os.unlink(temporary(path))


def remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def settle(paths: t.Iterable[str]) -> None:
    """Bring the names in the directories of these paths to disk."""
    for directory in sorted({os.path.dirname(path) for path in paths}):
        with contextlib.suppress(FileNotFoundError):
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
        raise OSError(f"{directory.path} was created and is not empty any more")


def remove_directory(path: str) -> bool:
    """Remove an empty directory. Says whether it was removed: one that holds something stays."""
    parent, name = os.path.split(path)
    try:
        with opened(parent) as above:
            os.rmdir(name, dir_fd=above)
    except OSError:
        return False
    return True
