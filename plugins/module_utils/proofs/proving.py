# SPDX-License-Identifier: GPL-3.0-or-later
"""From AnsibleModule to the proof and back: what ``access_proof`` is."""

from __future__ import annotations

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .. import engine
from ..errors import Refused
from ..host import Host
from ..model import Account, Model, from_json
from ..options import ARGUMENT_SPEC
from ..system.processes import Failed
from ..transactions import journal, transaction
from ..wiring import fail, require_root
from . import drift, trial
from .promises import remedy, select
from .trial import Proof

OWN_SPEC: t.Dict[str, t.Any] = {
    "proof": {**ARGUMENT_SPEC["proof"], "default": "all"},
    "drift": dict(type="str", choices=["fail", "report"], default="fail"),
    "junit": dict(type="str", default=""),  # of the action plugin
    "table": dict(type="bool", default=False),  # likewise
}


def run() -> t.NoReturn:
    """Prove the model that the action plugin resolved, and exit."""
    module = AnsibleModule(argument_spec={**ARGUMENT_SPEC, **OWN_SPEC}, supports_check_mode=True)
    require_root(module)
    if not module.params["model"]:
        module.fail_json(msg="The model has not been resolved: call this module as a task, by its full name.")
    given = from_json(module.params["model"])
    try:
        with transaction.locked():
            if journal.read() is not None:
                raise Refused(["an interrupted run left this host half changed: the next run undoes that; apply first"])
            model, host, known = engine.look(given)
            differences = drift.find(given, model, host)
            started = time.monotonic()
            proof = trial.prove({}, model, host, known, select(model, (), module.params["proof"]))
            seconds = time.monotonic() - started
    except Refused as refused:
        fail(module, refused.problems, "The host could not be proven.")
    except (Failed, OSError) as failed:
        fail(module, [str(failed)], "The host could not be proven.")
    result = {**told(proof, model, host), "drift": differences, "seconds": round(seconds, 2)}
    counted = differences if module.params["drift"] == "fail" else []
    complaint = _complaint(proof, counted)
    if complaint:
        module.fail_json(msg="\n".join([complaint, *(f"- {text}" for text in (*result["broken"], *counted))]), **result)
    module.exit_json(changed=False, **result)


def told(proof: Proof, model: Model, host: Host) -> t.Dict[str, t.Any]:
    """What the module returns of a proof."""
    tried = {account.name: account for account in model.accounts}
    promises: t.Dict[str, t.List[t.Dict[str, t.Any]]] = {}
    for finding in proof.findings:
        promise = finding.promise
        promises.setdefault(promise.account, []).append(
            {
                "area": promise.area,
                "promise": str(promise),
                "expected": promise.expected,
                "found": finding.found,
                "said": finding.said,
                "ok": finding.ok,
                "remedy": remedy(promise),
            }
        )
    return {
        "accounts": [
            {"name": name, "kind": tried[name].kind, "state": _state(tried[name], host.now), "promises": listed}
            for name, listed in promises.items()
        ],
        "broken": [str(finding) for finding in proof.broken],
        "logins": proof.logins,
    }


def _state(account: Account, now: int) -> str:
    if account.is_open and account.expires is not None and account.expires <= now:
        return "expired"
    return account.state


def _complaint(proof: Proof, differences: t.Sequence[str]) -> str:
    parts = [
        f"{len(items)} {one if len(items) == 1 else many}"
        for items, one, many in (
            (proof.broken, "promise is broken", "promises are broken"),
            (differences, "difference from the model", "differences from the model"),
        )
        if items
    ]
    return f"{' and '.join(parts)}; nothing was changed." if parts else ""
