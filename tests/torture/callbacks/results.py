# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints each result of a play as a line of JSON, as soon as it is there."""

from __future__ import annotations

import json
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: results
type: stdout
short_description: One line of JSON for each result
version_added: 0.1.0
description: For programs that act while a play goes on.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "results"

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._say(result, ok=True)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._say(result, ok=False)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._say(result, ok=False)

    def _say(self, result: t.Any, *, ok: bool) -> None:
        line = {"task": result.task.get_name(), "ok": ok, "result": dict(result.result)}
        print(json.dumps(line, default=str), flush=True)
