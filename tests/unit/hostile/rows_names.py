# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of logins, groups, persons, teams, folders and keys, and what refers to them."""

from __future__ import annotations

import typing as t

from ansible_collections.sallyport.ssh.tests.unit.hostile.models import ed25519
from ansible_collections.sallyport.ssh.tests.unit.hostile.rows import CONTROLS, HALF, SIGNS, Accepted, Refused, new

FOLDER: t.Dict[str, t.Any] = {"name": "new", "path": "/data/new", "owner": "www-data"}

LOGINS = [
    *(Refused("accounts[0].name", f"a{sign}b", "holds") for sign in SIGNS.values()),
    *(Refused("accounts[0].name", f"a{sign}b", "control character") for sign in CONTROLS.values()),
    *(
        Refused("accounts[0].name", name, says)
        for name, says in (
            ("", "is empty"),
            (" ", "a space"),
            ("acme\n", "holds '\\n'"),
            ("acme\x00", "control character"),
            (f"acme{HALF}", "half a character"),
            ("x" * 33, "has 33 characters"),
            ("x" * 256, "has 256 characters"),
            ("x" * 4096, "has 4096 characters"),
            ("x" * 100_000, "has 100000 characters"),
            (".", 'starts with "."'),
            ("..", 'starts with "."'),
            ("-acme", 'starts with "-"'),
            ("-", 'starts with "-"'),
            ("--help", 'starts with "-"'),
            ("../../etc/passwd", "holds '/'"),
            ("1000", "only digits"),
            ("0", "only digits"),
            ("ALL", "all capitals"),
            ("A_1", "all capitals"),
            ("Defaults", "keyword"),
            ("Host_Alias", "keyword"),
            ("sha224", "keyword"),
            ("sha512", "keyword"),
            ("%wheel", "holds '%'"),
            ("+netgroup", "holds '+'"),
            ("#0", "holds '#'"),
            ("!root", "holds '!'"),
            ("root", "reserved"),
            ("daemon", "reserved"),
            ("sshd", "reserved"),
            ("nobody", "reserved"),
            ("nogroup", "reserved"),
            ("users", "reserved"),
            ("docker", "reserved"),
            ("wheel", "reserved"),
            ("disk", "reserved"),
            ("shadow", "reserved"),
            ("systemd-resolve", "reserved"),
            ("sallyport", "reserved"),
            ("sallyport-shell-deadbeef", "reserved"),
            ("{{ lookup('pipe', 'id') }}", "template"),
            ("{% raw %}x{% endraw %}", "template"),
            ("deploy", "is an admin"),
        )
    ),
    Refused("accounts[1].name", "acme", 'repeats "acme" of accounts[0]'),
    Refused("accounts[1].name", "_shop", "starts with _, which some sudo cannot read"),
]

GROUPS = [
    *(
        Refused("accounts[1].groups[0]", name, says)
        for name, says in (
            ("root", "more than files"),
            ("sudo", "more than files"),
            ("wheel", "more than files"),
            ("docker", "more than files"),
            ("lxd", "more than files"),
            ("disk", "more than files"),
            ("shadow", "more than files"),
            ("adm", "more than files"),
            ("lpadmin", "more than files"),
            ("systemd-journal", "more than files"),
            ("sallyport", "reserved"),
            ("sallyport-closed-8a3cc65b", "reserved"),
            ("0", "only digits"),
            ("27", "only digits"),
            ("a:b", "holds ':'"),
            ("a,b", "holds ','"),
            ("a\nroot", "holds '\\n'"),
            ("*", "holds '*'"),
            ("-1", 'starts with "-"'),
            ("\u0430dm", "holds '\\u0430'"),
            ("x" * 33, "33 characters"),
            ("", "is empty"),
        )
    ),
    Refused("accounts[1].groups", ["readers", "readers"], "repeats", "accounts[1].groups[1]"),
    Refused("folders[0].group", "docker", "more than files"),
    Refused("accounts[0].folders[2].group", "shadow", "more than files"),
    new("folders[2]", "root cannot own", "owner", "root", name="new", path="/data/new"),
    new("folders[2]", "only digits", "owner", "0", name="new", path="/data/new"),
    Refused("folders[2]", {**FOLDER, "owner": "docker"}, "defaults to the owner's name", "folders[2].group"),
    Refused("folders[2]", {**FOLDER, "owner": "backup"}, "defaults to the owner's name", "folders[2].group"),
    Refused("folders[2]", {**FOLDER, "owner": "sallyport"}, "defaults to the owner's name", "folders[2].group"),
]

LABELS = [
    *(new("people[2]", "holds", "name", f"a{sign}b") for name, sign in SIGNS.items() if name not in ("at", "plus")),
    *(
        new("teams[1]", says, "name", name)
        for name, says in (
            ("", "is empty"),
            ("a\nb", "holds"),
            ("x" * 65, "use 64 at most"),
            ("-x", 'starts with "-"'),
            ("@x", 'starts with "@"'),
        )
    ),
    new("people[2]", "called", "name", "global"),
    new("people[2]", "repeats", "name", "alice"),
    new("people[0].keys[1]", "repeats", "name", "laptop", key=ed25519(9)),
    new("people[0].keys[1]", "holds", "name", 'x",command="id', key=ed25519(9)),
    new("people[0].keys[1]", "use 64 at most", "name", f"x\n{ed25519(8)}", key=ed25519(9)),
    new("folders[2]", "holds a space", "name", "a b", path="/data/new", owner="www-data"),
    new("folders[2]", "repeats", "name", "pim", path="/data/new", owner="www-data"),
]

REFERENCES = [
    Refused("accounts[0].people[0]", "alcie", "did you mean alice?"),
    Refused("accounts[0].people[0]", "\u0430lice", "is no person"),
    Refused("accounts[0].people[0]", "ALICE", "is no person"),
    Refused("accounts[0].people[0]", "alice\n", "is no person"),
    Refused("accounts[0].people[0]", "integrators", "is a team"),
    Refused("accounts[0].people", ["bob", "bob"], "repeats", "accounts[0].people[1]"),
    Refused("accounts[1].teams[0]", "alice", "is no team"),
    Refused("teams[0].people[0]", "integrators", "is no person"),  # a team in itself
    Refused("teams[0].people[2]", "bob", "repeats"),
    Refused("accounts[0].folders[0].folder", "../pim", "is no folder"),
    Refused("accounts[0].folders[0].folder", "PIM", "is no folder"),
    Refused("accounts[1].sudo_tasks[0]", "shop_mysq", "did you mean shop_mysql?"),
    Refused("accounts[1].sudo_tasks[0]", "ALL", "is no task"),
    Refused("accounts[1].sudo_tasks[3]", "shop_mysql", "repeats"),
    Refused("server.admins[0]", "ad min", "holds a space"),
    Refused("server.admins[0]", "*", "holds '*'"),
    Refused("server.admins[0]", "!deploy", "holds '!'"),
    Refused("server.admins[0]", "DOMAIN\\deploy", "holds '\\\\'"),
    Refused("server.admins[0]", "deploy@host", "holds '@'"),
    Refused("server.admins[0]", "0", "only digits"),
    Refused("server.admins", [], "is empty"),
    Refused("server.admins", ["deploy", "deploy"], "repeats", "server.admins[1]"),
]

REFUSED = [*LOGINS, *GROUPS, *LABELS, *REFERENCES]

ACCEPTED = [
    *(
        Accepted("accounts[0].name", name)
        for name in (
            "0abc",
            "1e3",
            "0x10",
            "22.22",
            "a.b.",
            "a-",
            "_acme",
            "ALL.x",
            "A-B",
            "Acme",
            "Defaultsx",
            "sha2240",
            "User_Aliasx",
            "include",
            "x" * 32,
            "nan",
            "null",
            "no",
        )
    ),
    *(Accepted("accounts[1].name", name) for name in ("0abc", "defaults", "a.b-c_d", "all", "Cmnd-x", "yes")),
    Accepted("accounts[1].groups", ["no", "1e3", "a.b", "Readers", "x" * 32]),
    Accepted("server.admins", ["deploy", "0day", "root"]),
    Accepted("accounts[0].keys[0].name", "a@b+c.d-e_f", "accounts[0].keys[0].name"),
]
