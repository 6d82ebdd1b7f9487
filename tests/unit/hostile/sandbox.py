# SPDX-License-Identifier: GPL-3.0-or-later
"""A process in a mount namespace of its own, whose /etc is a small copy: there the real programs create users, read
sshd_config and sudoers, and look names up, and this machine notices nothing of it.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import traceback
import typing as t
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = (
    "cvtsudoers findmnt getent sh ssh-keygen sshd sudo systemd-escape systemd-sysusers unshare useradd visudo".split()
)
MISSING = [program for program in PROGRAMS if shutil.which(program, path=PATH) is None]
USABLE = not MISSING and os.geteuid() == 0
WHY_NOT = f"needs root, and {', '.join(MISSING)}" if MISSING else "needs root"

# What of the machine's own /etc the programs cannot do without.
COPIED = "alternatives ld.so.cache ld.so.conf ld.so.conf.d pam.d security login.defs localtime".split()
HIDDEN = ("/run", "/home", "/var/log", "/var/mail")  # what programs may write besides

USERS = {"root": 0, "daemon": 1, "bin": 2, "sys": 3, "backup": 34, "www-data": 33, "sshd": 105, "nobody": 65534}
GROUPS = {"shadow": 42, "nogroup": 65534, "docker": 990, "users": 100, "sudo": 27}


class Sandbox:
    """Answers questions, each a JSON value; one that fails there raises here."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation=private", sys.executable, __file__, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": PATH, "LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def ask(self, question: t.Any) -> t.Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the sandbox has ended with {self._process.wait(60)}; its traceback stands above")
        return json.loads(answer)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)


def enter(directory: str) -> None:
    """The namespace's own /etc, and nothing of what else the programs write."""
    _mount("-t", "tmpfs", "tmpfs", directory)
    etc = Path(directory) / "etc"
    (etc / "ssh/sshd_config.d").mkdir(parents=True)
    (etc / "sudoers.d").mkdir(mode=0o755)
    for name in COPIED:
        source = Path("/etc") / name
        if source.is_dir():
            shutil.copytree(source, etc / name, symlinks=True)
        elif source.exists():
            shutil.copy2(source, etc / name, follow_symlinks=False)
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\nsudoers: files\n")
    (etc / "sudoers").write_text("@includedir /etc/sudoers.d\n")
    (etc / "sudoers").chmod(0o440)
    key = etc / "ssh/ssh_host_ed25519_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (etc / "ssh/sshd_config").write_text("Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n")
    for path in HIDDEN:
        _mount("-t", "tmpfs", "tmpfs", path)
    Path("/run/sshd").mkdir(mode=0o755)
    _mount("--bind", str(etc), "/etc")


def reset(users: t.Mapping[str, int]) -> None:
    """A user database with the usual users, these, and nobody else."""
    everybody = {**USERS, **{name: uid for name, uid in users.items() if name not in USERS}}
    groups = {**everybody, **{name: gid for name, gid in GROUPS.items() if name not in everybody}}
    texts = {
        "passwd": "".join(f"{name}:x:{uid}:{uid}::/home/{name}:/bin/sh\n" for name, uid in everybody.items()),
        "shadow": "".join(f"{name}:*:19000:0:99999:7:::\n" for name in everybody),
        "group": "".join(f"{name}:x:{gid}:\n" for name, gid in groups.items()),
        "gshadow": "".join(f"{name}:*::\n" for name in groups),
    }
    for name, text in texts.items():
        path = Path("/etc") / name
        path.write_text(text)
        path.chmod(0o640 if "shadow" in name else 0o644)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def main(directory: str) -> None:
    roundtrip = importlib.import_module("ansible_collections.sallyport.ssh.tests.unit.hostile.roundtrip")

    enter(directory)
    for line in sys.stdin:
        try:
            answer = roundtrip.answer(json.loads(line))
        except Exception:  # whatever it is, it is a finding
            answer = [traceback.format_exc()]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
