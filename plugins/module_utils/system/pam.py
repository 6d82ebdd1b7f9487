# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service's PAM configuration has in it."""

from __future__ import annotations

from . import files

DIRECTORY = "/etc/pam.d"


def uses(service: str, module: str, directory: str = DIRECTORY, depth: int = 8) -> bool:
    """Whether a service opens its sessions with a module, in its own file or in one that it includes."""
    text = files.read(f"{directory}/{service}") if depth else None
    for line in (text or "").split("\n"):
        words = line.partition("#")[0].split()
        if words[:1] == ["@include"] and uses(words[1], module, directory, depth - 1):
            return True
        if words and words[0].lstrip("-") == "session":
            if module in words:
                return True
            if words[1] in ("include", "substack") and uses(words[2], module, directory, depth - 1):
                return True
    return False
