# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree of files, and a plan that changes it in every way that needs no privilege."""

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.plan import Action, Step
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory, File, Group, Link, User, of
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions import safety_net
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions.ports import Gate, Ports

ME = of(User("root", os.getuid(), os.getgid(), "/", ""), Group("root", os.getgid()))


def ports(gates: t.Mapping[str, Gate] | None = None, told: list[str] | None = None, **proofs: t.Any) -> Ports:
    heard: list[str] = [] if told is None else told
    take_up = {path: (lambda path=path: heard.append(path)) for path in gates or ()}
    here = Ports(ME, gates or {}, lambda: None, take_up, take_up, systemd=False, sysusers=False)
    return dataclasses.replace(here, **proofs)


def snapshot(tree: Path) -> dict[str, t.Any]:
    """Every path below the tree with its mode and what it holds."""
    return {
        str(path.relative_to(tree)): (
            path.lstat().st_mode,
            os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(tree.rglob("*"))
    }


def grow(tree: Path) -> Path:
    """The tree as it is before the plan."""
    tree.mkdir(exist_ok=True)
    (tree / "changed").write_text("old")
    (tree / "removed").write_text("goes")
    for file in tree.iterdir():
        file.chmod(0o644)
    (tree / "mode").mkdir(mode=0o700)
    (tree / "empty").mkdir(mode=0o711)
    os.symlink("somewhere", tree / "link")
    return tree


def plan(tree: Path) -> list[Action]:
    """One action of every kind that needs no privilege, in the order of the steps."""
    changed, removed, link, record = (str(tree / name) for name in ("changed", "removed", "link", "record"))
    old, new = Directory(str(tree / "mode"), 0o700), Directory(str(tree / "mode"), 0o755)
    return [
        Action(Step.DIRECTORY, None, Directory(str(tree / "new"), 0o755)),
        Action(Step.DIRECTORY, None, Directory(str(tree / "new" / "inner"), 0o755)),
        Action(Step.DIRECTORY, old, new),
        Action(Step.FILE, File(changed, "old", 0o644), File(changed, "new", 0o600)),
        Action(Step.FILE, None, File(str(tree / "new" / "file"), "new")),
        Action(Step.LINK, Link(link, "somewhere"), Link(link, "elsewhere")),
        Action(Step.REMOVE_FILE, File(removed, "goes", 0o644), None),
        Action(Step.RECORD, None, File(record, "leaving", 0o600)),
        Action(Step.REMOVE_DIRECTORY, Directory(str(tree / "empty"), 0o711), None),
        Action(
            Step.FINAL_RECORD, File(str(tree / "record"), "leaving", 0o600), File(str(tree / "record"), "last", 0o600)
        ),
    ]


def move_state(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the journal and all that undoes an interrupted transaction lie while it is under way."""
    for name, path in (
        ("STATE", "sallyport"),
        ("JOURNAL", "sallyport/journal"),
        ("JOURNAL_KEPT", "sallyport/kept"),
        ("RECOVERY_PROGRAM", "sallyport/it"),
    ):
        monkeypatch.setattr(layout, name, str(directory / path))
    monkeypatch.setattr(safety_net, "UNIT", str(directory / "unit"))
    monkeypatch.setattr(safety_net, "ENABLED", Link(str(directory / "wants/unit"), str(directory / "unit")))
    monkeypatch.setattr(safety_net, "CRON", str(directory / "cron.d/recover"))
