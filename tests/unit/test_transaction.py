# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction on a real tree: what a failing step leaves behind is nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.errors import Overtaken, Refused
from ansible_collections.sallyport.ssh.plugins.module_utils.plan import Action, Step
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory, File, User
from ansible_collections.sallyport.ssh.plugins.module_utils.system import processes, sessions, users
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions import file_steps, journal, steps, transaction
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions.ports import Ports
from ansible_collections.sallyport.ssh.tests.unit.transactions import grow, move_state, plan, ports, snapshot


class Broken(Exception):
    """What a proof raises in these tests."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return grow(tmp_path)


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    move_state(tmp_path_factory.mktemp("state"), monkeypatch)


def test_all_of_it_is_done(tree: Path) -> None:
    transaction.run(plan(tree), ports())
    assert (tree / "changed").read_text() == "new"
    assert (tree / "new" / "file").read_text() == "new"
    assert os.readlink(tree / "link") == "elsewhere"
    assert sorted(os.listdir(tree)) == ["changed", "link", "mode", "new", "record"]
    assert (tree / "mode").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("step", range(10))
def test_whichever_step_fails_the_tree_is_as_it_was(tree: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(tree)
    actions = plan(tree)
    failing = actions[step].step
    original, inverse = steps.STEPS[failing]

    def broken(actions: list[Action], here: Ports) -> None:
        original(actions, here)
        raise Broken("the disk is gone")

    monkeypatch.setattr(transaction, "STEPS", {**steps.STEPS, failing: (broken, inverse)})
    with pytest.raises(transaction.Undone, match=r"the disk is gone \(the host is as it was\)") as undone:
        transaction.run(actions, ports())
    assert undone.value.remains == ()
    assert snapshot(tree) == before


def test_a_candidate_that_is_refused_is_never_swapped_in(tree: Path) -> None:
    path = str(tree / "changed")

    @contextlib.contextmanager
    def gate(candidate: File) -> t.Iterator[None]:
        if candidate.content == "new":
            raise Refused(["no"])
        yield

    before = snapshot(tree)
    told: list[str] = []
    with pytest.raises(transaction.Undone):
        transaction.run(plan(tree), ports({path: gate}, told))
    assert snapshot(tree) == before
    assert told == []


def test_a_file_that_does_not_prove_itself_is_put_back_and_the_daemon_told(tree: Path) -> None:
    path = str(tree / "changed")

    @contextlib.contextmanager
    def gate(candidate: File) -> t.Iterator[None]:
        assert Path(path).read_text() == "old"
        yield
        assert Path(path).read_text() == "new"
        raise Refused(["it lets everybody in"])

    before = snapshot(tree)
    told: list[str] = []
    with pytest.raises(transaction.Undone):
        transaction.run(plan(tree), ports({path: gate}, told))
    assert snapshot(tree) == before
    assert told == [path]


def test_the_policy_is_proven_before_anything_opens_a_way_in(tree: Path) -> None:
    key = File(str(tree / "key"), "ssh-ed25519 AAAA")

    def prove() -> None:
        assert (tree / "new").exists()
        assert not (tree / "key").exists()
        raise Refused(["a foreign file wins"])

    before = snapshot(tree)
    asked = dataclasses.replace(ports(), prove=prove)
    actions = [Action(Step.DIRECTORY, None, Directory(str(tree / "new"), 0o755)), Action(Step.KEY, None, key)]
    with pytest.raises(transaction.Undone, match="a foreign file wins"):
        transaction.run(actions, asked)
    assert snapshot(tree) == before


def test_what_cannot_be_undone_is_said(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(actions: list[Action], *rest: t.Any) -> None:
        (tree / "new" / "upload").write_text("a customer was faster")
        raise Broken("no")

    monkeypatch.setattr(transaction, "STEPS", {**steps.STEPS, Step.LINK: (broken, steps.STEPS[Step.LINK][1])})
    with pytest.raises(transaction.Undone, match=r"NOT undone: .*/new was created and is not empty any more"):
        transaction.run(plan(tree), ports())
    assert (tree / "new" / "upload").exists()


def test_a_directory_that_a_user_has_swapped_keeps_no_other_from_going_back(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_steps, "PATIENCE", 0.0)
    changed = [Directory(str(tree / name), 0o711) for name in ("empty", "mode")]
    actions = [Action(Step.DIRECTORY, item, dataclasses.replace(item, mode=0o755)) for item in changed]

    def broken(actions: list[Action], here: Ports) -> None:
        steps.STEPS[Step.DIRECTORY][0](actions, here)
        (tree / "mode").rename(tree / "moved")
        os.symlink("/etc", tree / "mode")
        raise Broken("no")

    monkeypatch.setattr(transaction, "STEPS", {**steps.STEPS, Step.DIRECTORY: (broken, steps.STEPS[Step.DIRECTORY][1])})
    with pytest.raises(transaction.Undone, match=r"NOT undone: .*/mode: is a link or no directory"):
        transaction.run(actions, ports())
    assert (tree / "empty").stat().st_mode & 0o777 == 0o711


def test_who_is_shut_out_is_so_before_his_sessions_end_however_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[object] = []

    def ends(uids: t.Collection[int]) -> None:
        heard.append(uids)
        raise OSError("processes 4711 do not end")

    monkeypatch.setattr(users, "change", lambda before, after: heard.append((before.expires, after.expires)))
    monkeypatch.setattr(sessions, "end", ends)
    alice = User("alice", 6400, 6400, "/home/alice", "/bin/bash")
    steps.STEPS[Step.CLOSE][0]([Action(Step.CLOSE, alice, dataclasses.replace(alice, expires=1))], ports())
    assert heard == [(None, 1), [6400]]


RELOAD, RESTART, STOP = "daemon-reload", "restart a.timer", "stop a.timer"


@pytest.mark.parametrize(
    ("before", "after", "done", "undone"),
    [
        pytest.param(None, "new", [RELOAD, RESTART], [STOP, RELOAD], id="new"),
        pytest.param("old", "new", [RELOAD, RESTART], [RELOAD, RESTART], id="changed"),
        pytest.param("old", None, [STOP, RELOAD], [RELOAD, RESTART], id="removed"),
    ],
)
def test_a_timer_starts_anew_and_stops_before_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    before: str | None, after: str | None, done: list[str], undone: list[str],
) -> None:  # fmt: skip
    unit = tmp_path / "a.timer"
    heard: list[str] = []

    def systemctl(argv: list[str]) -> None:
        assert argv[1] == "daemon-reload" or unit.exists()
        heard.append(" ".join(argv[1:]))

    def broken(*_arguments: t.Any) -> None:
        raise Broken("no")

    monkeypatch.setattr(layout, "UNITS", str(tmp_path))
    monkeypatch.setattr(processes, "must", systemctl)
    monkeypatch.setattr(transaction, "STEPS", {**steps.STEPS, Step.RECORD: (broken, lambda *_: None)})
    old, new = (None if text is None else File(str(unit), text) for text in (before, after))
    step = Step.FILE if new else Step.REMOVE_FILE
    here = dataclasses.replace(ports(), systemd=True)
    if before:
        unit.write_text(before)
    with pytest.raises(transaction.Undone, match="the host is as it was"):
        transaction.run([Action(step, old, new), Action(Step.RECORD, None, File("record", ""))], here)
    assert heard == done + undone
    assert (unit.read_text() if unit.exists() else None) == before
    heard.clear()
    transaction.run([Action(step, old, new)], here)
    assert heard == done


def test_a_second_run_is_kept_out(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with transaction.locked(path):
        process = multiprocessing.get_context("fork").Process(target=_second, args=(path,))
        process.start()
        process.join(10)
    assert process.exitcode == 7
    with transaction.locked(path, patience=0):
        pass


def _second(path: str) -> None:
    try:
        with transaction.locked(path, patience=0.2):
            os._exit(0)
    except Refused as refused:
        os._exit(7 if path in refused.problems[0] else 1)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(OSError("no space left"), id="the disk is full"),
        pytest.param(Overtaken(["uid 6400 is taken"]), id="somebody has taken the id"),
    ],
)
def test_where_what_was_removed_cannot_come_back_the_change_is_kept_for_the_next_run(
    tree: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """The journal does not name it: whoever went by it alone would undo the rest, and never come to an end."""

    def fail(actions: list[Action], here: Ports) -> None:
        raise trouble

    found = {**steps.STEPS, Step.FINAL_RECORD: (fail, steps.STEPS[Step.FINAL_RECORD][1])}
    found[Step.REMOVE_DIRECTORY] = (steps.STEPS[Step.REMOVE_DIRECTORY][0], fail)
    monkeypatch.setattr(transaction, "STEPS", found)
    with pytest.raises(transaction.Undone, match=f"NOT undone: {trouble}; all else stays .* the next one completes"):
        transaction.run(plan(tree), ports())
    pending = journal.read()
    assert pending is not None
    assert pending.state == journal.KEPT
    assert (tree / "changed").read_text() == "new"
    assert (tree / "record").read_text() == "leaving"
