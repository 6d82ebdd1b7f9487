# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a host: remembers every mount that was there at any moment, until its input ends; prints them as JSON.

    mounts PREFIX NAME...

The kernel says when the table of mounts changes; each is looked at then, not now and then. Of the mounts below the
prefix it also looks whether one of the names shows at their top, as long as it is that mount which is there: where it
has gone, a user may have put a link in its place.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys

LONGEST = 600


def main(prefix: str, names: list[str]) -> None:
    first: set[str] = set()
    seen: set[tuple[str, str, str, str]] = set()
    shown: dict[str, list[str]] = {}
    reads = 0
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        poll = select.poll()
        poll.register(table, select.POLLERR | select.POLLPRI)
        poll.register(sys.stdin, select.POLLIN)
        for _ in range(LONGEST * 1000):
            table.seek(0)
            reads += 1
            for line in table:
                fields = line.split()
                mount = (fields[4], fields[3], fields[2], fields[fields.index("-") + 1])
                seen.add(mount)
                if fields[4].startswith(prefix):
                    with contextlib.suppress(OSError):
                        outside = sorted(set(listed(fields[4], fields[0])).intersection(names))
                        if outside:
                            shown[fields[4]] = outside
            if reads == 1:
                first = {mount[0] for mount in seen}
                print("ready", flush=True)
            if sys.stdin.fileno() in {descriptor for descriptor, _ in poll.poll(LONGEST * 1000)}:
                break
    found = {"mounts": sorted(seen), "first": sorted(first), "shown": sorted(shown.items()), "reads": reads}
    print(json.dumps(found))


def listed(target: str, mount: str) -> list[str]:
    """What is at the top of the mount with this number, and nothing if another one is at its place by now."""
    descriptor = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as facts:
            is_it = f"mnt_id:\t{mount}\n" in facts.readlines()
        return os.listdir(descriptor) if is_it else []
    finally:
        os.close(descriptor)


main(sys.argv[1], sys.argv[2:])
