# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets go to the host by standard input, however Ansible is configured.

Without pipelining Ansible writes a module and its arguments into a file in the remote user's ``~/.ansible/tmp``, and
removes it at the end: a controller that is killed in between leaves it there.
"""

from __future__ import annotations

import contextlib
import re
import typing as t

from ansible import constants
from ansible.plugins.connection import ConnectionBase

# what sudo says, in many a language, to whoever brings no terminal: then it has started nothing
_TERMINAL = re.compile(r"\bsudo\b.*\btty\b", re.IGNORECASE)


@contextlib.contextmanager
def forced(connection: ConnectionBase) -> t.Iterator[None]:
    """Pipelining wherever the connection can; it alone decides whether it does."""
    try:
        usual = connection.get_option("pipelining")
    except KeyError:
        yield
        return
    connection.set_option("pipelining", True)
    try:
        yield
    finally:
        connection.set_option("pipelining", usual)


def wants_terminal(answer: t.Mapping[str, t.Any]) -> bool:
    """Whether sudo refused to start the module because pipelining leaves no room for a terminal (``requiretty``)."""
    return "module_stderr" in answer and bool(_TERMINAL.search(str(answer["module_stderr"])))


def obstacle(connection: ConnectionBase) -> str:
    """Why it does not pipe although it was told to, and what to do about it."""
    if getattr(constants, "DEFAULT_KEEP_REMOTE_FILES", False):
        return "ANSIBLE_KEEP_REMOTE_FILES is set: unset it, and remove what it has left there"
    become = connection.become
    if become is not None and not become.pipelining:
        return f"become_method {become.name} cannot do without: use sudo"
    if getattr(connection, "has_tty", False):
        return "ssh is told to request a terminal: take -t and RequestTTY out of its arguments"
    return f"connection {connection.transport} cannot do without: use ssh"


TERMINAL = "sudo wants a terminal (requiretty): let it do without, by `Defaults !requiretty` in sudoers"


def warning(why: str) -> str:
    return (
        "The hashes of passwords pass through a file in ~/.ansible/tmp of the host, which stays there if this run is "
        f"killed, because {why}."
    )
