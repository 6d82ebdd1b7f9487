# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a host: prints as JSON, by path, all that a module may change there. Two are equal: nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import stat

TREES = ("/etc", "/srv", "/data", "/vmfs", "/home", "/root", "/usr/local", "/var/lib/sallyport")
# what the tools that change users leave beside the files that count
BACKUPS = {
    "/etc/.pwd.lock",
    *(f"/etc/{name}-" for name in ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")),
}


def main() -> None:
    found = {}
    for tree in TREES:
        for directory, names, files in os.walk(tree):
            for path in [directory, *(os.path.join(directory, name) for name in names + files)]:
                if path not in BACKUPS:
                    found[path] = describe(path)
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        for line in mounts:
            fields = line.split()
            if not fields[4].startswith("/run/user/"):  # these come and go with logins
                found[f"mount {fields[4]}"] = f"{fields[3]} {fields[5]}"
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


main()
