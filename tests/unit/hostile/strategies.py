# SPDX-License-Identifier: GPL-3.0-or-later
"""Models to fuzz with, made from the table of options: a new option is fuzzed without being told.

What is said here besides is what a value of some options looks like, so that many are right or nearly right.
"""

from __future__ import annotations

import copy
import datetime
import functools
import ipaddress
import typing as t

from ansible_collections.sallyport.ssh.plugins.module_utils.options import CONTRACT
from ansible_collections.sallyport.ssh.tests.unit.hostile.models import (
    BASE,
    PRIVATE,
    SHA512,
    YESCRYPT,
    Variables,
    ed25519,
    put,
    rsa,
)
from ansible_collections.sallyport.ssh.tests.unit.hostile.rows import CONTROLS, HALF, SIGNS
from hypothesis import strategies as st

Strategy = st.SearchStrategy[t.Any]
Option = t.Mapping[str, t.Any]

CANARY = "S3cret-Canary-"  # how every password starts

WORDS = (
    "root sudo docker ALL Defaults sha224 none any all deploy alice bob pim dam acme shop shop_mysql no yes null "
    "0 -1 22 0770 0o770 1e3 .. . ~ /etc /data /srv/sftp /dev 127.0.0.1 10.0.0.0/8 ::/0 fe80::1%x 2027-01-31 15m "
    "ssh-ed25519 $6$ command= Match PermitRootLogin NOPASSWD: %u %% ${x} $(id) {{ {% --help -rf"
).split()
FRAGMENTS = [*SIGNS.values(), *CONTROLS.values(), HALF, *WORDS, PRIVATE, SHA512, "x" * 33, "x" * 4097]

hostile_text = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=4).map("".join),
    st.text(max_size=12),
    st.tuples(st.sampled_from(WORDS), st.sampled_from([*SIGNS.values(), *CONTROLS.values()])).map("".join),
)
numbers = st.one_of(st.integers(-3, 70_000), st.sampled_from([2**31, 2**32 - 1, 2**63, -(2**63), 10**300]))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.floats(),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([None, datetime.timezone.utc])),
    st.times(),
    st.binary(max_size=4),
    hostile_text,
)
junk = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.sets(st.text(max_size=3), max_size=2),
    st.dictionaries(st.one_of(st.text(max_size=5), st.integers(), st.booleans()), scalars, max_size=3),
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=2), max_leaves=8),
)

logins = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\Z")
labels = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,20}\Z")
_part = st.text("abcXYZ019._@+=,:~-", min_size=1, max_size=12)
paths = st.tuples(
    st.sampled_from(["/data/", "/opt/", "/srv/", "/", "/home/", "/var/www/", "/etc/"]),
    st.lists(_part, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "", "", "/", "/.."]),
).map("".join)
networks = st.one_of(
    st.ip_addresses().map(str),
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32))
    .map(lambda pair: ipaddress.ip_network(pair, strict=False))
    .map(str),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128))
    .map(lambda pair: ipaddress.ip_network(pair, strict=False))
    .map(str),
)
hosts = st.one_of(
    st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9.-]{0,20}[A-Za-z0-9])?\Z"),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
)
destinations = st.tuples(hosts, st.one_of(st.integers(1, 65535), st.integers(1024, 65535)).map(str)).map(":".join)
moments = st.one_of(
    st.datetimes(timezones=st.just(datetime.timezone.utc)),
    st.datetimes(
        datetime.datetime(1969, 12, 31),
        timezones=st.integers(-1439, 1439).map(lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))),
    ).map(lambda moment: moment.replace(microsecond=0).isoformat()),
)
durations = st.tuples(st.integers(0, 400).map(str), st.sampled_from("smhdw")).map("".join)
words = st.one_of(st.text(max_size=20), st.sampled_from(WORDS), hostile_text)
public_keys = st.one_of(
    st.integers(0, 255).map(ed25519),
    st.sampled_from([rsa(2048), rsa(4096), rsa(1024), PRIVATE, f'command="id" {ed25519(9)}']),
    st.tuples(st.integers(0, 255).map(ed25519), words).map(" ".join),
)
patterns = st.lists(
    st.sampled_from(["a", "worker", "@", "-", "\\.", "[0-9]", "[a-z]", "+", "*", "?", "{1,2}", "ssh", ".", "|", "^"]),
    min_size=1,
    max_size=6,
).map("".join)
commands = st.lists(
    st.tuples(
        st.one_of(paths, st.sampled_from(["/usr/bin/touch", "/bin/sh", "/usr/bin/env", "/opt/x/bin/y"])),
        st.lists(words, max_size=3),
    ).map(lambda pair: [pair[0], *pair[1]]),
    max_size=2,
)  # fmt: skip

# What values of an option look like, by the end of its path; of all others the type decides.
LOOKS: t.Dict[str, Strategy] = {
    "accounts.name": logins,
    "people.name": labels,
    "keys.name": labels,
    "global_keys.name": labels,
    "teams.name": labels,
    "folders.name": labels,
    "sudo_tasks.name": st.from_regex(r"\A[a-z0-9][a-zA-Z0-9_.+-]{0,20}\Z"),
    "teams.people": st.lists(st.sampled_from(["alice", "bob", "carol"]), max_size=2),
    "accounts.people": st.lists(st.sampled_from(["alice", "bob", "integrators"]), max_size=2),
    "accounts.teams": st.lists(st.sampled_from(["integrators", "alice"]), max_size=1),
    "accounts.sudo_tasks": st.lists(st.sampled_from(["shop_mysql", "shop_cache", "x"]), max_size=2),
    "server.admins": st.lists(st.one_of(st.just("deploy"), logins), max_size=2),
    "owner": logins,
    "group": logins,
    "groups": st.lists(logins, max_size=3),
    "run_as": st.one_of(st.just("root"), logins),
    "folders.folder": st.sampled_from(["pim", "dam", "other"]),
    "path": paths,
    "source": paths,
    "home": paths,
    "shell": st.one_of(st.sampled_from(["/bin/sh", "/bin/false", "/usr/bin/zsh"]), paths),
    "at": st.one_of(paths, _part.map(lambda part: f"/{part}"), _part.map(lambda part: f"/pim/{part}")),
    "start_in": st.one_of(st.sampled_from(["/", "/pim", "/upload/x", "/pim/secret"]), paths),
    "jails": paths,
    "subfolders": st.lists(_part, max_size=2),
    "key": public_keys,
    "from": st.lists(networks, max_size=3),
    "exempt": st.lists(networks, max_size=2),
    "local": st.lists(destinations, max_size=3),
    "remote": st.lists(destinations, max_size=2),
    "address": st.one_of(hosts, st.ip_addresses().map(str)),
    "expires": moments,
    "idle_timeout": durations,
    "window": durations,
    "duration": durations,
    "confirm_within": durations,
    "max_startups": st.tuples(*[st.integers(0, 120).map(str)] * 3).map(":".join),
    "umask": st.from_regex(r"\A[0-7]{3,4}\Z"),
    "mode": st.from_regex(r"\A[0-7]{3,4}\Z"),
    "password": st.text(max_size=20).map(CANARY.__add__),
    "password_hash": st.sampled_from([YESCRYPT, SHA512, "$1$x$y", "*", CANARY]),
    "uid": st.integers(990, 60_010),
    "service": st.from_regex(r"\A[A-Za-z0-9_:.@-]{1,20}\Z"),
    "service_pattern": patterns,
    "protected": st.lists(st.sampled_from(["consumer@1", "consumer@x"]), max_size=1),
    "commands": commands,
    "note": st.one_of(st.text(max_size=40), hostile_text),
}


def _mixed(good: Strategy, bad: int) -> Strategy:
    """In so many of ten cases a text or a type that nobody expects."""
    return st.integers(0, 9).flatmap(lambda number: good if number >= bad else hostile_text if number % 2 else junk)


@functools.cache
def _of_path(path: str) -> t.Optional[Strategy]:
    parts = path.split(".")
    ends = (".".join(parts[start:]) for start in range(len(parts)))
    return next((LOOKS[end] for end in ends if end in LOOKS), None)


def of_option(option: Option, path: str, bad: int) -> Strategy:
    """Values of an option, good ones and others."""
    good = _of_path(path)
    if good is None:
        kind = option["type"]
        if "choices" in option and kind == "str":
            good = st.sampled_from(option["choices"])
        elif kind == "list":
            good = st.lists(_element(option, path, bad), max_size=3)
        elif kind == "dict":
            good = of_options(option["options"], path, bad)
        else:
            good = {"bool": st.booleans(), "int": numbers, "str": hostile_text, "raw": junk}[kind]
    return _mixed(good, bad)


def _element(option: Option, path: str, bad: int) -> Strategy:
    if option["elements"] == "dict":
        return of_options(option["options"], path, bad)
    if option["elements"] == "list":
        return st.lists(words, max_size=3)
    return st.sampled_from(option["choices"]) if "choices" in option else hostile_text


def of_options(spec: t.Mapping[str, Option], path: str, bad: int) -> Strategy:
    """A mapping of some of these options, and rarely of one that is none."""
    known = {name: of_option(option, f"{path}.{name}".lstrip("."), bad) for name, option in spec.items()}
    required = {name: known.pop(name) for name, option in spec.items() if option.get("required")}
    plain = st.fixed_dictionaries(required, optional=known)
    other = st.tuples(plain, st.one_of(st.text(max_size=8), st.sampled_from(sorted(spec))), junk)
    return st.integers(0, 19).flatmap(
        lambda number: plain if number else other.map(lambda parts: {**parts[0], parts[1]: parts[2]})
    )


def anything() -> Strategy:
    """Whole models in which much is wrong."""
    return of_options(CONTRACT, "", bad=2)


def nearly_right() -> Strategy:
    """The valid model with a few values of it replaced, most of them by such as could be right."""
    every = list(places(CONTRACT, BASE, "", ""))
    change = st.sampled_from(every).flatmap(
        lambda place: st.tuples(st.just(place[0]), of_option(place[1], place[2], bad=1))
    )
    return st.lists(change, min_size=1, max_size=4).map(_changed)


def _changed(changes: t.Sequence[t.Tuple[str, t.Any]]) -> Variables:
    model = copy.deepcopy(BASE)
    for place, value in changes:
        try:
            model = put(place, value, model)
        except (AttributeError, IndexError, KeyError, TypeError):
            continue  # an earlier change has taken away what this one is about
    return model


def places(spec: t.Mapping[str, Option], item: t.Any, place: str, path: str) -> t.Iterator[t.Tuple[str, Option, str]]:
    """The place of every option of every item of a model, whether it is given or not."""
    for name, option in spec.items():
        here, there = f"{place}.{name}".lstrip("."), f"{path}.{name}".lstrip(".")
        value = item.get(name)
        if "options" not in option:
            yield here, option, there
        elif option["type"] == "dict":
            yield from places(option["options"], value or {}, here, there)
        else:
            for position, each in enumerate(value or ()):
                yield from places(option["options"], each, f"{here}[{position}]", there)
