# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account can do with files, tried in its session, with the application at work beside it.

All names begin with ``application.PREFIX``, and whoever calls removes them afterwards.
"""

from __future__ import annotations

import os
import typing as t

from ..logins import sftp
from ..logins.sftp import Client
from ..logins.sftp_packets import Attributes
from . import application
from .application import PREFIX, Application
from .grounds import HIDDEN, READ_WRITE, Ground
from .promises import LINKS, NOTHING, REFUSED, WORKS, WRITES

MORE = "and more"


class Answer(t.NamedTuple):
    """What was found, and what the host said to it."""

    found: str
    said: str = ""


Found = t.Dict[t.Tuple[str, str], Answer]  # by act and place of the promise


class Names:
    """The names of one trial: a file of the application's and its directory, and those of the account."""

    def __init__(self, token: str) -> None:
        self.text = token
        self.theirs, self.directory, self.upload, self.second = (f"{PREFIX}{token}.{end}" for end in "adfg")
        self.new = {act: f"{PREFIX}{token}.{number}" for number, act in enumerate(WRITES)}

    def __iter__(self) -> t.Iterator[str]:
        return iter((self.theirs, self.directory, self.upload, self.second, *self.new.values()))


def attempt(work: t.Callable[[], object]) -> Answer:
    try:
        work()
    except (sftp.Refused, application.Refused) as refused:
        return Answer(REFUSED, str(refused))
    return Answer(WORKS)


def expect(work: t.Callable[[], t.Union[str, bytes]], wanted: str) -> Answer:
    """Reading something: another content is no answer to the promise."""
    try:
        read = work()
    except (sftp.Refused, application.Refused) as refused:
        return Answer(REFUSED, str(refused))
    return Answer(WORKS) if read in (wanted, wanted.encode()) else Answer("something else")


def whole(client: Client, listed: t.Mapping[str, t.Collection[str]]) -> Found:
    """The jail itself: where a session starts, and what is in the directories that are root's."""
    found: Found = {("start", ""): _start(client)}
    for path in listed:
        found["listing", path] = _listing(client, path)
    return found


def _start(client: Client) -> Answer:
    try:
        return Answer(client.realpath("."))
    except sftp.Refused as refused:
        return Answer(REFUSED, str(refused))


def _listing(client: Client, path: str) -> Answer:
    try:
        return Answer(", ".join(sorted(client.listing(path))) or NOTHING)
    except sftp.Refused as refused:
        return Answer(REFUSED, str(refused))


def private(client: Client, ground: Ground, names: Names, here: int, owner: t.Callable[..., str]) -> Found:
    found = {"there": attempt(lambda: client.listing(ground.at))}
    if ground.rights == READ_WRITE:
        found.update(_uploads(client, ground, names))
        found["keeps"] = _keeps(here, names.second, owner)
        found["delete"] = attempt(lambda: client.remove(f"{ground.at}/{names.second}"))
        found.update(writes(client, ground.at, names, LINKS))
    else:
        found.update(writes(client, ground.at, names))
    return _at(ground, found)


def shared(
    client: Client, ground: Ground, names: Names, here: int, user: Application, owner: t.Callable[..., str]
) -> Found:
    """``here`` is the directory on the host, ``user`` the application, ``owner`` names whose a file there is."""
    found = _application_first(client, ground, names, here, user)
    if ground.rights != READ_WRITE:
        found.update(writes(client, ground.at, names))
        return _at(ground, found)
    found.update(_uploads(client, ground, names))
    found["keeps"] = _keeps(here, names.second, owner)
    found.update(_application_then(client, ground, names, here, user))
    found.update(_theirs(client, ground, names, here, user))
    found.update(writes(client, ground.at, names, LINKS))
    return _at(ground, found)


def writes(client: Client, at: str, names: Names, acts: t.Iterable[str] = WRITES) -> t.Dict[str, Answer]:
    """The requests that change something, on what the application has made. None of them should."""
    file, directory = f"{at.rstrip('/')}/{names.theirs}", f"{at.rstrip('/')}/{names.directory}"

    def held(change: t.Callable[[bytes], object]) -> None:
        handle = client.open(file, sftp.READ)
        try:
            change(handle)
        finally:
            client.close(handle)

    closed = Attributes(mode=0o600)
    requests: t.Dict[str, t.Callable[[str], object]] = {
        "open-write": lambda new: client.close(client.open(file, sftp.WRITE)),
        "open-create": lambda new: client.put(new, b""),
        "mkdir": client.mkdir,
        "rmdir": lambda new: client.rmdir(directory),
        "remove": lambda new: client.remove(file),
        "rename": lambda new: client.rename(file, new),
        "posix-rename": lambda new: client.posix_rename(file, new),
        "setstat": lambda new: client.setstat(file, closed),
        "fsetstat": lambda new: held(lambda handle: client.fsetstat(handle, closed)),
        "lsetstat": lambda new: client.lsetstat(file, closed),
        "symlink": lambda new: client.symlink(names.theirs, new),
        "hardlink": lambda new: client.hardlink(file, new),
    }
    return {
        f"write {act}": attempt(lambda act=act: requests[act](f"{at.rstrip('/')}/{names.new[act]}"))  # type: ignore[misc]
        for act in sorted(acts, key=_ORDER.index)
    }


# What takes the file away, if it works against expectation, comes last
_ORDER = [act for act in WRITES if act not in ("remove", "rename", "posix-rename")] + [
    "posix-rename",
    "rename",
    "remove",
]


def _uploads(client: Client, ground: Ground, names: Names) -> t.Dict[str, Answer]:
    """A file of the account's own, which ends up as the second of its names."""
    first, second = f"{ground.at}/{names.upload}", f"{ground.at}/{names.second}"
    directory = f"{ground.at}/{names.new['mkdir']}"

    def made_and_removed() -> None:
        client.mkdir(directory)
        client.rmdir(directory)

    def replaced() -> None:
        client.put(first, names.text.encode(), ground.upload_mode)
        client.posix_rename(first, second)

    return {
        "upload": attempt(lambda: client.put(first, names.text.encode(), ground.upload_mode)),
        "read back": expect(lambda: client.get(first), names.text),
        "rename": attempt(lambda: client.rename(first, second)),
        "replace": attempt(replaced),
        "directory": attempt(made_and_removed),
    }


def _application_first(
    client: Client, ground: Ground, names: Names, here: int, user: Application
) -> t.Dict[str, Answer]:
    """What the application has made, and whether the account finds it."""
    found = {"application reaches": attempt(lambda: user.reach(here, ground.path))}
    try:
        user.make(here, names.theirs, names.text, ground.application_mode)
        user.make_directory(here, names.directory, ground.application_mode | 0o111)
        found["application makes"] = Answer(WORKS)
    except application.Refused as refused:
        found["application makes"] = Answer(REFUSED, str(refused))
        if ground.rights == HIDDEN:
            return {**found, "seen": _hidden(client, ground)}
        if not refused.read_only:
            return found
        # Nobody can put anything there: what there is has to be seen
        same = _same(client, ground, here)
        return {**found, "application makes": Answer(WORKS, str(refused)), "seen": same, "reads": same}
    file = f"{ground.at}/{names.theirs}"
    found["seen"] = attempt(lambda: client.lstat(file))
    if ground.rights == HIDDEN and found["seen"].found == REFUSED:
        found["seen"] = _hidden(client, ground)
    found["reads"] = expect(lambda: client.get(file), names.text)
    return found


def _hidden(client: Client, ground: Ground) -> Answer:
    """An empty directory shows as little as one that does not open."""
    try:
        return Answer(WORKS, "it lists what is in there") if client.listing(ground.at) else Answer(REFUSED)
    except sftp.Refused as refused:
        return Answer(REFUSED, str(refused))


def _same(client: Client, ground: Ground, here: int) -> Answer:
    try:
        seen = client.listing(ground.at).keys()
    except sftp.Refused as refused:
        return Answer(REFUSED, str(refused))
    return Answer(WORKS) if seen == set(os.listdir(here)) else Answer("something else")


def _keeps(here: int, name: str, owner: t.Callable[..., str]) -> Answer:
    try:
        status = os.stat(name, dir_fd=here, follow_symlinks=False)
    except OSError as error:
        return Answer("no such file", error.strerror or "")
    return Answer(owner(status))


def _application_then(
    client: Client, ground: Ground, names: Names, here: int, user: Application
) -> t.Dict[str, Answer]:
    """What the application can do with an upload; the account sees the edit, and deletes the file."""
    name, path = names.second, f"{ground.at}/{names.second}"

    def edited() -> str:
        user.append(here, name, MORE)
        return client.get(path).decode("utf-8", "replace")

    def deleted() -> None:
        client.put(f"{ground.at}/{names.upload}", b"", ground.upload_mode)
        user.remove(here, names.upload)

    return {
        "application reads": expect(lambda: user.read(here, name), names.text),
        "application edits": expect(edited, names.text + MORE),
        "application deletes": attempt(deleted),
        "delete": attempt(lambda: client.remove(path)),
    }


def _theirs(client: Client, ground: Ground, names: Names, here: int, user: Application) -> t.Dict[str, Answer]:
    """What the account can do with a file of the application's."""
    path = f"{ground.at}/{names.theirs}"

    def edited() -> str:
        handle = client.open(path, sftp.WRITE)
        try:
            client.write(handle, len(names.text), MORE.encode())
        finally:
            client.close(handle)
        return user.read(here, names.theirs)

    return {"edits": expect(edited, names.text + MORE), "deletes": attempt(lambda: client.remove(path))}


def _at(ground: Ground, found: t.Mapping[str, Answer]) -> Found:
    return {(act, ground.at): answer for act, answer in found.items()}
