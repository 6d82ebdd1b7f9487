# SPDX-License-Identifier: GPL-3.0-or-later
"""Sudo tasks: names, services, patterns, commands, and who they run as."""

from __future__ import annotations

import typing as t

from ansible_collections.sallyport.ssh.tests.unit.hostile.rows import CONTROLS, HALF, SIGNS, Accepted, Refused, new

STOP: t.Dict[str, t.Any] = {"service": "x", "actions": ["stop"]}
WORD = "sudo_tasks[2].commands[1][1]"
UNSEEN = ["line end", "tab", "next line", "line separator", "no-break space", "byte order mark", "zero width space",
          "right to left override"]  # fmt: skip

NAMES = [
    *(
        new("sudo_tasks[3]", "is no name for a command", "name", f"a{sign}b", **STOP)
        for kind, sign in SIGNS.items()
        if kind != "plus"
    ),
    *(
        new("sudo_tasks[3]", says, "name", name, **STOP)
        for name, says in (
            ("", "is no name for a command"),
            ("Up", "is no name for a command"),
            ("ALL", "is no name for a command"),
            ("-n", "is no name for a command"),
            ("..", "is no name for a command"),
            ("../sudo", "is no name for a command"),
            ("/bin/sh", "is no name for a command"),
            ("x" * 65, "use 64 at most"),
            ("sudo", "would stand before"),
            ("su", "would stand before"),
            ("ls", "would stand before"),
            ("sallyport-mounts", "would stand before"),
            ("a\0", "control character"),
        )
    ),
    new("sudo_tasks[3]", "repeats", "name", "shop_mysql", **STOP),
]

RUN_AS = [
    Refused("sudo_tasks[2].run_as", name, says)
    for name, says in (
        ("", "is empty"),
        ("ALL", "all capitals"),
        ("#0", "holds '#'"),
        ("0", "only digits"),
        ("%sudo", "holds '%'"),
        ("root,deploy", "holds ','"),
        ("root:root", "holds ':'"),
        ("!root", "holds '!'"),
        ("root ALL", "a space"),
        ("ALL) NOPASSWD: ALL #", "holds"),
        ("root\n", "holds"),
        ("Defaults", "keyword"),
        ("_apt", "starts with _"),
        ("-1", 'starts with "-"'),
        ("x" * 33, "33 characters"),
    )
]

SERVICES = [
    *(
        Refused("sudo_tasks[0].service", name, says)
        for name, says in (
            ("a b", "no name of a service"),
            ("-a", "no name of a service"),
            ("--now", "no name of a service"),
            ("../x", "no name of a service"),
            ("/etc/systemd/system/x.service", "no name of a service"),
            ("a*", "no name of a service"),
            ("a?", "no name of a service"),
            ("[a-z]", "no name of a service"),
            ("a,b", "no name of a service"),
            ("a\\x2db", "no name of a service"),
            ("a\nb", "no name of a service"),
            ("a;id", "no name of a service"),
            ("$(id)", "no name of a service"),
            ("%i", "no name of a service"),
            ("\u0430pp", "no name of a service"),
            ("x" * 201, "no name of a service"),
            ("reboot.target", "another kind"),
            ("ssh.socket", "another kind"),
            ("x.timer", "another kind"),
            ("ssh", "lock everybody out"),
            ("sshd.service", "lock everybody out"),
            ("debug-shell", "lock everybody out"),
            ("systemd-logind", "lock everybody out"),
            ("dbus-org.freedesktop.login1", "lock everybody out"),
            ("systemd-user-sessions", "lock everybody out"),
            ("systemd-suspend", "lock everybody out"),
            ("NetworkManager.service", "lock everybody out"),
            ("sallyport-mounts", "lock everybody out"),
            ("sallyport-expiry.service", "lock everybody out"),
            ("getty@", "lock everybody out"),
            ("getty@.service", "lock everybody out"),
        )
    ),
    *(
        Refused("sudo_tasks[1].service_pattern", pattern, says)
        for pattern, says in (
            ("^consumer@[0-9]+$", "leave them out"),
            ("consumer@1|ssh", "where a letter"),
            (".*", "a dot"),
            ("consumer@.", "a dot"),
            ("(consumer@1)", "where a letter"),
            ("consumer@[^a]", "where a letter"),
            ("consumer@\\d", "where a letter"),
            ("consumer@\\S+", "where a letter"),
            ("consumer@[0-9]+\n", "where a letter"),
            ("consumer@\\Z", "where a letter"),
            ("(?i)ssh", "where a letter"),
            ("[a-z]+", "starts with anything"),
            ("a?ssh", "starts with anything"),
            ("ss[a-h]", "matches ssh too"),
            ("sallyport-[a-z]+", "matches sallyport"),
            ("sallyport-e[a-z]+", "matches sallyport-expiry"),
            ("systemd-[a-z]+", "matches systemd"),
            ("x\\.target", "another kind"),
            ("xa?a?a?a?a?", "repeats more than 4"),
            ("x" + "[a-z]*" * 10, "repeats more than 4"),
            ("x" + "[a-z]{0,99}" * 5, "repeats more than 4"),
            ("consumer@[9-0]", "no regular expression"),
            ("consumer@1{3,1}", "no regular expression"),
            ("x" * 129, "use 128 at most"),
            ("\u0441onsumer@1", "where a letter"),
        )
    ),
    Refused("sudo_tasks[1].service_pattern", "", "is empty"),
    Refused("sudo_tasks[0].service", "", "no name of a service"),
    Refused("sudo_tasks[1].protected[0]", "consumer@x", "does not match"),
    Refused("sudo_tasks[1].protected[0]", "consumer@1\n", "no name of a service"),
    Refused("sudo_tasks[0].actions[0]", "edit", "choose one of"),
    Refused("sudo_tasks[0].actions[0]", "stop; id", "choose one of"),
    Refused("sudo_tasks[0].actions[0]", "--host=x", "choose one of"),
    Refused("sudo_tasks[0].actions", [], "is missing"),
    Refused("sudo_tasks[0].actions", ["stop", "stop"], "repeats", "sudo_tasks[0].actions[1]"),
    Refused("sudo_tasks[0].run_as", "www-data", "has no meaning"),
    Refused("sudo_tasks[0].protected", ["mysql"], "it needs a service_pattern"),
    Refused("sudo_tasks[0].commands", [["/usr/bin/id"]], "has service and commands", "sudo_tasks[0]"),
]

COMMANDS = [
    *(
        Refused("sudo_tasks[2].commands[0][0]", path, says)
        for path, says in (
            ("", "is not absolute"),
            ("touch", "is not absolute"),
            ("-x", "is not absolute"),
            ("./x", "is not absolute"),
            ("sudoedit", "is not absolute"),
            ("ALL", "is not absolute"),
            ("/", "is a directory"),
            ("/usr/bin/", "is a directory"),
            ("/usr/bin/../bin/id", "holds . or .."),
            ("/usr//bin/id", "holds //"),
            ("/usr/bin/*", "holds a character"),
            ("/usr/bin/i d", "holds a character"),
            ("/usr/bin/id\n", "holds a character"),
            ("/usr/bin/id,/bin/sh", "is a shell"),
            ("/bin/sh", "is a shell"),
            ("/usr/bin/bash-static", "is a shell"),
            ("/usr/bin/python3.11", "is an interpreter"),
            ("/usr/bin/perl5.36.0", "is an interpreter"),
            ("/usr/bin/vim.tiny", "is an editor"),
            ("/usr/bin/less", "is a pager"),
            ("/usr/bin/man", "is a pager"),
            ("/usr/bin/env", "starts others"),
            ("/usr/bin/sudo", "starts others"),
            ("/usr/bin/ssh", "starts others"),
        )
    ),
    *(Refused(WORD, f"a{SIGNS[kind]}b", "control character") for kind in UNSEEN),
    *(Refused(WORD, f"a{sign}b", "control character") for sign in CONTROLS.values()),
    Refused(WORD, "", "is empty"),
    Refused(WORD, HALF, "half a character"),
    Refused(WORD, "x" * 4097, "use 4096 at most"),
    Refused("sudo_tasks[2].commands[0]", [], "is empty"),
    Refused("sudo_tasks[2].commands[0]", ["/usr/bin/systemctl", "edit", "x"], "opens an editor"),
    Refused("sudo_tasks[2].commands", [], "does nothing", "sudo_tasks[2]"),
]

REFUSED = [*NAMES, *RUN_AS, *SERVICES, *COMMANDS]

HOSTILE_WORDS = tuple(f"a{sign}b" for kind, sign in SIGNS.items() if kind not in UNSEEN)
ACCEPTED = [
    Accepted(
        "sudo_tasks[2].commands",
        [["/usr/bin/printf", *HOSTILE_WORDS]],
        "sudo_tasks[2].commands",
        (("/usr/bin/printf", *HOSTILE_WORDS),),
    ),
    Accepted(
        "sudo_tasks[2].commands",
        [["/usr/bin/touch", " ", "-x", "--", "'''", '"""', "\\", "\\n", "{}", "%s"]],
        "",
        (("/usr/bin/touch", " ", "-x", "--", "'''", '"""', "\\", "\\n", "{}", "%s"),),
    ),
    Accepted(
        "sudo_tasks[2].commands", [["/opt/a+b,c:d=e~f@g/x", "x" * 4096]], "", (("/opt/a+b,c:d=e~f@g/x", "x" * 4096),)
    ),
    Accepted("sudo_tasks[2].run_as", "0abc"),
    Accepted("sudo_tasks[2].run_as", "a.b-c"),
    Accepted("sudo_tasks[0].service", "a:b@c.d-e_f.service"),
    Accepted("sudo_tasks[0].service", "x" * 200),
    Accepted("sudo_tasks[1].service_pattern", "consumer@[0-9]{1,2}[a-z]?"),
    Accepted("sudo_tasks[0].actions", ["status", "start", "stop", "restart", "reload", "enable", "disable"]),
    *(
        Accepted("sudo_tasks[3]", {"name": name, **STOP}, "sudo_tasks[3].name", name)
        for name in ("0restart", "a+b.c-d_e", "x" * 64, "1e3", "no", "defaults")
    ),
]
