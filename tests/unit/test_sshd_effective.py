# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging what sshd shows."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd_effective

Lines = t.Mapping[str, t.Sequence[str]]


def test_parse_takes_repeated_keywords_in_any_case() -> None:
    text = "PermitTTY no\nacceptenv LANG\nacceptenv LC_*\nforcecommand internal-sftp -R\n"
    assert sshd_effective.parse(text) == {
        "permittty": ["no"],
        "acceptenv": ["LANG", "LC_*"],
        "forcecommand": ["internal-sftp -R"],
    }


def test_mismatches_name_both_values_and_what_is_missing() -> None:
    expected = {"permittty": "no", "acceptenv": "LANG LC_*", "chrootdirectory": "/srv"}
    found = {"permittty": ["yes"], "acceptenv": ["LANG", "LC_*"]}
    assert sshd_effective.mismatches(expected, found) == {
        "permittty": ("no", "yes"),
        "chrootdirectory": ("/srv", ""),
    }


@pytest.mark.parametrize(
    ("found", "keyword"),
    [
        pytest.param({}, None, id="no lists"),
        pytest.param({"allowgroups": ["sallyport"]}, None, id="in the group"),
        pytest.param({"allowgroups": ["ops"]}, "allowgroups", id="in no allowed group"),
        pytest.param({"allowgroups": ["ops", "sally*"]}, None, id="pattern"),
        pytest.param({"allowgroups": ["sallypor?"], "denygroups": ["x"]}, None, id="question mark"),
        pytest.param({"allowusers": ["bob"]}, "allowusers", id="AllowUsers without it"),
        pytest.param({"allowusers": ["bob", "alice@10.0.0.0/8"]}, None, id="AllowUsers with a host"),
        pytest.param({"denyusers": ["ali*"], "allowusers": ["alice"]}, "denyusers", id="deny comes first"),
        pytest.param({"denygroups": ["*"], "allowgroups": ["sallyport"]}, "denygroups", id="denied group"),
        pytest.param({"allowusers": ["alic.", "ALICE"]}, "allowusers", id="no regular expression, no other case"),
    ],
)
def test_who_is_refused_before_authentication(found: Lines, keyword: t.Optional[str]) -> None:
    assert sshd_effective.refused_by(found, "alice", {"alice", "sallyport"}) == keyword


def test_a_user_without_groups_is_refused_by_any_allowgroups() -> None:
    assert sshd_effective.refused_by({"allowgroups": ["*"]}, "ghost", set()) == "allowgroups"


@pytest.mark.parametrize(
    ("sources", "addresses"),
    [
        pytest.param((), [("192.0.2.1", True)], id="from anywhere"),
        pytest.param(("10.1.0.0/16",), [("10.1.0.0", True), ("192.0.2.1", False)], id="one network"),
        pytest.param(("192.0.2.0/24",), [("192.0.2.0", True), ("198.51.100.1", False)], id="a documentation network"),
        pytest.param(("0.0.0.0/0",), [("0.0.0.0", True), ("2001:db8::1", False)], id="all of IPv4"),
        pytest.param(("::/0", "0.0.0.0/0"), [("::", True)], id="everything: nothing is outside"),
    ],
)
def test_sample_addresses(sources: t.Tuple[str, ...], addresses: t.List[t.Tuple[str, bool]]) -> None:
    assert sshd_effective.sample_addresses(sources) == addresses
