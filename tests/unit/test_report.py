# SPDX-License-Identifier: GPL-3.0-or-later
"""A proof as a table for people and as JUnit XML for a pipeline."""

from __future__ import annotations

import stat
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ansible_collections.sallyport.ssh.plugins.plugin_utils import report_junit, report_table

Result = t.Dict[str, t.Any]


def promise(area: str, text: str, expected: str = "works", found: str = "works", said: str = "") -> Result:
    return {
        "area": area, "promise": text, "expected": expected, "found": found, "said": said,
        "ok": expected == found, "remedy": f"look at {area}",
    }  # fmt: skip


def account(name: str, *promises: Result, state: str = "present") -> Result:
    return {"name": name, "kind": "sftp", "state": state, "promises": list(promises)}


def result(*accounts: Result, drift: t.Sequence[str] = ()) -> Result:
    broken = [p["promise"] for a in accounts for p in a["promises"] if not p["ok"]]
    return {
        "accounts": list(accounts),
        "drift": list(drift),
        "broken": broken,
        "logins": len(accounts),
        "seconds": 0.51,
    }


LOGIN = promise("login", "a login with a key")
UPLOAD = promise("folders", "/pim: uploading a file")
REFUSED = promise("login", "a login with a key", found="refused", said="Access denied")
UNTRIED = promise("folders", "/pim: uploading a file", found="not tried", said="the login was refused")
OPEN = promise("refusals", "/pim: the request mkdir", "refused", "works")
OPEN_TOO = promise("refusals", "/pim: the request rmdir", "refused", "works")


def test_the_table_of_a_host_that_holds() -> None:
    text = report_table.render(
        "host", result(account("acme", LOGIN, UPLOAD), account("gone", LOGIN, state="suspended"))
    )
    assert (
        text
        == """\
host: 2 accounts, 3 promises tried over 2 logins in 0.5 s

  account  kind             login  folders
  ────────────────────────────────────────
  acme     sftp             ✓ 1    ✓ 1
  gone     sftp, suspended  ✓ 1    ·
"""
    )


def test_what_is_broken_is_explained_below() -> None:
    text = report_table.render(
        "host",
        result(account("acme", REFUSED, UNTRIED), account("spy", LOGIN, OPEN, OPEN_TOO), drift=["a run would x"]),
    )
    assert (
        text
        == """\
host: 2 accounts, 5 promises tried over 2 logins in 0.5 s

  account  kind  login     folders      refusals
  ──────────────────────────────────────────────
  acme     sftp  ✗ 1 of 1  ? 1 untried  ·
  spy      sftp  ✓ 1       ·            ✗ 2 of 2

3 promises are broken, and 1 could not be tried because of that:
  acme
    ✗ a login with a key
      expected: works, found: refused (Access denied)
    → look at login
  spy
    ✗ /pim: the request mkdir, rmdir
      expected: refused, found: works
    → look at refusals

1 difference from the model:
  ≠ a run would x
"""
    )


def test_what_could_not_be_tried_for_no_other_reason_is_told() -> None:
    text = report_table.render("host", result(account("acme", LOGIN, {**UNTRIED, "said": "the session ended"})))
    assert "1 promise is broken:\n  acme\n    ✗ /pim: uploading a file" in text
    assert "found: not tried (the session ended)" in text


def test_many_that_are_alike_share_a_row_and_a_broken_one_does_not() -> None:
    many = [account(f"c{number:02}", LOGIN) for number in range(50)]
    many[7] = account("c07", REFUSED)
    rows = report_table.render("host", result(*many)).splitlines()[4:6]
    assert [row.split("  ")[1] for row in rows] == ["c00 and 48 more", "c07"]


def test_colours_do_not_move_columns() -> None:
    accounts = result(account("acme", LOGIN, UPLOAD), account("spy", REFUSED, OPEN))
    plain = report_table.render("host", accounts)
    painted = report_table.render("host", accounts, lambda text, colour: f"<{colour}>{text}</{colour}>")
    for colour in (report_table.GOOD, report_table.BAD, report_table.DIM):
        painted = painted.replace(f"<{colour}>", "").replace(f"</{colour}>", "")
    assert painted == plain


def test_no_line_is_wider_than_a_terminal() -> None:
    text = report_table.render("host", result(account("acme", OPEN), drift=["word " * 60]))
    assert max(map(len, text.splitlines())) <= report_table.WIDTH


def junit(*accounts: Result, drift: t.Sequence[str] = ()) -> ElementTree.Element:
    return ElementTree.fromstring(report_junit.render("host", result(*accounts, drift=drift)))


def test_the_suites_have_a_test_for_each_promise() -> None:
    root = junit(account("acme", LOGIN, UPLOAD), account("spy", OPEN, UNTRIED))
    counts = [[suite.attrib[name] for name in ("tests", "failures", "skipped")] for suite in (root, *root)]
    assert counts == [["5", "1", "1"], ["2", "0", "0"], ["2", "1", "1"], ["1", "0", "0"]]
    assert [case.attrib for case in root[0]] == [
        {"classname": "host.acme.login", "name": "a login with a key: works"},
        {"classname": "host.acme.folders", "name": "/pim: uploading a file: works"},
    ]
    failure, skipped = root[1][0][0], root[1][1][0]
    assert (failure.attrib, failure.text) == ({"message": "expected: refused, found: works"}, "look at refusals")
    assert skipped.attrib == {"message": "the login was refused"}


def test_every_difference_is_a_failure() -> None:
    root = junit(drift=["one <&>", "two \x00\x1b[0m"])
    assert [case.attrib["name"] for case in root[-1]] == ["one <&>", "two \ufffd\ufffd[0m"]
    assert root.attrib["failures"] == "2"
    assert [case.attrib["name"] for case in junit()[-1]] == ["the host is as the model"]


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        pytest.param("out/report.xml", "out/report.xml", id="a file"),
        pytest.param("out", "out/sallyport-web-1.xml", id="a directory"),
        pytest.param("out/", "out/sallyport-web-1.xml", id="a directory with its slash"),
    ],
)
def test_where_it_is_written(wanted: str, path: str) -> None:
    assert report_junit.path_of(wanted, "web-1") == path


def test_no_host_name_leads_out_of_the_directory() -> None:
    assert report_junit.path_of("out", "../x/y") == "out/sallyport-.._x_y.xml"


def test_it_is_written_whole_in_a_new_directory(tmp_path: Path) -> None:
    path = tmp_path / "new/report.xml"
    report_junit.write(str(path), "<one/>")
    report_junit.write(str(path), "<two/>")
    assert path.read_text() == "<?xml version='1.0' encoding='utf-8'?>\n<two/>"
    assert [each.name for each in path.parent.iterdir()] == ["report.xml"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
