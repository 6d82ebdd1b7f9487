# SPDX-License-Identifier: GPL-3.0-or-later
"""The mount table: how each grant is mounted, what is refused, and the unit that mounts it at boot."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import stat
import subprocess
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Folder, Grant, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import mounts
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Record
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, Mount, User, of
from ansible_collections.sallyport.ssh.plugins.module_utils.system import mounter


def directory(uid: int = 0, gid: int = 0) -> PathStat:
    return PathStat(stat.S_IFDIR | 0o755, uid, gid)


def user(name: str, uid: int) -> User:
    return User(name, uid, uid, "/", "")


KNOWN = of(
    user("root", 0), user("akeneo", 1000), user("erp", 6400), Group("transfer", 2000), Group("erp", 6400),
)  # fmt: skip
IDMAP = Host(
    tools=Tools(idmapped_mounts=True, bindfs=True, systemd=True),
    paths={"/roots": directory(), "/vm": directory(1000, 0), "/data/pim": directory(), "/data/pim/mail": directory()},
)
BINDFS = dataclasses.replace(IDMAP, tools=Tools(bindfs=True))
OVERLAY = dataclasses.replace(IDMAP, unmappable={"/data/pim": "overlay"})
NEITHER = dataclasses.replace(IDMAP, tools=Tools())
PIM = Folder("pim", "/data/pim", "akeneo", "transfer")
BY_GROUP = dataclasses.replace(PIM, sharing="group")
OWN = dataclasses.replace(PIM, owner="erp")
GRANT = Grant("/pim", folder="pim")
READ = dataclasses.replace(GRANT, rights="read_only")
HIDDEN = Grant("/pim/mail", hidden=True)
CONFINED = ("nosuid", "nodev", "noexec")
TARGET = "/srv/sftp/erp/pim"


def model(*grants: Grant, folder: Folder = PIM, **account: t.Any) -> Model:
    return Model(Server("host"), folders=(folder,), accounts=(Account("erp", "sftp", grants=grants, **account),))


def bound(*options: str, source: str = "/data/pim", target: str = TARGET) -> Mount:
    return Mount(target, source, "none", ("bind", *CONFINED, *options))


UIDS = "u:1000:6400:1 u:1:1:999 u:1001:1001:5399 u:6401:6401:4294960894"
MAPPED = f"X-mount.idmap={UIDS} g:2000:6400:1 g:1:1:1999 g:2001:2001:4399 g:6401:6401:4294960894"
SAME = f"X-mount.idmap={UIDS} {UIDS.replace('u:', 'g:')}"
MAP = "map=1000/6400:@2000/@6400"


@pytest.mark.parametrize(
    ("host", "folder", "grant", "mount"),
    [
        pytest.param(IDMAP, PIM, GRANT, bound(MAPPED), id="idmapped"),
        pytest.param(IDMAP, PIM, READ, bound("ro", MAPPED), id="idmapped, read only"),
        pytest.param(BINDFS, PIM, GRANT, Mount(TARGET, "/data/pim", "fuse.bindfs", (*CONFINED, MAP, *mounts.BINDFS)),
                     id="bindfs"),
        pytest.param(BINDFS, PIM, READ,
                     Mount(TARGET, "/data/pim", "fuse.bindfs", (*CONFINED, "ro", MAP, *mounts.BINDFS)),
                     id="bindfs, read only"),
        pytest.param(OVERLAY, PIM, GRANT, Mount(TARGET, "/data/pim", "fuse.bindfs", (*CONFINED, MAP, *mounts.BINDFS)),
                     id="bindfs where the filesystem cannot"),
        pytest.param(IDMAP, BY_GROUP, GRANT, bound(), id="sharing group"),
        pytest.param(NEITHER, BY_GROUP, READ, bound("ro"), id="sharing group, read only"),
        pytest.param(IDMAP, OWN, GRANT, bound(), id="the account owns the folder"),
        pytest.param(IDMAP, PIM, Grant("/pim", source="/vm"), bound(SAME, source="/vm"),
                     id="a source as it is: never root's group"),
        pytest.param(IDMAP, PIM, Grant("/pim", source="/roots", rights="read_only"), bound("ro", source="/roots"),
                     id="root's source"),
        pytest.param(IDMAP, PIM, Grant("/pim", source="/roots", owner="akeneo", group="transfer"),
                     bound(MAPPED, source="/roots"), id="a source with an owner"),
    ],
)  # fmt: skip
def test_how_a_grant_is_mounted(host: Host, folder: Folder, grant: Grant, mount: Mount) -> None:
    want = mounts.desired(model(grant, folder=folder), host, KNOWN)
    assert want.mounts == {TARGET: mount}
    assert mounts.parse(want.files[layout.MOUNT_TABLE].content) == want.mounts


@pytest.mark.parametrize(
    ("on_disk", "seen", "mapping"),
    [
        pytest.param(10, 20, ["u:10:20:1", "u:1:1:9", "u:11:11:9", "u:21:21:4294967274"], id="apart"),
        pytest.param(20, 10, ["u:20:10:1", "u:1:1:9", "u:11:11:9", "u:21:21:4294967274"], id="the other way round"),
        pytest.param(10, 11, ["u:10:11:1", "u:1:1:9", "u:12:12:4294967283"], id="side by side"),
        pytest.param(1, 3, ["u:1:3:1", "u:2:2:1", "u:4:4:4294967291"], id="at the start"),
        pytest.param(7, 7, ["u:1:1:4294967294"], id="the same"),
        pytest.param(0, 7, ["u:1:1:4294967294"], id="root is nobody's"),
    ],
)
def test_everybody_but_root_and_the_two_stay_who_they_are(on_disk: int, seen: int, mapping: list[str]) -> None:
    assert mounts._idmap("u", on_disk, seen) == mapping


def test_nothing_is_ever_mapped_to_root() -> None:
    for host, folder, grant in itertools.product(
        (IDMAP, BINDFS),
        (PIM, dataclasses.replace(PIM, group="root"), dataclasses.replace(PIM, owner="root")),
        (GRANT, READ, Grant("/pim", source="/roots"), Grant("/pim", source="/vm", owner="root")),
    ):
        for mount in mounts.desired(
            model(grant, folder=folder), host, KNOWN.merged(of(Group("root", 0)))
        ).mounts.values():
            assert not any(part in " ".join(mount.options) for part in ("u:0:", "g:0:", "=0/", "@0/"))


@pytest.mark.parametrize("state", ["present", "suspended", "absent"])
def test_a_suspended_account_keeps_its_mounts_and_an_absent_one_has_none(state: str) -> None:
    assert bool(mounts.desired(model(GRANT, state=state), IDMAP, KNOWN).mounts) is (state != "absent")


def test_without_mounts_there_is_no_table_program_or_unit() -> None:
    assert mounts.desired(model(Grant("/up", private=True)), IDMAP, KNOWN) == of()


def test_a_hidden_part_lies_over_the_mount_and_comes_after_it() -> None:
    want = mounts.desired(model(HIDDEN, GRANT), IDMAP, KNOWN)
    assert want.mounts[TARGET + "/mail"] == bound("ro", source=layout.EMPTY, target=TARGET + "/mail")
    assert want.directories[layout.EMPTY].mode == 0
    assert list(mounts.parse(want.files[layout.MOUNT_TABLE].content)) == [TARGET, TARGET + "/mail"]


def test_what_lies_above_a_hidden_part_is_mounted_over_itself_and_cannot_be_moved_away() -> None:
    deep = Grant("/pim/mail/in/old", hidden=True)
    paths = {path: directory() for path in ("/data/pim", *(f"/data/pim/mail{part}" for part in ("", "/in", "/in/old")))}
    want = mounts.desired(model(GRANT, deep), dataclasses.replace(IDMAP, paths=paths), KNOWN)
    assert list(want.mounts) == list(mounts.parse(want.files[layout.MOUNT_TABLE].content)) == [
        TARGET, f"{TARGET}/mail", f"{TARGET}/mail/in", f"{TARGET}/mail/in/old",
    ]  # fmt: skip
    for part in ("/mail", "/mail/in"):
        assert want.mounts[TARGET + part] == bound(MAPPED, source="/data/pim" + part, target=TARGET + part)


def test_bindfs_hides_by_itself() -> None:
    want = mounts.desired(model(HIDDEN, GRANT), BINDFS, KNOWN)
    assert list(want.mounts) == [TARGET]
    assert want.mounts[TARGET].options[-1] == "x-sallyport.hide=/mail"


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        pytest.param({}, ["/data/pim/mail is not there", "create it first"], id="missing"),
        pytest.param({"/data/pim/mail": PathStat(stat.S_IFLNK | 0o777, 0, 0)}, ["is a link"], id="link"),
        pytest.param({"/data/pim/mail": PathStat(stat.S_IFREG | 0o777, 0, 0)}, ["is no directory"], id="file"),
    ],
)
def test_a_part_that_cannot_be_hidden_is_refused(paths: dict[str, PathStat], words: list[str]) -> None:
    host = dataclasses.replace(IDMAP, paths={"/data/pim": directory(), **paths})
    (problem,) = mounts.problems(model(GRANT, HIDDEN), host, KNOWN)
    assert problem.startswith("access_accounts: erp: /pim/mail: ")
    assert all(word in problem for word in words)
    assert mounts.paths_needed(model(GRANT, HIDDEN)) == ["/data/pim/mail"]


def after(paths: t.Mapping[str, PathStat | None], *grants: Grant) -> Host:
    """A host that an earlier run brought into order, and where these paths have become something else."""
    present = {path: found for path, found in {**IDMAP.paths, **paths}.items() if found is not None}
    record = Record({account.name: account for account in model(*grants).accounts}, {PIM.name: PIM})
    return dataclasses.replace(IDMAP, state=KNOWN, paths=present, record=record)


VM = Grant("/vm", source="/vm")


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(PathStat(stat.S_IFLNK | 0o777, 1000, 1000, "/etc"), id="link"),
        pytest.param(PathStat(stat.S_IFREG | 0o644, 1000, 1000), id="file"),
        pytest.param(None, id="nothing"),
    ],
)
@pytest.mark.parametrize(
    ("path", "at", "left"),
    [
        pytest.param("/vm", "/vm", {TARGET, TARGET + "/mail"}, id="a source"),
        pytest.param("/data/pim/mail", "/pim/mail", {"/srv/sftp/erp/vm"}, id="a hidden part"),
    ],
)
def test_a_grant_of_what_a_user_replaced_is_not_mounted_and_told(
    path: str, at: str, left: set[str], put: PathStat | None
) -> None:
    grants = (GRANT, HIDDEN, VM)
    host = after({path: put}, *grants)
    assert mounts.problems(model(*grants), host, KNOWN) == []
    assert set(mounts.desired(model(*grants), host, KNOWN).mounts) == left
    (note,) = mounts.notes(model(*grants), host)
    assert note.startswith(f"access_accounts: erp: {at}: ")
    assert "see who changed it" in note


def test_a_part_that_this_run_hides_for_the_first_time_has_to_be_there() -> None:
    host = after({"/data/pim/mail": None}, GRANT)
    assert "is not there" in "".join(mounts.problems(model(GRANT, HIDDEN), host, KNOWN))
    assert mounts.notes(model(GRANT, HIDDEN), host) == []


def test_a_grant_of_a_folder_that_its_owner_replaced_is_not_mounted() -> None:
    host = after({"/data/pim": PathStat(stat.S_IFLNK | 0o777, 1000, 1000)})
    assert mounts.desired(model(GRANT), host, KNOWN) == of()
    assert "/pim" in "".join(mounts.notes(model(GRANT), host))


def test_a_subfolder_that_this_run_makes_can_be_hidden() -> None:
    host = dataclasses.replace(IDMAP, paths={})
    folder = dataclasses.replace(PIM, subfolders=("mail",))
    assert mounts.problems(model(GRANT, HIDDEN, folder=folder), host, KNOWN) == []


STRANGE = Mount("/a b/#c,\\d\té", "/x y", "none", ("bind", "X-mount.idmap=u:1:2:1 g:1:2:1", "x-sallyport.hide=/a,b c"))


def test_a_table_reads_back_as_it_was_written() -> None:
    table = {mount.target: mount for mount in (STRANGE, bound("ro"), bound(target="/z"))}
    assert mounts.parse(mounts.render(table.values())) == table
    assert mounts.render(reversed(table.values())) == mounts.render(table.values())


@pytest.mark.skipif(not shutil.which("findmnt"), reason="findmnt is what reads it as fstab")
def test_other_programs_read_the_table_as_fstab(tmp_path: t.Any) -> None:
    table = tmp_path / "fstab"
    table.write_text(mounts.render([bound(MAPPED, target="/a b")]))
    command = ["findmnt", "--fstab", "--tab-file", str(table), "--noheadings", "--raw", "--output", "TARGET,SOURCE"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == [
        "/a\\x20b",
        "/data/pim",
    ]


def unit() -> str:
    return mounts.desired(model(GRANT), IDMAP, KNOWN).files[f"{layout.UNITS}/{layout.MOUNT_UNIT}"].content


def test_the_unit_comes_before_sshd_and_after_the_disks_of_the_sources() -> None:
    assert "Before=ssh.service ssh.socket" in unit()
    assert "After=data.mount" in unit()
    assert "After=data-pim.mount" in unit()
    assert "Requires" not in unit()
    (link,) = mounts.desired(model(GRANT), IDMAP, KNOWN).links.values()
    assert link.path.endswith(f".wants/{layout.MOUNT_UNIT}")


def test_without_systemd_there_is_no_unit() -> None:
    want = mounts.desired(model(GRANT), BINDFS, KNOWN)
    assert set(want.files) == {layout.MOUNT_TABLE, layout.MOUNT_PROGRAM}
    assert not want.links


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is what verifies a unit")
def test_systemd_finds_no_fault_in_the_unit(tmp_path: t.Any) -> None:
    path = tmp_path / layout.MOUNT_UNIT
    path.write_text(unit().replace("/usr/bin/python3 ", "/bin/true "))
    told = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False).stderr
    assert layout.MOUNT_UNIT not in told


@pytest.mark.skipif(not shutil.which("systemd-escape"), reason="systemd-escape is what names mount units")
@pytest.mark.parametrize("path", ["/data/pim", "/.a/b-c", "/a b/é", "/a.b/_:x", "/x/.y"])
def test_mount_units_are_named_as_systemd_names_them(path: str) -> None:
    command = ["systemd-escape", "--path", "--suffix=mount", path]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert mounts._mount_unit(path) == name


def test_the_program_on_the_host_stands_alone_and_is_ours() -> None:
    program = mounts.desired(model(GRANT), IDMAP, KNOWN).files[layout.MOUNT_PROGRAM]
    names: dict[str, t.Any] = {"__name__": "elsewhere"}
    exec(compile(program.content, "program", "exec"), names)
    assert names["parse"]("/a /b none bind 0 0") == [mounter.Entry("/a", "/b", "none", ("bind",))]
    assert layout.HEADER.strip() in program.content
