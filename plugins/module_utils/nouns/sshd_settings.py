# SPDX-License-Identifier: GPL-3.0-or-later
"""What sshd is told: one table of settings for the host and one for each policy class.

The drop-in's text and the values that ``sshd -T`` must show come from the same tables (see sshd_policy.py, sshd.py).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .. import layout
from ..model import Ban, Forwarding, Server

Version = t.Tuple[int, int]
Settings = t.Tuple[t.Tuple[str, str], ...]

OLDEST: Version = (8, 2)  # the first that knows Include
DEFAULT_PORTS = (22,)

FIRST: t.Mapping[str, Version] = {
    "PubkeyAcceptedAlgorithms": (8, 5),
    "RequiredRSASize": (9, 1),
    "ChannelTimeout": (9, 2),
    "UnusedConnectionTimeout": (9, 2),
    "PerSourcePenalties": (9, 8),
    "PerSourcePenaltyExemptList": (9, 8),
}

# Keywords that -T shows in another form than they are written; a real penalty shows it best.
UNPROVEN = frozenset({"persourcepenalties", "persourcepenaltyexemptlist"})

# internal-sftp silently drops what comes after its eighth argument (before 10.4): the dearest stand first.
MOST_SFTP_ARGUMENTS = 8

# Each with the version that brought it. Authenticated encryption or encrypt-then-MAC only, no NIST key exchange.
MODERN: t.Mapping[str, t.Sequence[t.Tuple[str, Version]]] = {
    "KexAlgorithms": (
        ("mlkem768x25519-sha256", (9, 9)),
        ("sntrup761x25519-sha512", (9, 9)),
        ("sntrup761x25519-sha512@openssh.com", (8, 5)),
        ("curve25519-sha256", OLDEST),
        ("curve25519-sha256@libssh.org", OLDEST),
    ),
    "Ciphers": (
        ("chacha20-poly1305@openssh.com", OLDEST),
        ("aes256-gcm@openssh.com", OLDEST),
        ("aes128-gcm@openssh.com", OLDEST),
        ("aes256-ctr", OLDEST),
        ("aes128-ctr", OLDEST),
    ),
    "MACs": (
        ("hmac-sha2-512-etm@openssh.com", OLDEST),
        ("hmac-sha2-256-etm@openssh.com", OLDEST),
        ("umac-128-etm@openssh.com", OLDEST),
    ),
    "HostKeyAlgorithms": (
        ("ssh-ed25519-cert-v01@openssh.com", OLDEST),
        ("ssh-ed25519", OLDEST),
        ("rsa-sha2-512-cert-v01@openssh.com", OLDEST),
        ("rsa-sha2-256-cert-v01@openssh.com", OLDEST),
        ("rsa-sha2-512", OLDEST),
        ("rsa-sha2-256", OLDEST),
    ),
}
MODERN_KEYS = (
    "ssh-ed25519,sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,"
    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"
)


@dataclass(frozen=True)
class PolicyClass:
    """What decides the sshd settings of an account, and nothing else: equal accounts share one Match block."""

    kind: str  # sftp | shell | tunnel | closed
    password: bool = False
    second_factor: str = "none"
    sources: t.Tuple[str, ...] = ()  # only where something else than a key with its own from= may open the account
    forwarding: Forwarding = Forwarding()
    umask: str = ""
    read_only: bool = False
    group_sharing: bool = False
    home_keys: bool = False

    @property
    def closed(self) -> bool:
        return self.kind == "closed"


def of_host(server: Server, version: Version, named_ports: t.Sequence[int]) -> Settings:
    """The settings that hold for everybody. ``named_ports`` are those in other files; without any it is 22."""
    settings = [
        ("LogLevel", "VERBOSE"),  # names the key of every login
        ("PermitUserEnvironment", "no"),
        ("MaxAuthTries", str(server.max_auth_tries)),
        ("MaxStartups", server.max_startups),
    ]
    if server.port not in (named_ports or DEFAULT_PORTS):
        # One Port line ends the default; those of other files add up with ours, and twice the same would clash.
        settings += [("Port", str(port)) for port in (*(() if named_ports else DEFAULT_PORTS), server.port)]
    if server.only_listed:
        settings.append(("AllowGroups", layout.LOGIN_GROUP))
        if "root" not in server.admins:
            settings.append(("PermitRootLogin", "no"))
    settings += _ban(server.ban)
    if server.crypto == "modern":
        for keyword, algorithms in MODERN.items():
            settings.append((keyword, ",".join(name for name, first in algorithms if version >= first)))
        renamed = version >= FIRST["PubkeyAcceptedAlgorithms"]
        settings.append(("PubkeyAcceptedAlgorithms" if renamed else "PubkeyAcceptedKeyTypes", MODERN_KEYS))
        settings.append(("RequiredRSASize", "2048"))
    return _known(settings, version)


def of_class(cls: PolicyClass, server: Server, version: Version) -> Settings:
    """The settings of a class. Each block has every keyword, so that nothing is inherited from other files."""
    forwarding = cls.forwarding
    idle = "none" if server.idle_timeout is None else str(server.idle_timeout)
    return _known(
        [
            ("AuthorizedKeysFile", _keys_files(cls)),
            ("PubkeyAuthentication", _yes(not cls.closed)),
            ("PasswordAuthentication", _yes(cls.password)),
            ("KbdInteractiveAuthentication", "no"),
            ("HostbasedAuthentication", "no"),
            ("PermitEmptyPasswords", "no"),
            ("AuthenticationMethods", _methods(cls)),
            # DisableForwarding alone leaves X11 and agent open before 10.0, tunnels before 10.4: all are listed.
            ("DisableForwarding", _yes(forwarding == Forwarding())),
            ("AllowTcpForwarding", _tcp(forwarding)),
            ("AllowStreamLocalForwarding", "no"),
            ("AllowAgentForwarding", _yes(forwarding.agent)),
            ("X11Forwarding", _yes(forwarding.x11)),
            ("PermitTunnel", "no"),
            ("GatewayPorts", "clientspecified" if any(map(_reachable, forwarding.remote)) else "no"),
            ("PermitOpen", " ".join(forwarding.local) or "none"),
            ("PermitListen", " ".join(forwarding.remote) or "none"),
            ("PermitTTY", _yes(cls.kind == "shell")),
            ("PermitUserRC", "no"),
            ("AcceptEnv", "LANG LC_*"),
            ("ChrootDirectory", layout.jail(server.jails, "%u") if cls.kind == "sftp" else "none"),
            ("ForceCommand", _command(cls, server)),
            ("ChannelTimeout", "none" if idle == "none" else f"*={idle}"),
            ("UnusedConnectionTimeout", idle),
        ],
        version,
    )


def of_others(server: Server) -> t.Optional[t.Tuple[str, Settings]]:
    """The User pattern of all who are neither accounts nor admins, and what differs for them.

    None of them may log in anyway. They are offered what an unknown user is offered, and no password to guess.
    """
    if not server.only_listed:
        return None
    return ",".join(["*", *("!" + admin for admin in server.admins)]), (
        ("PasswordAuthentication", "no"),
        ("KbdInteractiveAuthentication", "no"),
    )


def elsewhere(cls: PolicyClass) -> t.Optional[t.Tuple[str, Settings]]:
    """The Address pattern of everywhere but the sources of a class, and what differs there; keys have their from=."""
    if not cls.sources:
        return None
    return ",".join(["*", *("!" + source for source in cls.sources)]), (
        ("AuthorizedKeysFile", layout.keys_file("%u")),
        ("PasswordAuthentication", "no"),
    )


def _known(settings: t.Iterable[t.Tuple[str, str]], version: Version) -> Settings:
    return tuple(item for item in settings if version >= FIRST.get(item[0], OLDEST))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _keys_files(cls: PolicyClass) -> str:
    if cls.closed:
        return "none"
    return layout.keys_file("%u") + (" .ssh/authorized_keys" if cls.home_keys else "")


def _methods(cls: PolicyClass) -> str:
    """Named one by one: with ``any``, whatever else a build or another file turns on (GSSAPI) would do as well."""
    if cls.second_factor == "password":
        return "publickey,password"
    return "publickey password" if cls.password else "publickey"


def _tcp(forwarding: Forwarding) -> str:
    if forwarding.local and forwarding.remote:
        return "yes"
    return "local" if forwarding.local else "remote" if forwarding.remote else "no"


def _reachable(listener: str) -> bool:
    """Whether a remote listener is meant for other machines; GatewayPorts no keeps all of them on loopback."""
    return listener.rpartition(":")[0] not in ("", "localhost", "127.0.0.1", "[::1]")


def _command(cls: PolicyClass, server: Server) -> str:
    if cls.kind == "shell":
        return "none"
    if cls.kind != "sftp":
        # Run by the account's shell; where that is nologin, nologin says its own sentence.
        return "echo 'This account opens no session.'; exit 1"
    # A chmod that put -r ends with would take setgid from shared folders. fsetstat stays: clients need it.
    denied = ["setstat", "lsetstat"] if cls.group_sharing else []
    arguments = ["-R"] if cls.read_only else []
    arguments.append("-P" + ",".join([*denied, "symlink", "hardlink"]))
    if server.log_transfers:
        arguments += ["-lINFO", "-fAUTHPRIV"]
    arguments.append("-u" + cls.umask)
    if len(arguments) > MOST_SFTP_ARGUMENTS:
        raise AssertionError(f"internal-sftp would lose arguments: {arguments}")
    return " ".join(["internal-sftp", *arguments])


def _ban(ban: t.Optional[Ban]) -> t.List[t.Tuple[str, str]]:
    """Penalties add up and run down by one a second; an address is refused once they exceed ``min``.

    So many failures within the window always reach ``max``, which is the duration; in quick succession fewer do. sshd
    forgets after ``max``, so that a window longer than the duration counts as one of its length.
    """
    if ban is None:
        return [("PerSourcePenalties", "no")]
    each = -(-(ban.duration + min(ban.window, ban.duration)) // ban.failures)
    each = max(1, min(each, ban.duration - 1 if ban.failures > 1 else ban.duration))
    settings = [("PerSourcePenalties", f"authfail:{each} max:{ban.duration} min:{ban.duration - 1}")]
    if ban.exempt:
        settings.append(("PerSourcePenaltyExemptList", ",".join(ban.exempt)))
    return settings
