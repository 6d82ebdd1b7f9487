# SPDX-License-Identifier: GPL-3.0-or-later
"""What all action plugins of the collection do: validate the whole model here, hand it over as one JSON text."""

from __future__ import annotations

import getpass
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model, to_json
from ansible_collections.sallyport.ssh.plugins.plugin_utils import pipelining
from ansible_collections.sallyport.ssh.plugins.plugin_utils.confirmation import confirm
from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context, Invalid, resolve

_SSHD_TRANSPORTS = ("ssh", "paramiko", "paramiko_ssh", "libssh", "smart")


class ResolvingAction(ActionBase):
    """Resolves the model of a task and runs the module of the same name with it."""

    hashing = True
    _needs_terminal = False
    _model: t.Optional[Model] = None

    def run(self, tmp: t.Any = None, task_vars: t.Optional[t.Dict[str, t.Any]] = None) -> t.Dict[str, t.Any]:
        variables = task_vars or {}
        result: t.Dict[str, t.Any] = super().run(tmp, variables)
        if self._model is None:  # a task with `until` comes back to the same instance
            self._model = self.resolved(variables)
            # Ansible sends a task's arguments back with its result: 0.4 s for a thousand accounts.
            self._task.args = {}
        result.update(self.applied(self._model, variables))
        return result

    def applied(self, model: Model, variables: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
        """What the module says of the host, given the resolved model."""
        text = to_json(model)

        def ask(confirmation: t.Optional[str]) -> t.Dict[str, t.Any]:
            arguments = {"model": text, "confirmation": confirmation}
            return self.call(model, arguments, variables)

        said = ask("ask" if self._connection.transport in _SSHD_TRANSPORTS else None)
        waiting = said.pop("waiting", None)
        if waiting:
            answer = confirm(self._connection, ask, **waiting)
            if answer.get("failed"):
                return answer
        return said

    def call(self, model: Model, arguments: t.Dict[str, t.Any], variables: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
        """The module's answer. Where the model has secrets they go by standard input, or a warning says why not."""

        def execute() -> t.Dict[str, t.Any]:
            answer: t.Dict[str, t.Any] = self._execute_module(module_args=arguments, task_vars=variables)
            answer.pop("invocation", None)
            return answer

        if self._is_pipelining_enabled("new") or not any(account.password_hash for account in model.accounts):
            return execute()
        if not self._needs_terminal:
            with pipelining.forced(self._connection):
                if self._is_pipelining_enabled("new"):
                    answer = execute()
                    if not pipelining.wants_terminal(answer):
                        return answer
                    self._needs_terminal = True
                else:
                    self._display.warning(pipelining.warning(pipelining.obstacle(self._connection)))
        if self._needs_terminal:
            self._display.warning(pipelining.warning(pipelining.TERMINAL))
        return execute()

    def resolved(self, variables: t.Mapping[str, t.Any]) -> Model:
        """The model of the task's arguments; all that is wrong with it is said at once."""
        context = Context(
            inventory_hostname=str(variables["inventory_hostname"]),
            connecting_user=self._login(),
            through_sshd=self._connection.transport in _SSHD_TRANSPORTS,
            hashing=self.hashing,
            variables=variables.keys(),
        )
        try:
            return resolve(self._task.args, context=context)
        except Invalid as invalid:
            count = len(invalid.problems)
            heading = f"The model has {count} {'problem' if count == 1 else 'problems'}; the host was not contacted."
            raise AnsibleActionFail(
                "\n".join([heading, *(f"- {text}" for text in invalid.problems)]),
                result={"problems": list(invalid.problems)},
            ) from None

    def _login(self) -> str:
        """The login that this run uses: it is the admin who must still get in afterwards, unless others are named."""
        login = self._get_remote_user()
        if login:
            return str(login)
        return getpass.getuser() if self._connection.transport in (*_SSHD_TRANSPORTS, "local") else "root"
