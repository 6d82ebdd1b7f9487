# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of the module of the same name: the whole model validated before, the report after."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.utils.color import stringc
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model, to_json
from ansible_collections.sallyport.ssh.plugins.plugin_utils import report_junit, report_table
from ansible_collections.sallyport.ssh.plugins.plugin_utils.action import ResolvingAction

_OWN = {"proof": "all", "drift": "fail", "junit": "", "table": False}


class ActionModule(ResolvingAction):
    """Prints a table and writes JUnit XML where that is asked for."""

    def resolved(self, variables: t.Mapping[str, t.Any]) -> Model:
        given = {name: value for name, value in self._task.args.items() if name in _OWN}
        self._own = {**_OWN, **given}
        self._task.args = {name: value for name, value in self._task.args.items() if name not in _OWN}
        return super().resolved(variables)

    def applied(self, model: Model, variables: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
        arguments = {"model": to_json(model), "proof": self._own["proof"], "drift": self._own["drift"]}
        said = self.call(model, arguments, variables)
        if "drift" not in said:  # nothing could be tried
            return said
        host = str(variables["inventory_hostname"])
        if self._own["junit"]:
            self._write(report_junit.path_of(str(self._own["junit"]), host), report_junit.render(host, said))
        if self._own["table"] in (True, "true", "yes", "True"):
            self._display.display("\n" + report_table.render(host, said, stringc))
            if said.get("failed"):  # the table has said it all
                return {"failed": True, "changed": False, "msg": report_table.summary(said)}
        return said

    def _write(self, path: str, text: str) -> None:
        try:
            report_junit.write(path, text)
        except OSError as error:
            raise AnsibleActionFail(f"junit: {path} cannot be written: {error.strerror}; name another path") from None
