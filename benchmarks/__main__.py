# SPDX-License-Identifier: GPL-3.0-or-later
"""The measurement from beginning to end: fresh hosts, interleaved runs, verified results, the tables."""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import accounts, hosts, machine, report
from .figures import Figures, extend
from .hosts import BenchError
from .methods import Case, run
from .verify import verify

DESCRIPTION = """
Provision accounts with Sallyport, with a playbook that loops over them and with a shell script, each on fresh
container hosts, then again with nothing to change, beside a ping with the same variables. Every result is
verified. A whole run, without options, keeps its tables in docs/performance.md.
"""
SIZES = (10, 100, 1000)


def main() -> None:
    options = parse_arguments()
    conditions = machine.describe(options.suite)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("tools/bench: ended from outside"))
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            bench = Bench(options.suite, 1 if options.quick else 3, Path(directory))
            results = bench.measure(options.accounts, options.loop)
    except BenchError as broken:
        sys.exit(f"tools/bench: {broken}")
    text = f"{report.render(results)}\n{conditions}"
    print(text)
    if len(sys.argv) == 1:
        report.keep(text)
    sys.exit("\n".join(report.missed(results)) or None)


def parse_arguments() -> argparse.Namespace:
    def numbers(text: str) -> tuple[int, ...]:
        return tuple(sorted({int(part) for part in text.split(",")}))

    parser = argparse.ArgumentParser(prog="tools/bench", description=DESCRIPTION)
    option = parser.add_argument
    option("--accounts", type=numbers, default=SIZES, metavar="N,N", help="default: 10,100,1000")
    option("--loop", type=int, default=100, metavar="N", help="loop over at most so many; default: %(default)s")
    option("--quick", action="store_true", help="one round, on one host each, instead of three")
    option("--suite", default="trixie", help="Debian release of the hosts; default: %(default)s")
    options = parser.parse_args()
    if min(options.accounts) < 1 or options.loop < 10:
        parser.error("at least 1 account, and a loop over at least 10")
    return options


@dataclass(frozen=True)
class Bench:
    suite: str
    rounds: int
    directory: Path

    def measure(self, sizes: tuple[int, ...], most: int) -> dict[int, Figures]:
        """The loop takes time in proportion: beyond ``most`` accounts its figures are a straight line's."""
        loops: dict[int, Figures] = {}
        results = {}
        for size in sizes:
            for looped in (size,) if size <= most else (most // 10, most):
                loops[looped] = loops.get(looped) or self.loop(looped)
            results[size] = self.others(size) | (loops.get(size) or extend(loops, size))
        return results

    def loop(self, size: int) -> Figures:
        figures = Figures()
        with self.case("loop", size) as case:
            self.cold(figures, "loop", case)
            self.again(figures, "loop", case)
        return figures

    def others(self, size: int) -> Figures:
        figures = Figures()
        for _ in range(self.rounds):
            with self.case("shell", size) as case:
                self.cold(figures, "shell", case)
                self.again(figures, "shell", case)
            with self.case("sallyport", size) as case:
                self.cold(figures, "sallyport", case)
                for method in ("sallyport", "ping") * 2:
                    self.again(figures, method, case)
        return figures

    @contextlib.contextmanager
    def case(self, method: str, size: int) -> Iterator[Case]:
        with (
            tempfile.TemporaryDirectory(dir=self.directory) as name,
            hosts.fresh(method, self.suite) as host,
        ):
            directory, key = Path(name), Path(name, "id_ed25519")
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
            case = Case(host, accounts.make(size, key.with_suffix(".pub").read_text().strip()), key, directory)
            case.write()
            yield case

    def cold(self, figures: Figures, method: str, case: Case) -> None:
        seconds = run(method, case).seconds
        customer = verify(case)
        figures.add("cold", method, seconds)
        say(f"{method}, {len(case.listed)} accounts, cold: {seconds:.1f} s; {customer} uploaded a file")

    def again(self, figures: Figures, method: str, case: Case) -> None:
        done = run(method, case)
        if done.changed:
            raise BenchError(f"{method} changed {case.host.name} again though there was nothing to change")
        figures.add("no change", method, done.seconds)
        say(f"{method}, {len(case.listed)} accounts, no change: {done.seconds:.1f} s")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
