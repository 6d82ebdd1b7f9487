# SPDX-License-Identifier: GPL-3.0-or-later
"""Torment hosts: campaigns that take many of something at once, one stage of them after the other.

Results are kept in .cache/torture.json; a whole run, without names, keeps their table in docs/safety.md, too. Ends
with 1 if there are defects.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import sys
import threading
import traceback

from .campaigns import CAMPAIGNS, STAGES
from .report import BOUND, TOTAL, Report, keep, load, publish, table

SHOWN = 40  # defects of a campaign; all of them are in the file

_speaking = threading.Lock()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/torture", description=__doc__)
    parser.add_argument("campaigns", nargs="*", metavar="campaign", help=f"default: all of {', '.join(CAMPAIGNS)}")
    parser.add_argument("--table", action="store_true", help="run nothing: put what is kept in the page")
    options = parser.parse_args()
    names = options.campaigns or list(CAMPAIGNS)
    unknown = [name for name in names if name not in CAMPAIGNS]
    if unknown:
        parser.error(f"there is no campaign {unknown[0]}: choose from {', '.join(CAMPAIGNS)}")
    if options.table:
        publish(table(load(), [*CAMPAIGNS, TOTAL]))
        return 0
    total, reports = Report(TOTAL), []
    for stage in STAGES:
        with concurrent.futures.ThreadPoolExecutor(len(stage)) as pool:
            for lane in pool.map(lambda lane: [_run(name) for name in lane if name in names], stage):
                reports += lane
    for report in reports:
        total.defects += report.defects
    total.ended()
    if set(names) == set(CAMPAIGNS):
        keep(total)
        publish(table(load(), [*CAMPAIGNS, TOTAL]))
    print(f"\n{table(load(), names)}")
    print(f"{len(reports)} campaigns in {total.seconds / 60:.1f} minutes", end="")
    print(f" (all of them: less than {BOUND // 60} on two processors that do nothing else)", flush=True)
    return 1 if total.defects else 0


def _run(name: str) -> Report:
    report = Report(name)
    try:
        report = CAMPAIGNS[name]()
    except Exception:
        report.defects.append(f"the campaign did not come to its end: {traceback.format_exc()}")
        report.ended()
    with _speaking:
        keep(report)
        print(report.line, flush=True)
        for defect in report.defects[:SHOWN]:
            print(f"  - {defect}", flush=True)
    return report


sys.exit(main())
