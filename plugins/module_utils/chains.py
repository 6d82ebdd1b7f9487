# SPDX-License-Identifier: GPL-3.0-or-later
"""Which paths decide what a path is: whoever can change one of them can put something else in its place."""

from __future__ import annotations

import typing as t

from .host import PathStat, components

LINKS = 40  # as many as the kernel follows


def chain(path: str, lstat: t.Callable[[str], t.Optional[PathStat]]) -> t.List[str]:
    """The components of ``path`` and, after each link, those of its target, as the kernel walks them.

    The last one is what the path leads to. It is missing, or a link, where the walk ends early.
    ``lstat`` is the file system's when a host is read, and ``host.paths.get`` of a host that was read.
    """
    walked, here, links = ["/"], "/", 0
    ahead = _names(path)
    while ahead:
        name = ahead.pop(0)
        if name == "..":
            here = components(here)[-2] if here != "/" else "/"
            walked.append(here)
            continue
        step = here.rstrip("/") + "/" + name
        walked.append(step)
        found = lstat(step)
        if found is None:
            break
        if not found.is_link:
            here = step
            continue
        links += 1
        if found.target is None or links > LINKS:
            break
        ahead = _names(found.target) + ahead
        if found.target.startswith("/"):
            here = "/"
    return walked


def _names(path: str) -> t.List[str]:
    return [name for name in path.split("/") if name not in ("", ".")]
