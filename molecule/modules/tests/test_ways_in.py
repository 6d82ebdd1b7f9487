# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which people run the collection: the role in a play of theirs, several hosts, two runs at a time."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from conftest import PICTURE, Target, check, differences, key, run, sh


def model(name: str, number: int) -> dict[str, t.Any]:
    return {"accounts": [{"name": name, "keys": [{"name": "laptop", "key": key(number)}]}]}


def test_info_changes_nothing_where_the_collection_has_never_been(target: Target) -> None:
    forget = "test ! -e /var/lib/sallyport || mv /var/lib/sallyport /var/lib/elsewhere"
    restore = "test ! -e /var/lib/elsewhere || mv /var/lib/elsewhere /var/lib/sallyport"
    _, before, read, checked, after, fingerprints, records, _ = target.done(
        sh(forget),
        PICTURE,
        run("access_info", {"address": "sftp.example.com"}),
        check("access_info", {"address": "sftp.example.com"}),
        PICTURE,
        sh("for key in /etc/ssh/ssh_host_*_key; do ssh-keygen -lf $key; ssh-keygen -E md5 -lf $key; done"),
        sh("for key in /etc/ssh/ssh_host_*_key; do ssh-keygen -r sftp.example.com -f $key; done"),
        sh(restore),
    )
    assert differences(before, after) == {}
    assert not read.changed
    assert checked["server"] == read["server"]
    assert (read["accounts"], read["folders"], read["sudo_tasks"]) == ([], [], [])
    assert read["server"]["ports"] == [22]
    keys = read["server"]["host_keys"]
    shown = {line.split()[1] for line in fingerprints["stdout_lines"]}
    assert [host_key["type"] for host_key in keys] == ["ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519"]
    assert {part for host_key in keys for part in (host_key["sha256"], host_key["md5"])} <= shown
    assert {host_key["sshfp"] for host_key in keys} < set(records["stdout_lines"])


def test_two_runs_at_once_lose_nothing(target: Target) -> None:
    names = [f"parallel{number}" for number in range(2)]
    running = [target.start(run("access", model(name, 300 + number))) for number, name in enumerate(names)]
    for each in running:
        with each:
            [result] = each.results()
            assert result.ok, result.message
    [info] = target.done(run("access_info", {}))
    assert len({info.accounts[name]["uid"] for name in names}) == len(names)


def test_a_second_run_waits_for_the_first(target: Target) -> None:
    hold = "nohup flock --close /run/sallyport/lock sleep 3 >/dev/null 2>&1 & sleep 0.5; date +%s.%N"
    held, waited, ended = target.done(sh(hold), run("access", model("patient", 310)), sh("date +%s.%N"))
    assert waited.ok
    assert float(ended["stdout"]) - float(held["stdout"]) > 2


def test_the_role_as_root_without_become_or_facts(target: Target) -> None:
    """As where root logs in by itself; deploy, by whom everything else logs in here, stays an admin."""
    server = {"admins": ["deploy", "root"]}
    target.done(
        sh("install -D -m 0600 ~deploy/.ssh/authorized_keys /root/.ssh/authorized_keys"),
        run("access", {"server": server}),
    )
    variables = {"access_server": server, "access_accounts": model("rooted", 320)["accounts"]}
    [info] = target.done(
        run("access_info", {}),
        roles=["sallyport.ssh.access"],
        vars={**variables, "ansible_user": "root", "ansible_become": False},
    )
    assert "rooted" in info.accounts
    assert info["server"]["admins"] == ["deploy", "root"]


def test_without_become_it_says_what_is_missing(target: Target) -> None:
    tasks = [run("access", model("nobody1", 330)), run("access_info", {})]
    for refused in target.do(*tasks, vars={"ansible_become": False}):
        assert not refused.ok
        assert "This needs root on the host: say `become: true`" in refused.message


def test_no_host_is_touched_when_the_variables_of_another_are_wrong(target: Target, tmp_path: Path) -> None:
    """The other one is not even there: it is found wrong before anybody is contacted."""
    inventory = tmp_path / "more.yml"
    wrong = {"ansible_host": "192.0.2.1", "access_accounts": [{"name": "typo", "kind": "sfpt"}]}
    unset = {"ansible_host": "192.0.2.1", "access_accounts": "{{ nobody_defines_this }}"}
    [before] = target.done(PICTURE)
    for bad, said in ((wrong, 'access_accounts[0].kind: is "sfpt"'), (unset, "'nobody_defines_this' is undefined")):
        good = {"access_accounts": model("untouched", 340)["accounts"]}
        inventory.write_text(json.dumps({"all": {"hosts": {target.name: good, "another": bad}}}))
        process = target.playbook(f"--inventory={inventory}", "sallyport.ssh.provision")
        output, _ = process.communicate(timeout=60)
        assert process.returncode != 0
        assert said in output
        assert "Bring the host's SFTP and SSH access to the model" not in output
    [after] = target.done(PICTURE)
    assert differences(before, after) == {}
