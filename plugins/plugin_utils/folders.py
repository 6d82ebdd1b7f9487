# SPDX-License-Identifier: GPL-3.0-or-later
"""The declared transfer folders."""

from __future__ import annotations

from ..module_utils.model import Folder
from . import names, paths
from .problems import Item, Problems


def resolve(contract: Item, jails: str, problems: Problems) -> tuple[Folder, ...]:
    items: list[Item] = contract["folders"]
    problems.unique(items, "name")
    placed = []
    folders = []
    for item in items:
        path = problems.check(item, "path", paths.outside, jails)
        if path:
            placed.append((path, item, "path"))
        folders.append(
            Folder(
                name=problems.check(item, "name", names.label) or "",
                path=path or "",
                owner=problems.check(item, "owner", names.owner) or "",
                group=problems.check(item, "group", names.group) or item["owner"] or "",
                mode=problems.check(item, "mode", paths.folder_mode, item["sharing"]) or "",
                sharing=item["sharing"],
                subfolders=problems.check_each(item, "subfolders", paths.plain_name),
            )
        )
    paths.separate(placed, problems)
    return tuple(folders)
