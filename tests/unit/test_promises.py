# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of account is promised and refused, and whom a proof tries."""

from __future__ import annotations

import dataclasses
import stat
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import (
    Account,
    Folder,
    Forwarding,
    Grant,
    Key,
    Model,
    Server,
)
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.grounds import Ground, grounds, listings
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.promises import (
    AREAS,
    EXACTLY,
    LINKS,
    WRITES,
    Promise,
    all_promises,
    remedy,
    select,
)
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, User, of

NOW = 1_800_000_000
KEY = Key("ssh-ed25519", "AAAA", "ann", "laptop")
FOLDERS = (
    Folder("tree", "/data/tree", "worker", "tree"),
    Folder("space", "/data/space", "worker", "space", sharing="group"),
    Folder("flat", "/data/flat", "worker", "space", sharing="group", mode="0770"),
    Folder("own", "/data/own", "acme", "tree"),
)
HOST = Host(
    tools=Tools(pam_umask=True, sudo="/usr/bin/sudo"),
    paths={"/roots": PathStat(stat.S_IFDIR | 0o755, 0, 0), "/plain": PathStat(stat.S_IFDIR | 0o750, 1000, 1000)},
    now=NOW,
)
KNOWN = of(
    User("worker", 1000, 1000, "/home/worker", "/bin/sh"),
    User("acme", 6400, 6400, "/home/acme", "/bin/sh"),
    Group("worker", 1000), Group("tree", 2000), Group("space", 2001), Group("acme", 6400),
)  # fmt: skip


def model(*grants: Grant, **account: t.Any) -> Model:
    made = Account("acme", **{"kind": "sftp", "keys": (KEY,), "grants": grants, **account})
    return Model(Server("host"), folders=FOLDERS, accounts=(made,))


def promised(*grants: Grant, host: Host = HOST, **account: t.Any) -> t.Dict[str, Promise]:
    """By sentence."""
    listed = all_promises(model(*grants, **account), ["acme"], host, KNOWN)["acme"]
    found = {str(promise): promise for promise in listed}
    assert len(found) == len(listed)
    assert all(promise.area in AREAS and remedy(promise) for promise in listed)
    return found


def outcomes(found: t.Mapping[str, Promise], *sentences: str) -> t.List[t.Optional[str]]:
    return [found[text].expected if text in found else None for text in sentences]


TREE = Grant("/tree", folder="tree")
CHANGES = ("uploading a file", "reading it back", "renaming it", "making and removing a directory", "deleting it")
APPLICATION = tuple(f"the application {verb} an uploaded file" for verb in ("reads", "edits", "deletes"))
THEIRS = tuple(f"{verb} a file of the application" for verb in ("reading", "editing", "deleting"))


def at(path: str, acts: t.Iterable[str]) -> t.List[str]:
    return [f"{path}: {act}" for act in acts]


def requests(path: str, names: t.Iterable[str] = WRITES) -> t.List[str]:
    return [f"{path}: the request {name}" for name in names]


def test_a_folder_to_read_and_write() -> None:
    found = promised(TREE)
    works = at("/tree", (*CHANGES, *APPLICATION, *THEIRS, "what the application puts there is seen"))
    assert outcomes(found, *works) == ["works"] * len(works)
    assert outcomes(found, *requests("/tree", LINKS)) == ["refused"] * 2
    assert outcomes(found, "/tree: whose an uploaded file is on the host") == ["worker:tree"]


def test_a_folder_to_read_refuses_all_twelve_requests() -> None:
    found = promised(dataclasses.replace(TREE, rights="read_only"))
    assert len(WRITES) == 12
    assert outcomes(found, *requests("/tree")) == ["refused"] * 12
    assert outcomes(found, *at("/tree", THEIRS)) == ["works", None, None]
    assert outcomes(found, *at("/tree", (*CHANGES, *APPLICATION))) == [None] * 8


def test_a_hidden_part_shows_nothing_and_refuses_all_twelve() -> None:
    found = promised(TREE, Grant("/tree/mail", hidden=True))
    assert outcomes(found, "/tree/mail: what the application puts there is seen") == ["refused"]
    assert outcomes(found, *requests("/tree/mail")) == ["refused"] * 12
    assert outcomes(found, "/tree/mail: uploading a file") == [None]


def test_a_private_folder_has_no_application() -> None:
    found = promised(Grant("/own", private=True))
    assert outcomes(found, *at("/own", CHANGES)) == ["works"] * 5
    assert outcomes(found, "/own: whose an uploaded file is on the host") == ["acme"]
    assert not any("application" in text for text in found)


@pytest.mark.parametrize(
    ("umask", "works"),
    [
        pytest.param("0007", ["works", "works", "works"], id="0007: the group reads and writes"),
        pytest.param("0027", ["works", None, "works"], id="0027: the group reads"),
        pytest.param("0077", [None, None, "works"], id="0077: the group does neither"),
    ],
)
def test_sharing_by_group_promises_what_the_umask_leaves(umask: str, works: t.List[t.Optional[str]]) -> None:
    found = promised(Grant("/space", folder="space"), umask=umask)
    assert outcomes(found, *at("/space", APPLICATION)) == works


@pytest.mark.parametrize(
    ("grant", "owner"),
    [
        pytest.param(TREE, "worker:tree", id="mapped: the application's"),
        pytest.param(Grant("/at", folder="space"), "acme:space", id="group: the account's, with the folder's group"),
        pytest.param(Grant("/at", folder="flat"), "acme", id="group without setgid: any group"),
        pytest.param(Grant("/at", folder="own"), "acme:tree", id="the account's own folder"),
        pytest.param(Grant("/at", source="/plain"), "worker:worker", id="a source, as it is"),
        pytest.param(Grant("/at", source="/roots", rights="read_only"), None, id="a source to read"),
    ],
)
def test_whose_an_upload_becomes(grant: Grant, owner: t.Optional[str]) -> None:
    assert outcomes(promised(grant), f"{grant.at}: whose an uploaded file is on the host") == [owner]


def test_the_jail_shows_what_is_declared_and_takes_nothing() -> None:
    deep = (Grant("/a/b", folder="tree"), Grant("/a/c", private=True), Grant("/d", folder="space"))
    found = promised(*deep, start_in="/a/b/in")
    assert outcomes(found, "/: what it sees there", "/a: what it sees there") == ["a, d", "b, c"]
    for path in ("/", "/a"):
        assert outcomes(found, *requests(path, ("open-create", "mkdir"))) == ["refused"] * 2
    assert outcomes(found, "the directory in which it starts") == ["/a/b/in"]
    assert listings(Account("acme", "sftp")) == {"/": frozenset()}


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        pytest.param({}, ["works", "works", None, "refused"], id="a key"),
        pytest.param({"keys": ()}, ["works", None, None, "refused"], id="no key of its own"),
        pytest.param({"password_hash": "$"}, ["works", "works", None, None], id="a password"),
        pytest.param(
            {"password_hash": "$", "second_factor": "password"}, ["works", "works", "refused", None], id="both"
        ),
        pytest.param({"expires": NOW + 1}, ["works", "works", None, "refused"], id="expires in a second"),
        pytest.param({"expires": NOW}, ["refused", None, None, None], id="expired this second"),
        pytest.param({"state": "suspended"}, ["refused", None, None, None], id="suspended"),
    ],
)
def test_ways_in(account: t.Dict[str, t.Any], expected: t.List[t.Optional[str]]) -> None:
    sentences = (
        "a login with a key",
        "its key file, read as sshd reads it",
        "a login without the second factor",
        "a password at the login",
    )
    for kind in ("sftp", "shell", "tunnel"):
        found = promised(**{"kind": kind, **account})
        assert outcomes(found, *sentences) == expected
        assert len(found) == 1 or expected[0] == "works"


def test_who_is_absent_is_not_tried() -> None:
    assert all_promises(model(state="absent"), ["acme"], HOST, KNOWN) == {}


SESSIONS = ("a command", "a terminal", "another subsystem than sftp", "sftp")
DESKTOP = ("forwarding of the client's agent", "forwarding of graphical programs")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("sftp", ["refused", "refused", "refused", None], id="sftp"),
        pytest.param("tunnel", ["refused"] * 4, id="tunnel"),
        pytest.param("shell", ["works", None, None, None], id="shell"),
    ],
)
def test_sessions(kind: str, expected: t.List[t.Optional[str]]) -> None:
    assert outcomes(promised(kind=kind), *SESSIONS) == expected


@pytest.mark.parametrize(
    ("kind", "declared", "on_screen"),
    [
        pytest.param("shell", "works", "works", id="shell"),
        pytest.param("tunnel", "works", "refused", id="tunnel: no agent, no graphics"),
        pytest.param("sftp", None, "refused", id="sftp: nothing at all"),
    ],
)
def test_forwarding_is_as_declared(kind: str, declared: t.Optional[str], on_screen: str) -> None:
    everything = Forwarding(True, ("127.0.0.1:9", "db:3306"), ("127.0.0.1:49321",), True)
    found = promised(kind=kind, forwarding=everything)
    declared_ones = ("a connection to db:3306", "a listener at 127.0.0.1:49321")
    # what is declared is not what is tried for being refused
    elsewhere = ("a connection to 127.0.0.1:7", "a listener at 127.0.0.1:49322")
    if kind == "sftp":
        elsewhere = ("a connection to 127.0.0.1:9", "a listener at 127.0.0.1:49321")
        declared_ones = ("a connection to db:3306", "a connection to 127.0.0.1:7")
    assert outcomes(found, *declared_ones) == [declared] * 2
    assert outcomes(found, *elsewhere) == ["refused"] * 2
    assert outcomes(found, *DESKTOP) == [on_screen] * 2


def test_a_shell() -> None:
    found = promised(kind="shell", umask="027")
    sentences = ("the user as whom it works", "the directory in which it starts", "its umask", "what sudo allows")
    assert outcomes(found, *sentences) == ["acme", "/home/acme", "0027", EXACTLY]
    bare = dataclasses.replace(HOST, tools=Tools())
    assert outcomes(promised(kind="shell", host=bare), *sentences) == ["acme", "/home/acme", None, None]


def test_nothing_that_a_user_can_break_is_a_reason_to_undo_a_run() -> None:
    found = {**promised(TREE, Grant("/own", private=True)), **promised(kind="shell")}
    theirs = {text for text, promise in found.items() if promise.theirs}
    assert {"a command", "/own: uploading a file", "/tree: the application makes a file"} <= theirs
    assert "/: what it sees there" in theirs  # what it has left in a grant that it does not have any more
    assert {"a login with a key", "what sudo allows", "/tree: the request symlink"}.isdisjoint(theirs)
    assert not any(promise.expected == "refused" for promise in found.values() if promise.theirs)


def test_what_sshd_alone_refuses_is_tried_once_for_a_class_and_for_who_is_singled_out() -> None:
    three = tuple(dataclasses.replace(model().accounts[0], name=name) for name in ("a", "b", "c"))
    whole = all_promises(dataclasses.replace(model(), accounts=three), ["b", "c"], HOST, KNOWN)
    assert ["a command" in map(str, whole[name]) for name in ("b", "c")] == [True, False]
    singled = all_promises(dataclasses.replace(model(), accounts=three), ["b", "c"], HOST, KNOWN, ["c"])
    assert "a command" in map(str, singled["c"])


ACCOUNTS = (
    Account("a1", "sftp"), Account("a2", "sftp"), Account("b1", "shell"), Account("b2", "shell"),
    Account("s1", "sftp", "suspended"), Account("s2", "shell", "suspended"), Account("gone", "sftp", "absent"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("how", "changed", "names"),
    [
        pytest.param("all", [], ["a1", "a2", "b1", "b2", "s1", "s2"], id="all but the absent"),
        pytest.param("changed", ["b2", "gone", "x"], ["a1", "b1", "b2", "s1"], id="changed, and one of each class"),
        pytest.param("sample", ["b2"], ["a1", "b1", "s1"], id="one of each class"),
        pytest.param("none", ["b2"], [], id="nobody"),
    ],
)
def test_whom_a_proof_tries(how: str, changed: t.List[str], names: t.List[str]) -> None:
    assert select(Model(Server("host"), accounts=ACCOUNTS), changed, how) == names


def test_grounds_follow_from_the_model() -> None:
    found = grounds(model(TREE, Grant("/tree/a/b", hidden=True), Grant("/own", private=True)), HOST, KNOWN)["acme"]
    assert found == [
        Ground("/own", "/srv/sftp/acme/own", "read_write", "private", 6400, (6400, None)),
        Ground("/tree", "/data/tree", "read_write", "mapped", 1000, (1000, 2000)),
        Ground("/tree/a/b", "/data/tree/a/b", "hidden", "mapped", 1000, (None, None)),
    ]


def test_an_account_that_only_reads_has_a_private_folder_to_read() -> None:
    read_only = dataclasses.replace(TREE, rights="read_only")
    (own,) = grounds(model(Grant("/own", "read_only", private=True), read_only), HOST, KNOWN)["acme"][:1]
    assert own.rights == "read_only"
