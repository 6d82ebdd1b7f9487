# SPDX-License-Identifier: GPL-3.0-or-later
"""What a proof makes of what it found. The logins themselves are tried on real hosts (molecule/verify)."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host
from ansible_collections.sallyport.ssh.plugins.module_utils.logins.sftp import Client
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import transfer, trial
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.application import Places
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.grounds import Ground
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.promises import Promise
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.transfer import Found, Names
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.trial import NOT_TRIED, Finding, Proof
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Record
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import State

LOGIN = Promise("acme", "login", "login", "works")
UPLOAD = Promise("acme", "folders", "upload", "works", "/pim", theirs=True)
MKDIR = Promise("acme", "refusals", "write mkdir", "refused", "/pim")


def test_a_broken_promise_says_who_what_and_what_to_do() -> None:
    assert str(Finding(MKDIR, "works", "so be it")) == (
        "access_accounts: acme: /pim: the request mkdir: expected: refused, found: works (so be it); "
        "suspend the account until it is refused again; see who opened this, then apply the model again"
    )


@pytest.mark.parametrize(
    ("findings", "broken"),
    [
        pytest.param([Finding(LOGIN, "works"), Finding(UPLOAD, "works")], [], id="all hold"),
        pytest.param([Finding(LOGIN, "works"), Finding(UPLOAD, "refused")], [UPLOAD], id="one does not"),
        pytest.param([Finding(LOGIN, "refused"), Finding(UPLOAD, NOT_TRIED)], [LOGIN], id="what explains the others"),
        pytest.param([Finding(LOGIN, "works"), Finding(UPLOAD, NOT_TRIED)], [UPLOAD], id="not tried is not held"),
    ],
)
def test_what_is_broken(findings: t.Sequence[Finding], broken: t.Sequence[Promise]) -> None:
    assert [finding.promise for finding in Proof(tuple(findings)).broken] == broken


ACME = Account("acme", "sftp")
NEW, KNOWN = Host(), Host(record=Record(accounts={"acme": ACME}))


@pytest.mark.parametrize(
    ("kind", "host", "finding", "undoes"),
    [
        pytest.param("sftp", NEW, Finding(UPLOAD, "refused"), True, id="a new account has to work"),
        pytest.param("sftp", KNOWN, Finding(UPLOAD, "refused"), False, id="an old one may have filled its disk"),
        pytest.param("sftp", KNOWN, Finding(MKDIR, "works"), True, id="what must be refused is nobody's to break"),
        pytest.param("sftp", KNOWN, Finding(LOGIN, "refused"), True, id="nor is the login"),
        pytest.param("sftp", KNOWN, Finding(MKDIR, NOT_TRIED), True, id="a session that ends is no answer"),
        pytest.param("shell", KNOWN, Finding(MKDIR, NOT_TRIED), False, id="but a shell can end its own"),
        pytest.param("shell", NEW, Finding(MKDIR, NOT_TRIED), True, id="and a new one has not"),
    ],
)
def test_what_undoes_a_run(
    monkeypatch: pytest.MonkeyPatch, kind: str, host: Host, finding: Finding, undoes: bool
) -> None:
    monkeypatch.setattr(trial, "prove", lambda *_arguments: Proof((finding,)))
    model = Model(Server("host"), accounts=(Account("acme", kind),))
    assert bool(trial.problems({}, model, host, State(), ["acme"])) is undoes


def test_what_a_proof_leaves_where_a_user_has_swapped_the_folder_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account works in what is mounted in its jail, and at the folder's path there is a link by now."""
    mounted = tmp_path / "jails/acme/pim"
    mounted.mkdir(parents=True)
    (tmp_path / "pim").symlink_to("/etc")
    names = Names("0123456789abcdef")

    def writes(client: object, at: str, names: Names) -> Found:
        for name in names:
            (mounted / name).touch()
        return {}

    monkeypatch.setattr(transfer, "writes", writes)
    one = object.__new__(trial.Trial)
    monkeypatch.setattr(one, "_jails", str(tmp_path / "jails"), raising=False)
    monkeypatch.setattr(one, "_places", Places(), raising=False)
    ground = Ground("/pim", str(tmp_path / "pim"), "read_write", "mapped", os.getuid(), (None, None))
    found = one._on(t.cast(Client, None), ACME, ground, names)
    assert found["seen", "/pim"].found == NOT_TRIED
    assert list(names)
    assert os.listdir(mounted) == []
