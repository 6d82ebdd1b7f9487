# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: everything that is needed to undo, and nothing that is secret."""

from __future__ import annotations

import io
import subprocess
import sys
import typing as t
import zipfile
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.plan import Action, Resource, Step
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory, File, Group, Link, Mount, User
from ansible_collections.sallyport.ssh.plugins.module_utils.transactions import journal, recovery, safety_net

SECRET = "$y$j9T$secret"
ONE_OF_EACH: t.Sequence[Resource] = (
    User("acme", 6400, 6400, "/", "/usr/sbin/nologin", "note", expires=20000, ageing=True),
    Group("pim", 6401, frozenset({"acme", "beta"})),
    Directory("/home/acme", 0o750, "acme", "acme", skeleton=True),
    File("/etc/ssh/authorized_keys.d/acme", "", 0o640, "root", "acme"),
    Link("/etc/systemd/system/a.wants/b", "../b"),
    Mount("/srv/sftp/acme/pim", "/data/pim", "none", ("bind", "nosuid")),
)


@pytest.mark.parametrize("resource", ONE_OF_EACH, ids=lambda resource: type(resource).__name__)
def test_what_was_written_is_read_again(resource: Resource) -> None:
    actions = (
        Action(Step.FILE, None, resource),
        Action(Step.FILE, resource, resource),
        Action(Step.FILE, resource, None),
    )
    for state in (journal.OPEN, journal.WAITING):
        written = journal.Journal("4711", actions, state, 1795174968.25)
        assert journal.parse(journal.render(written)) == written


def test_no_password_and_no_content_is_in_it() -> None:
    user = User("acme", 6400, 6400, "/", "", password=SECRET)
    file = File("/etc/ssh/authorized_keys.d/acme", SECRET)
    text = journal.render(
        journal.of("4711", [Action(Step.USER, user, user), Action(Step.FILE, file, file), Action(Step.KEY, None, file)])
    )
    assert "secret" not in text
    assert "acme" in text


def test_what_is_not_undone_is_not_in_it() -> None:
    user = User("acme", 6400, 6400, "/", "")
    record = File(layout.RECORD, "")
    actions = [Action(step, user, user) for step in Step if step is not Step.FINAL_RECORD]
    named = journal.of("4711", [*actions, Action(Step.FINAL_RECORD, record, record)]).actions
    assert [action.step for action in named if action.step > Step.RECORD] == [Step.FINAL_RECORD]
    assert {action.step for action in named} >= {step for step in Step if step <= Step.RECORD}


def test_a_journal_of_a_newer_version_is_no_guess() -> None:
    newer = journal.render(journal.of("4711", [])).replace('"version":1', '"version":2')
    with pytest.raises(ValueError, match="newer version"):
        journal.parse(newer)


def test_the_program_that_undoes_needs_nothing_of_the_run(tmp_path: Path) -> None:
    assert recovery.main.__module__.endswith(".recovery")  # loaded, and so packed
    packed = safety_net._program()
    assert packed == safety_net._program()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert not [name for name in archive.namelist() if "ansible" in archive.read(name).decode().split()]
    program = tmp_path / "recover"
    program.write_bytes(packed)
    load = "from sallyport.transactions.recovery import main; print(main.__name__)"
    script = f"import sys; sys.path.insert(0, {str(program)!r}); {load}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("main\n", "")
