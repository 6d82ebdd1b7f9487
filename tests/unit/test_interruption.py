# SPDX-License-Identifier: GPL-3.0-or-later
"""A transaction that is killed, or whose disk fails, at any call that changes anything: whole, before or after."""

from __future__ import annotations

import errno
import os
import signal
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.errors import Refused
from ansible_collections.sallyport.ssh.plugins.module_utils.plan import Step
from ansible_collections.sallyport.ssh.plugins.module_utils.system import files, processes
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions import (
    journal,
    recovery,
    safety_net,
    transaction,
)
from ansible_collections.sallyport.ssh.tests.unit.transactions import grow, move_state, plan, ports, snapshot

CHANGING = ("rename", "link", "symlink", "unlink", "mkdir", "rmdir", "fsync", "fchmod", "fchown", "open")
MOST = 1000  # calls of one transaction

Strike = t.Callable[[], None]


class Calls:
    """Counts the calls that change something, and strikes at one of them."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, strike: Strike, at: int, before: bool, lasting: bool = False
    ) -> None:
        self.count, self._strike, self._at, self._before, self._lasting = 0, strike, at, before, lasting
        for name in CHANGING:
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, call: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def wrapper(*arguments: t.Any, **keywords: t.Any) -> t.Any:
            self.count += 1
            due = self.count == self._at or (self._lasting and self.count > self._at)
            if due and self._before:
                self._strike()
            try:
                return call(*arguments, **keywords)
            finally:
                if due and not self._before:
                    self._strike()

        return wrapper


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def ended(work: t.Callable[[], object]) -> int:
    """How a child that does the work ends: 0 by itself, 9 killed, 7 when the transaction was undone."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except transaction.Undone:
            os._exit(7)
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def recover() -> None:
    """What the next run does first."""
    pending = journal.read()
    if pending is not None:
        recovery.settle(pending, ports())


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    move_state(tmp_path / "state", monkeypatch)
    monkeypatch.setattr(safety_net, "_program", lambda: b"packed")
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # thousands of them take a minute
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


class Trees:
    """A tree for every point at which the work is struck."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.old = snapshot(self.fresh("old"))
        done = self.fresh("new")
        transaction.run(plan(done), ports())
        self.new = snapshot(done)

    def fresh(self, name: object) -> Path:
        return grow(self._place / str(name))


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def refused() -> t.NoReturn:
    raise Refused(["it lets nobody in"])


def run(tree: Path) -> None:
    transaction.run(plan(tree), ports())


def run_in_vain(tree: Path) -> None:
    """All of it is done, and undone."""
    transaction.run(plan(tree), ports(opened=refused))


Work = t.Callable[[Path], None]


@pytest.mark.parametrize("before", [pytest.param(True, id="before it"), pytest.param(False, id="after it")])
@pytest.mark.parametrize(
    ("work", "end"), [pytest.param(run, 0, id="while it works"), pytest.param(run_in_vain, 7, id="while it is undone")]
)
def test_killed_at_any_call_it_is_undone_or_kept_and_the_next_run_completes_it(
    trees: Trees, state: Path, monkeypatch: pytest.MonkeyPatch, work: Work, end: int, before: bool
) -> None:
    found = {"undone": 0, "kept": 0}
    for at in range(1, MOST):
        tree = trees.fresh(at)

        def struck(tree: Path = tree, at: int = at) -> None:
            with monkeypatch.context() as patched:
                Calls(patched, kill, at, before)
                work(tree)

        code = ended(struck)
        recover()
        if snapshot(tree) == trees.old:
            found["undone"] += 1
            run(tree)
        else:
            found["kept"] += 1
            transaction.run([action for action in plan(tree) if action.step > Step.RECORD], ports())
        assert snapshot(tree) == trees.new
        assert [path for path in state.rglob("*") if not path.is_dir()] == []
        if code == end:
            break
        assert code == signal.SIGKILL
    assert found["undone"] > 50
    assert (found["kept"] > 5) == (work is run)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EMFILE], ids=errno.errorcode.get)
@pytest.mark.parametrize("lasting", [pytest.param(False, id="once"), pytest.param(True, id="from then on")])
def test_whatever_call_fails_the_host_is_as_it_was_or_as_it_is_to_be(
    trees: Trees, state: Path, monkeypatch: pytest.MonkeyPatch, code: int, lasting: bool
) -> None:
    outcomes = set()
    for at in range(1, MOST):
        tree = trees.fresh(at)

        def fail() -> t.NoReturn:
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as patched:
            calls = Calls(patched, fail, at, before=True, lasting=lasting)
            outcome = "done"
            try:
                run(tree)
            except transaction.Undone as undone:
                outcome = "undone" if not undone.remains else "undone later"
            except OSError:  # before there was a journal
                assert snapshot(tree) == trees.old
                outcome = "undone"
        recover()
        outcomes.add(outcome)
        if snapshot(tree) == trees.old:
            assert outcome != "done"
            run(tree)
        elif outcome == "undone later":  # not even the journal could be taken back: the next run goes on
            transaction.run([action for action in plan(tree) if action.step > Step.RECORD], ports())
        assert snapshot(tree) == trees.new
        assert [path for path in state.rglob("*") if not path.is_dir()] == []
        if calls.count < at:
            break
    assert outcomes == {"done", "undone", *(["undone later"] if lasting else [])}


def test_without_space_what_was_replaced_comes_back_all_the_same(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files come back by a rename: the sshd that let nobody in is gone even on a full disk."""
    tree = trees.fresh("full")

    def full() -> t.NoReturn:
        def stage(*_arguments: object) -> t.NoReturn:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(files, "stage", stage)
        refused()

    with pytest.raises(transaction.Undone, match="the host is as it was"):
        transaction.run([action for action in plan(tree) if action.step is Step.FILE], ports(prove=full))
    assert (tree / "changed").read_text() == "old"


def test_what_waits_for_its_confirmation_is_undone_without_it_and_kept_with_it(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safety_net, "arm", lambda *_arguments: None)
    tree = trees.fresh("unconfirmed")
    waiting = transaction.run(plan(tree), ports(), confirm_within=60)
    assert waiting is not None
    assert (tree / "empty").exists()  # nothing that cannot be undone has been done
    assert journal.read() == waiting
    recovery.settle(waiting, ports())
    assert snapshot(tree) == trees.old

    waiting = transaction.run(plan(tree), ports(), confirm_within=60)
    assert waiting is not None
    transaction.finish(waiting, plan(tree), ports())
    assert snapshot(tree) == trees.new
    assert journal.read() is None


def test_what_is_kept_leaves_nothing_staged(trees: Trees, state: Path) -> None:
    """As after an undoing that failed so early that the change is kept after all."""
    tree = trees.fresh("kept")
    (state / "sallyport").mkdir()
    journal.write(journal.of("kept", plan(tree)))
    journal.keep()
    (tree / ".sallyport-link.tmp").symlink_to("elsewhere")
    (tree / ".sallyport-changed.tmp").write_text("new")
    recover()
    assert snapshot(tree) == trees.old


def test_a_run_that_comes_while_another_waits_is_refused(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety_net, "arm", lambda *_arguments: None)
    waiting = transaction.run(plan(trees.fresh("waiting")), ports(), confirm_within=60)
    with pytest.raises(Refused, match=r"waits .* seconds more for its confirmation"), recovery.turn(patience=0):
        pass
    assert journal.read() == waiting


def test_what_waited_too_long_is_undone_by_the_next_run(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety_net, "arm", lambda *_arguments: None)
    monkeypatch.setattr(recovery, "ports", ports)
    tree = trees.fresh("late")
    transaction.run(plan(tree), ports(), confirm_within=-1)
    with recovery.turn(patience=0):
        assert snapshot(tree) == trees.old


def test_what_a_killed_run_has_started_is_waited_for(tmp_path: Path) -> None:
    """A tool that goes on would change the host behind the back of the run that undoes what it belonged to."""
    lock, fifo = str(tmp_path / "lock"), str(tmp_path / "fifo")
    os.mkfifo(fifo)

    def start() -> None:
        with transaction.locked(lock):
            processes.run(["sh", "-c", f"echo started >{fifo}; read line <{fifo}"])

    child = os.fork()
    if child == 0:
        start()
        os._exit(0)
    assert Path(fifo).read_text() == "started\n"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with pytest.raises(Refused, match="another run holds"), transaction.locked(lock, patience=0):
        pass
    Path(fifo).write_text("end\n")
    with transaction.locked(lock, patience=10):
        pass
