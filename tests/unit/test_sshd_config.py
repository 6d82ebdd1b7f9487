# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the lines of a configuration tree, and finding the one that wins."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd_config

MAIN = layout.SSHD_CONFIG
OURS = layout.SSHD_DROP_IN
EARLY = "/etc/ssh/sshd_config.d/00-a.conf"
LATE = "/etc/ssh/sshd_config.d/50-cloud-init.conf"
INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n"


def walk(files: t.Mapping[str, str]) -> t.List[sshd_config.Setting]:
    def glob(pattern: str) -> t.List[str]:
        return sorted(path for path in files if sshd_config.covers(pattern, path))

    return sshd_config.walk(MAIN, files.get, glob)


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        pytest.param("", None, id="empty"),
        pytest.param("   # Port 22", None, id="comment"),
        pytest.param("Port 22", ("port", ("22",)), id="plain"),
        pytest.param("\tPORT\t22  ", ("port", ("22",)), id="tabs and case"),
        pytest.param("Port=22", ("port", ("22",)), id="equals sign"),
        pytest.param("Port = 22", ("port", ("22",)), id="spaced equals sign"),
        pytest.param("AcceptEnv LANG LC_* # locale", ("acceptenv", ("LANG", "LC_*")), id="comment at the end"),
        pytest.param("Banner /etc/issue#1", ("banner", ("/etc/issue#1",)), id="hash inside a word"),
        pytest.param('Banner "/etc/my issue"', ("banner", ("/etc/my issue",)), id="quoted"),
        pytest.param('Banner"/etc/issue"', ("banner/etc/issue", ()), id="a quote does not end a keyword"),
        pytest.param('"Port" 22', ("port", ("22",)), id="quoted keyword"),
        pytest.param('Port"22', None, id="a keyword with an open quote is passed over"),
        pytest.param('Banner "/etc/issue', ("banner", ()), id="an argument with an open quote"),
        pytest.param("AllowUsers a\x85b\u2028c", ("allowusers", ("a\x85b\u2028c",)), id="no blanks of sshd"),
        pytest.param(r'AllowUsers a\"b "c\"d" e\ f', ("allowusers", ('a"b', 'c"d', "e f")), id="backslashes"),
        pytest.param("ChannelTimeout *=900", ("channeltimeout", ("*=900",)), id="equals sign in an argument"),
        pytest.param("Match User 'a b'", ("match", ("User", "a b")), id="single quotes"),
    ],
)
def test_split(line: str, parsed: t.Optional[t.Tuple[str, t.Tuple[str, ...]]]) -> None:
    assert sshd_config.split(line) == parsed


def test_included_files_come_in_order_at_their_place() -> None:
    files = {MAIN: "Port 1\n" + INCLUDE + "Port 4\n", LATE: "Port 3\n", EARLY: "\nPort 2\n"}
    ports = [(item.place, item.value) for item in walk(files) if item.keyword == "port"]
    assert ports == [(f"{MAIN}:1", "1"), (f"{EARLY}:2", "2"), (f"{LATE}:1", "3"), (f"{MAIN}:3", "4")]


def test_a_relative_include_starts_in_etc_ssh() -> None:
    files = {MAIN: "Include sshd_config.d/*.conf\n", LATE: "Port 3\n"}
    assert [item.file for item in walk(files) if item.keyword == "port"] == [LATE]


def test_a_match_ends_with_the_file_that_opens_it_and_reaches_into_files_below() -> None:
    files = {
        MAIN: INCLUDE + "PermitTTY yes\nMatch User bob\nInclude other\n",
        LATE: "Match Group ftp\nPermitTTY no\n",
        "/etc/ssh/other": "PermitTTY no\n",
    }
    found = {item.place: item.match for item in walk(files) if item.keyword == "permittty"}
    assert found == {f"{LATE}:2": "Group ftp", f"{MAIN}:2": None, "/etc/ssh/other:1": "User bob"}


def test_files_that_include_each_other_end() -> None:
    assert len(walk({MAIN: f"Include {MAIN}\n"})) == sshd_config.DEEPEST + 1


@pytest.mark.parametrize(
    ("main", "problem"),
    [
        pytest.param(INCLUDE, None, id="first line"),
        pytest.param("Include sshd_config.d/*.conf\n", None, id="relative"),
        pytest.param("Port 22\n" + INCLUDE, None, id="not first, but nothing of ours before it"),
        pytest.param("Port 22\n", f"{MAIN}: nothing includes {OURS}", id="missing"),
        pytest.param("Include /etc/ssh/*.conf\n", "nothing includes", id="another directory"),
        pytest.param("Include /etc/ssh/sshd_config.d/[1-9]*.conf\n", "nothing includes", id="other names"),
        pytest.param("Match User bob\n" + INCLUDE, f"{MAIN}:2: this Include depends on 'Match User bob'", id="late"),
    ],
)
def test_the_include_of_our_drop_in(main: str, problem: t.Optional[str]) -> None:
    found = sshd_config.include_problem(walk({MAIN: main, OURS: ""}), MAIN, OURS)
    if problem is None:
        assert found is None
    else:
        assert found is not None
        assert problem in found
        assert f"as the first line of {MAIN}" in found


BLOCK = "Match Group sallyport-x\nPermitTTY no\n"


@pytest.mark.parametrize(
    ("files", "keyword", "place"),
    [
        pytest.param(
            {MAIN: INCLUDE + "LogLevel INFO\n", OURS: "LogLevel VERBOSE\n"}, "loglevel", None, id="later global"
        ),
        pytest.param(
            {MAIN: "LogLevel INFO\n" + INCLUDE, OURS: "LogLevel VERBOSE\n"},
            "loglevel",
            f"{MAIN}:1",
            id="earlier global",
        ),
        pytest.param(
            {MAIN: "PermitTTY yes\n" + INCLUDE, OURS: BLOCK}, "permittty", None, id="a global never beats our block"
        ),
        pytest.param(
            {MAIN: INCLUDE, EARLY: "Match all\nPermitTTY yes\n", OURS: BLOCK},
            "permittty",
            f"{EARLY}:2",
            id="earlier block",
        ),
        pytest.param(
            {MAIN: INCLUDE, LATE: "Match all\nPermitTTY yes\n", OURS: BLOCK}, "permittty", None, id="later block"
        ),
        pytest.param(
            {MAIN: INCLUDE + "AllowUsers bob\n", OURS: "AllowGroups sallyport\n"},
            "allowusers",
            f"{MAIN}:2",
            id="AllowUsers anywhere",
        ),
        pytest.param(
            {MAIN: INCLUDE, OURS: "AllowGroups sallyport\n", LATE: "AllowGroups ops\n"},
            "allowgroups",
            f"{LATE}:1",
            id="AllowGroups accumulates",
        ),
        pytest.param(
            {MAIN: INCLUDE + "AuthorizedKeysCommand /x\n", OURS: BLOCK},
            "authorizedkeyscommand",
            f"{MAIN}:2",
            id="what we do not set",
        ),
    ],
)
def test_what_wins_over_our_drop_in(files: t.Mapping[str, str], keyword: str, place: t.Optional[str]) -> None:
    found = sshd_config.shadowing(walk(files), keyword, OURS)
    assert (found.place if found else None) == place


def test_of_several_earlier_blocks_the_one_with_the_value_found_is_named() -> None:
    early = "Match User a\nForceCommand one\nMatch User b\nForceCommand two\n"
    settings = walk({MAIN: INCLUDE, EARLY: early, OURS: "Match Group x\nForceCommand none\n"})
    found = sshd_config.shadowing(settings, "forcecommand", OURS, "two")
    assert found is not None
    assert (found.place, found.match) == (f"{EARLY}:4", "User b")
