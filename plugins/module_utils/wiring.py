# SPDX-License-Identifier: GPL-3.0-or-later
"""From AnsibleModule to the engine and back: all modules that change a host are this, with other nouns."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from . import engine
from .errors import Refused
from .model import from_json
from .options import ARGUMENT_SPEC
from .system import processes
from .transactions.transaction import Undone


def run(nouns: t.AbstractSet[str] = engine.ALL) -> t.NoReturn:
    """Apply the nouns of the model that the action plugin resolved, and exit."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    require_root(module)
    if not module.params["model"]:
        module.fail_json(msg="The model has not been resolved: call this module as a task, by its full name.")
    model = from_json(module.params["model"])
    verb, _space, transaction = (module.params["confirmation"] or "").partition(" ")
    try:
        if verb == "outcome":
            module.exit_json(changed=False, confirmed=False, waiting=engine.waits(transaction))
        if verb == "confirm":
            engine.confirm(model, transaction, nouns)
            module.exit_json(changed=True, confirmed=True)
        result = engine.run(model, nouns, module.check_mode, confirming=verb == "ask")
    except Refused as refused:
        state = "The host cannot become what the model says; it was not changed."
        fail(module, refused.problems, state if verb != "confirm" else "The change came too late to be confirmed.")
    except Undone as undone:
        problems = undone.cause.problems if isinstance(undone.cause, Refused) else (str(undone.cause),)
        state = (
            "The run failed and was undone: the host is as it was."
            if not undone.remains
            else "The run failed, and not all of it could be undone: " + "; ".join(undone.remains)
        )
        fail(module, problems, state)
    except (processes.Failed, OSError) as failed:  # while reading: what a change runs into becomes Undone
        fail(module, [str(failed)], "The host was not changed.")
    for note in result.notes:
        module.warn(note)
    extra: t.Dict[str, t.Any] = {"diff": {"before": result.before, "after": result.after}} if module._diff else {}
    if result.waiting:
        extra["waiting"] = {"transaction": result.waiting, "seconds": model.server.confirm_within}
    module.exit_json(changed=result.changed, actions=list(result.actions), **extra)


def fail(module: AnsibleModule, problems: t.Sequence[str], state: str) -> t.NoReturn:
    """``confirmed`` tells the controller that this is an answer, and not what came of no connection."""
    said = "\n".join([state, *(f"- {text}" for text in problems)])
    module.fail_json(msg=said, problems=list(problems), confirmed=False)
    raise AssertionError  # fail_json does not return


def require_root(module: AnsibleModule) -> None:
    if os.geteuid() != 0:
        module.fail_json(msg="This needs root on the host: say `become: true` in the play or the task.")
