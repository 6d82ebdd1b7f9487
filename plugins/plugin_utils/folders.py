# SPDX-License-Identifier: GPL-3.0-or-later
"""The declared transfer folders."""

from __future__ import annotations

from ..module_utils.model import Folder
from . import names, paths
from .problems import Item, Problems, Wrong


def resolve(contract: Item, jails: str, problems: Problems) -> tuple[Folder, ...]:
    items: list[Item] = contract["folders"]
    problems.unique(items, "name")
    placed = []
    folders = []
    for item in items:
        path = problems.check(item, "path", paths.outside, jails)
        if path:
            placed.append((path, item, "path"))
        owner = problems.check(item, "owner", names.owner) or ""
        folders.append(
            Folder(
                name=problems.check(item, "name", names.label) or "",
                path=path or "",
                owner=owner,
                group=_group(item, owner, problems),
                mode=problems.check(item, "mode", paths.folder_mode, item["sharing"]) or "",
                sharing=item["sharing"],
                subfolders=problems.check_each(item, "subfolders", paths.plain_name),
            )
        )
    paths.separate(placed, problems)
    return tuple(folders)


def _group(item: Item, owner: str, problems: Problems) -> str:
    """The folder's group; by default the one that is called like its owner, which has to be fit for it as well."""
    if owner and not item.gives("group"):
        try:
            return names.group(owner)
        except Wrong as wrong:
            problems.add(f"{item.place}.group", f"defaults to the owner's name: {wrong}")
    return problems.check(item, "group", names.group) or ""
