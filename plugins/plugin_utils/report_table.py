# SPDX-License-Identifier: GPL-3.0-or-later
"""A proof as a person reads it: what was proven of each account, and below what does not hold."""

from __future__ import annotations

import collections.abc as c
import textwrap
import typing as t

from ..module_utils.proofs.promises import AREAS

Result = c.Mapping[str, t.Any]  # what access_proof returns
Paint = c.Callable[[str, str], str]  # a text and its colour

GOOD, BAD, DIM = "green", "red", "dark gray"
HOLDS, BROKEN, NONE = "✓", "✗", "·"
UNTRIED = "not tried"
MOST_ROWS = 40  # beyond, accounts that are alike share a row
WIDTH = 100


class Cell(t.NamedTuple):
    text: str
    colour: str | None = None


def render(host: str, result: Result, paint: Paint = lambda text, _colour: text) -> str:
    parts = [_heading(host, result)]
    if result["accounts"]:
        parts.append(_table(_rows(result["accounts"]), paint))
    parts += [_broken(result["accounts"], paint), _drift(result["drift"], paint)]
    return "\n\n".join(part for part in parts if part) + "\n"


def summary(result: Result) -> str:
    """In one line, for whoever sees the table as well."""
    told = [
        counted(len(result["broken"]), "broken promise"),
        counted(len(result["drift"]), "difference") + " from the model",
    ]
    return f"{' and '.join(told)}: see the table above."


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _heading(host: str, result: Result) -> str:
    promises = sum(len(account["promises"]) for account in result["accounts"])
    tried = f"{counted(len(result['accounts']), 'account')}, {counted(promises, 'promise')}"
    return f"{host}: {tried} tried over {counted(result['logins'], 'login')} in {result['seconds']:.1f} s"


def _rows(accounts: c.Sequence[Result]) -> list[list[Cell]]:
    """A row for each account, the columns of which are the areas."""
    rows: dict[t.Any, list[list[Cell]]] = {}
    for account in accounts:
        cells = [_cell([promise for promise in account["promises"] if promise["area"] == area]) for area in AREAS]
        kind = account["kind"] if account["state"] == "present" else f"{account['kind']}, {account['state']}"
        alike: t.Any = account["name"]
        if len(accounts) > MOST_ROWS and all(promise["ok"] for promise in account["promises"]):
            alike = (kind, *cells)
        rows.setdefault(alike, []).append([Cell(account["name"]), Cell(kind), *cells])
    return [_merged(group) for group in rows.values()]


def _merged(rows: list[list[Cell]]) -> list[Cell]:
    first, *others = rows
    return [Cell(f"{first[0].text} and {len(others)} more"), *first[1:]] if others else first


def _cell(promises: c.Sequence[Result]) -> Cell:
    wrong = [promise for promise in promises if not promise["ok"]]
    broken = [promise for promise in wrong if promise["found"] != UNTRIED]
    if not promises:
        return Cell(NONE, DIM)
    if broken:
        return Cell(f"{BROKEN} {len(broken)} of {len(promises)}", BAD)
    return Cell(f"? {len(wrong)} untried", BAD) if wrong else Cell(f"{HOLDS} {len(promises)}", GOOD)


def _table(rows: list[list[Cell]], paint: Paint) -> str:
    titles = [Cell(title) for title in ("account", "kind", *AREAS)]
    # a column that says nothing of anybody is left out
    kept = [number for number in range(len(titles)) if number < 2 or any(row[number].text != NONE for row in rows)]
    widths = {number: max(len(row[number].text) for row in (titles, *rows)) for number in kept}

    def line(row: list[Cell]) -> str:
        cells = (_padded(row[number], widths[number], paint) for number in kept)
        return ("  " + "  ".join(cells)).rstrip()

    rule = "  " + "─" * (sum(widths.values()) + 2 * (len(kept) - 1))
    return "\n".join([line(titles), paint(rule, DIM), *map(line, rows)])


def _padded(cell: Cell, width: int, paint: Paint) -> str:
    text = paint(cell.text, cell.colour) if cell.colour else cell.text
    return text + " " * (width - len(cell.text))


def _broken(accounts: c.Sequence[Result], paint: Paint) -> str:
    lines: list[str] = []
    broken = untried = 0
    for account in accounts:
        wrong = [promise for promise in account["promises"] if not promise["ok"]]
        told = [promise for promise in wrong if promise["found"] != UNTRIED] or wrong
        broken, untried = broken + len(told), untried + len(wrong) - len(told)
        if wrong:
            lines.append(f"  {account['name']}")
        for text, outcome in _alike(told):
            lines += _wrapped(text, 6, "    " + paint(BROKEN, BAD) + " ")
            lines += _wrapped(outcome, 6)
        for remedy in dict.fromkeys(promise["remedy"] for promise in told):
            lines += _wrapped(remedy, 6, "    " + paint("→", GOOD) + " ")
    if not lines:
        return ""
    also = f", and {untried} could not be tried because of that" if untried else ""
    return "\n".join([f"{counted(broken, 'promise')} {'is' if broken == 1 else 'are'} broken{also}:", *lines])


def _alike(promises: c.Sequence[Result]) -> list[tuple[str, str]]:
    """What comes to the same at the same place, in one sentence, and what it comes to."""
    groups: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for promise in promises:
        place, _colon, what = promise["promise"].rpartition(": ") if promise["promise"][0] == "/" else ("", "", "")
        group = groups.setdefault((place, promise["expected"], promise["found"]), [])
        group.append((what or promise["promise"], promise["said"]))
    found = []
    for (place, expected, outcome), acts in groups.items():
        said = "; ".join(dict.fromkeys(said for _act, said in acts if said))
        text = ", ".join(act for act, _said in acts).replace(", the request ", ", ")
        found.append(
            (
                f"{place}: {text}" if place else text,
                f"expected: {expected}, found: {outcome}" + (f" ({said})" if said else ""),
            )
        )
    return found


def _drift(differences: c.Sequence[str], paint: Paint) -> str:
    if not differences:
        return ""
    lines = [line for text in differences for line in _wrapped(text, 4, "  " + paint("≠", BAD) + " ")]
    return "\n".join([f"{counted(len(differences), 'difference')} from the model:", *lines])


def _wrapped(text: str, indent: int, first: str | None = None) -> list[str]:
    lines = textwrap.wrap(text, WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    margin = " " * indent
    return [(first if first is not None and not number else margin) + line for number, line in enumerate(lines)]
