# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a host: logins a second, of ``ssh`` alone and of the proof, in turns. Prints them as JSON.

Arguments: the directory of ansible_collections, the model as JSON, a private key that opens all accounts, the rounds.
"""

from __future__ import annotations

import concurrent.futures
import json
import subprocess
import sys
import time
import typing as t

sys.path.insert(0, sys.argv[1])

from ansible_collections.sallyport.ssh.plugins.module_utils import engine
from ansible_collections.sallyport.ssh.plugins.module_utils.logins import side
from ansible_collections.sallyport.ssh.plugins.module_utils.model import from_json
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import trial
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.promises import select

AT_ONCE = 8
SSH = "ssh -F none -n -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i".split()


def main() -> None:
    with open(sys.argv[2], encoding="utf-8") as file:
        model, host, known = engine.look(from_json(file.read()))
    names = select(model, (), "all")
    found: t.Dict[str, t.List[float]] = {}

    def measure(what: str, work: t.Callable[[], object]) -> None:
        start = time.perf_counter()
        work()
        found.setdefault(what, []).append(len(names) / (time.perf_counter() - start))

    def proof() -> None:
        done = trial.prove({}, model, host, known, names)
        if done.broken or done.logins != len(names):
            sys.exit("\n".join(map(str, done.broken[:5])) or f"{done.logins} logins")

    for _ in range(int(sys.argv[4])):
        measure("ssh, the host's sshd", lambda: bare(names))
        measure("ssh, the side sshd", lambda: through_side(names, host.tools.openssh))
        measure("the proof", proof)
    print(json.dumps(found))


def bare(names: t.Sequence[str]) -> None:
    def login(name: str) -> int:
        arguments = [*SSH, sys.argv[3], "-s", f"{name}@127.0.0.1", "sftp"]
        return subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        failed = sum(map(bool, pool.map(login, names)))
    if failed:
        sys.exit(f"{failed} logins failed")


def through_side(names: t.Sequence[str], version: t.Tuple[int, int]) -> None:
    with side.started({}, names, version) as running:
        refused = [
            each
            for each in running.connect_many(names, lambda _connection: None, AT_ONCE).values()
            if isinstance(each, side.Refusal)
        ]
    if refused:
        sys.exit(str(refused[0]))


main()
