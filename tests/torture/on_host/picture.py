# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a host: prints as JSON, by path, owner, mode and content of all that lies in the trees that it is given."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys


def main(trees: list[str]) -> None:
    found = {}
    for tree in trees:
        for directory, names, files in os.walk(tree):
            for path in [directory, *(os.path.join(directory, name) for name in names + files)]:
                found[path] = describe(path)
    print(json.dumps(found))


def describe(path: str) -> str:
    status = os.lstat(path)
    content = ""
    if stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
    return f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid} {content}"


main(sys.argv[1:])
