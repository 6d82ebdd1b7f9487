# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a host, as root: prints, as JSON, what every account that has a jail there amounts to."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import stat


def account(name: str) -> dict[str, str]:
    user = pwd.getpwnam(name)
    keys = f"/etc/ssh/authorized_keys.d/{name}"
    with open(keys, encoding="utf-8") as file:
        found = re.findall(r"^(?!#).*?\b(ssh-ed25519 \S+)", file.read(), re.MULTILINE)
    return {
        "group": grp.getgrgid(user.pw_gid).gr_name,
        "shell": user.pw_shell,
        "jail": access(f"/srv/sftp/{name}"),
        "upload": access(f"/srv/sftp/{name}/upload"),
        "keys file": access(keys),
        "keys": ", ".join(found),
    }


def access(path: str) -> str:
    found = os.lstat(path)
    owner, group = pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name
    return f"{stat.filemode(found.st_mode)} {owner}:{group}"


print(json.dumps({name: account(name) for name in os.listdir("/srv/sftp")}))
