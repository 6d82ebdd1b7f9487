# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that useradd, sshd, sudo and a shell all read as what they are."""

from __future__ import annotations

import re

from ..module_utils.nouns.privileged import PRIVILEGED_GROUPS
from .problems import Wrong, shown

LONGEST = 32  # useradd's limit

_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
_TASK = re.compile(r"[a-z0-9][a-zA-Z0-9_.+-]*")
_SUDO_ALIAS = re.compile(r"[A-Z][A-Z0-9_]*")

# What sudoers(5) reads as a keyword where a user name should stand.
_SUDO_WORDS = frozenset(
    "Defaults User_Alias Runas_Alias Host_Alias Cmnd_Alias Cmd_Alias sha224 sha256 sha384 sha512".split()
)

# Users that distributions and services create for themselves; the host refuses every other one below uid 1000.
_SYSTEM_USERS = frozenset(
    """root toor daemon bin sys sync shutdown halt operator games man lp mail news uucp proxy www-data backup list irc
    gnats nobody nfsnobody _apt sshd dbus messagebus polkitd tss uuidd ntp chrony rpc rpcuser statd avahi syslog ftp
    mysql postgres redis nginx apache elasticsearch rabbitmq bind named postfix exim Debian-exim dovecot docker
    _chrony _rpc landscape pollinate lxd usbmux tcpdump systemd-network systemd-resolve systemd-timesync
    systemd-coredump systemd-oom nogroup users""".split()
)

# Commands that a sudo task in /usr/local/bin would stand before on everybody's PATH.
_COMMANDS = frozenset(
    """sh bash dash zsh su sudo sudoedit doas visudo ssh sshd scp sftp rsync systemctl service journalctl ls cp mv rm
    cat cd echo test true false env id who whoami passwd chown chmod chgrp mkdir rmdir ln find grep sed awk tar gzip
    kill ps top less more vi vim nano man mount umount python python3 perl ruby php node git make curl wget crontab at
    useradd usermod userdel groupadd login date sleep touch head tail sort df du ip ping apt apt-get dpkg dnf yum
    mysql psql redis-cli""".split()
)


def login(name: str) -> str:
    """The name of a Unix user, whether it exists or not."""
    return _unix(name, "login")


def sudo_user(name: str) -> str:
    """A user whom sudoers may name, and sudo-rs reads as classic sudo does."""
    _no_keyword(name)
    if name.startswith("_"):
        raise Wrong(f"{shown(name)} starts with _, which some sudo cannot read; sudo tasks need another user")
    return name


def _no_keyword(name: str) -> str:
    _unix(name, "login")
    if _SUDO_ALIAS.fullmatch(name):
        raise Wrong(f"{shown(name)} is all capitals, which sudo reads as an alias; use small letters")
    if name in _SUDO_WORDS:
        raise Wrong(f"{shown(name)} is a keyword of sudoers; choose another name")
    return name


def account(name: str) -> str:
    """The name of a user whom the collection may create."""
    _no_keyword(name)
    # a group of its name becomes its primary group
    if name in _SYSTEM_USERS | PRIVILEGED_GROUPS or name.startswith(("sallyport", "systemd-")):
        raise Wrong(f"{shown(name)} is reserved for the system; choose another name")
    return name


def owner(name: str) -> str:
    """The user to whom the files of a folder belong: anybody but root."""
    if name == "root":
        raise Wrong("root cannot own what accounts write; name the user as whom the application runs")
    return login(name)


def group(name: str) -> str:
    """A group that may be shared with accounts, created if it is missing."""
    _unix(name, "group")
    if name in PRIVILEGED_GROUPS:
        raise Wrong(f"{shown(name)} is a group of the system that gives its members more than files; choose another")
    if name.startswith("sallyport"):
        raise Wrong(f"{shown(name)} is reserved; choose a name that does not start with sallyport")
    return name


def label(name: str) -> str:
    """A name of the model's own: of a person, a team, a folder or a key."""
    if not name:
        raise Wrong("is empty; give it a name")
    if len(name) > 64:
        raise Wrong(f"has {len(name)} characters; use 64 at most")
    if not _LABEL.fullmatch(name):
        raise Wrong(f"{shown(name)} {_odd(name, '_.@+-')}; use letters, digits, _ . @ + and -, with no sign first")
    return name


def person(name: str) -> str:
    if name == "global":
        raise Wrong('"global" is what the owner of a global key is called; choose another name')
    return label(name)


def task(name: str) -> str:
    """The name of a command in /usr/local/bin, which stands in sudoers too."""
    if len(name) > 64:
        raise Wrong(f"has {len(name)} characters; use 64 at most")
    if not _TASK.fullmatch(name):
        raise Wrong(
            f"{shown(name)} is no name for a command; start with a small letter or digit and go on with letters, "
            "digits, _ . + and -"
        )
    if name in _COMMANDS or name.startswith("sallyport"):
        raise Wrong(f"{shown(name)} would stand before the command of that name; choose another, such as ours_{name}")
    return name


def _unix(name: str, what: str) -> str:
    if not name:
        raise Wrong(f"is empty; give a {what}")
    if len(name) > LONGEST:
        raise Wrong(f"{shown(name)} has {len(name)} characters; a {what} has {LONGEST} at most")
    if not _LOGIN.fullmatch(name):
        raise Wrong(f"{shown(name)} {_odd(name, '_.-')}; use letters, digits, _ . and -, and no . or - first")
    if name.isdigit():
        raise Wrong(f"{shown(name)} is only digits, which programs read as a number of a {what}; add a letter")
    return name


def _odd(name: str, signs: str) -> str:
    """What is odd about a name that a pattern refused."""
    odd = sorted({char for char in name if not (char.isascii() and char.isalnum()) and char not in signs})
    if odd:
        return "holds " + " ".join("a space" if char == " " else ascii(char) for char in odd)
    return f'starts with "{name[0]}"'
