# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that no sudo task may run: they hand their rights on to a terminal, or to what they are told to start."""

from __future__ import annotations

import re
import typing as t
from pathlib import PurePosixPath

ESCAPES: t.Mapping[str, t.FrozenSet[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        "a shell": """
            ash bash bash-static busybox csh dash elvish fish ksh mksh mksh-static pdksh posh pwsh rbash
            sh tcsh toybox yash zsh zsh-static""",
        "an editor": """
            ed edit editor emacs emacs-gtk emacs-nox emacsclient ex gvim helix hx jed jmacs joe jpico jstar
            kak mcedit micro mg nano ne nvi nvim pico red rnano rview rvim sed select-editor sensible-editor sudoedit
            vi view vigr vim vimdiff vimtutor vipw visudo""",
        "a pager": "batcat less lesspipe lv man more most pager pg sensible-pager",
        "an interpreter": """
            R Rscript awk bpftrace bun deno erl expect gawk gdb ghci groovy guile irb java jrunscript js
            julia lua luajit m4 make mawk mono nawk node nodejs octave original-awk perl php phpdbg pypy
            python ruby scala tclsh wish""",
        "a program that starts others": """
            at batch capsh chroot crontab doas env find flock ionice ltrace machinectl mc nice nohup nsenter parallel
            pkexec run-parts runuser scp screen script setarch setpriv setsid sg ssh start-stop-daemon stdbuf strace
            su su-rs sudo sudo-rs systemd-run taskset time timeout tmux unshare watch xargs""",
    }.items()
}
VARIANT = re.compile(r"(-?[0-9][0-9.]*|\.(basic|tiny|nox|gtk3?|athena|ws))\Z")  # python3.11, vim.basic


def escape(argv: t.Sequence[str]) -> t.Optional[str]:
    """What kind of program that hands on its rights a command runs, if it does: ``"a shell"``."""
    name = PurePosixPath(argv[0]).name
    if (name == "runuser" and _gives_up_root(argv)) or (name == "find" and not _starts_others(argv)):
        return None
    stem = VARIANT.sub("", name)
    return next((kind for kind, names in ESCAPES.items() if name in names or stem in names), None)


def _gives_up_root(argv: t.Sequence[str]) -> bool:
    """``runuser -u USER -- PROGRAM …``: whatever it starts has the rights of USER and no more."""
    return len(argv) > 4 and argv[1] == "-u" and argv[2] not in ("root", "0", "+0") and argv[3] == "--"


def _starts_others(argv: t.Sequence[str]) -> bool:
    return any(word.startswith(("-exec", "-ok")) for word in argv)
