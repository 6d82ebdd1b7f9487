# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to lock everybody out that have to be refused before sshd or sudo hears of them.

sshd keeps the configuration that it read when it started, so what somebody wrote since then holds from the next reload
on, which may be ours. Undoing our own change does not help then: nothing but refusing to reload does.
"""

from __future__ import annotations

import typing as t

NOT_CONTACTED = "the host was not contacted"
NOT_CHANGED = "it was not changed"
UNDONE = "the host is as it was"

FIRST = "/etc/ssh/sshd_config.d/00-a.conf"  # read before ours
LAST = "/etc/ssh/sshd_config.d/zz-z.conf"
MAIN = "/etc/ssh/sshd_config"


class Way(t.NamedTuple):
    said: t.Tuple[str, ...]  # by the run that refuses
    make: str = "true"  # as root, at the console
    end: str = "true"
    server: t.Mapping[str, t.Any] = {}
    accounts: t.Sequence[t.Mapping[str, t.Any]] = ()
    sudo_tasks: t.Sequence[t.Mapping[str, t.Any]] = ()
    meanwhile: t.Tuple[str, ...] = ()  # paths that somebody else changes during the run


def _file(path: str, text: str, *said: str) -> Way:
    """Somebody else's file of sshd's."""
    return Way((UNDONE, *said), f"printf '%b' '{text}\\n' >{path}", f"rm {path}")


def _main(script: str, *said: str) -> Way:
    """Somebody else's change to sshd_config."""
    return Way((UNDONE, *said), f"cp -a {MAIN} /root/kept; {script}", f"mv /root/kept {MAIN}")


def _second(spoil: str, *said: str, end: str = "true") -> Way:
    """Another admin, who cannot get in any more."""
    make = (
        "useradd -m -s /bin/bash second; install -d -o second -g second -m 700 ~second/.ssh;"
        "install -o second -g second -m 600 ~deploy/.ssh/authorized_keys ~second/.ssh/;"
        "echo 'second ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/second; chmod 440 /etc/sudoers.d/second;"
    )
    unmake = "userdel -rf second 2>/dev/null; rm -rf /home/second /etc/sudoers.d/second"
    return Way(said, make + spoil, f"{end}; {unmake}", {"admins": ["deploy", "second"]})


def _bold(name: str, **account: t.Any) -> t.Mapping[str, t.Any]:
    return {"name": name, "kind": "shell", "existing": "manage", **account}


MODELS: t.Mapping[str, Way] = {
    "admins leave out who connects": Way((NOT_CONTACTED, 'lacks "deploy"'), server={"admins": ["resident"]}),
    "there are no admins": Way((NOT_CONTACTED, "name at least one login"), server={"admins": []}),
    "an admin does not exist": Way((NOT_CHANGED, "ghost"), server={"admins": ["deploy", "ghost"]}),
    "the admin becomes a jailed account": Way(
        (NOT_CONTACTED, "deploy"), accounts=[{"name": "deploy", "existing": "manage"}]
    ),
    "the admin is suspended": Way((NOT_CONTACTED, "deploy"), accounts=[_bold("deploy", state="suspended")]),
    "the admin is absent": Way((NOT_CONTACTED, "deploy"), accounts=[_bold("deploy", state="absent")]),
    "root is suspended": Way((NOT_CONTACTED, "root"), accounts=[_bold("root", state="suspended")]),
    "so many policy classes that sshd refuses everybody": Way(
        ("over 256 KiB sshd refuses everybody",),
        accounts=[
            {"name": f"many{number}", "kind": "tunnel", "forwarding": {"local": [f"127.0.0.1:{number}"]}}
            for number in range(2000, 3000)
        ],
    ),
    "the jails are below a directory that a user owns": Way(
        ("/data/theirs",),
        "install -d -o resident /data/theirs",
        "rmdir /data/theirs",
        server={"jails": "/data/theirs/jails"},
    ),
    "a task is called like the program that gives root": Way(
        (NOT_CONTACTED,), sudo_tasks=[{"name": "sudo", "service": "cron", "actions": ["status"]}]
    ),
}

USERS: t.Mapping[str, Way] = {
    "AllowUsers names another": _file(FIRST, "AllowUsers resident", "allowusers", FIRST),
    "DenyUsers names the admin": _file(LAST, "DenyUsers deploy", "denyusers", LAST),
    "DenyUsers names the admin by a pattern": _file(LAST, "DenyUsers d*@10.*", "denyusers", LAST),
    "AllowGroups names another": _file(FIRST, "Match User deploy\\nAllowGroups resident", FIRST),
    "DenyGroups names the group of the admin": _file(LAST, "DenyGroups deploy", "denygroups", LAST),
    "DenyGroups names the group that the run gives the admin": Way(
        (NOT_CHANGED, "has a rule on group", LAST),
        f"echo 'DenyGroups sallyport' >{LAST}; systemctl reload ssh",
        f"rm {LAST}",
    ),
    "DenyGroups has a pattern for the group that the run gives the admin": _file(
        LAST, "DenyGroups sally*", "denygroups", LAST
    ),
    "DenyUsers on the port of the real sshd alone": _file(LAST, "Match LocalPort 22\\nDenyUsers deploy", LAST),
    "DenyUsers for those who come from here alone": _file(LAST, "Match Address CONTROLLER\\nDenyUsers deploy", LAST),
    "a command for those who arrive at the real address": _file(
        LAST, "Match LocalAddress HOST\\nForceCommand /bin/false"
    ),
}

WAYS_IN: t.Mapping[str, Way] = {
    "no public keys": _file(FIRST, "PubkeyAuthentication no", "would have no way in"),
    "no public keys for the admin": _file(LAST, "Match User deploy\\nPubkeyAuthentication no"),
    "methods that the admin cannot satisfy": _file(
        LAST, "Match User deploy\\nAuthenticationMethods publickey,keyboard-interactive"
    ),
    "keys of the admin are looked for elsewhere": _file(LAST, "Match User deploy\\nAuthorizedKeysFile /nowhere/%u"),
    "keys of everybody are looked for elsewhere": _file(FIRST, "AuthorizedKeysFile /nowhere/%u"),
    "no key type that the admin has": _file(FIRST, "PubkeyAcceptedAlgorithms rsa-sha2-512"),
    "a list of revoked keys that is not there": _file(LAST, "RevokedKeys /etc/ssh/nothing"),
    "the admin's own key is revoked": _file(LAST, "RevokedKeys /home/deploy/.ssh/authorized_keys"),
    "the admin's own key is in a compiled list of revoked keys": Way(
        (UNDONE, "would have no way in"),
        "ssh-keygen -q -k -f /etc/ssh/revoked ~deploy/.ssh/authorized_keys;"
        f"echo 'RevokedKeys /etc/ssh/revoked' >{LAST}",
        f"rm {LAST} /etc/ssh/revoked",
    ),
    "no tries": _file(FIRST, "MaxAuthTries 0", "maxauthtries"),
    "no sessions": _file(FIRST, "Match User deploy\\nMaxSessions 0"),
    "a command in place of every session": _file(LAST, "Match all\\nForceCommand /bin/false"),
    "a jail that is not there": _file(LAST, "Match User deploy\\nChrootDirectory /nowhere"),
    "PAM is off, and the admin's password is locked": _file(FIRST, "UsePAM no"),
    "an algorithm that no client has": _file(FIRST, "KexAlgorithms diffie-hellman-group14-sha1"),
    "keys that everybody may change, which is forbidden again": Way(
        (),
        f"echo 'StrictModes no' >{FIRST}; systemctl reload ssh; sleep 0.5; rm {FIRST};"
        "chmod o+w ~deploy/.ssh/authorized_keys",
        "chmod o-w ~deploy/.ssh/authorized_keys",
    ),
    "PAM's own files keep out the group that the run gives the admin": Way(
        ("has a rule on group", "/etc/pam.d/sshd"),
        "cp -a /etc/pam.d/sshd /root/pam;"
        "sed -i '1i account required pam_succeed_if.so user notingroup sallyport' /etc/pam.d/sshd",
        "mv /root/pam /etc/pam.d/sshd",
    ),
    "PAM keeps out the group that the run gives the admin": Way(
        ("has a rule on group",),
        "cp -a /etc/pam.d/sshd /root/pam; echo '- : (sallyport) : ALL' >/etc/security/denied.conf;"
        "sed -i '1i account required pam_access.so accessfile=/etc/security/denied.conf' /etc/pam.d/sshd",
        "mv /root/pam /etc/pam.d/sshd; rm /etc/security/denied.conf",
    ),
}

DAEMON: t.Mapping[str, Way] = {
    "the new port belongs to another program": Way(
        (UNDONE,),
        "setsid python3 -m http.server --bind :: 2222 >/dev/null 2>&1 & echo $! >/run/other; "
        "for i in $(seq 100); do ! ss -Hltn sport = 2222 | grep -q . || exit 0; sleep 0.05; done; exit 1",
        "kill $(cat /run/other)",
        server={"port": 2222},
    ),
    "an unknown keyword": _file(LAST, "Nonsense yes", "Nonsense", LAST),
    "an Include of nothing": _file(LAST, "Include", LAST),
    "a Match that is never finished": _file(LAST, "Match User", LAST),
    "a program for keys that nobody may run": _file(LAST, "AuthorizedKeysCommand /usr/bin/true"),
    "a host key that is not there": _file(LAST, "HostKey /etc/ssh/nothing"),
    "sshd listens to itself": _file(LAST, "ListenAddress 127.0.0.1", "where this run came in", LAST),
    "sshd listens to another protocol": _file(FIRST, "AddressFamily inet6"),
    "more than sshd can read": Way((UNDONE, "250 KiB"), f"yes '#' | head -c 260000 >{LAST}", f"rm {LAST}"),
    "sshd_config does not include ours": _main(f"sed -i /^Include/d {MAIN}", "nothing includes"),
    "sshd_config includes ours below a Match": _main(f"sed -i '1i Match User nobody' {MAIN}"),
    "there is no sshd_config": _main(f"rm {MAIN}"),
    "our file is a directory": Way(
        (),
        "D=/etc/ssh/sshd_config.d/00-sallyport.conf; mv $D /root/ours; mkdir $D",
        "D=/etc/ssh/sshd_config.d/00-sallyport.conf; rmdir $D; mv /root/ours $D",
    ),
    "a file comes while the run looks": Way(
        (UNDONE, "denyusers", LAST),
        "cat >/usr/local/sbin/sshd <<'END'\n#!/bin/sh\n"
        'case "$*" in *" /etc/ssh/sshd_config"*) grep -q newcomer /etc/sudoers.d/sallyport-tasks &&'
        f" test -e /root/armed && rm /root/armed && echo 'DenyUsers deploy' >{LAST};; esac\n"
        'exec /usr/sbin/sshd "$@"\nEND\nchmod 755 /usr/local/sbin/sshd; touch /root/armed',
        f"rm -f /usr/local/sbin/sshd /root/armed {LAST}",
        meanwhile=(LAST, "/root/armed"),
    ),
}

SECOND: t.Mapping[str, Way] = {
    "another admin has a shell that is not there": _second("usermod -s /bin/nothing second", "second"),
    "another admin's user has expired": _second("chage -E 0 second", "second"),
    "another admin has no shell": _second("usermod -s /usr/sbin/nologin second", "second"),
}

SUDO: t.Mapping[str, Way] = {
    "a file of sudo's is no policy": Way(
        ("/etc/sudoers.d/zz", "visudo"), "umask 227; echo 'deploy ALL=(' >/etc/sudoers.d/zz", "rm -f /etc/sudoers.d/zz"
    ),
    "a file of sudo's may be written by others": Way(
        ("/etc/sudoers.d/zz",), "echo >/etc/sudoers.d/zz; chmod 666 /etc/sudoers.d/zz", "rm /etc/sudoers.d/zz"
    ),
    "sudo forbids everything to the group that the run gives the admin": Way(
        ("has a rule on group",),
        "umask 227; echo '%sallyport ALL=(ALL:ALL) !ALL' >/etc/sudoers.d/zz",
        "rm -f /etc/sudoers.d/zz",
    ),
    "sudo forbids everything to an alias of the group that the run gives the admin": Way(
        ("has a rule on group",),
        "umask 227; printf 'User_Alias OUT = nobody, %%sallyport\\nOUT ALL=(ALL:ALL) !ALL\\n' >/etc/sudoers.d/zz",
        "rm -f /etc/sudoers.d/zz",
    ),
    "sudo asks the group that the run gives the admin for a password": Way(
        ("has a rule on group",),
        "umask 227; echo '%sallyport ALL=(ALL:ALL) PASSWD: ALL' >/etc/sudoers.d/zz",
        "rm -f /etc/sudoers.d/zz",
    ),
    "sudo does not read ours": Way(
        ("sudoers",),
        "cp -a /etc/sudoers /root/sudoers; sed -i '/includedir/d' /etc/sudoers;"
        "cat /etc/sudoers.d/deploy >>/etc/sudoers",
        "mv /root/sudoers /etc/sudoers",
    ),
}

FAMILIES: t.Mapping[str, t.Mapping[str, Way]] = {
    "models": MODELS,
    "users": USERS,
    "ways in": WAYS_IN,
    "daemon": DAEMON,
    "another admin": SECOND,
    "sudo": SUDO,
}

# Where each is tried: the hosts are at it at the same time.
HOSTS: t.Mapping[str, str] = {
    "models": "debian11",
    "users": "twin",
    "ways in": "twin",
    "daemon": "debian13",
    "another admin": "plain",
    "sudo": "plain",
}
