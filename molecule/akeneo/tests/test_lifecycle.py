# SPDX-License-Identifier: GPL-3.0-or-later
"""A changed model counts at once for those whom it concerns, and for nobody else; then everything is as it was."""

from __future__ import annotations

import contextlib
import typing as t

import paramiko
import pytest
import yaml
from clients import Paramiko, Sftp
from conftest import CREDENTIALS, DEMO, FOLDER, MODEL, Logins, Provision
from logins import Answer, ssh
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner


class Change(t.NamedTuple):
    output: str  # of the run that changed the model
    sessions: dict[str, paramiko.SFTPClient]  # the auditor's, open since before, by address


@pytest.fixture(scope="module")
def change(
    request: pytest.FixtureRequest, provision: Provision, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Change]:
    """Bob has left, the access of the ERP has ended, the auditor is suspended."""
    model = {**yaml.safe_load(MODEL.read_text()), **yaml.safe_load(DEMO.read_text())}
    people = {person["name"]: person for person in model["access_people"]}
    accounts = {account["name"]: account for account in model["access_accounts"]}
    people["bob"]["state"] = "absent"
    accounts["akeneosftp2"]["expires"] = "2026-01-01T00:00:00Z"
    accounts["auditor"]["state"] = "suspended"
    changed = tmp_path_factory.mktemp("model") / "changed.yml"
    changed.write_text(yaml.safe_dump({name: model[name] for name in ("access_people", "access_accounts")}))

    inventory = AnsibleRunner.get_runner(request.config.getoption("ansible_inventory"))
    addresses = [inventory.get_variables(name)["ansible_host"] for name in inventory.get_hosts("all")]
    for address in addresses:
        assert Sftp(Logins(address).akeneosftp2).put(changed, "/pim/uploaded-before").ok
    with contextlib.ExitStack() as stack:
        sessions = {address: stack.enter_context(Paramiko(Logins(address).auditor).session()) for address in addresses}
        yield Change(provision("--diff", "-vvv", f"--extra-vars=@{changed}"), sessions)
    provision()
    for address in addresses:
        assert Sftp(Logins(address).akeneosftp2).rm("/pim/uploaded-before").ok


@pytest.mark.promise("A1")
@pytest.mark.usefixtures("change")
def test_who_has_left_is_refused_and_the_others_stay(logins: Logins) -> None:
    bob = logins.key("akeneo", "bob")
    assert ssh(bob, "--", "true") == Answer(255, f"{bob.destination}: Permission denied (publickey).\n")
    assert ssh(logins.alice, "--", "true").ok


@pytest.mark.promise("A12")
@pytest.mark.usefixtures("change")
def test_an_expired_account_is_closed(logins: Logins) -> None:
    erp = logins.akeneosftp2
    assert ssh(erp, "-s", "--", "sftp") == Answer(255, f"{erp.destination}: Permission denied (publickey).\n")


@pytest.mark.promise("A15")
@pytest.mark.usefixtures("change")
def test_a_suspended_account_is_closed_and_the_others_are_open(logins: Logins) -> None:
    assert ssh(logins.auditor, "-s", "--", "sftp").code == 255
    assert Sftp(logins.akeneosftp).ls("/") == Answer(0, "pim")


@pytest.mark.promise("A15")
def test_a_suspended_account_loses_its_session(change: Change, logins: Logins) -> None:
    with pytest.raises((OSError, EOFError, paramiko.SSHException)):
        change.sessions[logins.address].listdir("/pim")


@pytest.mark.promise("A15")
@pytest.mark.usefixtures("change")
def test_what_was_uploaded_stays(host: Host) -> None:
    assert host.file(f"{FOLDER}/uploaded-before").user == "akeneo"


def test_no_run_shows_a_secret(change: Change) -> None:
    assert (CREDENTIALS / "akeneosftp.hash").read_text() not in change.output
