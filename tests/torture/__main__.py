# SPDX-License-Identifier: GPL-3.0-or-later
"""Torment hosts: campaigns that take many of something at once, one after the other.

Results are kept in .cache/torture.json. Ends with 1 if there are defects.
"""

from __future__ import annotations

import argparse
import sys
import traceback

from .campaigns import CAMPAIGNS
from .report import Report, keep, table

SHOWN = 40  # defects of a campaign; all of them are in the file


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/torture", description=__doc__)
    parser.add_argument("campaigns", nargs="*", metavar="campaign", help=f"default: all of {', '.join(CAMPAIGNS)}")
    names = parser.parse_args().campaigns or list(CAMPAIGNS)
    unknown = [name for name in names if name not in CAMPAIGNS]
    if unknown:
        parser.error(f"there is no campaign {unknown[0]}: choose from {', '.join(CAMPAIGNS)}")
    reports = []
    for name in names:
        reports.append(report := _run(name))
        keep([report])
        print(report.line, flush=True)
        for defect in report.defects[:SHOWN]:
            print(f"  - {defect}", flush=True)
    print(f"\n{table(reports)}")
    return 1 if any(report.defects for report in reports) else 0


def _run(name: str) -> Report:
    report = Report(name)
    try:
        return CAMPAIGNS[name]()
    except Exception:
        traceback.print_exc()
        report.defects.append("the campaign did not come to its end")
        return report.ended()


sys.exit(main())
