# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a host: an administrator at work with the host's own tools, until its input ends.

    human FIRST

Adds users with numbers from FIRST on, changes them, gives them passwords, and edits sudoers with visudo. A tool that
finds the user database locked is started again, as a human would. Prints as JSON what has been done: it has to be
there afterwards.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time

LONGEST = 600  # seconds
PAUSE = 0.5  # seconds: nobody types faster
PATIENCE = 60  # times that a tool is started again
SUDOERS = "/etc/sudoers.d/human"

again = 0


def main(first: int) -> None:
    done: dict[str, dict[str, str]] = {}
    removed: list[str] = []
    rules: list[str] = []
    print("ready", flush=True)
    number, deadline = first, time.monotonic() + LONGEST
    while time.monotonic() < deadline and not select.select([sys.stdin], [], [], 0)[0]:
        name = f"human{number}"
        tool("useradd", "--no-create-home", "--shell", "/bin/sh", name)
        done[name] = {"comment": f"number {number}", "hash": f"$6$salt{number}${'h' * 86}"}
        tool("usermod", "--comment", done[name]["comment"], name)
        tool("chpasswd", "--encrypted", stdin=f"{name}:{done[name]['hash']}\n")
        tool("gpasswd", "--add", name, "users")
        rules.append(f"{name} ALL=(root) /bin/true")
        visudo(rules)
        if number % 3 == 0:  # and one goes again
            tool("userdel", name)
            removed.append(name)
            del done[name]
            rules.pop()
            visudo(rules)
        number += 1
        time.sleep(PAUSE)
    print(json.dumps({"users": done, "removed": removed, "rules": rules, "again": again}))


def tool(*command: str, stdin: str = "") -> None:
    global again
    for _ in range(PATIENCE):
        ended = subprocess.run(command, input=stdin, capture_output=True, text=True)
        if ended.returncode == 0:
            return
        if "lock" not in ended.stderr:
            break
        again += 1
        time.sleep(0.1)
    raise SystemExit(f"{command}: {ended.stderr}")


def visudo(rules: list[str]) -> None:
    """As with an editor: it gets the new text in the place of the old one."""
    with tempfile.TemporaryDirectory() as directory:
        text, editor = f"{directory}/text", f"{directory}/editor"
        with open(text, "w", encoding="ascii") as file:
            file.writelines(f"{rule}\n" for rule in rules)
        with open(editor, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\nfor last; do :; done\ncat {text} > "$last"\n')
        os.chmod(editor, 0o700)
        edited = subprocess.run(
            ["visudo", "-f", SUDOERS],
            env={"PATH": os.environ["PATH"], "EDITOR": editor, "SUDO_EDITOR": editor, "VISUAL": editor},
            capture_output=True,
            text=True,
        )
    if edited.returncode:
        raise SystemExit(f"visudo: {edited.stderr}")


main(int(sys.argv[1]))
