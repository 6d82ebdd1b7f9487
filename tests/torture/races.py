# SPDX-License-Identifier: GPL-3.0-or-later
"""Users swap directories and links in all that they can write while runs work there: nothing outside changes.

Three of them: an application that owns folders, sources and directories above them; an account in a jail; a shell
account in its home. Runs change what they swap: modes, subfolders, hidden parts, sources, homes, mounts, accounts.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import typing as t

from . import plays
from .machine import Machine
from .plays import Model, access
from .report import Report

OUTSIDE = ("/etc", "/root", "/usr", "/var", "/home/bystander", "/data/outside")
# what runs may change outside of what the users can write
OURS = (
    "/var/lib/sallyport",
    "/etc/sallyport",
    "/etc/ssh/authorized_keys.d",
    "/etc/ssh/sshd_config.d",
    "/etc/systemd/system",
    "/usr/local/libexec",
    "/etc/sudoers.d",
    "/etc/.pwd.lock",
    # what goes on by itself
    "/var/log",
    "/var/lib/systemd",
    "/var/cache",
    "/var/tmp",
    "/etc/machine-id",
)
DATABASES = ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")
SHOWN = ("passwd", "outside-secret", "sbin")  # what is at the top of the places that decoys lead to

JAILS = ("/srv/sftp/racesftp/", "/srv/sftp/raceview/", "/srv/sftp/racegone")
EMPTY = "/sallyport/empty"  # what a hidden part shows
BATCH = 10  # runs, between which those who swap start anew


def names(number: int) -> dict[str, list[str]]:
    """What each user swaps in the batch that starts with this number."""
    application = [f"/data/race/a/{name}" for name in ("in", "internal", "out")]
    application += [f"/opt/race/b/{name}" for name in ("in", "internal")]
    application += [f"/data/racer/{name}" for name in ("files", "files/c", "outbox", "outbox/hidden")]
    application += [f"/home/racer/{name}" for name in ("outbox", ".ssh")]
    return {
        "racer": application,
        "racesftp": [f"/srv/sftp/racesftp/{name}" for name in ("own/x", "a/in", "a/internal")],
        leaver(number): [f"/srv/sftp/{leaver(number)}/{name}" for name in ("own/x", "a/in", "a/internal")],
        "raceop": ["/home/raceop/.ssh", "/home/raceop/x"],
    }


def leaver(number: int) -> str:
    """An account that a batch makes and removes."""
    return f"racegone{number // BATCH}"


def guest(number: int) -> str:
    """A shell account that lives for two runs."""
    return f"guest{number // 3}"


def model(machine: Machine, number: int) -> Model:
    """Each run wants something else of all that is swapped."""
    even, third, tenth = number % 2 == 0, number % 3, number % BATCH
    mode = "2770" if even else "2750"
    hidden: list[Model] = [{"at": "/a/internal", "hidden": True}] if number % 4 < 2 else []
    group = "race-files" if even else "race-other"
    folder = {"owner": "racer", "group": "race-files", "mode": mode}
    parts = ["in", "internal"]
    return {
        "people": [{"name": "customer", "keys": [{"name": "customer", "key": machine.customer_key}]}],
        "folders": [
            {**folder, "name": "race-a", "path": "/data/race/a", "subfolders": [*parts, *(["out"] if third else [])]},
            {**folder, "name": "race-b", "path": "/opt/race/b", "subfolders": parts},
            {**folder, "name": "race-c", "path": "/data/racer/files/c"},
        ],
        "accounts": [
            {
                "name": "racesftp",
                "people": ["customer"],
                "state": "suspended" if tenth == SUSPENDS else "present",
                "folders": [
                    {"folder": "race-a", "at": "/a", "rights": "read_only" if number % 5 == 3 else "read_write"},
                    {"folder": "race-b", "at": "/b" if even else "/bees"},
                    {"folder": "race-c", "at": "/c"},
                    {"private": True, "at": "/own"},
                    {"source": "/data/racer/outbox", "at": "/out", "owner": "racer", "group": group},
                    {"source": "/home/racer/outbox", "at": "/home"},
                    {"at": "/out/hidden", "hidden": True},
                    *hidden,
                ],
            },
            {
                "name": "raceview",
                "people": ["customer"],
                "folders": [
                    {"folder": "race-b", "at": "/b", "rights": "read_only" if even else "read_write"},
                    *([{"at": "/b/internal", "hidden": True}] if third else []),
                ],
            },
            {"name": leaver(number), "state": "absent"}
            if tenth >= REMOVES
            else {
                "name": leaver(number),
                "people": ["customer"],
                "folders": [{"folder": "race-a", "at": "/a"}, {"private": True, "at": "/own"}],
            },
            {"name": "raceop", "kind": "shell", "people": ["customer"], "umask": "0027" if even else "0022"},
            {"name": guest(number), "kind": "shell", "people": ["customer"]}
            if third < 2
            else {"name": guest(number), "state": "absent"},
        ],
    }


SUSPENDS, REMOVES = 4, 7  # the runs of a batch that close an account


def run(machine: Machine, runs: int = 60) -> Report:
    report = Report("races")
    _prepare(machine)
    plays.done(machine, access(model(machine, 0)))
    machine.root("install -d -o racesftp /srv/sftp/racesftp/own/x; install -d -o raceop ~raceop/x ~raceop/.ssh")
    before = outside(machine)
    with machine.watched("mounts", "/srv/sftp/race", *SHOWN) as mounts:
        for first in range(0, runs, BATCH):
            _batch(machine, report, range(first, min(first + BATCH, runs)))
    _put_back(machine, range(0, runs, BATCH))
    after = outside(machine)
    changed = [f"{path} was {before.get(path)} and is {after.get(path)}" for path in differing(before, after)]
    report.defects += changed[:20]
    report.defects += misplaced(machine, mounts)
    report.add("mount tables looked at", mounts["reads"])
    last = access(model(machine, -(-runs // BATCH) * BATCH))  # of accounts that were not there before
    settled = plays.do(machine, last, last)
    report.demand(settled[0].ok, f"the run after the races failed: {settled[0].message}")
    report.demand(settled[1].ok and not settled[1].changed, f"a second run changed {settled[1].actions}")
    return report.ended()


def _batch(machine: Machine, report: Report, numbers: t.Sequence[int]) -> None:
    """The first run makes the account that leaves; from then on everybody swaps.

    A run that closes an account may be kept from all else that it wants: one that closes alone never is.
    """
    first, *tasks = [access(model(machine, number), name=str(number)) for number in numbers]
    plays.do(machine, first)
    machine.root(f"install -d -o {leaver(numbers[0])} /srv/sftp/{leaver(numbers[0])}/own/x", check=False)
    kept_open: list[int] = []
    with _swappers(machine, report, names(numbers[0])):
        for result in plays.Play(machine, tasks).results():
            report.add("runs")
            report.add(_outcome(result))
            if not result.ok:
                report.demand(result.is_clear, f"run {result.task} failed unclearly: {result.message}")
            if int(result.task) % BATCH in (SUSPENDS, REMOVES):
                report.add("closings")
                kept_open += [] if result.ok else [int(result.task)]
        for number in kept_open:
            report.add("closings held up, and done alone")
            wanted = model(machine, number)
            wanted["accounts"] = [
                account for account in wanted["accounts"] if account.get("state", "present") != "present"
            ]
            (alone,) = plays.do(machine, access(wanted, module="accounts"))
            report.demand(alone.ok, f"users who swap kept an account open: {alone.message}")


def _outcome(result: plays.Result) -> str:
    if result.ok:
        return "went through"
    if plays.NOT_UNDONE in result.message:
        return "not wholly undone"
    return "undone" if plays.UNDONE in result.message else "refused"


@contextlib.contextmanager
def _swappers(machine: Machine, report: Report, users: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[None]:
    present = machine.root("cut -d: -f1 /etc/passwd").split()
    running = [machine.started("swapper", *swapped, user=user) for user, swapped in users.items() if user in present]
    try:
        for process in running:
            assert process.stdout
            if process.stdout.readline() != "ready\n":
                report.defects.append("a user of the host can run nothing any more")
        yield
    finally:
        for process in running:
            _count(process, report)


def _count(process: subprocess.Popen[str], report: Report) -> None:
    """One whose account was closed has been ended with it."""
    said, complained = process.communicate("", timeout=60)
    if process.returncode == 0:
        counts = json.loads(said)
        report.add("swaps", counts["swaps"] + counts["triggered"])
    elif process.returncode in (137, 143):
        report.add("users ended while they swapped")
    else:
        report.defects.append(f"a user who swaps could not go on: {complained}")


def _prepare(machine: Machine) -> None:
    machine.root(
        """set -e
        for user in racer bystander; do
            id $user >/dev/null 2>&1 || useradd --create-home --shell /bin/bash $user
        done
        groupadd -f race-files; groupadd -f race-other
        install -d -m 0700 /data/outside; echo secret > /data/outside/outside-secret
        chmod 0700 /home/bystander; echo secret > /home/bystander/outside-secret
        echo secret > /root/outside-secret
        install -d -m 0755 /data/race /opt/race
        install -d -m 0755 -o racer -g racer /data/racer /data/racer/files
        install -d -m 0770 -o racer -g race-files /data/racer/outbox /data/racer/outbox/hidden
        install -d -m 0750 -o racer -g racer /home/racer/outbox /home/racer/.ssh"""
    )


def _put_back(machine: Machine, batches: t.Iterable[int]) -> None:
    """What a swapper left that was ended with its account; no name is left with what is no directory."""
    swapped = {name for number in batches for some in names(number).values() for name in some}
    machine.root(
        """for decoy in $(find /data/race /opt/race /data/racer /home/racer /home/raceop /srv/sftp/racesftp/own \
                -name '.decoy-*' 2>/dev/null); do
            name=$(basename $decoy); name=${name#.decoy-}; name=$(dirname $decoy)/${name%-*}
            if [ -L $decoy ] || [ ! -d $decoy ] || [ -e $decoy/.decoy ]; then rm -rf $decoy
            else rm -rf $name; mv -T $decoy $name; fi
        done"""
    )
    each = "if [ -L $name ] || { [ -e $name ] && [ ! -d $name ]; }; then rm $name; fi"
    machine.root(f"for name in {' '.join(sorted(swapped))}; do {each}; done")


def outside(machine: Machine) -> dict[str, str]:
    """What lies outside, and the lines of the user database that are of nobody in the model."""
    found: dict[str, str] = machine.program("picture", *OUTSIDE)
    databases = {f"/etc/{name}{end}" for name in DATABASES for end in ("", "-")}
    kept = {path: said for path, said in found.items() if path not in databases and not path.startswith(OURS)}
    for line in machine.root("stat -c '%n %A %u:%g' / /*").splitlines():
        kept[line.split()[0]] = line.partition(" ")[2]
    ours = "^(race(sftp|view|op|gone)|guest|sallyport)"
    for name in DATABASES:
        script = f"stat -c '%A %u:%g' /etc/{name}; grep -Ev '{ours}' /etc/{name} || true"
        kept[f"/etc/{name}"] = machine.root(script)
    return kept


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]


def misplaced(machine: Machine, said: t.Mapping[str, t.Any]) -> list[str]:
    """Mounts that were, at any moment, anywhere but at a target of the model, or showed what lies outside."""
    data = next(root for target, root, _device, _type in said["mounts"] if target == "/data")
    found = [f"a mount of {target} showed {names}" for target, names in said["shown"]]
    allowed = (f"{data}/race/", f"{data}/racer/")
    for target, root, _device, kind in said["mounts"]:
        if target in said["first"] or target.startswith("/run/user/"):
            continue
        if not target.startswith(JAILS):
            found.append(f"{target} was mounted ({root}, {kind})")
        elif kind not in ("fuse.bindfs", "tmpfs") and not root.startswith(allowed) and not root.endswith(EMPTY):
            found.append(f"{target} showed {root}")
    return found
