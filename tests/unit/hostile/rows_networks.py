# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, addresses, destinations, times, durations, and what else sshd is told of the server."""

from __future__ import annotations

import datetime

from ansible_collections.sallyport.ssh.tests.unit.hostile.models import yml
from ansible_collections.sallyport.ssh.tests.unit.hostile.rows import Accepted, Refused

FROM = "accounts[2].from[0]"
LOCAL, REMOTE = "accounts[1].forwarding.local[0]", "accounts[1].forwarding.remote[0]"
UTC = datetime.timezone.utc

NETWORKS = [
    *(
        Refused(FROM, network, says)
        for network, says in (
            ("", "is no network"),
            ("*", "is no network"),
            ("any", "is no network"),
            ("10.*", "is no network"),
            ("10.0.0.?", "is no network"),
            ("!10.0.0.0/8", "is no network"),
            ("office.example.com", "addresses, not names"),
            ("10.0.0.0/33", "no possible network"),
            ("10.0.0.0/-1", "is no network"),
            ("10.0.0.0/", "no possible network"),
            ("/8", "is no network"),
            ("10.0.0.0/8/8", "no possible network"),
            ("10.0.0.0 /8", "is no network"),
            (" 10.0.0.0/8", "is no network"),
            ("10.0.0.0/8\n", "is no network"),
            ("10.0.0.0/8,0.0.0.0/0", "is no network"),
            ('10.0.0.0/8",command="id', "is no network"),
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("10.0.0.256", "no possible network"),
            ("010.0.0.1", "no possible network"),
            ("10.1", "no possible network"),
            ("167772160", "is no network"),
            ("0xa.0.0.0", "is no network"),
            ("10.0.0.0-10.0.0.9", "is no network"),
            ("\u0661\u0660.0.0.1", "is no network"),
            ("::1/129", "no possible network"),
            ("2001:db8::1/32", "write 2001:db8::/32"),
            ("2001:db8:::/32", "no possible network"),
            ("[::1]", "is no network"),
            ("::ffff:10.0.0.1", "write it as IPv4"),
            ("::ffff:0:0/96", "write it as IPv4"),
            ("fe80::1%eth0", "leave out the %"),
            ("fe80::1%\nMatch all", "leave out the %"),
            ("fe80::1%25eth0/128", "leave out the %"),
            ("1" * 100_000, "is no network"),
        )
    ),
    Refused("accounts[2].from", ["10.0.0.0/8", "10.0.0.0/255.0.0.0"], "repeats", "accounts[2].from[1]"),
    Refused("server.ban.exempt[0]", "localhost", "addresses, not names"),
    Refused("server.ban.exempt[0]", "10.0.0.0/8 no", "is no network"),
    Refused("people[0].keys[0].from[0]", '10.0.0.0/8" restrict', "is no network"),
    Refused("people[1].keys[0].from", ["::%x"], "leave out the %", "people[1].keys[0].from[0]"),
    Refused("server.global_keys[0].from", ["10.0.0.0/8"], "no address in common", "accounts[2].from"),
]

ADDRESSES = [
    *(
        Refused("server.address", address, says)
        for address, says in (
            ("", "neither a host name nor an address"),
            ("a b", "neither a host name nor an address"),
            ("-oProxyCommand=id", "neither a host name nor an address"),
            ("a,user=root", "neither a host name nor an address"),
            ("host:22", "neither a host name nor an address"),
            ("user@host", "neither a host name nor an address"),
            ("$(id)", "neither a host name nor an address"),
            ("h\xf6st", "neither a host name nor an address"),
            ("x" * 254, "neither a host name nor an address"),
            ("host\n", "neither a host name nor an address"),
            ("fe80::1%eth0", "leave out the %"),
            ("fe80::1%,user=root", "leave out the %"),
        )
    ),
    *(
        Refused(LOCAL, destination, says)
        for destination, says in (
            ("", "has no port"),
            ("localhost", "has no port"),
            ("localhost:", "has no port"),
            ("localhost:0", "has no port"),
            ("localhost:65536", "has no port"),
            ("localhost:*", "has no port"),
            ("localhost:-1", "has no port"),
            ("localhost:22 ", "has no port"),
            ("localhost:22\n", "has no port"),
            ("localhost:22 127.0.0.1:23", "in brackets"),
            ("localhost:\u0662\u0662", "has no port"),
            ("localhost:000022", "has no port"),
            (":22", "neither a host name"),
            ("*:22", "neither a host name"),
            ("any:22 none", "has no port"),
            ("a b:22", "neither a host name"),
            ("a\tb:22", "neither a host name"),
            ("a\nMatch all\n PermitOpen any:22", "neither a host name"),
            ('"a":22', "neither a host name"),
            ("#:22", "neither a host name"),
            ("::1:22", "in brackets"),
            ("[::1:22", "in brackets"),
            ("[::1]", "has no port"),
            ("[localhost]]:22", "neither a host name"),
            ("[fe80::1%eth0]:22", "leave out the %"),
            ("[fe80::1%x any]:22", "leave out the %"),
            ("[fe80::1%x\nMatch all\nPermitRootLogin yes\n]:22", "leave out the %"),
            ("fe80::1%x:22", "in brackets"),
            ("/run/mysqld/mysqld.sock", "has no port"),
            ("x" * 254 + ":22", "neither a host name"),
        )
    ),
    Refused(REMOTE, "localhost:80", "from 1024"),
    Refused(REMOTE, "*:8080", "neither a host name"),
    Refused(REMOTE, "[fe80::1%x\n]:8080", "leave out the %"),
    Refused("accounts[1].forwarding.local", ["a:22", "a:022"], "repeats", "accounts[1].forwarding.local[1]"),
    Refused("accounts[1].forwarding.local", True, "is no list"),
    Refused("accounts[1].forwarding.local", "any", "is no list"),
    Refused("accounts[2].forwarding.local", [], "leads nowhere"),
]

TIMES = [
    *(
        Refused("accounts[0].expires", moment, says)
        for moment, says in (
            ("", "no time"),
            ("never", "no time"),
            ("tomorrow", "no time"),
            (0, "no time"),
            (1801440000, "no time"),
            (1.5, "no time"),
            (True, "no time"),
            ([], "no time"),
            (b"2027-01-31T00:00:00Z", "no time"),
            ("2027-01-31", "no time and no zone"),
            (yml("2027-01-31"), "no time and no zone"),
            (yml("2027-01-31T00:00:00"), "has no zone"),
            ("2027-01-31T00:00:00", "has no zone"),
            ("2027-01-31 00:00", "has no zone"),
            ("2027-01-31T00:00:00 Europe/Berlin", "no time in ISO 8601"),
            ("2027-02-30T00:00:00Z", "impossible"),
            ("2027-02-29T00:00:00Z", "impossible"),
            ("2027-13-01T00:00:00Z", "impossible"),
            ("2027-01-31T24:00:00Z", "impossible"),
            ("2016-12-31T23:59:60Z", "impossible"),
            ("2027-01-31T00:00:00+25:00", "impossible"),
            ("0000-01-01T00:00:00Z", "impossible"),
            ("0001-01-01T00:00:00+14:00", "before 1970"),
            ("1969-12-31T23:59:59Z", "before 1970"),
            ("1970-01-01T00:00:00+00:01", "before 1970"),
            ("9999-01-01T00:00:00Z", "too far away"),
            ("9999-12-31T23:59:59-12:00", "too far away"),
            ("10000-01-01T00:00:00Z", "no time in ISO 8601"),
            ("+2027-01-31T00:00:00Z", "no time in ISO 8601"),
            ("20270131T000000Z", "uncommon form"),
            ("2027-W05-1T00:00:00Z", "uncommon form"),
            ("2027-01-31T00:00:00.5Z", "uncommon form"),
            ("2027-01-31T00:00:00+02:00:30", "uncommon form"),
            ("2027-01-31T00:00:00Z\n", "no time in ISO 8601"),
            ('2027-01-31T00:00:00Z",command="id', "no time in ISO 8601"),
            ("\u0662\u0660\u0662\u0667-01-31T00:00:00Z", "ISO 8601"),
            ("2027\u201301\u201331T00:00:00Z", "no time in ISO 8601"),
            (datetime.time(1, 2), "no time"),
            (datetime.datetime(2027, 3, 28, 2, 30), "has no zone"),
        )
    ),
    Refused("people[0].keys[0].expires", "2027-01-31", "no time and no zone"),
    Refused("server.global_keys[0].expires", "9999-12-31T23:59:59Z", "too far away"),
    *(
        Refused("server.idle_timeout", duration, says)
        for duration, says in (
            ("", "is no duration"),
            ("0", "is no duration"),
            ("0m", "is no duration"),
            ("15", "is no duration"),
            ("-15m", "is no duration"),
            ("15 m", "is no duration"),
            ("15m ", "is no duration"),
            ("15m\n", "is no duration"),
            ("1h30m", "is no duration"),
            ("1.5h", "is no duration"),
            ("1e3s", "is no duration"),
            ("15M", "is no duration"),
            ("PT15M", "is no duration"),
            ("none", "is no duration"),
            ("\u0661\u0665m", "is no duration"),
            ("366d", "longer than sshd can count"),
            ("999999999w", "longer than sshd can count"),
            ("9" * 5000 + "s", "is no duration"),
        )
    ),
    Refused("server.ban.window", "999999999s", "longer than sshd can count"),
    Refused("server.ban.duration", "forever", "is no duration"),
    *(
        Refused("server.max_startups", value, "is not START:RATE:FULL")
        for value in (
            "",
            "0",
            "10:0:20",
            "10:101:20",
            "30:10:20",
            "10:30",
            "10:30:20:1",
            "10:30:100 #",
            "10:30:100\n",
            "-1",
        )
    ),
]

REFUSED = [*NETWORKS, *ADDRESSES, *TIMES]

SOURCES = "accounts[2].sources"
ACCEPTED = [
    Accepted(
        "accounts[2].from",
        ["0.0.0.0/0", "10.0.0.0/255.0.0.0", "192.0.2.7", "2001:DB8:0:0::/32", "::1", "fe80::/10", "224.0.0.1/32"],
        SOURCES,
        ("0.0.0.0/0", "10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128", "fe80::/10", "224.0.0.1/32"),
    ),
    Accepted("accounts[2].from", ["::/0"], SOURCES, ("::/0",)),
    Accepted("accounts[2].from", [f"10.{number}.0.0/16" for number in range(256)], SOURCES),
    Accepted("server.ban.exempt", ["0.0.0.0/0", "::/0"]),
    Accepted("server.address", "2001:DB8::1", "server.address", "2001:db8::1"),
    Accepted("server.address", "xn--hst-sna.example.com"),
    Accepted(
        "accounts[1].forwarding.local",
        ["0:22", "none:22", "any:65535", "[2001:DB8::1]:443", "a.b-c.d:00080", "255.255.255.255:1", "[any]:7"],
        "accounts[1].forwarding.local",
        ("0:22", "none:22", "any:65535", "[2001:DB8::1]:443", "a.b-c.d:80", "255.255.255.255:1", "[any]:7"),
    ),
    Accepted("accounts[1].forwarding.local", [f"h{number}:80" for number in range(200)]),
    Accepted("accounts[1].forwarding.remote", ["localhost:1024", "0.0.0.0:65535", "[::]:8080"]),
    Accepted("accounts[0].expires", "1970-01-01T00:00:00Z", "", 0),
    Accepted("accounts[0].expires", "1970-01-01T00:00:01Z", "", 1),
    Accepted("accounts[0].expires", "2038-01-19T03:14:08Z", "", 2**31),
    Accepted("accounts[0].expires", "2106-02-07T06:28:16Z", "", 2**32),
    Accepted("accounts[0].expires", "9998-12-31T23:59:59Z", "", 253370764799),
    Accepted("accounts[0].expires", "2027-03-28T02:30:00+01:00", "", 1806197400),
    Accepted("accounts[0].expires", "2027-01-31 00:00-1200", "", 1801396800),
    Accepted("accounts[0].expires", datetime.datetime(2030, 1, 1, 0, 0, 0, 999999, UTC), "", 1893456000),
    Accepted("server.idle_timeout", "365d", "", 31536000),
    Accepted("server.idle_timeout", "1s", "", 1),
    Accepted("server.max_startups", "10", "", "10:100:10"),
    Accepted("server.max_startups", "1:100:999999"),
    Accepted("server.max_auth_tries", 100),
]
