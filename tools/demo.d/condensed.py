# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's output for the demo: what changed, in a few lines, and errors whole."""

from __future__ import annotations

import itertools
import shutil
import textwrap
import typing as t

from ansible.plugins.callback.default import CallbackModule as Default

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


class CallbackModule(Default):
    """Silent about what is as it should be."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "condensed"

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
            actions = result.result.get("actions")
            for line in _grouped(actions) if actions else [result.task.name]:
                self._say(line)
            if actions:
                self._say(f"These are {len(actions)} actions of one module, which ran once.")

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        """Ansible's recap, of the one host that the demo has."""
        for host in stats.processed:
            total = stats.summarize(host)
            self._say(f"{total['changed']} changed, {total['ok']} ok, {total['unreachable'] + total['failures']} failed")

    def _say(self, text: str) -> None:
        width = min(shutil.get_terminal_size().columns, WIDEST)
        later = INDENT + " " * COLUMN
        self._display.display(
            textwrap.fill(text, width, initial_indent=INDENT, subsequent_indent=later, break_on_hyphens=False)
        )


def _grouped(actions: t.Iterable[str]) -> t.Iterator[str]:
    """``create user a`` and ``create user b`` in one line; what is done to nothing by name stays as it is."""
    for kind, group in itertools.groupby(actions, key=lambda action: action.split(" ", 2)[:2]):
        names = ", ".join(action.split(" ", 2)[-1] for action in group)
        yield f"{' '.join(kind):<{COLUMN - 1}} {names}"
