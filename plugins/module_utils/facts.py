# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what ``access_info`` tells of a host (see info.py). Nothing is changed, and no lock is taken."""

from __future__ import annotations

import os
import re
import typing as t

from . import layout, read
from .info import Facts
from .openssh import sshd, sshd_tree
from .system import files, mounting
from .system.processes import Failed, run


def of_host(address: t.Optional[str]) -> t.Tuple[Facts, t.List[str]]:
    """The facts, and what could not be read."""
    record, notes = read.record(), []
    found = read.tools()
    effective: t.Dict[str, t.List[str]] = {}
    if any(found.openssh):
        try:
            effective = sshd.effective(layout.SSHD_CONFIG, "root", "localhost", "127.0.0.1")
        except Failed as failed:
            notes.append(f"sshd does not say how it is configured, so ports and host keys are missing: {failed}")
    facts = Facts(
        address=address or os.uname().nodename,
        record=record,
        present=read.identities(()),
        tools=found,
        sudo_version=_sudo_version(found.sudo),
        effective=effective,
        policy=[setting for setting in sshd_tree.INSTALLED.settings() if setting.file == layout.SSHD_DROP_IN],
        host_keys=_host_keys(effective.get("hostkey", ())),
        key_files={name: files.read(layout.keys_file(name)) or "" for name in record.accounts},
        mounts=mounting.have(files.read(layout.MOUNT_TABLE) or "", mounting.active()),
        directories={folder.path for folder in record.folders.values() if os.path.isdir(folder.path)},
    )
    return facts, notes


def _sudo_version(path: t.Optional[str]) -> t.Optional[str]:
    """``1.9.16p2``, or ``sudo-rs 0.2.5``."""
    said = run([path, "--version"]).out if path else ""
    found = re.match(r"(?:Sudo version )?(\S+(?: \S+)?)", said)
    return found[1] if found else None


def _host_keys(paths: t.Iterable[str]) -> t.List[t.Tuple[str, str]]:
    """Type and blob of the public halves: taken from the private ones, since a .pub beside them may be another's."""
    said = (run(["ssh-keygen", "-y", "-P", "", "-f", path]) for path in paths if os.path.exists(path))
    lines = (outcome.out.split() for outcome in said if outcome.ok)
    return [(line[0], line[1]) for line in lines]
