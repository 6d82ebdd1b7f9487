# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to hold at any instant: who had a way in still has it, and what sshd and sudo read is whole."""

from __future__ import annotations

import glob
import hashlib
import os
import subprocess
import typing as t

KEY = "/run/faults/key"
READ_BY_DAEMONS = (
    "/etc/ssh/sshd_config",
    "/etc/ssh/sshd_config.d/*",
    "/etc/ssh/authorized_keys.d/*",
    "/etc/sudoers",
    "/etc/sudoers.d/*",
)
OPTIONS = [
    *("-F", "none", "-i", KEY, "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oBatchMode=yes"),
    *("-oIdentitiesOnly=yes", "-oConnectTimeout=20", "-oLogLevel=ERROR", "-oPreferredAuthentications=publickey"),
]
WAYS = {
    "the admin and sudo": ["ssh", *OPTIONS, "deploy@127.0.0.1", "sudo -n true"],
    "the shell account": ["ssh", *OPTIONS, "op@127.0.0.1", "true"],
    "the sftp account": ["sftp", *OPTIONS, "-q", "-b", "/run/faults/batch", "stay@127.0.0.1"],
    "sshd's configuration": ["/usr/sbin/sshd", "-t"],
    "sudo's configuration": ["/usr/sbin/visudo", "-c", "-q"],
}

Whole = t.Dict[str, t.Set[str]]


def broken(whole: Whole) -> t.List[str]:
    """What does not hold now. ``whole`` are the contents that a file may have."""
    running = {
        what: subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for what, argv in WAYS.items()
    }
    found = [f"{path} is not whole" for path, content in contents().items() if content not in whole.get(path, ())]
    for what, process in running.items():
        said = process.communicate(timeout=60)[0].decode(errors="replace").strip()
        if process.returncode:
            found.append(f"{what}: {process.returncode}: {said[-300:]}")
    return found


def contents() -> t.Dict[str, str]:
    """Of what the daemons read; they pass over what starts with a dot."""
    found = {}
    for path in (path for pattern in READ_BY_DAEMONS for path in glob.glob(pattern)):
        status = os.lstat(path)
        with open(path, "rb") as file:
            found[path] = (
                f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {hashlib.sha256(file.read()).hexdigest()}"
            )
    return found
