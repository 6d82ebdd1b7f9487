# SPDX-License-Identifier: GPL-3.0-or-later
"""What validation refuses: a model with one thing wrong, the place it is said to be at, and a part of what is said."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.sallyport.ssh.plugins.plugin_utils.unavailable import UNAVAILABLE
from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context, Invalid, resolve

CONTEXT = Context(inventory_hostname="web1", connecting_user="deploy")

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA" + "1" * 42
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA" + "2" * 42
YESCRYPT = "$y$j9T$" + "a" * 22 + "$" + "b" * 43


def problems(text: str, context: Context = CONTEXT) -> t.List[str]:
    """What is wrong with a model, or nothing."""
    try:
        resolve(yaml.safe_load(text), context=context)
    except Invalid as invalid:
        return invalid.problems
    return []


def account(text: str) -> str:
    """A model with one account that has these options, and something to refer to."""
    return f"""
people: [{{name: alice, keys: [{{name: laptop, key: "{KEY}"}}]}}, {{name: zoe, state: absent}}]
teams: [{{name: staff, people: [alice]}}]
folders:
  - {{name: pim, path: /data/pim, owner: app, group: files}}
  - {{name: in, path: /data/in, owner: app, group: files}}
sudo_tasks: [{{name: redo, service: mysql, actions: [restart]}}]
accounts: [{{name: acme, {text}}}]
"""


def grants(text: str) -> str:
    return account(f"folders: [{text}]")


def folder(text: str) -> str:
    return "folders: [{name: pim, path: /data/pim, owner: app, group: files, " + text + "}]"


def task(text: str) -> str:
    return "sudo_tasks: [{name: redo, " + text + "}]"


Case = t.Tuple[str, str, str]  # model, place, part of the message

SHAPE: t.List[Case] = [
    ("acounts: []", "acounts", "did you mean accounts?"),
    ("access_acounts: []", "access_acounts", "did you mean accounts?"),
    ("{accounts: [], access_accounts: []}", "access_accounts", "is given twice"),
    ("accounts: {name: acme}", "accounts", "is a mapping; write a list"),
    ("accounts: acme", "accounts", "is text; write a list"),
    ("accounts: [acme]", "accounts[0]", "is text; write a mapping"),
    ("accounts: [null]", "accounts[0]", "is empty; write a mapping"),
    ("server: []", "server", "is a list; write a mapping"),
    ("server: {ban: {failure: 3}}", "server.ban.failure", "did you mean failures?"),
    ("server: {on: 1}", "server.True", "is no option"),
    ("accounts: [{kind: sftp}]", "accounts[0].name", "is missing"),
    ("accounts: [{name: null}]", "accounts[0].name", "is missing"),
    ("accounts: [{name: 12}]", "accounts[0].name", "is the number 12, not text"),
    ("accounts: [{name: 1.0e+3}]", "accounts[0].name", "is the number 1000.0, not text"),
    ("accounts: [{name: no}]", "accounts[0].name", "is the boolean false, not text; YAML reads unquoted yes, no"),
    ("accounts: [{name: 2020-12-31}]", "accounts[0].name", "is the date 2020-12-31, not text"),
    ("accounts: [{name: [a]}]", "accounts[0].name", "is a list, not text"),
    ("accounts: [{name: '{{ who }}'}]", "accounts[0].name", "still holds a template"),
    (account('note: "a\\0b"'), "accounts[0].note", "holds a control character"),
    (account("kind: ftp"), "accounts[0].kind", "choose one of sftp, shell, tunnel"),
    (account("from: 10.0.0.0/8"), "accounts[0].from", "write a list"),
    (account("from: [10]"), "accounts[0].from[0]", "is the number 10, not text"),
    (account("uid: '1e3'"), "accounts[0].uid", "write a whole number"),
    (account("uid: true"), "accounts[0].uid", "is the boolean true; write a whole number"),
    (account("umask: 0007"), "accounts[0].umask", 'put it in quotes, like "0770"'),
    (folder("mode: 02770"), "folders[0].mode", "put it in quotes"),
    ("exclusive: maybe", "exclusive", "write true or false"),
    ("proof: some", "proof", "choose one of all, changed, sample, none"),
    (task("commands: [[/bin/true, 1]]"), "sudo_tasks[0].commands[0][1]", "is the number 1, not text"),
    (task("commands: [/bin/true]"), "sudo_tasks[0].commands[0]", "write a list"),
]

NAMES: t.List[Case] = [
    ("accounts: [{name: a}, {name: a}]", "accounts[1].name", 'repeats "a" of accounts[0]'),
    ("people: [{name: a}, {name: a}]", "people[1].name", 'repeats "a" of people[0]'),
    ("teams: [{name: a}, {name: a}]", "teams[1].name", 'repeats "a" of teams[0]'),
    (
        "sudo_tasks: [{name: a, service: x, actions: [stop]}, {name: a, service: y, actions: [stop]}]",
        "sudo_tasks[1].name",
        'repeats "a" of sudo_tasks[0]',
    ),
    (
        "folders: [{name: a, path: /d/a, owner: o, group: g}, {name: a, path: /d/b, owner: o, group: g}]",
        "folders[1].name",
        'repeats "a" of folders[0]',
    ),
    (
        f"people: [{{name: a, keys: [{{name: k, key: '{KEY}'}}, {{name: k, key: '{OTHER}'}}]}}]",
        "people[0].keys[1].name",
        'repeats "k"',
    ),
    ("people: [{name: global}]", "people[0].name", "the owner of a global key"),
    ("people: [{name: a b}]", "people[0].name", "holds a space"),
    ("people: [{name: -a}]", "people[0].name", 'starts with "-"'),
    ("people: [{name: ''}]", "people[0].name", "is empty"),
    ("teams: [{name: a, people: [bob]}]", "teams[0].people[0]", '"bob" is no person of people'),
    ("teams: [{name: a, people: [bob, bob]}, ]\npeople: [{name: bob}]", "teams[0].people[1]", "repeats"),
    (account("people: [alise]"), "accounts[0].people[0]", "did you mean alice?"),
    (account("people: [staff]"), "accounts[0].people[0]", '"staff" is a team; list it in teams'),
    (account("teams: [alice]"), "accounts[0].teams[0]", "is no team of teams"),
    (account("kind: shell, sudo_tasks: [undo]"), "accounts[0].sudo_tasks[0]", "is no task of sudo_tasks"),
    (grants("{folder: pom, at: /x}"), "accounts[0].folders[0].folder", "did you mean pim?"),
    (account("groups: [docker]"), "accounts[0].groups[0]", "gives its members more than files"),
    (account("groups: [sallyport]"), "accounts[0].groups[0]", "is reserved"),
    (account("groups: ['a b']"), "accounts[0].groups[0]", "holds a space"),
    (folder("owner: root"), "folders[0].owner", "root cannot own"),
    (folder("group: shadow"), "folders[0].group", "gives its members more than files"),
    ("server: {admins: []}", "server.admins", "is empty"),
    ("server: {admins: [a, a]}", "server.admins[1]", "repeats"),
    ("server: {admins: ['DOMAIN\\u']}", "server.admins[0]", "holds"),
    ("{server: {admins: [acme]}, accounts: [{name: acme}]}", "accounts[0].name", "is an admin of the server"),
    ("accounts: [{name: deploy}]", "accounts[0].name", "is an admin of the server"),
]

KEYS: t.List[Case] = [
    (
        f"people: [{{name: a, keys: [{{name: k, key: '{KEY}'}}]}}, {{name: b, keys: [{{name: k, key: '{KEY} x'}}]}}]",
        "people[1].keys[0].key",
        'that of "a" at people[0].keys[0]',
    ),
    (
        f"people: [{{name: a, keys: [{{name: k, key: '{KEY}'}}, {{name: l, key: '{KEY} x'}}]}}]",
        "people[0].keys[1].key",
        "that of people[0].keys[0]",
    ),
    (
        (
            f"{{people: [{{name: a, state: absent, keys: [{{name: k, key: '{KEY}'}}]}}], "
            f"server: {{global_keys: [{{name: k, key: '{KEY}'}}]}}}}"
        ),
        "server.global_keys[0].key",
        "is the same key (SHA256:",
    ),
    (account(f"keys: [{{name: k, key: '{KEY}'}}]"), "accounts[0].keys[0].key", 'that of "alice"'),
    (account(f"keys: ['{KEY}']"), "accounts[0].keys[0]", "is text; write a mapping"),
    (
        (
            f"people: [{{name: a, keys: [{{name: k, key: '{KEY}', from: [10.0.0.0/8]}}]}}]\n"
            "accounts: [{name: b, people: [a], from: [192.0.2.0/24]}]"
        ),
        "accounts[0].from",
        '(192.0.2.0/24) has no address in common with key "k" of "a" (10.0.0.0/8)',
    ),
]

NETWORKS_AND_TIMES: t.List[Case] = [
    (account("from: [10.0.0.1/8]"), "accounts[0].from[0]", "write 10.0.0.0/8"),
    (account("from: ['2001:db8::1/32']"), "accounts[0].from[0]", "write 2001:db8::/32"),
    (account("from: [10.0.0.0/33]"), "accounts[0].from[0]", "no possible network"),
    (account("from: [10.0.0.256]"), "accounts[0].from[0]", "no possible network"),
    (account("from: [office.example.com]"), "accounts[0].from[0]", "addresses, not names"),
    (account("from: ['!10.0.0.1']"), "accounts[0].from[0]", "addresses, not names"),
    (account("from: ['10.*']"), "accounts[0].from[0]", "addresses, not names"),
    (account("from: ['::ffff:10.0.0.1']"), "accounts[0].from[0]", "write it as IPv4"),
    (account("from: ['fe80::1%eth0']"), "accounts[0].from[0]", "leave out the %"),
    (account("from: [10.0.0.1, 10.0.0.1/32]"), "accounts[0].from[1]", "repeats"),
    ("server: {ban: {exempt: [x]}}", "server.ban.exempt[0]", "addresses, not names"),
    ("server: {address: 'a b'}", "server.address", "neither a host name nor an address"),
    ("server: {port: 65536}", "server.port", "from 1 to 65535"),
    ("server: {max_startups: '10:101:20'}", "server.max_startups", "is not START:RATE:FULL"),
    ("server: {max_startups: '30:10:20'}", "server.max_startups", "is not START:RATE:FULL"),
    ("server: {idle_timeout: 15}", "server.idle_timeout", "is the number 15, not text"),
    ("server: {idle_timeout: 15 min}", "server.idle_timeout", "is no duration"),
    ("server: {idle_timeout: 0m}", "server.idle_timeout", "is no duration"),
    ("server: {ban: {failures: 0}}", "server.ban.failures", "from 1 to 1000"),
    (account("expires: 2027-01-31"), "accounts[0].expires", "write 2027-01-31T00:00:00Z"),
    (account("expires: '2027-01-31'"), "accounts[0].expires", "write 2027-01-31T00:00:00Z"),
    (account("expires: 2027-01-31T00:00:00"), "accounts[0].expires", "has no zone"),
    (account("expires: '2027-02-30T00:00:00Z'"), "accounts[0].expires", "is impossible"),
    (account("expires: '2027-01-31T25:00:00Z'"), "accounts[0].expires", "is impossible"),
    (account("expires: '2027-W05-1T00:00:00Z'"), "accounts[0].expires", "uncommon form"),
    (account("expires: 1801440000"), "accounts[0].expires", "is no time"),
    (account("expires: never"), "accounts[0].expires", "is no time"),
    (account("expires: '1969-12-31T23:00:00Z'"), "accounts[0].expires", "before 1970"),
]

PATHS: t.List[Case] = [
    *(
        (folder(f"path: {path}"), "folders[0].path", says)
        for path, says in (
            ("data", "is not absolute"),
            ("''", "is not absolute"),
            ("~/data", "is not absolute"),
            ("/data/../etc", "holds . or .."),
            ("/data/./x", "holds . or .."),
            ("/data//x", "holds //"),
            ("//data", "holds //"),
            ("/data/a b", "holds a character"),
            ('"/data/a\\nb"', "holds a character"),
            ('"/data/a\'b"', "holds a character"),
            ("'/data/a\"b'", "holds a character"),
            ("'/data/a\\b'", "holds a character"),
            ("'/data/%u'", "holds a character"),
            ("'/data/*'", "holds a character"),
            ("'/data/#x'", "holds a character"),
            ("/data/" + "x" * 256, "255 between two slashes"),
            ("/", "lies above"),
            ("/etc", "lies in /etc"),
            ("/etc/", "lies in /etc"),
            ("/etc/ssh/x", "lies in /etc"),
            ("/usr/local/data", "lies in /usr"),
            ("/lib64/x", "lies in /lib64"),
            ("/root/x", "lies in /root"),
            ("/var", "lies above /var/"),
            ("/var/lib", "lies above /var/lib/"),
            ("/var/lib/sallyport/x", "lies in /var/lib/sallyport"),
            ("/var/run/x", "lies in /var/run"),
            ("/tmp/x", "anybody can put something else"),
            ("/home", "holds what belongs to others"),
            ("/srv", "holds what belongs to others"),
            ("/srv/sftp", "lies in or above the jails"),
            ("/srv/sftp/acme/x", "lies in or above the jails"),
        )
    ),
    ("{server: {jails: /x/jails}, folders: [{name: a, path: /x, owner: o, group: g}]}", "folders[0].path", "jails"),
    ("server: {jails: /etc/jails}", "server.jails", "lies in /etc"),
    ("server: {jails: '/srv/%u'}", "server.jails", "holds a character"),
    (
        "folders: [{name: a, path: /d/a, owner: o, group: g}, {name: b, path: /d/a/b/c, owner: o, group: g}]",
        "folders[1].path",
        'overlaps "/d/a" of folders[0]',
    ),
    (
        "folders: [{name: a, path: /d/a/b, owner: o, group: g}, {name: b, path: /d/a/, owner: o, group: g}]",
        "folders[0].path",
        'overlaps "/d/a" of folders[1]',
    ),
    (folder("subfolders: [in, in]"), "folders[0].subfolders[1]", "repeats"),
    (folder("subfolders: [../in]"), "folders[0].subfolders[0]", "is no plain name"),
    (folder("subfolders: [..]"), "folders[0].subfolders[0]", "is no plain name"),
    (folder("subfolders: [/in]"), "folders[0].subfolders[0]", "is no plain name"),
    (folder("mode: '2777'"), "folders[0].mode", "lets everybody write"),
    (folder("mode: '3770'"), "folders[0].mode", "sticky"),
    (folder("mode: '4770'"), "folders[0].mode", "setuid"),
    (folder("mode: '0070'"), "folders[0].mode", "keeps the owner out"),
    (folder("mode: '0770', sharing: group"), "folders[0].mode", "sharing group"),
    (folder("mode: '0o770'"), "folders[0].mode", "is no mode"),
    (folder("mode: u=rwx"), "folders[0].mode", "is no mode"),
    (account("umask: '0000'"), "accounts[0].umask", "lets everybody write"),
    (account("umask: '0700'"), "accounts[0].umask", "from its own files"),
    (account("umask: '8'"), "accounts[0].umask", "is no mode"),
]

GRANTS: t.List[Case] = [
    (grants("{at: /x}"), "accounts[0].folders[0]", "says nothing of what to show"),
    (grants("{at: /x, folder: pim, private: true}"), "accounts[0].folders[0]", "has folder and private"),
    (grants("{folder: pim}"), "accounts[0].folders[0].at", "is missing"),
    (grants("{folder: pim, at: x}"), "accounts[0].folders[0].at", "is not absolute"),
    (grants("{folder: pim, at: /}"), "accounts[0].folders[0].at", "is the jail itself"),
    (grants("{folder: pim, at: /dev/x}"), "accounts[0].folders[0].at", "log socket"),
    (grants("{folder: pim, at: /x, owner: app}"), "accounts[0].folders[0].owner", "where the folder is declared"),
    (grants("{folder: pim, at: /x, sharing: group}"), "accounts[0].folders[0].sharing", "where the folder is declared"),
    (grants("{private: true, at: /x, rights: read_only}"), "accounts[0].folders[0].rights", "no meaning for a private"),
    (grants("{source: /data/x, at: /x, owner: root}"), "accounts[0].folders[0].owner", "root cannot own"),
    (grants("{source: /proc, at: /x}"), "accounts[0].folders[0].source", "lies in /proc"),
    (grants("{source: /srv/sftp/other, at: /x}"), "accounts[0].folders[0].source", "jails"),
    (grants("{folder: pim, at: /x}, {private: true, at: /x/y}"), "accounts[0].folders[1].at", "overlaps"),
    (grants("{folder: pim, at: /x}, {folder: in, at: /x}"), "accounts[0].folders[1].at", "overlaps"),
    (grants("{folder: pim, at: /x}, {folder: pim, at: /y}"), "accounts[0].folders[1].folder", "overlaps"),
    (grants("{source: /data/s, at: /x}, {source: /data/s/t, at: /y}"), "accounts[0].folders[1].source", "overlaps"),
    (grants("{folder: pim, at: /x}, {source: /data/pim/in, at: /y}"), "accounts[0].folders[1].source", "overlaps"),
    (grants("{private: true, at: /etc}"), "accounts[0].folders[0].at", "looks for settings and libraries"),
    (grants("{private: true, at: /usr/lib}"), "accounts[0].folders[0].at", "lies in /usr"),
    (grants("{private: true, at: /lib64/x}"), "accounts[0].folders[0].at", "lies in /lib64"),
    (grants("{private: true, at: /lib}"), "accounts[0].folders[0].at", "lies in /lib,"),
    (grants("{private: true, at: /lib32}"), "accounts[0].folders[0].at", "lies in /lib32"),
    (grants("{private: true, at: /libx32}"), "accounts[0].folders[0].at", "lies in /libx32"),
    (grants("{hidden: true, at: /x/y}"), "accounts[0].folders[0].at", "lies in no folder or source"),
    (grants("{folder: pim, at: /x}, {hidden: true, at: /x}"), "accounts[0].folders[1].at", "lies in no folder"),
    (grants("{private: true, at: /x}, {hidden: true, at: /x/y}"), "accounts[0].folders[1].at", "lies in no folder"),
    (
        grants("{folder: pim, at: /x}, {hidden: true, at: /x/a}, {hidden: true, at: /x/a/b}"),
        "accounts[0].folders[2].at",
        "overlaps",
    ),
    (account("start_in: /y, folders: [{private: true, at: /x}]"), "accounts[0].start_in", "nowhere in its folders"),
    (
        account("start_in: /x/h, folders: [{folder: pim, at: /x}, {hidden: true, at: /x/h}]"),
        "accounts[0].start_in",
        "nowhere in its folders",
    ),
    (account("start_in: x"), "accounts[0].start_in", "is not absolute"),
]

ACCOUNTS: t.List[Case] = [
    (account("sudo_tasks: [redo]"), "accounts[0].sudo_tasks", "no meaning for kind sftp"),
    (account("shell: /bin/sh"), "accounts[0].shell", "no meaning for kind sftp"),
    (account("home: /home/x"), "accounts[0].home", "no meaning for kind sftp"),
    (account("home_keys: true"), "accounts[0].home_keys", "no meaning for kind sftp"),
    (account("forwarding: {agent: true}"), "accounts[0].forwarding", "no meaning for kind sftp"),
    (account("kind: shell, folders: [{private: true, at: /x}]"), "accounts[0].folders", "no meaning for kind shell"),
    (account("kind: shell, start_in: /x"), "accounts[0].start_in", "no meaning for kind shell"),
    (account("kind: shell, shell: /usr/sbin/nologin"), "accounts[0].shell", "lets nobody work"),
    (account("kind: shell, shell: bash"), "accounts[0].shell", "is not absolute"),
    (account("kind: shell, home: /etc"), "accounts[0].home", "lies in /etc"),
    (account("kind: tunnel"), "accounts[0].forwarding.local", "leads nowhere"),
    (account("kind: tunnel, forwarding: {local: ['a:1'], agent: true}"), "accounts[0].forwarding.agent", "no meaning"),
    (account("kind: tunnel, forwarding: {local: ['a:1']}, home: /x"), "accounts[0].home", "no meaning for kind tunnel"),
    (account("kind: shell, forwarding: {local: true}"), "accounts[0].forwarding.local", "is no list"),
    (account("kind: shell, forwarding: {local: 'a:1'}"), "accounts[0].forwarding.local", "is no list"),
    (account("kind: shell, forwarding: {local: [3306]}"), "accounts[0].forwarding.local[0]", "is not text"),
    (account("kind: shell, forwarding: {local: ['a:*']}"), "accounts[0].forwarding.local[0]", "has no port"),
    (account("kind: shell, forwarding: {local: [localhost]}"), "accounts[0].forwarding.local[0]", "has no port"),
    (account("kind: shell, forwarding: {local: ['*:22']}"), "accounts[0].forwarding.local[0]", "neither a host name"),
    (account("kind: shell, forwarding: {local: ['::1:22']}"), "accounts[0].forwarding.local[0]", "in brackets"),
    (account("kind: shell, forwarding: {remote: ['localhost:80']}"), "accounts[0].forwarding.remote[0]", "1024"),
    (account("kind: shell, forwarding: {remote: true}"), "accounts[0].forwarding.remote", "is no list"),
    (account("uid: 999"), "accounts[0].uid", "from 1000 to 60000"),
    (account("uid: 65534"), "accounts[0].uid", "from 1000 to 60000"),
    ("accounts: [{name: a, uid: 1001}, {name: b, uid: 1001}]", "accounts[1].uid", 'repeats "1001" of accounts[0]'),
    (
        "accounts: [{name: a, kind: shell, home: /x/y}, {name: b, kind: shell, home: /x/y}]",
        "accounts[1].home",
        'overlaps "/x/y" of accounts[0]',
    ),
    (account("second_factor: password"), "accounts[0].second_factor", "there is none"),
    (account(f"password: Correct-Horse-1, password_hash: {YESCRYPT}"), "accounts[0].password", "give one of them"),
    (account("password: short"), "accounts[0].password", "fewer than 12 characters"),
    (account("password: onlysmallletters"), "accounts[0].password", "fewer than 3 of the classes"),
    (account("password: 'My-ACME-secret-1'"), "accounts[0].password", "contains the account's name"),
    ("server: {password_policy: {min_length: 4}}", "server.password_policy.min_length", "from 8 to 128"),
    ("server: {password_policy: {min_classes: 5}}", "server.password_policy.min_classes", "from 1 to 4"),
]

SUDO_TASKS: t.List[Case] = [
    (task("run_as: app"), "sudo_tasks[0]", "does nothing; give exactly one"),
    (task("service: a, commands: [[/bin/true]], actions: [stop]"), "sudo_tasks[0]", "has service and commands"),
    (task("service: a"), "sudo_tasks[0].actions", "is missing"),
    (task("service: a, actions: [kill]"), "sudo_tasks[0].actions[0]", "choose one of status, start"),
    (task("service: a, actions: [stop, stop]"), "sudo_tasks[0].actions[1]", "repeats"),
    (task("service: a, actions: [stop], run_as: app"), "sudo_tasks[0].run_as", "no meaning for a service"),
    (task("service: a, actions: [stop], protected: [b]"), "sudo_tasks[0].protected", "needs a service_pattern"),
    (task("commands: [[/bin/true]], actions: [stop]"), "sudo_tasks[0].actions", "no meaning for commands"),
    (task("commands: [[]]"), "sudo_tasks[0].commands[0]", "is empty"),
    (task("commands: [[/bin/true, '']]"), "sudo_tasks[0].commands[0][1]", "is empty"),
    (task('commands: [[/bin/echo, "a\\nb"]]'), "sudo_tasks[0].commands[0][1]", "control character"),
    (task("commands: [[systemctl, stop, a]]"), "sudo_tasks[0].commands[0][0]", "is not absolute"),
    (task("commands: [[/usr/../bin/id]]"), "sudo_tasks[0].commands[0][0]", "holds . or .."),
    (task("commands: [[/usr/bin/systemctl, edit, a]]"), "sudo_tasks[0].commands[0]", "opens an editor"),
    (task("commands: [[/bin/true]], run_as: ADMINS"), "sudo_tasks[0].run_as", "sudo reads as an alias"),
    (task("commands: [[/bin/true]], run_as: '#0'"), "sudo_tasks[0].run_as", "holds '#'"),
    *(
        (task(f"commands: [[{path}, x]]"), "sudo_tasks[0].commands[0][0]", says)
        for path, says in (
            ("/bin/sh", "is a shell"),
            ("/usr/bin/bash", "is a shell"),
            ("/usr/bin/vim.basic", "is an editor"),
            ("/usr/bin/less", "is a pager"),
            ("/usr/bin/man", "is a pager"),
            ("/usr/bin/python3.11", "is an interpreter"),
            ("/usr/bin/perl", "is an interpreter"),
            ("/usr/bin/php8.1", "is an interpreter"),
            ("/usr/bin/env", "starts others"),
            ("/usr/sbin/runuser", "starts others"),
            ("/usr/bin/sudo", "starts others"),
        )
    ),
    *(
        (task(f"actions: [stop], service: {name}"), "sudo_tasks[0].service", says)
        for name, says in (
            ("-x", "is no name of a service"),
            ("a b", "is no name of a service"),
            ("../x", "is no name of a service"),
            ("'a*'", "is no name of a service"),
            ("sshd", "lock everybody out"),
            ("ssh.service", "lock everybody out"),
            ("worker@", "lock everybody out"),
            ("reboot.target", "unit of another kind"),
        )
    ),
    *(
        (task(f"actions: [stop], service_pattern: '{text}'"), "sudo_tasks[0].service_pattern", says)
        for text, says in (
            ("^a[0-9]+$", "leave them out"),
            ("a.b", "a dot that stands for any sign"),
            ("a.*", "a dot that stands for any sign"),
            (".*", "a dot that stands for any sign"),
            ("a[^b]", "where a letter"),
            ("a[/-z]", "where a letter"),
            ("(a+)+", "where a letter"),
            ("a|ssh", "where a letter"),
            ("a/b", "where a letter"),
            ("a b", "where a letter"),
            ("a\\d", "where a letter"),
            ("ab++", "where a letter"),
            ("a[z-a]", "is no regular expression"),
            ("ab{3,1}", "is no regular expression"),
            ("[a-z]+", "starts with anything"),
            ("a*b", "starts with anything"),
            ("s[a-z]+", "matches ssh too"),
            ("sshd?", "matches ssh too"),
            ("multi-user\\.target", "units of another kind"),
            ("a" * 129, "use 128 at most"),
        )
    ),
    (
        task("actions: [stop], service_pattern: 'w@[0-9]+', protected: ['w@x']"),
        "sudo_tasks[0].protected[0]",
        "does not match",
    ),
    ("sudo_tasks: [{name: ls, service: a, actions: [stop]}]", "sudo_tasks[0].name", "would stand before"),
    ("sudo_tasks: [{name: Up, service: a, actions: [stop]}]", "sudo_tasks[0].name", "is no name for a command"),
    ("sudo_tasks: [{name: a/b, service: a, actions: [stop]}]", "sudo_tasks[0].name", "is no name for a command"),
]


@pytest.mark.parametrize(
    ("model", "place", "says"),
    SHAPE + NAMES + KEYS + NETWORKS_AND_TIMES + PATHS + GRANTS + ACCOUNTS + SUDO_TASKS,
    ids=lambda value: None if "\n" in value or len(value) > 60 else value,
)
def test_refused(model: str, place: str, says: str) -> None:
    found = problems(model)
    assert [problem for problem in found if problem.startswith(f"{place}: ") and says in problem], found
    assert len(found) == 1, found


UNAVAILABLE_VALUES: t.Dict[str, str] = {
    "server.user_ca_keys": f"server: {{user_ca_keys: ['{KEY}']}}",
    "folders.retention": folder("retention: 30d"),
    "folders.size_limit": folder("size_limit: 50G"),
    "accounts.principals": account("principals: [x]"),
    "accounts.second_factor": account("second_factor: totp"),
    "accounts.folders.rights": grants("{folder: pim, at: /x, rights: drop_box}"),
    "accounts.max_sessions": account("max_sessions: 3"),
    "accounts.on_removal": account("on_removal: {give_to: app}"),
}


@pytest.mark.parametrize("option", UNAVAILABLE)
def test_what_cannot_be_had_yet_is_refused(option: str) -> None:
    (problem,) = problems(UNAVAILABLE_VALUES[option])
    assert option.rpartition(".")[2] in problem
    assert "not available in this version" in problem


@pytest.mark.parametrize(
    "model",
    [
        account("people: [zoe]"),
        account("state: absent"),
        account("expires: '2001-01-01T00:00:00Z'"),
        account("from: [10.0.0.0/8, 10.1.0.0/16, '2001:db8::1', 0.0.0.0/0]"),
        account("max_sessions: 10, on_removal: keep, principals: [], second_factor: none"),
        account("forwarding: {agent: false, local: false, remote: false, x11: false}"),
        account("home_keys: false, sudo_tasks: [], shell: /bin/bash"),
        account("kind: shell, home_keys: true, password: Correct-Horse-1, shell: /usr/bin/zsh, home: /var/www/acme"),
        account("kind: tunnel, forwarding: {remote: ['localhost:8080']}"),
        account("uid: '1000'"),
        account('note: "Ticket 7:\\n\\tcafé"'),
        grants("{source: /home/app, at: /account}, {hidden: true, at: /account/mail}"),
        grants("{folder: pim, at: /x/a}, {folder: in, at: /x/ab}"),
        account("start_in: /x, folders: [{folder: pim, at: /x/a}]"),
        account("start_in: /x/a/b/, folders: [{folder: pim, at: /x/a}]"),
        f"accounts: [{{name: a, keys: [{{name: k, key: '{KEY}'}}]}}, {{name: b, keys: [{{name: k, key: '{KEY}'}}]}}]",
        f"accounts: [{{name: a, keys: [{{name: k, key: '{KEY}', from: ['::/0', 10.0.0.0/8]}}], from: [10.1.0.0/16]}}]",
        folder("mode: '750'"),
        folder("path: /srv/data.d/pim@2_x+y"),
        "server: {max_startups: '10', port: '22', only_listed: 'no', idle_timeout: 1d}",
        task("actions: [stop], service: php8.1-fpm"),
        task("actions: [stop], service: worker@1.service"),
        task("actions: [stop], service_pattern: 'php[0-9]\\.[0-9]{1,2}-fpm'"),
        task("actions: [stop], service_pattern: 'app_[a-zA-Z0-9_-]*@x?'"),
        task(
            "commands: [[/usr/bin/systemctl, stop, a], [/home/app/bin/console, 'cache:warmup', --env=prod]], "
            "run_as: app"
        ),
        "sudo_tasks: [{name: partners_php8.1-fpm, service: a, actions: [stop]}]",
    ],
)
def test_accepted(model: str) -> None:
    assert problems(model) == []


@pytest.mark.parametrize(
    ("through_sshd", "only_listed", "refused"), [(True, True, 1), (False, True, 0), (True, False, 0)]
)
def test_the_user_of_ansible_itself_is_not_shut_out(through_sshd: bool, only_listed: bool, refused: int) -> None:
    context = Context("web1", "deploy", through_sshd=through_sshd)
    assert len(problems(f"server: {{admins: [ops], only_listed: {only_listed}}}", context)) == refused


def test_a_connecting_user_whom_sshd_would_misread_is_no_admin() -> None:
    (problem,) = problems("{}", Context("web1", "DOMAIN\\deploy"))
    assert problem.startswith("server.admins: defaults to the connecting user")
