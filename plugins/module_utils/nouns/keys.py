# SPDX-License-Identifier: GPL-3.0-or-later
"""The key file of an account: root-owned, outside the home, whole. One line per key."""

from __future__ import annotations

import time
import typing as t

from .. import layout
from ..model import Account, Key
from ..resources import File

UTC_EXPIRY = (9, 1)  # the first OpenSSH that takes "Z" in expiry-time; earlier ones read the host's own zone


def file_of(account: Account, openssh: t.Tuple[int, int]) -> t.Optional[File]:
    """The account's key file; ``None`` when no key opens the account. sshd reads it as the user, hence 0644."""
    if not (account.is_open and account.keys):
        return None
    lines = [line(key, account, openssh) for key in account.keys]
    return File(layout.keys_file(account.name), "# " + layout.HEADER + "\n".join([*lines, ""]), 0o644)


def line(key: Key, account: Account, openssh: t.Tuple[int, int]) -> str:
    """One line of ``authorized_keys``; its comment says whose key it is, for logs and for people."""
    options = []
    sources = key.sources or account.sources
    if sources:
        options.append(f'from="{",".join(sources)}"')
    limits = [limit for limit in (key.expires, account.expires) if limit is not None]
    if limits:
        options.append(f'expiry-time="{_stamp(min(limits), openssh)}"')
    return " ".join([*([",".join(options)] if options else []), key.type, key.blob, f"{key.owner}/{key.name}"])


def _stamp(moment: int, openssh: t.Tuple[int, int]) -> str:
    if openssh >= UTC_EXPIRY:
        return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(moment))
    return time.strftime("%Y%m%d%H%M%S", time.localtime(moment))
