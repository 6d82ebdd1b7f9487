# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts what the mount table lists and is not mounted yet: ``sallyport-mounts TABLE``.

This file stands alone: its text is also installed on the host, where the unit runs it at boot (see mounts.py).
mount(8) cannot do its work, because it names what it mounts by path, and a path below a directory that a user can
write may have become a link. Here every component is opened without following links, and only what was opened is
mounted. An entry that fails leaves its empty mount point and stops no other entry.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import stat
import subprocess
import sys
import typing as t

OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442  # the same on every architecture but alpha
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
AT_EMPTY_PATH, OPEN_TREE_CLONE = 0x1000, 1
MOVE_EMPTY_PATHS = 0x44  # both ends are what the descriptors refer to
ATTRIBUTE = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8}  # MS_* and MOUNT_ATTR_* agree on these
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 1 << 18
MOUNT_ATTR_IDMAP = 0x100000
MNT_DETACH, UMOUNT_NOFOLLOW = 2, 8
# what a mount answers whose bindfs was killed: first while the kernel lets go of it, then for ever
BINDFS_DIED = (errno.ECONNABORTED, errno.ENOTCONN)

IDMAP = "X-mount.idmap="
HIDE = "x-sallyport.hide="  # bindfs: a part of the source that is not shown
STAGE = "/sys"  # what bindfs has as its whole tree lies here first: a directory of every host that it does not need

libc = ctypes.CDLL(None, use_errno=True)
libc.mount.argtypes = (*(ctypes.c_char_p,) * 3, ctypes.c_ulong, ctypes.c_char_p)


class Entry(t.NamedTuple):
    """One line of the mount table."""

    source: str
    target: str
    type: str
    options: t.Tuple[str, ...]

    @property
    def flags(self) -> int:
        return sum(ATTRIBUTE.get(option, 0) for option in self.options)

    @property
    def idmap(self) -> t.Optional[str]:
        return next((option[len(IDMAP) :] for option in self.options if option.startswith(IDMAP)), None)

    @property
    def is_bindfs(self) -> bool:
        return self.type == "fuse.bindfs"

    @property
    def hidden(self) -> t.List[str]:
        """The parts of a bindfs mount that it does not show, each from a slash on."""
        return [option[len(HIDE) :] for option in self.options if option.startswith(HIDE)]


class MountInfo(t.NamedTuple):
    """One active mount: what a line of /proc/self/mountinfo says about it."""

    target: str
    source: str  # a device, or what a filesystem without one says
    type: str
    device: str  # of the filesystem, "8:1"
    root: str  # the directory of that filesystem that is mounted
    options: t.Tuple[str, ...]  # of the mount itself: ro, nosuid, …, idmapped


def unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), field)


def parse(text: str) -> t.List[Entry]:
    """The entries of a table in fstab format, in its order."""
    lines = [line.split() for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return [
        Entry(unescape(fields[0]), unescape(fields[1]), fields[2], tuple(map(unescape, fields[3].split(","))))
        for fields in lines
    ]


def active(mountinfo: str) -> t.Dict[str, MountInfo]:
    """The mounts by target; of several on one target the topmost, which alone is visible."""
    found = {}
    for line in filter(None, mountinfo.split("\n")):
        mounted, _dash, filesystem = line.partition(" - ")
        _id, _parent, device, root, target, options = map(unescape, mounted.split(" ")[:6])
        kind, source = map(unescape, filesystem.split(" ")[:2])
        found[target] = MountInfo(target, source, kind, device, root, tuple(options.split(",")))
    return found


def present(entry: Entry, info: t.Optional[MountInfo]) -> bool:
    """Whether an entry is mounted as it says: its source, its restrictions, and whom it maps as far as that shows."""
    if info is None or set(info.options) & ATTRIBUTE.keys() != set(entry.options) & ATTRIBUTE.keys():
        return False
    try:
        source, target = os.lstat(entry.source), os.lstat(entry.target)
    except OSError:
        return False
    if entry.is_bindfs:
        same = info.type == "fuse.bindfs" and all(is_covered(entry.target + hidden) for hidden in entry.hidden)
    else:
        is_idmapped = "idmapped" in info.options
        same = is_idmapped == (entry.idmap is not None) and os.path.samestat(source, target)
    seen = re.search(rf"(?:u:|map=){source.st_uid}[:/](\d+)", " ".join(entry.options))
    return same and (seen is None or target.st_uid == int(seen.group(1)))


def between(part: str) -> t.List[str]:
    """The directories on the way to a part of a mount, which is not among them: of /a/b/c these are /a and /a/b."""
    names = part.strip("/").split("/")
    return ["/" + "/".join(names[:count]) for count in range(1, len(names))]


def is_covered(path: str) -> bool:
    """Whether a hidden part is. It was, and shows now, where the application has made the directory anew."""
    try:
        return stat.S_IMODE(os.lstat(path).st_mode) == 0
    except OSError:
        return False


def main(table: str) -> int:
    with open(table, encoding="utf-8", errors="surrogateescape") as lines:
        entries = parse(lines.read())
    failures = mount_all(entries)
    for entry, reason in failures:
        sys.stderr.write(f"{entry.target}: {entry.source} is not mounted there: {reason}\n")
    return 1 if failures else 0


def mount_all(entries: t.Iterable[Entry]) -> t.List[t.Tuple[Entry, str]]:
    """Mount what is missing; what could not be mounted, and why.

    An entry inside another one hides a part of it: when that fails, the other one goes too, lest the part shows.
    """
    mounts = active(read_mountinfo())
    failures: t.Dict[Entry, str] = {}
    around: t.List[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.target.split("/")):
        while around and not entry.target.startswith(around[-1].target + "/"):
            around.pop()
        try:
            if around and around[-1] in failures:
                raise OSError(f"{around[-1].target} is not mounted")
            if not present(entry, mounts.get(entry.target)):
                if is_dead(entry):
                    detach(entry.target)
                elif entry.target in mounts:
                    raise OSError("something else is mounted there: unmount it")
                mount(entry)
        except (OSError, subprocess.SubprocessError) as error:
            failures[entry] = reason(error)
            for outer in reversed(around):
                if outer not in failures:
                    failures[outer] = f"its part {entry.target} could not be hidden"
                    detach(outer.target)
        around.append(entry)
    return list(failures.items())


def is_dead(entry: Entry) -> bool:
    """Whether the bindfs process of an entry has been killed: its mount stays, and answers nothing."""
    try:
        os.lstat(entry.target)
    except OSError as error:
        return entry.is_bindfs and error.errno in BINDFS_DIED
    return False


def reason(error: BaseException) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return str(error.stderr).strip() or str(error)
    return (isinstance(error, OSError) and error.strerror) or str(error)


def read_mountinfo() -> str:
    """Its line ends as they are: the names in it are text, and users choose some of them."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape", newline="") as lines:
        return lines.read()


def mount(entry: Entry) -> None:
    if entry.is_bindfs:
        mount_bindfs(entry)
    elif entry.idmap is not None:
        mount_idmapped(entry, entry.idmap)
    else:
        with opened(entry.source) as source, opened(entry.target) as target:
            bind(source, target, entry.target, entry.flags)


@contextlib.contextmanager
def opened(path: str) -> t.Iterator[int]:
    """A descriptor of a directory, reached without following a link."""
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    current = os.open("/", flags)
    try:
        for name in filter(None, path.split("/")):
            try:
                child = os.open(name, flags, dir_fd=current)
            except NotADirectoryError:
                raise OSError(f"{path}: {name!r} is a link or no directory") from None
            except OSError as error:
                raise OSError(f"{path}: {name!r}: {error.strerror}") from None
            os.close(current)
            current = child
        yield current
    finally:
        os.close(current)


def bind(source: int, target: int, path: str, flags: int) -> None:
    """Bind one open directory over another one; ``path`` is the latter's."""
    call(libc.mount, by_descriptor(source), by_descriptor(target), None, MS_BIND, None)
    try:
        with opened(path) as mounted:
            name = by_descriptor(mounted)
            call(libc.mount, None, name, None, MS_PRIVATE, None)
            inherited = os.fstatvfs(mounted).f_flag & sum(ATTRIBUTE.values())
            call(libc.mount, None, name, None, MS_REMOUNT | MS_BIND | flags | inherited, None)
    except OSError:
        detach(path)
        raise


class Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("namespace", ctypes.c_uint64),
    )


def mount_idmapped(entry: Entry, mapping: str) -> None:
    with opened(entry.source) as source, closing(clone(source)) as tree, opened(entry.target) as target:
        idmap(tree, mapping, entry.flags)
        move(tree, target)


def idmap(tree: int, mapping: str, flags: int = 0) -> None:
    """Give a mount that is not attached yet its mapping and restrictions: ``u:ON_DISK:AS_SEEN:1 g:…``."""
    with closing(user_namespace(mapping)) as namespace:
        attributes = Attributes(flags | MOUNT_ATTR_IDMAP, 0, MS_PRIVATE, namespace)
        size = ctypes.c_size_t(ctypes.sizeof(attributes))
        system_call(MOUNT_SETATTR, tree, b"", ctypes.c_uint(AT_EMPTY_PATH), ctypes.byref(attributes), size)


def user_namespace(mapping: str) -> int:
    """A user namespace with this mapping: it lives as long as the descriptor."""
    ready_out, ready_in = os.pipe()
    done_out, done_in = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(done_in)
        if libc.unshare(CLONE_NEWUSER) == 0:
            os.write(ready_in, b"1")
            os.read(done_out, 1)
        os._exit(0)
    os.close(ready_in)
    os.close(done_out)
    try:
        if not os.read(ready_out, 1):
            raise OSError("the kernel gives no user namespace: see user.max_user_namespaces")
        for kind, name in (("u", "uid_map"), ("g", "gid_map")):
            ranges = [part.split(":")[1:] for part in mapping.split() if part.startswith(kind + ":")]
            with open(f"/proc/{child}/{name}", "w", encoding="ascii") as file:
                file.write("\n".join(" ".join(numbers) for numbers in ranges))
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(done_in)
        os.close(ready_out)
        os.waitpid(child, 0)


def mount_bindfs(entry: Entry) -> None:
    """Start bindfs in a mount namespace whose whole tree is the source, and bring only its mount out here.

    bindfs runs as root and opens files by name: were anything but the source within its reach, whoever swaps a
    directory there for a link at the right moment would read and write the host's files through it. Hidden parts
    are covered there too, since a mount inside a bindfs mount vanishes when the application renames what is around;
    what lies above them is mounted over itself, so that the account cannot move it (see mounts.py).
    """
    problem_out, problem_in = os.pipe()
    with opened(entry.target) as target, closing(os.open("/proc/self/ns/mnt", os.O_RDONLY)) as home:
        child = os.fork()
        if child == 0:
            try:
                confined_bindfs(entry, target, home)
            except BaseException as error:
                os.write(problem_in, reason(error).encode(errors="surrogateescape"))
            os._exit(0)
    os.close(problem_in)
    with open(problem_out, encoding="utf-8", errors="surrogateescape") as file:
        problem = file.read()
    os.waitpid(child, 0)
    if problem:
        raise OSError(f"bindfs: {problem}")


def confined_bindfs(entry: Entry, target: int, home: int) -> None:
    call(libc.unshare, CLONE_NEWNS)
    call(libc.mount, None, b"/", None, MS_REC | MS_PRIVATE, None)
    with opened(entry.source) as source, opened(STAGE) as stage:
        bind(source, stage, STAGE, entry.flags)
    for above in sorted({above for hidden in entry.hidden for above in between(hidden)}):
        with opened(STAGE + above) as part:
            bind(part, part, STAGE + above, entry.flags)
    for hidden in entry.hidden:
        with opened(STAGE + hidden) as part:
            call(libc.mount, b"none", by_descriptor(part), b"tmpfs", 0, b"mode=0,size=4k")
    options = ",".join((*(option for option in entry.options if not option.startswith(HIDE)), "subtype=bindfs"))
    with opened(STAGE) as source:
        subprocess.run(
            ["bindfs", "-o", options, by_descriptor(source).decode(), entry.target],
            check=True, pass_fds=[source], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
        with opened(entry.target) as mounted, closing(clone(mounted)) as tree:
            os.fchdir(source)
            call(libc.pivot_root, b".", b".")
            call(libc.umount2, b".", MNT_DETACH)
            call(libc.setns, home, CLONE_NEWNS)
            move(tree, target)


def clone(directory: int) -> int:
    """A mount of an open directory, attached nowhere yet."""
    flags = ctypes.c_uint(OPEN_TREE_CLONE | AT_EMPTY_PATH | os.O_CLOEXEC)
    return system_call(OPEN_TREE, directory, b"", flags)


def move(tree: int, target: int) -> None:
    system_call(MOVE_MOUNT, tree, b"", target, b"", ctypes.c_uint(MOVE_EMPTY_PATHS))


def detach(target: str) -> None:
    """Unmount though it may be in use, with all that is mounted in it."""
    unmount(target, MNT_DETACH)


def unmount(target: str, flags: int = 0) -> None:
    """The parent is opened without following links, so that the name cannot lead elsewhere."""
    parent, name = os.path.split(target)
    with opened(parent) as directory:
        os.fchdir(directory)
        try:
            call(libc.umount2, os.fsencode(name), flags | UMOUNT_NOFOLLOW)
        finally:
            os.chdir("/")


@contextlib.contextmanager
def closing(descriptor: int) -> t.Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def by_descriptor(descriptor: int) -> bytes:
    return b"/proc/self/fd/%d" % descriptor


def call(function: t.Callable[..., int], *arguments: t.Any) -> int:
    result = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def system_call(number: int, *arguments: t.Any) -> int:
    return call(libc.syscall, ctypes.c_long(number), *arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
