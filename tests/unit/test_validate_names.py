# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: what is accepted means the same to sshd, sudo and a path; what would not is refused."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.plugin_utils import names
from ansible_collections.sallyport.ssh.plugins.plugin_utils.problems import Wrong
from hypothesis import given, settings
from hypothesis import strategies as st

GOOD = [
    "acme", "a", "_acme", "0abc", "1.ent-project", "dev.site-id", "FTPLogin-user1",
    "pcc-1-23-45-67_fr", "Acme", "x" * 32,
    "jyu7waly36ncj-main-7rqtwti--app", "A-B", "ALL.x", "defaults",
]  # fmt: skip

BAD: t.List[t.Tuple[str, str]] = [
    ("", "is empty"),
    ("abcdefg123abc-smith-a12b34c--mymagento", "has 38 characters; a login has 32 at most"),
    ("-acme", 'starts with "-"'),
    (".", 'starts with "."'),
    ("..", 'starts with "."'),
    (".acme", 'starts with "."'),
    ("1000", "only digits"),
    ("ALL", "all capitals, which sudo reads as an alias"),
    ("ADMINS_2", "all capitals"),
    ("Defaults", "keyword of sudoers"),
    ("User_Alias", "keyword of sudoers"),
    ("sha256", "keyword of sudoers"),
    ("root", "reserved"),
    ("sudo", "reserved"),  # its primary group would be the one of that name
    ("shadow", "reserved"),
    ("www-data", "reserved"),
    ("nobody", "reserved"),
    ("systemd-network", "reserved"),
    ("sallyport", "reserved"),
    ("sallyport-1a", "reserved"),
    ("acme\n", "holds '\\n'"),
    ("a b", "holds a space"),
    *((f"a{char}b", "holds ") for char in "*?!,%#+@:/\\\"'`$&|;<>()[]{}=~^\t\r\x00é\u202e\u0661"),
]


@pytest.mark.parametrize("name", GOOD)
def test_accepted(name: str) -> None:
    assert names.account(name) == name


@pytest.mark.parametrize(("name", "says"), BAD, ids=lambda value: ascii(value)[:20])
def test_refused(name: str, says: str) -> None:
    with pytest.raises(Wrong) as caught:
        names.account(name)
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_admin_may_be_root_and_an_account_may_not() -> None:
    assert names.login("root") == "root"
    with pytest.raises(Wrong):
        names.account("root")


@given(st.text(max_size=40))
def test_what_is_accepted_is_one_plain_part_of_a_path_and_of_a_line(name: str) -> None:
    try:
        names.account(name)
    except Wrong:
        return
    assert name.isascii()
    assert name.isprintable()
    assert 0 < len(name) <= 32
    assert not set(name) & set(" */?!,%#+@:\\\"'")
    assert name not in (".", "..")
    assert name[0] != "-"


def _accepted(name: str) -> bool:
    try:
        return names.account(name) == name
    except Wrong:
        return False


accepted = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\Z").filter(_accepted)


VISUDO = shutil.which("visudo", path="/usr/sbin:/usr/bin:/sbin:/bin")
CVTSUDOERS = shutil.which("cvtsudoers", path="/usr/sbin:/usr/bin:/sbin:/bin")


@pytest.mark.skipif(CVTSUDOERS is None, reason="classic sudo is not installed")
@settings(max_examples=1, deadline=None)
@given(st.lists(accepted, min_size=50, max_size=50, unique=True))
def test_sudo_reads_every_accepted_name_as_that_user(
    tmp_path_factory: pytest.TempPathFactory, logins: t.List[str]
) -> None:
    sudoers = tmp_path_factory.mktemp("sudo") / "sudoers"
    chosen = list(dict.fromkeys([*GOOD, *logins]))
    sudoers.write_text("".join(f"{login} ALL=(root) NOPASSWD: /bin/true\n" for login in chosen))
    out = subprocess.run(
        [str(CVTSUDOERS), "-f", "csv", str(sudoers)], capture_output=True, text=True, check=True
    ).stdout
    assert _users(out) == chosen


def _users(csv: str) -> t.List[str]:
    rules = [line.split(",") for line in csv.splitlines() if line.startswith("rule,")]
    return [rule[1] for rule in rules[1:]]


TASKS_GOOD = ["partners_mysql", "partners_php8.1-fpm", "0restart", "app.reload"]
TASKS_BAD = ["", "Partners", "-x", ".x", "a b", "a/b", "a\n", "a*", "ls", "sudo", "systemctl", "sallyport-x", "x" * 65]


@pytest.mark.parametrize("name", TASKS_GOOD)
def test_a_task_is_called_by(name: str) -> None:
    assert names.task(name) == name


@pytest.mark.parametrize("name", TASKS_BAD, ids=ascii)
def test_a_task_is_not_called_by(name: str) -> None:
    with pytest.raises(Wrong):
        names.task(name)


@pytest.mark.skipif(VISUDO is None, reason="sudo is not installed")
@pytest.mark.parametrize("name", ["Defaults", "User_Alias", "ad,min", "ad min", "#0", "%wheel", "ad:min"])
def test_sudo_does_misread_what_is_refused(name: str, tmp_path: Path) -> None:
    """The reason for the refusals: these lines are no rule for a user of that name."""
    sudoers = tmp_path / "sudoers"
    sudoers.write_text(f"{name} ALL=(root) NOPASSWD: /bin/true\n")
    sudoers.chmod(0o440)
    checked = subprocess.run([str(VISUDO), "-cf", str(sudoers)], capture_output=True, text=True, check=False)
    listed = subprocess.run([str(CVTSUDOERS), "-f", "csv", str(sudoers)], capture_output=True, text=True, check=False)
    assert checked.returncode != 0 or _users(listed.stdout) != [name] or name[0] in "#%"
    with pytest.raises(Wrong):
        names.account(name)
