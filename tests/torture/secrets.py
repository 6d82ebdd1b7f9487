# SPDX-License-Identifier: GPL-3.0-or-later
"""A canary password, given in plain text from a vault, and its hash: nobody may see either, whatever becomes of a run.

Looked for in arguments and environment of every program that Ansible starts here and that the host starts, in all that
the host writes, be it for a moment only, in all that Ansible prints at its most talkative, in its log, in results and
facts, in the journal, and afterwards in every file of the host and every file that is new here. The one place for the
hash is the shadow file.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import secrets as randomness
import signal
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from . import plays
from .machine import ON_HOST, Machine, elevated
from .plays import Model
from .report import Report

SECONDS = 180
SHADOW = re.compile(r"/etc/(?:g?shadow(?:[-+]|\.\d+|\.lock)?|n?shadow|\.#g?shadow[A-Za-z0-9]+)$")
# what Ansible itself copies to a host, or keeps here, for modules without secrets
ANSIBLE_S_OWN = re.compile(r"/\.ansible/tmp/|/ansible-local-|/ansible-tmp-")
LIKELY = "/etc /var/lib/sallyport /var/lib/systemd /run /tmp /var/tmp /dev/shm /home /root /var/log /srv"
FOREIGN = "/etc/ssh/sshd_config.d/00-a.conf"
STUCK = "/usr/local/sbin/chpasswd"  # found before the host's own; here it never ends


@dataclass
class Canary:
    """Two accounts' secrets: one is a password, of the other one only the hash is given."""

    password: str = field(default_factory=lambda: "Canary-" + randomness.token_hex(16))
    given_hash: str = ""
    hashes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        from passlib.hash import sha512_crypt

        self.given_hash = str(sha512_crypt.using(rounds=5000).hash("Other-" + randomness.token_hex(16)))
        self.hashes.append(self.given_hash)

    @property
    def needles(self) -> list[str]:
        """The password as it is and in base64 at each alignment; of each hash the part that follows the salt."""
        encoded = (base64.b64encode(b"x" * shift + self.password.encode())[4:-4].decode() for shift in range(3))
        return [self.password, *encoded, *(text.rpartition("$")[2] for text in self.hashes)]

    def found(self, text: str) -> bool:
        return any(needle in text for needle in self.needles)


class Case(t.NamedTuple):
    """How a run goes. ``kill`` names what is killed while the passwords are being set."""

    name: str
    pipelining: bool = True
    trouble: str = ""
    kill: str = ""
    ends_well: bool = True


def _cases(short: bool) -> list[Case]:
    found = [
        Case(
            "a run that is undone", trouble="echo 'MaxAuthTries 20' > /etc/ssh/sshd_config.d/00-a.conf", ends_well=False
        ),
        Case("passwords that cannot be set", trouble="printf '#!/bin/sh\\ncat >&2; exit 3\\n'", ends_well=False),
        Case("a run whose module is killed", kill="module", ends_well=False),
        Case("a run whose ansible-playbook is killed", kill="controller", ends_well=False),
        Case("a run"),
    ]
    if short:
        return [found[0], found[2], Case("a run without pipelining", pipelining=False)]
    return [*found, *(case._replace(name=f"{case.name}, without pipelining", pipelining=False) for case in found)]


def run(machine: Machine, short: bool = False) -> Report:
    report = Report("secrets")
    stamp = machine.place / "stamp"
    stamp.touch()
    needles: list[str] = []
    with _witness(machine) as seen:
        for number, case in enumerate(_cases(short)):
            canary = Canary()
            said = _play(machine, case, canary, number)
            report.add("runs")
            if case.ends_well:
                made = machine.root(f"grep '^secret{number}:' /etc/shadow | cut -d: -f2").strip()
                report.demand(made.startswith("$6$"), f"{case.name}: no password was set: {said[-2000:]}")
                canary.hashes += [made] if made.startswith("$6$") else []
            else:
                report.demand("failed=" in said or bool(case.kill), f"{case.name}: did not fail: {said[-2000:]}")
            report.demand(
                not canary.found(said), f"{case.name}: ansible-playbook -vvvv printed {_around(said, canary)}"
            )
            _here(machine, report, case.name, canary)
            report.add("KiB of Ansible's output", round(len(said) / 1024))
            needles += canary.needles
            _left_on_the_host(machine, report, case.name, canary.needles, LIKELY)
            _left_here(report, case.name, canary.needles, stamp)
        needles += _wrong_models(machine, report)
        _left_on_the_host(machine, report, "any run", needles, "/")
        _left_here(report, "any run", needles, stamp)
    _judge(report, seen, needles)
    return report.ended()


# What runs


def _model(machine: Machine, number: int) -> Model:
    return {
        "people": [{"name": "customer", "keys": [{"name": "customer", "key": machine.customer_key}]}],
        "accounts": [
            {
                "name": f"secret{number}",
                "people": ["customer"],
                "password": "{{ canary_password }}",
                "folders": [{"private": True, "at": "/own"}],
            },
            {
                "name": f"hashed{number}",
                "password_hash": "{{ canary_hash }}",
                "folders": [{"private": True, "at": "/own"}],
            },
        ],
    }


def _play(machine: Machine, case: Case, canary: Canary, number: int) -> str:
    """Check mode, the run, its registered result, a second run, and what the host's facts and access_info say."""
    model = _model(machine, number)
    tasks: list[plays.Task] = [
        {"sallyport.ssh.model": model, "register": "resolved"},
        {"sallyport.ssh.access": model, "check_mode": True, "register": "announced", "ignore_errors": True},
        {"sallyport.ssh.access": model, "register": "applied", "ignore_errors": True},
        {"sallyport.ssh.access": model, "register": "again"},
        {"sallyport.ssh.access_info": {}, "register": "info"},
        {"ansible.builtin.setup": {"gather_subset": ["!hardware"]}},
        {
            "ansible.builtin.debug": {
                "msg": "{{ [resolved, announced, applied, again, info, ansible_facts] | to_json }}"
            }
        },
    ]
    if case.kill:
        program = "#!/bin/sh\\necho $PPID $$ > /run/stuck\\nexec sleep 60\\n"
        machine.root(f"rm -f /run/stuck; printf '{program}' > {STUCK}; chmod 0755 {STUCK}")
        tasks = tasks[:3]
    elif case.trouble.startswith("printf"):
        machine.root(f"{case.trouble} > {STUCK}; chmod 0755 {STUCK}")
    elif case.trouble:
        machine.root(case.trouble)
    try:
        process = _ansible(machine, tasks, canary, case.pipelining)
        if case.kill:
            _kill(machine, process, case.kill)
        said, _ = process.communicate(timeout=SECONDS)
    finally:
        machine.root(f"rm -f {STUCK} /run/stuck {FOREIGN}")
    return said


def _kill(machine: Machine, process: subprocess.Popen[str], what: str) -> None:
    """When the passwords are on their way to chpasswd, which does not take them."""
    deadline = time.monotonic() + 60
    while not (pids := machine.root("cat /run/stuck 2>/dev/null", check=False).strip()):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no password was set"
        time.sleep(0.1)
    if what == "controller":
        os.killpg(process.pid, signal.SIGKILL)
    machine.root(f"kill -KILL {pids}")  # and the program, which would hold up the next run


def _ansible(
    machine: Machine, tasks: t.Sequence[plays.Task], canary: Canary, pipelining: bool
) -> subprocess.Popen[str]:
    place = machine.place / "secrets"
    place.mkdir(exist_ok=True)
    (place / "vault-password").write_text("of the vault\n")
    variables = json.dumps({"canary_password": canary.password, "canary_hash": canary.given_hash})
    vault = [f"--vault-password-file={place}/vault-password"]
    subprocess.run(
        ["ansible-vault", "encrypt", *vault, f"--output={place}/vault.yml", "-"],
        input=variables,
        text=True,
        check=True,
        capture_output=True,
        env=plays.environment(),
    )
    (place / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    inventory = json.loads((machine.place / "inventory.json").read_text())
    inventory["all"]["hosts"][machine.name]["ansible_pipelining"] = pipelining
    (place / "inventory.json").write_text(json.dumps(inventory))
    own = {
        "ANSIBLE_LOG_PATH": str(place / "log"),
        "ANSIBLE_LOCAL_TEMP": str(place / "tmp"),
        "ANSIBLE_KEEP_REMOTE_FILES": "0",
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o ControlPath=none",  # a master would hold the output open
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(place / "facts"),
    }
    trace = ["strace", "-f", "--seccomp-bpf", "-v", "-s", "200000", "-qq", "-e", "trace=execve,execveat"]
    return subprocess.Popen(
        [
            *trace,
            f"--output={place}/trace",
            "ansible-playbook",
            "-vvvv",
            "--diff",
            f"--inventory={place}/inventory.json",
            *vault,
            f"--extra-vars=@{place}/vault.yml",
            str(place / "play.yml"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**plays.environment(), **own},
        start_new_session=True,
    )


def _mistakes() -> dict[str, Model]:
    """Accounts whose password is in the wrong form, or in the wrong place."""
    password = "{{ canary_password }}"
    return {
        "with the account's name in it": {"name": "canary", "password": password},
        "a list": {"name": "wrong", "password": [password]},
        "a mapping": {"name": "wrong", "password": {"text": password}},
        "a line end in it": {"name": "wrong", "password": f"{password}\n{password}"},
        "as the hash": {"name": "wrong", "password_hash": password},
        "as the hash, with a scheme": {"name": "wrong", "password_hash": f"$6${password}"},
        "twice": {"name": "wrong", "password": password, "password_hash": password},
        "a misspelt option": {"name": "wrong", "pasword": password},
        "a hash cut off": {"name": "wrong", "password_hash": "{{ canary_hash[:-3] }}"},
        "a hash as the password's sibling": {"name": "wrong", "password": "{{ canary_hash }}", "expires": "never"},
    }


def _wrong_models(machine: Machine, report: Report) -> list[str]:
    """All of them in one play: each is refused, and none is repeated."""
    canary, mistakes = Canary(), _mistakes()
    tasks: list[plays.Task] = []
    for number, (name, account) in enumerate(mistakes.items()):
        model = {"accounts": [{**account, "kind": "sftp"}]}
        tasks += [
            {"name": name, "sallyport.ssh.access": model, "register": f"wrong{number}", "ignore_errors": True},
            {"ansible.builtin.debug": {"msg": f"{{{{ wrong{number} | to_json }}}}"}},
        ]
    said, _ = _ansible(machine, tasks, canary, True).communicate(timeout=SECONDS)
    report.add("wrong models", len(mistakes))
    refused = said.count("fatal: ")
    report.demand(refused == len(mistakes), f"{len(mistakes) - refused} wrong models were not refused: {said[-2000:]}")
    report.demand(not canary.found(said), f"a wrong model: Ansible printed {_around(said, canary)}")
    _here(machine, report, "a wrong model", canary)
    return canary.needles


# Where it is looked for


def _around(text: str, canary: Canary) -> str:
    """The place, without what was found there."""
    at = min((text.find(needle) for needle in canary.needles if needle in text), default=0)
    return repr(text[max(0, at - 200) : at])[-160:]


def _left_on_the_host(machine: Machine, report: Report, when: str, needles: t.Sequence[str], places: str) -> None:
    """Its files, and its journal, which is compressed."""
    # the file of a module that is still ending
    _wait(lambda: not machine.root("pgrep -f '[A]nsiballZ_' || true").strip(), 20)
    exclude = "--exclude-dir=proc --exclude-dir=sys"
    grep = f"grep -rlaF {exclude} -f - {places} 2>/dev/null || true"
    for path in machine.root(grep, stdin="\n".join(needles) + "\n").splitlines():
        if not SHADOW.match(path):
            whose = "Ansible's own " if ANSIBLE_S_OWN.search(path) else ""
            report.defects.append(f"{when}: {whose}{path} of the host has it")
    journal = machine.root("journalctl --all --no-pager --output=export")
    report.demand("sudo" in journal, "the journal holds nothing of these runs: nothing was shown")
    report.demand(not any(needle in journal for needle in needles), f"{when}: the journal has it")


def _left_here(report: Report, when: str, needles: t.Sequence[str], stamp: Path) -> None:
    words = [needle.encode() for needle in needles]
    for path in _new_files(stamp):
        with contextlib.suppress(OSError):
            content = path.read_bytes()
            report.add("new files looked at here")
            if any(word in content for word in words):
                report.defects.append(f"{when}: {path} of the controller has it")


def _here(machine: Machine, report: Report, when: str, canary: Canary) -> None:
    """Arguments and environment of all that ansible-playbook started here."""
    path = machine.place / "secrets/trace"
    trace = path.read_text(errors="replace")
    path.unlink()
    report.add("programs of the controller", trace.count("execve"))
    report.demand(not canary.found(trace), f"{when}: arguments or environment had it: {_around(trace, canary)}")


def _new_files(stamp: Path) -> t.Iterator[Path]:
    """Those of this machine that have changed since, but for the disks of its containers."""
    places = ["/tmp", "/var/tmp", "/run", "/dev/shm", "/root", "/home", "/var/log", str(Path(__file__).parents[2])]
    prune = ["(", "-path", "*/containers/*", "-o", "-path", "*/.venv/*", ")", "-prune", "-o"]
    done = subprocess.run(
        ["find", *places, *prune, "-type", "f", "-newer", str(stamp), "-size", "-50M", "-print0"],
        capture_output=True,
        text=True,
    )
    return (Path(name) for name in done.stdout.split("\0") if name)


@contextlib.contextmanager
def _witness(machine: Machine) -> t.Iterator[dict[str, t.Any]]:
    """Every program that the host starts and every file that it writes while the block runs."""
    said: dict[str, t.Any] = {}
    text = (ON_HOST / "witness.py").read_text()
    process = subprocess.Popen(
        [*elevated(), sys.executable, "-c", text, machine.first_process],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    try:
        yield said
    finally:
        said.update(json.loads(process.communicate("", timeout=SECONDS)[0]))


def _judge(report: Report, seen: t.Mapping[str, t.Any], needles: t.Sequence[str]) -> None:
    """The shadow file has the hashes, and nothing else, for no moment."""
    for place, secret in seen["found"]:
        is_ours = any(needle in secret or secret in needle for needle in needles)
        if is_ours and (not SHADOW.match(place) or secret.startswith("Canary-")):
            report.defects.append(f"{place} had it for a while")
    report.counts |= {"programs of the host": seen["programs"], "writes of the host": seen["files"]}


def _wait(holds: t.Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
