# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's output for the demo: what changed, in a few lines, and errors whole."""

from __future__ import annotations

import itertools
import re
import shutil
import textwrap
import typing as t

from ansible.plugins.callback.default import CallbackModule as Default
from ansible.utils.color import stringc

if t.TYPE_CHECKING:
    from ansible.executor.stats import AggregateStats
    from ansible.executor.task_result import CallbackTaskResult

DOCUMENTATION = """
name: condensed
type: stdout
short_description: What changed, in a few lines, and errors whole
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

INDENT = " " * 4
COLUMN = 18  # where the names of a group of actions begin
WIDEST = 110

_NUMBER = re.compile(r" \([ug]id \d+\)$")


class CallbackModule(Default):
    """Silent about what is as it should be."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "condensed"

    def __init__(self) -> None:
        super().__init__()
        self._changes = 0

    def v2_playbook_on_play_start(self, play: object) -> None:
        pass

    def v2_playbook_on_task_start(self, task: object, is_conditional: bool) -> None:
        pass

    def v2_runner_on_skipped(self, result: CallbackTaskResult) -> None:
        pass

    def v2_runner_item_on_skipped(self, result: CallbackTaskResult) -> None:
        pass

    def v2_runner_item_on_ok(self, result: CallbackTaskResult) -> None:
        self._handle_warnings_and_exception(result)

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        self._handle_warnings_and_exception(result)
        if result.is_changed():
            actions = result.result.get("actions", [])
            self._changes += len(actions) or 1
            for line in _grouped(actions) if actions else [result.task.name]:
                self._display.display(_wrapped(line), color="bright gray")

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:
        """Ansible's own error, whose text is the whole of it but for what a program has said."""
        self._handle_warnings_and_exception(result)
        for stream in ("module_stdout", "module_stderr", "stdout", "stderr"):
            if result.result.get(stream):
                self._display.display(result.result[stream], stderr=True)

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        """Ansible's recap of the one host that the demo has; a failure has just been shown."""
        for host in stats.processed:
            total = stats.summarize(host)
            if not total["failures"] and not total["unreachable"]:
                changes = f"{self._changes} change{'' if self._changes == 1 else 's'}"
                recap = f"Ansible's recap: ok={total['ok']} changed={total['changed']} failed=0"
                self._display.display(f"  {stringc('✓', 'green')} {changes} ({recap})")


def _wrapped(line: str) -> str:
    width = min(shutil.get_terminal_size().columns, WIDEST)
    return textwrap.fill(
        line,
        width,
        initial_indent=INDENT,
        subsequent_indent=INDENT + " " * COLUMN,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _grouped(actions: t.Iterable[str]) -> t.Iterator[str]:
    """``create user a (uid 1)`` and ``create user b (uid 2)`` as ``create user a, b``."""
    for kind, group in itertools.groupby(actions, key=lambda action: action.split(" ", 2)[:2]):
        names = [_NUMBER.sub("", action.split(" ", 2)[-1]) for action in group]
        yield f"{' '.join(kind):<{COLUMN - 1}} {', '.join(names)}"
