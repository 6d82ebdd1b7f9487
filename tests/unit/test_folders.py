# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfer folders: what is made of them, who is a member of their groups, and what cannot be shared."""

from __future__ import annotations

import dataclasses
import stat
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Folder, Grant, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import folders
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Made, Record
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Directory, Group, User, of


def directory(mode: int = 0o755, uid: int = 0, gid: int = 0) -> PathStat:
    return PathStat(stat.S_IFDIR | mode, uid, gid)


def user(name: str, uid: int) -> User:
    return User(name, uid, uid, "/", "/bin/sh")


KNOWN = of(
    user("root", 0),
    user("akeneo", 1000),
    user("erp", 6400),
    Group("root", 0),
    Group("akeneo", 1000),
    Group("erp", 6400),
    Group("transfer", 2000, frozenset({"www-data"})),
)
HOST = Host(
    tools=Tools(idmapped_mounts=True),
    paths={
        "/": directory(),
        "/data": directory(),
        "/vm": directory(0o755, 1000, 2000),
        "/roots": directory(0o755, 0, 0),
        "/mixed": directory(0o755, 1000, 0),
        "/link": PathStat(stat.S_IFLNK | 0o777, 0, 0),
    },
)
PIM = Folder("pim", "/data/transfer/pim", "akeneo", "transfer", subfolders=("in", "out/done"))
GRANT = Grant("/pim", folder="pim")


def model(*grants: Grant, folder: Folder = PIM, **account: t.Any) -> Model:
    return Model(Server("host"), folders=(folder,), accounts=(Account("erp", "sftp", grants=grants, **account),))


def test_a_folder_comes_with_missing_parents_and_subfolders() -> None:
    want = folders.desired(model(), HOST, KNOWN)
    assert want.directories == {
        path: Directory(path, 0o2770, "akeneo", "transfer")
        for path in (
            "/data/transfer/pim",
            "/data/transfer/pim/in",
            "/data/transfer/pim/out",
            "/data/transfer/pim/out/done",
        )
    } | {"/data/transfer": Directory("/data/transfer", 0o755)}


def test_a_parent_of_somebody_else_is_not_ours_to_change_and_one_of_ours_stays_wanted() -> None:
    made = {"folders": Made(directories=frozenset({"/data/transfer"}))}
    paths = {**HOST.paths, "/data/transfer": directory(0o711)}
    foreign = dataclasses.replace(HOST, paths=paths)
    ours = dataclasses.replace(foreign, record=Record(made=made))
    assert "/data/transfer" not in folders.desired(model(), foreign, KNOWN).directories
    assert folders.desired(model(), ours, KNOWN).directories["/data/transfer"].mode == 0o755


def test_a_group_keeps_its_gid_and_a_new_one_is_left_to_the_plan() -> None:
    new = dataclasses.replace(PIM, group="fresh")
    assert folders.desired(model(), HOST, KNOWN).groups == {"transfer": Group("transfer", 2000)}
    assert folders.desired(model(folder=new), HOST, KNOWN).groups == {"fresh": Group("fresh", -1)}


SOURCE = Grant("/vm", source="/vm", sharing="group")


@pytest.mark.parametrize(
    ("folder", "grant", "state", "members"),
    [
        pytest.param(dataclasses.replace(PIM, sharing="group"), GRANT, "present", {"akeneo", "erp"}, id="group"),
        pytest.param(dataclasses.replace(PIM, sharing="group"), GRANT, "suspended", {"akeneo", "erp"}, id="suspended"),
        pytest.param(dataclasses.replace(PIM, sharing="group"), GRANT, "absent", {"akeneo"}, id="absent"),
        pytest.param(PIM, GRANT, "present", set(), id="mapped needs none"),
        pytest.param(PIM, SOURCE, "present", {"erp"}, id="the group that a source has"),
        pytest.param(
            dataclasses.replace(PIM, group="akeneo"),
            dataclasses.replace(SOURCE, group="transfer"),
            "present",
            {"erp"},
            id="the group that a source is given",
        ),
    ],
)
def test_the_owner_and_accounts_are_members_where_they_share_by_group(
    folder: Folder, grant: Grant, state: str, members: set[str]
) -> None:
    want = folders.desired(model(grant, folder=folder, state=state), HOST, KNOWN)
    group = want.groups.get("transfer", Group("transfer", 2000))
    assert group.members == members


def test_an_owner_whose_own_group_it_is_needs_no_membership() -> None:
    want = folders.desired(model(folder=dataclasses.replace(PIM, group="akeneo", sharing="group")), HOST, KNOWN)
    assert want.groups["akeneo"].members == frozenset()


def test_nobody_becomes_a_member_of_the_group_root() -> None:
    want = folders.desired(model(Grant("/x", source="/roots", sharing="group")), HOST, KNOWN)
    assert "root" not in want.groups


def problems(host: Host, *grants: Grant, folder: Folder = PIM) -> str:
    return "\n".join(folders.problems(model(*grants, folder=folder), host, KNOWN))


BARE = dataclasses.replace(HOST, tools=Tools())
OVERLAY = dataclasses.replace(HOST, unmappable={"/data/transfer/pim": "overlay"})


@pytest.mark.parametrize(
    ("host", "folder", "grant", "words"),
    [
        pytest.param(HOST, dataclasses.replace(PIM, owner="nobody-here"), GRANT,
                     ["access_folders: pim.owner", "'nobody-here'", "create the user first"], id="unknown owner"),
        pytest.param(HOST, dataclasses.replace(PIM, owner="root"), GRANT,
                     ["erp: /pim", "nothing is ever mapped to root", "rights: read_only"], id="root's folder"),
        pytest.param(HOST, dataclasses.replace(PIM, group="root"), GRANT,
                     ["erp: /pim", "its group is root's", "name another group"], id="root's group"),
        pytest.param(HOST, dataclasses.replace(PIM, path="/link/pim"), GRANT,
                     ["access_folders: pim.path", "/link is a link"], id="behind a link"),
        pytest.param(BARE, PIM, GRANT, ["this host has no idmapped", "install bindfs", "sharing: group"], id="no way"),
        pytest.param(OVERLAY, PIM, GRANT, ["its filesystem (overlay)", "install bindfs"], id="the filesystem"),
        pytest.param(HOST, PIM, Grant("/x", source="/nowhere"), ["source /nowhere", "create it first"], id="no source"),
        pytest.param(HOST, PIM, Grant("/x", source="/link"), ["source /link: /link is a link"], id="source is a link"),
        pytest.param(HOST, PIM, Grant("/x", source="/roots"), ["source /roots", "belongs to root"], id="root's source"),
        pytest.param(HOST, PIM, Grant("/x", source="/vm", owner="gone"), ["no user 'gone'"], id="source's owner"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_is_refused(host: Host, folder: Folder, grant: Grant, words: list[str]) -> None:
    told = problems(host, grant, folder=folder)
    assert all(word in told for word in words), told
    assert told.count("\n") == 0


@pytest.mark.parametrize(
    ("host", "folder", "grant"),
    [
        pytest.param(HOST, PIM, GRANT, id="mapped"),
        pytest.param(dataclasses.replace(OVERLAY, tools=Tools(bindfs=True)), PIM, GRANT, id="bindfs"),
        pytest.param(BARE, dataclasses.replace(PIM, sharing="group"), GRANT, id="group needs nothing"),
        pytest.param(HOST, PIM, Grant("/x", source="/roots", rights="read_only"), id="root's, read only"),
        pytest.param(HOST, PIM, Grant("/x", source="/mixed"), id="root's group falls to the owner's own"),
        pytest.param(HOST, PIM, Grant("/x", private=True), id="private"),
    ],
)
def test_what_can_be_shared_is_not_refused(host: Host, folder: Folder, grant: Grant) -> None:
    assert problems(host, grant, folder=folder) == ""


def test_a_subfolder_that_became_a_link_is_refused() -> None:
    paths = {**HOST.paths, "/data/transfer/pim/in": HOST.paths["/link"]}
    assert "pim.subfolders: /data/transfer/pim/in is a link" in problems(dataclasses.replace(HOST, paths=paths))


FILE = PathStat(stat.S_IFREG | 0o644, 1000, 1000)
LINK = HOST.paths["/link"]


def after(paths: t.Mapping[str, PathStat | None], *grants: Grant) -> Host:
    """A host that an earlier run brought into order, and where these paths have become something else."""
    applied = model(*grants)
    present = {path: found for path, found in {**HOST.paths, **paths}.items() if found is not None}
    record = Record({account.name: account for account in applied.accounts}, {PIM.name: PIM})
    return dataclasses.replace(HOST, state=KNOWN, paths=present, record=record)


@pytest.mark.parametrize("put", [FILE, LINK], ids=["file", "link"])
@pytest.mark.parametrize(
    ("path", "kept"),
    [
        pytest.param("", [], id="the folder"),
        pytest.param("/in", ["", "/out", "/out/done"], id="a subfolder"),
        pytest.param("/out", ["", "/in"], id="one above another"),
    ],
)
def test_what_a_user_put_in_the_place_of_a_folder_is_left_alone_and_told(
    path: str, kept: list[str], put: PathStat
) -> None:
    host = after({PIM.path + path: put})
    assert folders.problems(model(), host, KNOWN) == []
    want = folders.desired(model(), host, KNOWN).directories
    assert {each for each in want if each.startswith(PIM.path)} == {PIM.path + each for each in kept}
    (note,) = folders.notes(model(), host)
    assert note.startswith("access_folders: pim.")
    assert f"{PIM.path}{path} is " in note
    assert "see who changed it" in note


def test_a_subfolder_that_this_run_adds_in_the_place_of_a_file_is_refused() -> None:
    host = after({"/data/transfer/pim/new": FILE})
    more = model(folder=dataclasses.replace(PIM, subfolders=("in", "new")))
    assert "pim/new is no directory" in "".join(folders.problems(more, host, KNOWN))
    assert folders.notes(more, host) == []


OWNED = Grant("/vm", source="/vm", owner="akeneo", group="transfer")


@pytest.mark.parametrize("put", [FILE, LINK, None], ids=["file", "link", "nothing"])
@pytest.mark.parametrize("grant", [Grant("/vm", source="/vm"), OWNED], ids=["present owner", "owner"])
def test_a_source_that_its_owner_replaced_is_no_refusal_and_is_not_touched(grant: Grant, put: PathStat | None) -> None:
    host = after({"/vm": put}, grant)
    assert folders.problems(model(grant), host, KNOWN) == []
    assert "/vm" not in folders.desired(model(grant), host, KNOWN).directories


def test_a_parent_that_its_owner_opened_to_others_is_no_refusal_either() -> None:
    paths = {"/home": directory(0o777, 1000), "/home/vm": directory(0o755, 1000, 1000)}
    grant = Grant("/vm", source="/home/vm")
    assert folders.problems(model(grant), after(paths, grant), KNOWN) == []
    assert "chmod go-w /home" in "".join(folders.problems(model(grant), after(paths), KNOWN))


@pytest.mark.parametrize(
    ("grant", "wanted"),
    [
        pytest.param(Grant("/x", source="/roots", owner="akeneo", group="transfer"), ("akeneo", "transfer"), id="both"),
        pytest.param(Grant("/x", source="/roots", owner="akeneo"), ("akeneo", "akeneo"), id="never root's group"),
        pytest.param(Grant("/x", source="/vm", owner="erp"), ("erp", "transfer"), id="owner"),
        pytest.param(Grant("/x", source="/vm", group="erp"), ("akeneo", "erp"), id="group"),
        pytest.param(Grant("/x", source="/vm"), None, id="as it is"),
    ],
)
def test_a_source_goes_to_whom_a_grant_gives_it(grant: Grant, wanted: tuple[str, str] | None) -> None:
    path = str(grant.source)
    made = folders.desired(model(grant), HOST, KNOWN).directories.get(path)
    assert made == (Directory(path, 0o755, *wanted) if wanted else None)
    assert problems(HOST, grant) == ""


def test_a_group_that_a_source_is_given_is_created() -> None:
    known = KNOWN.merged(of(Group("fresh", 6500)))
    want = folders.desired(model(dataclasses.replace(OWNED, group="fresh")), HOST, known)
    assert want.groups["fresh"] == Group("fresh", 6500)


@pytest.mark.parametrize("other", [Grant("/vm", source="/vm"), dataclasses.replace(OWNED, owner="akeneo")])
def test_a_source_that_two_grants_give_to_different_owners_is_refused(other: Grant) -> None:
    accounts = (
        Account("erp", "sftp", grants=(dataclasses.replace(OWNED, owner="erp"),)),
        Account("shop", "sftp", grants=(other,)),
    )
    (problem,) = folders.problems(Model(Server("host"), accounts=accounts), HOST, KNOWN)
    assert "access_accounts: erp: /vm" in problem
    assert "access_accounts: shop: /vm" in problem
    assert "akeneo:transfer" in problem
    assert "erp:transfer" in problem


def test_all_that_the_rules_look_at_is_asked_for() -> None:
    needed = folders.paths_needed(model(SOURCE))
    assert {"/data/transfer/pim", "/data/transfer/pim/out/done", "/vm"} <= set(needed)
