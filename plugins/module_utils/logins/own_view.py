# SPDX-License-Identifier: GPL-3.0-or-later
"""A mount namespace in which logins leave no trace, and which is no login's own: for a side sshd.

The records of logins (wtmp and the like) are empty files in it, the system log is a socket of ours, so that what PAM
says can be read. Two modules of PAM are passed over: a session of logind for each trial would be slow and be logged,
and what a login started may not give its children another login uid everywhere, which the host's own sshd may.
"""

from __future__ import annotations

import ctypes
import os
import re
import stat
import typing as t

NEW_MOUNTS = 0x20000
BIND, RECURSIVE, SLAVE = 0x1000, 0x4000, 0x80000
RECORDS = ("/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog", "/run/utmp")
RECORD_DIRECTORIES = ("/var/lib/lastlog", "/var/lib/wtmpdb")  # databases that took their place
SYSTEM_LOG = "/dev/log"
PAM = ("/etc/pam.d", "/usr/lib/pam.d")
LOGIN_UID = "/proc/self/loginuid"
NO_LOGIN_UID = "4294967295"


def enter(own: str, log_socket: str) -> None:
    """Have this process, and what it starts, see the host this way. ``own`` is an empty directory for what it takes."""
    passed_over = ["pam_systemd"] if _forget_login() else ["pam_systemd", "pam_loginuid"]
    _check(_library.unshare(NEW_MOUNTS))
    _mount("none", "/", RECURSIVE | SLAVE)
    nothing = os.path.join(own, "nothing")
    os.mkdir(nothing, 0o755)
    for record in filter(os.path.isdir, RECORD_DIRECTORIES):
        _mount(nothing, record, BIND)
    for record in filter(os.path.isfile, RECORDS):
        _mount(_written(own, "", os.stat(record)), record, BIND)
    if os.path.exists(SYSTEM_LOG):
        _mount(log_socket, SYSTEM_LOG, BIND)
    for path in _files(PAM):
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            text = stream.read()
        if passing_over(passed_over, text) != text:
            _mount(_written(own, passing_over(passed_over, text), os.stat(path)), path, BIND)


def passing_over(modules: t.Iterable[str], text: str) -> str:
    """A file of PAM whose sessions do without these modules. Each line stays: others may jump over it."""
    names = "|".join(modules)
    return re.sub(rf"(?m)^(\s*-?session\b.*?)(?<![\w-])({names})\.so(?!\S)", r"\1pam_permit.so", text)


def _forget_login() -> bool:
    """Whether sessions may get a login uid of their own: this process has none, or may be without."""
    try:
        with open(LOGIN_UID, encoding="ascii") as stream:
            if stream.read().strip() == NO_LOGIN_UID:
                return True
        with open(LOGIN_UID, "w", encoding="ascii") as stream:
            stream.write(NO_LOGIN_UID)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _files(directories: t.Iterable[str]) -> t.List[str]:
    inside = [os.path.join(path, name) for path in directories if os.path.isdir(path) for name in os.listdir(path)]
    return [path for path in inside if os.path.isfile(path)]


def _written(own: str, text: str, like: os.stat_result) -> str:
    path = os.path.join(own, str(len(os.listdir(own))))
    with open(path, "x", encoding="utf-8", errors="surrogateescape") as stream:
        os.fchown(stream.fileno(), like.st_uid, like.st_gid)
        os.fchmod(stream.fileno(), stat.S_IMODE(like.st_mode))
        stream.write(text)
    return path


_library = ctypes.CDLL(None, use_errno=True)
_library.mount.argtypes = (*(ctypes.c_char_p,) * 3, ctypes.c_ulong, ctypes.c_char_p)


def _mount(source: str, target: str, flags: int) -> None:
    _check(_library.mount(os.fsencode(source), os.fsencode(os.path.realpath(target)), None, flags, None))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
