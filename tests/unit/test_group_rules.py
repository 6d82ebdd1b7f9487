# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on our group in other files: those that would hold for admins at once, and no others."""

from __future__ import annotations

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns.sshd_policy import problems
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import group_rules
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import State, User, of


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("%sallyport ALL=(ALL:ALL) !ALL", True),
        ("  %sallyport\tALL=(ALL) PASSWD: ALL", True),
        ("deploy, %sallyport ALL=(ALL:ALL) !ALL", True),
        ("User_Alias THEIRS = deploy, %sallyport", True),
        ("Defaults:%sallyport rootpw", True),
        ("%#990 ALL=(ALL:ALL) !ALL", True),
        ("%#9901 ALL=(ALL:ALL) !ALL", False),
        ("%ops ALL=(ALL) ALL # not %sallyport", False),
        ("# %sallyport ALL=(ALL) ALL", False),
        ("%sallyport-users ALL=(ALL) ALL", False),
        ("%sudo ALL=(ALL) ALL", False),
        ("sallyport ALL=(ALL) ALL", False),
    ],
)
def test_rules_of_sudo(line: str, counts: bool) -> None:
    assert group_rules.found_in(f"Defaults env_reset\n{line}\n", group_rules.sudo_rule("990")) == (
        [2] if counts else []
    )


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("- : (sallyport) : ALL", True),
        ("-:root sallyport :ALL", True),
        ("+ : (sallyport) : ALL", False),
        ("- : (sallyport-old) : ALL", False),
        ("# - : (sallyport) : ALL", False),
    ],
)
def test_refusals_of_pam_access(line: str, counts: bool) -> None:
    assert group_rules.found_in(line, group_rules._REFUSAL) == ([1] if counts else [])


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("account required pam_succeed_if.so user notingroup sallyport", True),
        ("account [default=1 success=ignore] pam_succeed_if.so user ingroup sallyport quiet", True),
        ("account required pam_succeed_if.so user notingroup sallyport-old", False),
        ("session optional pam_exec.so /opt/sallyport/hook", False),
        ("# account required pam_succeed_if.so user notingroup sallyport", False),
    ],
)
def test_rules_of_pam(line: str, counts: bool) -> None:
    assert group_rules.found_in(line, group_rules._PAM_RULE) == ([1] if counts else [])


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("DenyGroups sallyport", True),
        ("denygroups games sallyport", True),
        ("Match Group sallyport", True),
        ("Match Address 10.0.0.0/8 Group ops,sallyport", True),
        ("Match Group sallyport-sftp-1234abcd", False),
        ("AllowGroups sallyport", False),
        ("Match User sallyport", False),
        ("# DenyGroups sallyport", False),
    ],
)
def test_rules_of_sshd(line: str, counts: bool) -> None:
    assert group_rules.found_in(line, group_rules._SSHD_RULE) == ([1] if counts else [])


@pytest.mark.parametrize("only_listed", [True, False])
def test_nobody_joins_a_group_on_which_others_have_rules(only_listed: bool) -> None:
    known = of(User("deploy", 1000, 1000, "/home/deploy", "/bin/bash"))
    host = Host(state=known, tools=Tools(openssh=(9, 2)), group_rules=("/etc/sudoers.d/zz, line 1",))
    model = Model(Server("host", admins=("deploy",), only_listed=only_listed))
    found = problems(model, host, State(users=known.users))
    assert [
        text.startswith(f"/etc/sudoers.d/zz, line 1: has a rule on group '{layout.LOGIN_GROUP}'") for text in found
    ] == ([True] if only_listed else [])
