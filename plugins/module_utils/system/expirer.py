# SPDX-License-Identifier: GPL-3.0-or-later
"""Closes the accounts whose expiry has come, and ends their sessions: ``sallyport-expiry TABLE LOCK``.

This file stands alone: its text is also installed on the host, where a timer runs it at each moment of the table and
at boot (see expiry.py). The user database knows days only. Until the moment it names the day after; from then on this
program makes it name the day itself, which has begun, so that whatever asks the database refuses the account.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import typing as t

DAY = 86400
FIRST_DAY = 1  # 0 means "never expires" to some tools
FIRST_UID = 1000  # accounts are no system users, whatever a name may have become since
PATIENCE = 60.0  # seconds that a run of the collection may go on
PAUSE = 1.0  # between two looks, and longer than what is left of a login once it is let in
NOBODY = 65534
GRACE = 2.0  # seconds between asking a process to end and insisting, and then for it to be gone


def closing_day(moment: int) -> int:
    """The day, since the epoch, from which an account is closed once the moment has passed: the one that it is in."""
    return max(FIRST_DAY, moment // DAY)


def main(table: str, lock: str, etc: str = "/etc", chage: str = "/usr/bin/chage") -> int:
    """Close what is due, and look again as long as there was something or a run of the collection is under way.

    A run may put back what it read before the moment, and a login may have been let in just before it.
    """
    closed: t.Set[int] = set()
    give_up = time.monotonic() + PATIENCE
    again = True
    while again:
        again = is_held(lock)
        fresh, failures = close(due(read(table), time.time()), etc, chage)
        closed |= fresh
        failures += [f"process {pid} does not end" for pid in end(closed)]
        again = (again or bool(fresh)) and time.monotonic() < give_up
        if again:
            time.sleep(PAUSE)
    sys.stderr.writelines(f"{text}\n" for text in failures)
    return 1 if failures else 0


def is_held(lock: str) -> bool:
    """Whether a run of the collection is under way. The file lies where anybody may have put something else."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def read(path: str) -> str:
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
    return ""


def due(table: str, now: float) -> t.Dict[str, int]:
    """The accounts of the table whose moment has passed, each with the day from which it is closed."""
    lines = [line.split() for line in table.splitlines() if line and not line.startswith("#")]
    return {name: closing_day(int(moment)) for moment, name in lines if int(moment) <= now}


def close(days: t.Mapping[str, int], etc: str, chage: str) -> t.Tuple[t.Set[int], t.List[str]]:
    """Close those that are still open: their uids, and what went wrong. Who is gone from the host is passed over."""
    uids = {row[0]: int(row[2]) for row in rows(f"{etc}/passwd", 7)}
    present = {row[0]: row[7] for row in rows(f"{etc}/shadow", 9)}
    closed: t.Set[int] = set()
    failures = []
    for name, day in days.items():
        known = uids.get(name, 0) >= FIRST_UID and name in present
        if not known or (present[name].isdigit() and FIRST_DAY <= int(present[name]) <= day):
            continue
        try:
            subprocess.run(
                [chage, "--expiredate", str(day), name],
                check=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", timeout=60,
            )  # fmt: skip
            closed.add(uids[name])
            sys.stderr.write(f"{name} has expired and is closed\n")
        except (OSError, subprocess.SubprocessError) as error:
            said = error.stderr if isinstance(error, subprocess.CalledProcessError) else None
            failures.append(f"{name} is not closed: {(said or str(error)).strip()}")
    return closed, failures


def rows(path: str, width: int) -> t.Iterator[t.List[str]]:
    """Lines of the right form; the rest (compat lines such as ``+::::``) is none of ours."""
    fields = (line.split(":") for line in read(path).split("\n"))  # a user may have put other ends into a field
    return (row for row in fields if len(row) == width and row[0] and row[0][0] not in "+-#")


def end(uids: t.Collection[int]) -> t.List[int]:
    """End every process that runs under these uids, and no other; the processes that outlive even SIGKILL."""
    wanted = frozenset(uids)
    for pid in processes_of(wanted):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not processes_of(wanted))
    wait_until(lambda: all(kill_all_of(uid) for uid in wanted))
    wait_until(lambda: not processes_of(wanted))
    return processes_of(wanted)


def wait_until(done: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + GRACE
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)


def kill_all_of(uid: int) -> bool:
    """Kill at one instant all that a user runs: who forks without pause is in no list. Whether it came to that.

    Only a process of the user itself can do that, and the user may kill it first.
    """
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def processes_of(uids: t.FrozenSet[int]) -> t.List[int]:
    """The processes whose real uid is one of these, in ascending order."""
    pids = [name for name in os.listdir("/proc") if name.isdigit()] if uids else []
    return sorted(int(pid) for pid in pids if real_uid(pid) in uids)


def real_uid(pid: str) -> t.Optional[int]:
    gone = contextlib.suppress(FileNotFoundError, ProcessLookupError)
    with gone, open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
        for line in status:
            if line.startswith("Uid:"):
                return int(line.split()[1])
            if line.startswith("State:") and line.split()[1] == "Z":
                return None
    return None


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
