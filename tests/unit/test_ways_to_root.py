# SPDX-License-Identifier: GPL-3.0-or-later
"""What an admin may do by sudo, before and after."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns.sudo_tasks import Rule
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import ways_to_root
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.ways_to_root import Way
from ansible_collections.sallyport.ssh.plugins.module_utils.system import processes, sudo
from ansible_collections.sallyport.ssh.plugins.module_utils.system.processes import Outcome

ALL = Rule("ALL", "ALL", source="/etc/sudoers.d/deploy")
ASKING = Rule("ALL", "ALL", ())
TASK = Rule("root", "/usr/bin/systemctl", source="/etc/sudoers.d/sallyport-tasks")
BEFORE = {"deploy": Way(frozenset({ALL}), unasked=True), "none": Way()}


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        ({"deploy": Way(frozenset({ALL}), True)}, None),
        ({"deploy": Way(frozenset({ALL, TASK}), True)}, None),
        ({"deploy": Way(frozenset({Rule("ALL", "ALL", source="elsewhere")}), True)}, None),
        ({"deploy": Way(frozenset({ALL, ASKING}), False)}, "until now: become root without a password; "),
        (
            {"deploy": Way(frozenset({ASKING}), False)},
            "until now: (ALL) NOPASSWD: ALL, become root without a password; ",
        ),
        ({"deploy": Way()}, "overrules it in /etc/sudoers.d/deploy, or in a file that comes after"),
        ({}, "'deploy' would lose"),
    ],
    ids=["the same", "more", "from another file", "overruled", "changed", "nothing", "not listed"],
)
def test_what_is_lost(after: t.Mapping[str, Way], lost: t.Optional[str]) -> None:
    found = ways_to_root.lost(BEFORE, after)
    assert len(found) == (lost is not None)
    assert all(lost in sentence for sentence in found if lost)


@pytest.mark.parametrize("unasked", [True, False])
def test_what_is_asked(monkeypatch: pytest.MonkeyPatch, unasked: bool) -> None:
    asked: t.List[t.List[str]] = []
    active = sudo.Sudo("/usr/bin/sudo", False, "/usr/sbin/visudo")

    def run(argv: t.List[str], **_more: t.Any) -> Outcome:
        asked.append(argv)
        return Outcome(0 if unasked else 1, "", "")

    monkeypatch.setattr(sudo, "listing", lambda _name, _active: frozenset({ALL}))
    monkeypatch.setattr(processes, "run", run)
    assert ways_to_root.of(["root", "games"], active) == {"games": Way(frozenset({ALL}), unasked)}
    (argv,) = asked
    assert argv[:3] == ["setpriv", "--reuid", "games"]
    assert argv[-3:] == ["/usr/bin/sudo", "-n", "true"]


def test_without_sudo_there_is_nothing_to_lose() -> None:
    assert ways_to_root.of(["games"], None) == {}
