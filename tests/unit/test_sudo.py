# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's sudo: which one is active, what visudo accepts, and what listings of real sudos say."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.errors import Refused
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns.sudo_tasks import Rule
from ansible_collections.sallyport.ssh.plugins.module_utils.system import processes, sudo

# Recorded with the real programs: each a host with sudo tasks of akeneo, and foreign rules of ops.
LISTINGS = {path.stem: path.read_text() for path in (Path(__file__).parent / "sudo_listings").glob("*.txt")}
CLASSIC = ("sudo-1.9.5p2", "sudo-1.9.13p3", "sudo-1.9.16p2")
RS = ("sudo-rs-0.2.5",)

PROGRAMS = layout.PROGRAMS
DECLARED = frozenset(
    [
        Rule("www-data", f'{PROGRAMS}/partners_clear_cache ""'),
        Rule("root", f"{PROGRAMS}/partners_systemctl"),
        *(
            Rule("root", f"{PROGRAMS}/{name} {action}")
            for name in ("partners_mysql", "partners_php8.1-fpm")
            for action in ("status", "start", "restart")
        ),
    ]
)
MYSQL = Rule("root", f"{PROGRAMS}/partners_mysql start")


def listed(version: str, user: str) -> str:
    return next(text.split("\n", 1)[1] for text in LISTINGS[version].split("==> ") if text.startswith(user + "\n"))


def parsed(version: str, user: str) -> t.FrozenSet[Rule]:
    rules = sudo.parse(listed(version, user))
    assert rules is not None
    return rules


def test_every_recorded_sudo_is_tested() -> None:
    assert set(LISTINGS) == {*CLASSIC, *RS}


@pytest.mark.parametrize("version", CLASSIC)
def test_a_classic_listing_is_the_declaration(version: str) -> None:
    assert parsed(version, "akeneo") == DECLARED


@pytest.mark.parametrize("version", [*CLASSIC, *RS])
def test_a_listing_of_the_declaration_has_no_problem(version: str) -> None:
    assert list(sudo.compare(DECLARED, parsed(version, "akeneo"), version in RS)) == []


@pytest.mark.parametrize("version", [*CLASSIC, *RS])
def test_foreign_rules_are_read_with_all_that_they_grant(version: str) -> None:
    assert {str(rule) for rule in parsed(version, "ops")} == {
        "(ALL : ALL) ALL",
        "(root) /usr/bin/apt-get update",
        "(root) NOPASSWD: /usr/bin/df -h",
        "(root) /usr/bin/id",
        "(root) /usr/bin/whoami -x",
        "(root) !/usr/bin/su",
        "(root) PASSWD: /usr/bin/true" + ("" if version in RS else ' ""'),
        "(akeneo, www-data : adm) NOPASSWD: /usr/bin/cat *",
        "(root) NOPASSWD: Cwd: /tmp: /usr/bin/wc",
        "(#0) /usr/bin/head",
    }


@pytest.mark.parametrize("version", [*CLASSIC, *RS])
@pytest.mark.parametrize("user", ["none", "nosuch"])
def test_users_without_rules_or_without_existence_have_none(version: str, user: str) -> None:
    assert parsed(version, user) == frozenset()


def test_the_file_of_a_foreign_rule_is_named_where_sudo_tells() -> None:
    everything = [rule for rule in parsed("sudo-1.9.16p2", "ops") if rule.command == "ALL"]
    assert list(sudo.compare(frozenset(), frozenset(everything), False)) == [
        (
            "sudo lists (ALL : ALL) ALL, which no sudo task says; "
            "take it out of /etc/sudoers.d/foreign, or the user out of its group"
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sudo: a password is required\n",
        "sudo: error in /etc/sudoers.d/x, line 1 near column 3\n",
        "sudo: unable to open /etc/sudoers: Permission denied\n",
        "Matching Defaults entries for akeneo on host:\n    env_reset\n",
        "gave no answer within 120 seconds",
    ],
)
def test_what_is_no_listing_is_never_taken_for_an_empty_one(text: str) -> None:
    assert sudo.parse(text) is None


@pytest.mark.parametrize(
    ("wanted", "listed", "problem"),
    [
        pytest.param({MYSQL}, set(), f"sudo does not list {MYSQL};", id="missing"),
        pytest.param(set(), {MYSQL}, f"sudo lists {MYSQL}, which no sudo task says", id="extra"),
        pytest.param({MYSQL}, {Rule("ALL", MYSQL.command)}, "sudo lists (ALL) NOPASSWD: ", id="as another user"),
        pytest.param({MYSQL}, {Rule("root", MYSQL.command, ())}, "does not list", id="with a password"),
        pytest.param(
            {MYSQL},
            {Rule("root", MYSQL.command, ("setenv", "!authenticate"))},
            "sudo lists (root) setenv: ",
            id="setenv",
        ),
        pytest.param({MYSQL}, {MYSQL, Rule("root", MYSQL.command + " *")}, f"{MYSQL} *, which", id="wider arguments"),
        pytest.param({MYSQL}, {MYSQL, Rule("root", "!" + MYSQL.command)}, "sudo lists (root) NOPASSWD: !", id="denied"),
    ],
)
@pytest.mark.parametrize("is_rs", [False, True], ids=["classic", "rs"])
def test_differences_are_named(
    wanted: t.AbstractSet[Rule], listed: t.AbstractSet[Rule], problem: str, is_rs: bool
) -> None:
    found = list(sudo.compare(wanted, listed, is_rs))
    assert [text for text in found if problem in text], found


def test_no_arguments_is_not_any_arguments() -> None:
    none, every = Rule("root", '/x ""'), Rule("root", "/x")
    assert len(list(sudo.compare({none}, {every}, is_rs=False))) == 2


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


CLASSIC_SUDO = "echo 'Sudo version 1.9.16p2'"
CLASSIC_VISUDO = "echo 'visudo version 1.9.16p2'; echo 'visudo grammar version 50'"
RS_SUDO = "echo 'sudo-rs 0.2.5' >&2"
RS_VISUDO = "echo 'visudo version 0.2.5'"


@pytest.mark.parametrize(
    ("files", "real", "visudo", "is_rs"),
    [
        pytest.param(
            {"usr/bin/sudo": CLASSIC_SUDO, "usr/sbin/visudo": CLASSIC_VISUDO},
            "usr/bin/sudo",
            "usr/sbin/visudo",
            False,
            id="classic",
        ),
        pytest.param(
            {
                "usr/bin/sudo.ws": CLASSIC_SUDO,
                "usr/sbin/visudo.ws": CLASSIC_VISUDO,
                "usr/sbin/visudo": RS_VISUDO,
            },
            "usr/bin/sudo.ws",
            "usr/sbin/visudo.ws",
            False,
            id="classic by its other name",
        ),
        pytest.param(
            {"cargo/bin/sudo": RS_SUDO, "cargo/bin/visudo": RS_VISUDO, "usr/sbin/visudo": CLASSIC_VISUDO},
            "cargo/bin/sudo",
            "cargo/bin/visudo",
            True,
            id="sudo-rs beside a classic visudo",
        ),
        pytest.param(
            {"usr/bin/sudo-rs": RS_SUDO, "usr/sbin/visudo": CLASSIC_VISUDO, "usr/sbin/visudo-rs": RS_VISUDO},
            "usr/bin/sudo-rs",
            "usr/sbin/visudo-rs",
            True,
            id="sudo-rs by its other name",
        ),
    ],
)
def test_each_sudo_has_its_own_visudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: t.Mapping[str, str], real: str, visudo: str, is_rs: bool
) -> None:
    for path, text in files.items():
        program(tmp_path / path, text)
    (tmp_path / "active").mkdir()
    (tmp_path / "active" / "sudo").symlink_to(tmp_path / real)
    monkeypatch.setattr(processes, "PATH", f"{tmp_path}/active:{tmp_path}/usr/sbin")
    assert sudo.active() == sudo.Sudo(str(tmp_path / real), is_rs, str(tmp_path / visudo))


@pytest.mark.parametrize(
    "visudo", [None, RS_VISUDO, "exit 1"], ids=["none", "that of another sudo", "one that does not run"]
)
def test_a_sudo_without_its_visudo_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visudo: t.Optional[str]
) -> None:
    program(tmp_path / "bin" / "sudo", CLASSIC_SUDO)
    if visudo:
        program(tmp_path / "bin" / "visudo", visudo)
    monkeypatch.setattr(processes, "PATH", f"{tmp_path}/bin")
    with pytest.raises(Refused, match="the visudo that belongs to it is not there; reinstall the package sudo"):
        sudo.active()


def test_a_host_without_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PATH", str(tmp_path))
    assert sudo.active() is None


VISUDO = processes.find("visudo") or ""


@pytest.mark.skipif(not VISUDO, reason="needs visudo")
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("akeneo ALL=(root NOPASSWD: /x\n", ":1:"),
        ("akeneo ALL=(root) NOPASSWD: x\n", ":1:"),
        ("# fine\nus er ALL=(root) NOPASSWD: /x\n", ":2:"),
        ("akeneo ALL=(root) NOPASSWD: /x\r\n", ":1:"),
    ],
    ids=["parenthesis", "relative path", "space in a name", "carriage return"],
)
def test_the_real_visudo_refuses_what_is_wrong_and_says_where(text: str, place: str) -> None:
    complaint = sudo.check(text, VISUDO)
    assert complaint is not None
    assert layout.SUDOERS + place in complaint


def test_a_validator_that_is_missing_is_a_complaint() -> None:
    assert sudo.check("", "/nonexistent/visudo") == "no such program"
    assert sudo.check_tree("/nonexistent/visudo") == "no such program"


def test_the_candidate_is_a_private_file(tmp_path: Path) -> None:
    visudo = program(tmp_path / "visudo", 'echo "$1 $(stat -c %a "$2") $(stat -c %a "$(dirname "$2")")"; exit 1')
    assert sudo.check("", str(visudo)) == "-cf 440 711"


@pytest.mark.parametrize(
    ("version", "wanted", "problems"),
    [
        ("sudo-1.9.16p2", {"akeneo": DECLARED, "none": frozenset()}, []),
        ("sudo-rs-0.2.5", {"akeneo": DECLARED, "none": frozenset(), "nosuch": frozenset()}, []),
        ("sudo-1.9.16p2", {"akeneo": DECLARED - {MYSQL}}, [f"access_accounts: akeneo: sudo lists {MYSQL}, "]),
        ("sudo-rs-0.2.5", {"none": frozenset({MYSQL})}, [f"access_accounts: none: sudo does not list {MYSQL};"]),
    ],
)
def test_proof(
    tmp_path: Path, version: str, wanted: t.Mapping[str, t.AbstractSet[Rule]], problems: t.List[str]
) -> None:
    found = sudo.prove(wanted, replayed(tmp_path, version, allows_arguments=False))
    assert len(found) == len(problems)
    assert all(text.startswith(problem) for text, problem in zip(found, problems))


def test_sudo_rs_is_asked_whether_no_arguments_means_none(tmp_path: Path) -> None:
    found = sudo.prove({"akeneo": DECLARED}, replayed(tmp_path, "sudo-rs-0.2.5", allows_arguments=True))
    assert found == [
        (
            f"access_accounts: akeneo: sudo allows {PROGRAMS}/partners_clear_cache with arguments, "
            'which no sudo task says; look for a rule without ""'
        )
    ]


def test_a_listing_that_fails_is_an_error(tmp_path: Path) -> None:
    broken = program(tmp_path / "sudo", "echo 'sudo: no valid sudoers sources found, quitting' >&2; exit 1")
    with pytest.raises(processes.Failed, match="no valid sudoers sources"):
        sudo.prove({"akeneo": frozenset()}, sudo.Sudo(str(broken), False, ""))


def replayed(directory: Path, version: str, allows_arguments: bool) -> sudo.Sudo:
    """A sudo that lists what was recorded. Asked about a single command, it says yes or no to any argument."""
    for user in ("akeneo", "ops", "none", "nosuch"):
        (directory / user).write_text(listed(version, user))
    path = program(
        directory / "sudo",
        f'[ "$2" = -ll ] && exec cat {directory}/"$4"\n'
        f'[ "$2 $5 $6 $8" = "-l -u www-data argument" ] && exit {0 if allows_arguments else 1}\n'
        "exit 99",
    )
    return sudo.Sudo(str(path), version in RS, "")
