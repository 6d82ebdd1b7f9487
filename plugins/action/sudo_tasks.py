# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module of the same name."""

from __future__ import annotations

from ansible_collections.sallyport.ssh.plugins.plugin_utils.action import ResolvingAction


class ActionModule(ResolvingAction):
    """Validates the whole model before the host is contacted."""
