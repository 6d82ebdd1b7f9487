# SPDX-License-Identifier: GPL-3.0-or-later
"""Types, and what YAML makes of values that look like text."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.sallyport.ssh.tests.unit.hostile.models import yml
from ansible_collections.sallyport.ssh.tests.unit.hostile.rows import Accepted, Refused

_ITSELF: t.List[t.Any] = []
_ITSELF.append(_ITSELF)
_DEEP: t.List[t.Any] = []
for _ in range(5000):
    _DEEP = [_DEEP]
HUGE = 16**5000  # longer than Python writes down


class Tagged(str):
    """Ansible marks what comes from somewhere else."""

    tags: t.ClassVar = ["unsafe"]


YAML = [
    *(
        Refused("accounts[0].name", yml(text), says)
        for text, says in (
            ("no", "the boolean false, not text"),
            ("yes", "the boolean true, not text"),
            ("on", "the boolean true, not text"),
            ("123", "the number 123, not text"),
            ("1_000", "the number 1000, not text"),
            ("0770", "the number 504, not text"),
            ("0x1F", "the number 31, not text"),
            ("0b11", "the number 3, not text"),
            ("22:22", "the number 1342, not text"),
            ("1.0e+3", "the number 1000.0, not text"),
            (".inf", "the number inf, not text"),
            (".nan", "the number nan, not text"),
            ("2027-01-31", "the date 2027-01-31, not text"),
            ("2027-01-31T00:00:00Z", "the date 2027-01-31 00:00:00+00:00, not text"),
            ("[a]", "a list, not text"),
            ("{a: b}", "a mapping, not text"),
            ("!!binary YQ==", "something else, not text"),
            ("!!set {a, b}", "something else, not text"),
        )
    ),
    Refused("accounts[0].name", None, "is missing"),
    Refused("accounts[0].name", HUGE, "a number of too many digits"),
    Refused("accounts[0].name", -HUGE, "a number of too many digits"),
    Refused("accounts[0].umask", yml("0007"), "the number 7, not text"),
    Refused("accounts[0].umask", yml("007"), "the number 7, not text"),
    Refused("folders[0].mode", yml("02770"), "the number 1528, not text"),
    Refused("folders[0].mode", yml("2770"), "the number 2770, not text"),
    Refused("folders[0].mode", yml("0o2770"), "is no mode"),
    Refused("accounts[0].note", yml("2027-01-31"), "the date 2027-01-31, not text"),
    Refused("accounts[0].note", yml("1.5"), "the number 1.5, not text"),
    Refused("server.idle_timeout", yml("15"), "the number 15, not text"),
    Refused("server.idle_timeout", yml("15:00"), "the number 900, not text"),
    Refused("server.max_startups", yml("10:30:59"), "the number 37859, not text"),
    Refused("accounts[0].password_hash", yml("12345678"), "is not text"),
    Refused("accounts[2].password", yml("12345678"), "is not text"),
    Refused("accounts[2].password", yml("{a: b}"), "is not text"),
    Refused("accounts[2].password", yml("!!binary YQ=="), "is not text"),
]

NUMBERS = [
    *(
        Refused("accounts[0].uid", value, says)
        for value, says in (
            (0, "is the system's"),
            (-1, "is the system's"),
            (999, "is the system's"),
            (60001, "is the system's"),
            (65534, "is the system's"),
            (65535, "is the system's"),
            (4294967295, "is the system's"),
            (4294967296 + 6400, "is the system's"),
            (2**64, "too many digits"),
            (HUGE, "too many digits"),
            (True, "the boolean true"),
            (6400.0, "the number 6400.0"),
            ("6400.0", "is text"),
            ("0x1900", "is text"),
            ("6_400", "is text"),
            ("1e4", "is text"),
            (" 6400", "is text"),
            ("-1", "is text"),
            ("+6400", "is text"),
            ("\u0666\u0664\u0660\u0660", "is text"),
            ("\uff16\uff14\uff10\uff10", "is text"),
            ("9" * 5000, "is text"),
            ("root", "is text"),
            ("", "is text"),
            ([6400], "a list"),
        )
    ),
    Refused("server.port", 0, "from 1 to 65535"),
    Refused("server.port", -22, "from 1 to 65535"),
    Refused("server.port", 65536, "from 1 to 65535"),
    Refused("server.port", "22:22", "is text"),
    Refused("server.port", HUGE, "too many digits"),
    Refused("server.max_auth_tries", 0, "from 1 to 100"),
    Refused("server.max_auth_tries", 2**31, "from 1 to 100"),
    Refused("server.ban.failures", 0, "from 1 to 1000"),
    Refused("server.password_policy", {"min_length": 7}, "from 8 to 128", "server.password_policy.min_length"),
    Refused("server.only_listed", "maybe", "is text"),
    Refused("server.only_listed", 2, "the number 2"),
    Refused("server.only_listed", [], "a list"),
    Refused("accounts[0].home_keys", "\uff59\uff45\uff53", "is text"),
    Refused("exclusive", "nope", "is text"),
    Refused("exclusive", 1.0, "the number 1.0"),
]

SHAPES = [
    Refused("accounts", {"acme": {}}, "is a mapping; write a list"),
    Refused("accounts", "acme", "is text; write a list"),
    Refused("accounts", {1, 2}, "is something else; write a list"),
    Refused("accounts[3]", None, "is empty; write a mapping"),
    Refused("accounts[3]", [[]], "is a list; write a mapping"),
    Refused("accounts[0].folders", {"at": "/x"}, "is a mapping; write a list"),
    Refused("accounts[0].folders[4]", "/x", "is text; write a mapping"),
    Refused("accounts[0].from", "10.0.0.0/8", "is text; write a list"),
    Refused("accounts[0].from", yml("!!set {10.0.0.0/8}"), "is something else; write a list"),
    Refused("accounts[0].keys[0]", "ssh-ed25519 AAAA", "is text; write a mapping"),
    Refused("server", [], "is a list; write a mapping"),
    Refused("server.ban", False, "is the boolean false; write a mapping"),
    Refused("accounts[1].forwarding", [], "is a list; write a mapping"),
    Refused("accounts[1].forwarding.local", _ITSELF, "too many lists", "accounts[1].forwarding.local[0][0][0][0]"),
    Refused("accounts[1].forwarding.remote", _DEEP, "too many lists", "accounts[1].forwarding.remote[0][0][0][0]"),
    Refused("accounts[1].forwarding.local", HUGE, "too many digits"),
    Refused("accounts[1].forwarding.local", {"a": 1}, "is no list"),
    Refused("accounts[1].forwarding.local", [3306], "is not text", "accounts[1].forwarding.local[0]"),
    Refused("accounts[1].forwarding.local", [["a:1"]], "is not text", "accounts[1].forwarding.local[0]"),
    Refused("accounts[0].expires", _ITSELF, "too many lists", "accounts[0].expires[0][0][0][0]"),
    Refused("accounts[0].on_removal", {"give_to": "{{ x }}"}, "still holds", "accounts[0].on_removal.give_to"),
    Refused("accounts[0].on_removal", {"give_to": "root"}, "not available"),
    Refused("sudo_tasks[2].commands", _ITSELF, "a list, not text", "sudo_tasks[2].commands[0][0]"),
    Refused("sudo_tasks[2].commands", ["/usr/bin/id"], "is text; write a list", "sudo_tasks[2].commands[0]"),
    Refused("sudo_tasks[2].commands", [["/usr/bin/id", 1]], "is the number 1", "sudo_tasks[2].commands[0][1]"),
    Refused("sudo_tasks[2].commands", [["/usr/bin/id", None]], "is empty, not text", "sudo_tasks[2].commands[0][1]"),
    *(
        Refused(f"accounts[0].{name}", "x", says)
        for name, says in (
            ("nmae", "did you mean name?"),
            ("Name", "did you mean name?"),
            ("groups ", "did you mean groups?"),
            ("n\u0430me", "did you mean name?"),
            ("sudo_task", "did you mean sudo_tasks?"),
            ("<<", "is no option"),
            ("_ansible_no_log", "is no option"),
        )
    ),
    Refused("acconts", [], "did you mean accounts?"),
    Refused("x" * 5000, [], "is no option", "x" * 60 + "…"),
]

TEMPLATES = [
    *(
        Refused(place, "{{ lookup('pipe', 'id') }}", "still holds a template")
        for place in (
            "accounts[0].note",
            "accounts[0].password_hash",
            "accounts[2].password",
            "accounts[1].shell",
            "accounts[1].forwarding.local[0]",
            "folders[0].path",
            "people[0].keys[0].key",
            "server.address",
            "sudo_tasks[2].commands[1][1]",
            "sudo_tasks[0].service",
        )
    ),
    Refused("accounts[0].note", "{% for x in y %}", "still holds a template"),
    Refused("accounts[0].expires", "{{ never }}", "still holds a template"),
    Refused("accounts[1].forwarding.local", "{{ ports }}", "still holds a template"),
    Refused("accounts[0].note", Tagged("{{ x }}"), "still holds a template"),
    Refused("accounts[0].name", Tagged("a b"), "holds a space"),
    *(Refused("accounts[0].note", f"a{sign}b", "control character") for sign in ("\0", "\r", "\x1b[31m", "\x7f", "\b")),
    Refused("accounts[0].note", "\ud83d", "half a character"),
]

REFUSED = [*YAML, *NUMBERS, *SHAPES, *TEMPLATES]

NOTE = "accounts[0].note"
ACCEPTED = [
    Accepted("accounts[0].uid", "6400", "accounts[0].uid", 6400),
    Accepted("accounts[0].uid", 60000),
    Accepted("server.port", "02222", "server.port", 2222),
    Accepted("server.only_listed", "NO", "server.only_listed", False),
    Accepted("accounts[1].home_keys", "on", "accounts[1].home_keys", True),
    Accepted("exclusive", "yes", "exclusive", True),
    Accepted("server.ban", None),
    Accepted("server.idle_timeout", None),
    Accepted(NOTE, "line\nline\n\n# not a comment\n%x $(id) `id` \\ \" ' ! * ? : , ; | & < > ( ) [ ] { } ~ ^ = + @"),
    Accepted(NOTE, "root ALL=(ALL) NOPASSWD: ALL\nMatch all\n  PermitRootLogin yes\n/etc /srv/sftp/x none bind 0 0\n"),
    Accepted(NOTE, "\ufeff\u200b\u202e\u2028\u2029\x85\xa0\u0430\uff41e\u0301\U0001f600"),
    Accepted(NOTE, "x" * 100_000),
    Accepted(NOTE, " \t\n "),
    Accepted(NOTE, "null"),
    Accepted(NOTE, "{# no template #}"),
    Accepted(NOTE, Tagged("from a vault"), NOTE, "from a vault"),
    Accepted("accounts[0].expires", datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc), "", 1893456000),
    Accepted(
        "accounts[3]",
        yml("{<<: &default {kind: shell, umask: '077'}, name: merged, umask: '0027'}"),
        "accounts[3].umask",
        "0027",
    ),
]
