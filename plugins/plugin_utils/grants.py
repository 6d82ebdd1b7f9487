# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account sees in its jail."""

from __future__ import annotations

import collections.abc as c

from ..module_utils.model import Grant
from . import names, paths
from .problems import Item, Problems, Wrong, known, shown

_KINDS = ("folder", "source", "private", "hidden")
# The C library of the session finds name services and their settings in these.
_LIBRARIES = ("/etc", "/lib", "/lib32", "/lib64", "/libx32", "/usr")
_OF_SOURCES = ("owner", "group", "sharing")
_DEFAULTS = {"rights": "read_write", "owner": None, "group": None, "sharing": "mapped"}


def resolve(
    account: Item, folders: c.Mapping[str, str], where: str, jails: str, problems: Problems
) -> tuple[Grant, ...]:
    """The grants of one account; ``folders`` has the path of every declared folder, ``where`` names their option."""
    made = [(item, _grant(item, folders, where, jails, problems)) for item in account["folders"]]
    if len(made) > 1 or (made and made[0][1].hidden):
        _apart(made, folders, problems)
    return tuple(grant for _item, grant in made)


def start_in(text: str, grants: c.Sequence[Grant], kind: str, all_known: bool = True) -> str:
    """The directory in which a session starts: one that the account sees."""
    path = paths.of_user(paths.absolute(text))
    if kind != "sftp" or not all_known or any(not grant.at for grant in grants):
        return path
    hidden = any(grant.hidden and paths.within(path, grant.at) for grant in grants)
    seen = any(paths.related(path, grant.at) for grant in grants if not grant.hidden and grant.at)
    if path != "/" and (hidden or not seen):
        raise Wrong(f"{shown(text)} is nowhere in its folders; choose / or the path of one of them")
    return path


def _grant(item: Item, folders: c.Mapping[str, str], where: str, jails: str, problems: Problems) -> Grant:
    kinds = [kind for kind in _KINDS if item.gives(kind)]
    if len(kinds) != 1:
        has = f"has {' and '.join(kinds)}" if kinds else "says nothing of what to show"
        problems.add(item.place, f"{has}; give exactly one of {', '.join(_KINDS)}")
    for kind in kinds[:1]:
        _refuse_foreign_options(item, kind, problems)
    return Grant(
        at=problems.check(item, "at", _at) or "",
        rights=item["rights"],
        folder=problems.check(item, "folder", known, folders, "folder", where),
        source=problems.check(item, "source", paths.outside, jails),
        private=item["private"],
        hidden=item["hidden"],
        owner=problems.check(item, "owner", names.owner),
        group=problems.check(item, "group", names.group),
        sharing=item["sharing"],
    )


def _refuse_foreign_options(item: Item, kind: str, problems: Problems) -> None:
    foreign = () if kind == "source" else _OF_SOURCES if kind == "folder" else ("rights", *_OF_SOURCES)
    for option in foreign:
        if item[option] != _DEFAULTS[option]:
            remedy = "set it where the folder is declared" if kind == "folder" else "leave it out"
            problems.add(f"{item.place}.{option}", f"has no meaning for a {kind} entry; {remedy}")


def _at(text: str) -> str:
    path = paths.absolute(text)
    if path == "/":
        raise Wrong("/ is the jail itself, which sshd wants root to own; choose a directory in it, like /upload")
    if paths.within(path, "/dev"):
        raise Wrong(f"{shown(text)} is where the jail keeps its log socket; choose another path")
    for place in _LIBRARIES:
        if paths.within(path, place):
            raise Wrong(
                f"{shown(text)} lies in {place}, where sshd looks for settings and libraries once it is in the jail, "
                "and would run what the account puts there; choose another path"
            )
    return path


def _apart(made: list[tuple[Item, Grant]], folders: c.Mapping[str, str], problems: Problems) -> None:
    """Grants overlap neither in the jail nor on the host; hidden parts lie in a grant, and not in one another."""
    seen = [(item, grant) for item, grant in made if not grant.hidden]
    hidden = [(item, grant) for item, grant in made if grant.hidden]
    paths.separate([(grant.at, item, "at") for item, grant in seen if grant.at], problems)
    paths.separate([(grant.at, item, "at") for item, grant in hidden if grant.at], problems)
    on_host = [
        (grant.source or folders.get(grant.folder or "", ""), item, "source" if grant.source else "folder")
        for item, grant in seen
    ]
    paths.separate([each for each in on_host if each[0]], problems)
    if any(not grant.at for _item, grant in seen):
        return
    for item, grant in hidden:
        if grant.at and not any(
            grant.at != other.at and paths.within(grant.at, other.at)
            for _item, other in seen
            if other.at and not other.private
        ):
            problems.add(
                f"{item.place}.at", f"{shown(grant.at)} lies in no folder or source of the account; hide a part of one"
            )
