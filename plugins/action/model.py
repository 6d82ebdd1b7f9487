# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation alone: all of it is done here, and no host is contacted."""

from __future__ import annotations

import typing as t

from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model
from ansible_collections.sallyport.ssh.plugins.plugin_utils.action import ResolvingAction


class ActionModule(ResolvingAction):
    """Says what is wrong with the model, or how much it holds."""

    hashing = False

    def applied(self, model: Model, variables: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
        return {
            "changed": False,
            "accounts": len(model.accounts),
            "folders": len(model.folders),
            "sudo_tasks": len(model.sudo_tasks),
        }
