# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that mounts: what it reads, and, as root in a mount namespace of its own, what it really does."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import signal
import subprocess
import time
import traceback
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import mounts
from ansible_collections.sallyport.ssh.plugins.module_utils.system import mounter, mounting
from ansible_collections.sallyport.ssh.plugins.module_utils.system.mounter import Entry

APPLICATION, ACCOUNT, STRANGER = 61001, 61002, 61003
CONFINED = ("nosuid", "nodev", "noexec")
IDMAP = ("bind", *CONFINED, f"X-mount.idmap=u:{APPLICATION}:{ACCOUNT}:1 g:{APPLICATION}:{ACCOUNT}:1")
MAP = (*CONFINED, *mounts.BINDFS, f"map={APPLICATION}/{ACCOUNT}:@{APPLICATION}/@{ACCOUNT}")
TO_ANOTHER = {
    "idmap": ("bind", *CONFINED, f"X-mount.idmap=u:{APPLICATION}:7:1"),
    "bindfs": (*CONFINED, f"map={APPLICATION}/7:@{APPLICATION}/@7"),
}

# --- what it reads ---

MOUNTINFO = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 8:2 / /data rw,nosuid,relatime shared:2 master:1 - xfs /dev/sdb1 rw
31 22 8:2 /a\040b /srv/x\134y ro,nosuid,nodev,noexec,relatime,idmapped - xfs /dev/sdb1 rw
32 22 0:40 / /srv/fuse rw,nosuid,nodev,noexec - fuse.bindfs /proc/self/fd/6 rw,user_id=0
33 30 0:41 / /data rw - tmpfs none rw
"""


def test_mountinfo_is_read_with_its_escapes_and_optional_fields() -> None:
    mounts = mounter.active(MOUNTINFO)
    assert mounts["/srv/x\\y"].root == "/a b"
    assert mounts["/srv/x\\y"].options == ("ro", "nosuid", "nodev", "noexec", "relatime", "idmapped")
    assert mounts["/srv/fuse"].type == "fuse.bindfs"


def test_of_several_mounts_on_one_target_the_topmost_counts() -> None:
    assert mounter.active(MOUNTINFO)["/data"].type == "tmpfs"


def test_comments_and_empty_lines_of_a_table_are_passed_over() -> None:
    assert mounter.parse("# a b c d\n\n  \n/a\\040b /c none bind,ro 0 0\n") == [
        Entry("/a b", "/c", "none", ("bind", "ro"))
    ]


# --- what it does ---


def _may_mount() -> bool:
    if os.geteuid() != 0:
        return False
    child = os.fork()
    if child == 0:
        os._exit(0 if mounter.libc.unshare(mounter.CLONE_NEWNS) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


MAY_MOUNT = _may_mount()
mounts_for_real = pytest.mark.skipif(not MAY_MOUNT, reason="only root with CAP_SYS_ADMIN may mount")
_Test = t.TypeVar("_Test", bound=t.Callable[..., None])


def alone(test: _Test) -> _Test:
    """Run a test in a process with a mount namespace of its own, which takes its mounts with it when it ends."""

    @mounts_for_real
    @functools.wraps(test)
    def run(*arguments: t.Any, **options: t.Any) -> None:
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                mounter.call(mounter.libc.unshare, mounter.CLONE_NEWNS)
                mounter.call(mounter.libc.mount, None, b"/", None, mounter.MS_REC | mounter.MS_PRIVATE, None)
                test(*arguments, **options)
            except BaseException:
                os.write(into, traceback.format_exc().encode()[-60000:])
            os._exit(0)
        os.close(into)
        with open(out, encoding="utf-8") as said:
            report = said.read()
        os.waitpid(child, 0)
        if "Skipped:" in report:
            pytest.skip(report.rpartition("Skipped:")[2].strip())
        assert not report, report

    return t.cast(_Test, run)


class Place(t.NamedTuple):
    source: pathlib.Path
    jail: pathlib.Path

    def entry(self, how: str, target: str = "pim", source: t.Optional[pathlib.Path] = None, *more: str) -> Entry:
        kind, options = WAYS[how]
        return Entry(str(source or self.source), str(self.jail / target), kind, (*options, *more))


WAYS = {"plain": ("none", ("bind", *CONFINED)), "idmap": ("none", IDMAP), "bindfs": ("fuse.bindfs", MAP)}
MAPPED = ("idmap", "bindfs")


def need(how: str, place: Place) -> None:
    if how == "idmap":
        filesystem = mounting.unmappable([str(place.source)])
        if filesystem or not mounting.idmap_supported():
            pytest.skip(f"no idmapped mounts here {filesystem}")
    if how == "bindfs" and not mounting.bindfs_supported():
        pytest.skip("no bindfs here")


@pytest.fixture
def place(tmp_path: pathlib.Path) -> Place:
    source, jail = tmp_path / "source", tmp_path / "jail"
    for path in (source, jail / "pim", jail / "other"):
        path.mkdir(parents=True)
    if MAY_MOUNT:
        os.chown(source, APPLICATION, APPLICATION)
    source.chmod(0o2770)
    return Place(source, jail)


def is_mount(path: pathlib.Path) -> bool:
    return str(path) in mounting.active()


def mounted(*entries: Entry) -> None:
    assert mounter.mount_all(entries) == []


def is_present(entry: Entry) -> bool:
    return mounter.present(entry, mounter.active(mounter.read_mountinfo()).get(entry.target))


def act(uid: int, directory: pathlib.Path, script: str) -> str:
    """Run a shell script as a user in a directory; its standard output. It must succeed."""
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "sh", "-euc", script]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (script, done.stderr)
    return done.stdout


UPLOAD = """
umask 077; echo one > private; mkdir -p tree/inner; echo two > tree/inner/file
umask 022; echo three > public; chmod 0755 tree
exec 3> before; mv before after; echo four >&3
"""
EDIT = """
cat private public tree/inner/file after > /dev/null
echo more >> private; echo more >> public; mv public renamed; chmod 0600 renamed; rm -r tree; rm after
"""


@pytest.mark.parametrize("how", MAPPED)
@alone
def test_the_application_does_everything_with_what_the_account_uploads(how: str, place: Place) -> None:
    need(how, place)
    mounted(place.entry(how))
    act(ACCOUNT, place.jail / "pim", UPLOAD)
    assert {path.stat().st_uid for path in place.source.rglob("*")} == {APPLICATION}
    assert {path.stat().st_gid for path in place.source.rglob("*")} == {APPLICATION}
    act(APPLICATION, place.source, EDIT)
    assert act(ACCOUNT, place.jail / "pim", "cat private renamed; rm private renamed; ls") == "one\nmore\nthree\nmore\n"


@pytest.mark.parametrize("how", MAPPED)
@alone
def test_the_account_does_everything_with_what_the_application_writes(how: str, place: Place) -> None:
    need(how, place)
    mounted(place.entry(how))
    act(APPLICATION, place.source, UPLOAD)
    act(ACCOUNT, place.jail / "pim", EDIT)
    assert {path.stat().st_uid for path in place.source.iterdir()} == {APPLICATION}
    assert act(APPLICATION, place.source, "cat private renamed; rm private renamed; ls") == "one\nmore\nthree\nmore\n"


@pytest.mark.parametrize("how", MAPPED)
@alone
def test_either_side_sees_at_once_what_the_other_one_changed(how: str, place: Place) -> None:
    need(how, place)
    mounted(place.entry(how))
    act(ACCOUNT, place.jail / "pim", "echo one > file; ls -la")
    act(APPLICATION, place.source, "echo two >> file")
    assert act(ACCOUNT, place.jail / "pim", "cat file") == "one\ntwo\n"
    act(APPLICATION, place.source, "chmod 0400 file; mv file moved")
    act(ACCOUNT, place.jail / "pim", "! test -e file; ! ( echo three >> moved ) 2> /dev/null")


@pytest.mark.parametrize("how", MAPPED)
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(f"chown {STRANGER} file", id="give away"),
        pytest.param("cat roots", id="read what is root's"),
        pytest.param("echo x >> roots", id="write what is root's"),
        pytest.param("mknod device c 1 3", id="make a device"),
        pytest.param("cp /bin/true run; chmod 0755 run; ./run", id="run a program"),
    ],
)
@alone
def test_what_the_account_may_not_do_in_a_mapped_folder(how: str, script: str, place: Place) -> None:
    need(how, place)
    mounted(place.entry(how))
    (place.source / "roots").write_text("secret")
    (place.source / "roots").chmod(0o600)
    act(ACCOUNT, place.jail / "pim", f"touch file; ! ( {script} ) 2> /dev/null")
    assert (place.source / "roots").read_text() == "secret"
    assert (place.source / "file").stat().st_uid == APPLICATION


@pytest.mark.parametrize("how", MAPPED)
@alone
def test_another_account_gets_nothing(how: str, place: Place) -> None:
    need(how, place)
    mounted(place.entry(how))
    place.jail.parent.parent.chmod(0o755)
    act(STRANGER, pathlib.Path("/"), f"! ls {place.jail}/pim 2> /dev/null; ! touch {place.jail}/pim/x 2> /dev/null")
    assert list(place.source.iterdir()) == []


@pytest.mark.parametrize("how", ["plain", "idmap", "bindfs"])
@alone
def test_a_read_only_mount_shows_and_refuses_writing(how: str, place: Place) -> None:
    need(how, place)
    act(APPLICATION, place.source, "umask 077; echo hello > file")
    mounted(place.entry(how, "pim", None, "ro"))
    reader = APPLICATION if how == "plain" else ACCOUNT
    words = "cat file; ! touch new 2> /dev/null; ! rm file 2> /dev/null; ! chmod 0777 file 2> /dev/null"
    assert act(reader, place.jail / "pim", words) == "hello\n"
    assert (place.source / "file").exists()


@alone
@pytest.mark.parametrize("name", ["a\rb", "a\x0cb", "a\x85b", "a\u2028b", "a\nb c\\d"], ids=ascii)
def test_a_mount_is_seen_whatever_its_user_has_called_its_place(name: str, place: Place) -> None:
    """What a user mounts by FUSE, in a directory of his own, must not hold up a run."""
    target = place.jail / name
    target.mkdir()
    with mounter.opened(str(place.source)) as source, mounter.opened(str(target)) as there:
        mounter.bind(source, there, str(target), 0)
    assert is_mount(target)


@pytest.mark.parametrize("how", ["plain", "idmap", "bindfs"])
@alone
def test_a_second_run_finds_all_mounted_and_changes_nothing(how: str, place: Place) -> None:
    need(how, place)
    entry = place.entry(how)
    mounted(entry)
    before = mounter.read_mountinfo()
    mounted(entry)
    assert mounter.read_mountinfo() == before
    info = mounter.active(before)[entry.target]
    assert set(CONFINED) <= set(info.options)
    assert mounter.present(entry, info)


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("plain", lambda place: place.entry("plain", "pim", None, "ro")),
        ("plain", lambda place: place.entry("idmap")),
        ("plain", lambda place: place.entry("bindfs")),
        ("plain", lambda place: place.entry("plain", "pim", place.jail)),
        ("idmap", lambda place: place.entry("plain")),
        (
            "idmap",
            lambda place: place.entry("idmap")._replace(options=TO_ANOTHER["idmap"]),
        ),
        ("bindfs", lambda place: place.entry("bindfs")._replace(options=TO_ANOTHER["bindfs"])),
    ],
    ids=["read only", "not mapped", "no bindfs", "another source", "mapped", "to another uid", "bindfs to another uid"],
)
@alone
def test_a_mount_that_is_active_but_different_is_not_present(
    how: str, wanted: t.Callable[[Place], Entry], place: Place
) -> None:
    need(how, place)
    mounted(place.entry(how))
    entry = wanted(place)
    assert not mounter.present(entry, mounter.active(mounter.read_mountinfo())[entry.target])
    ((failed, why),) = mounter.mount_all([entry])
    assert failed == entry
    assert "unmount it" in why


@pytest.mark.parametrize("how", ["plain", "idmap", "bindfs"])
@pytest.mark.parametrize("planted", ["the source", "its parent"])
@alone
def test_a_source_behind_a_link_is_not_mounted(planted: str, how: str, place: Place) -> None:
    need(how, place)
    secret = place.source.parent / "secret"
    (secret / "pub").mkdir(parents=True)
    home = place.source / "home"
    home.mkdir()
    if planted == "the source":
        (home / "pub").symlink_to(secret)
    else:
        home.rmdir()
        home.symlink_to(secret)
    ((_entry, why),) = mounter.mount_all([place.entry(how, "pim", home / "pub")])
    assert "is a link or no directory" in why
    assert not is_mount(place.jail / "pim")


@alone
def test_one_entry_that_fails_stops_no_other_one(place: Place) -> None:
    bad, good = place.entry("plain", "other", place.source / "nowhere"), place.entry("plain")
    assert [entry for entry, _why in mounter.mount_all([bad, good])] == [bad]
    assert is_mount(place.jail / "pim")
    assert not is_mount(place.jail / "other")


# --- hidden parts ---


def hidden(place: Place, how: str) -> list[Entry]:
    """A mount whose part ``admin/mail`` is hidden."""
    act(APPLICATION, place.source, "mkdir -p admin/mail; chmod 0755 admin admin/mail; echo secret > admin/mail/letter")
    if how == "bindfs":
        return [place.entry("bindfs", "pim", None, mounter.HIDE + "/admin/mail")]
    empty = place.jail.parent / "empty"
    empty.mkdir(mode=0)
    over = Entry(str(empty), str(place.jail / "pim/admin/mail"), "none", ("bind", *CONFINED, "ro"))
    return [over, place.entry(how, "pim/admin", place.source / "admin"), place.entry(how)]


@pytest.mark.parametrize("how", MAPPED)
@alone
def test_a_hidden_part_shows_nothing_and_stays_the_applications(how: str, place: Place) -> None:
    need(how, place)
    mounted(*hidden(place, how))
    inside = place.jail / "pim/admin"
    act(ACCOUNT, inside, "ls; ! ls mail 2> /dev/null; ! cat mail/letter 2> /dev/null; ! touch mail/x 2> /dev/null")
    assert act(APPLICATION, place.source, "cat admin/mail/letter; touch admin/mail/new") == "secret\n"


@pytest.mark.parametrize("how", MAPPED)
@alone
def test_a_hidden_part_stays_hidden_whatever_is_renamed_around_it(how: str, place: Place) -> None:
    need(how, place)
    mounted(*hidden(place, how))
    act(APPLICATION, place.source, "mv admin theirs || true; mv */mail */post || true")
    act(ACCOUNT, place.jail / "pim", "! cat */*/letter 2> /dev/null")


@pytest.mark.parametrize("how", MAPPED)
@alone
def test_the_account_moves_neither_a_hidden_part_nor_what_is_around_it(how: str, place: Place) -> None:
    """It could put others in their place, which the next boot would hide instead of them."""
    need(how, place)
    mounted(*hidden(place, how))
    inside = place.jail / "pim"
    act(
        ACCOUNT,
        inside,
        "! mv admin/mail admin/x 2> /dev/null; ! mv admin mine 2> /dev/null; ! rm -r admin 2> /dev/null",
    )
    act(ACCOUNT, inside, "mkdir free; mv free moved; touch admin/new; mv admin/new admin/file; rm -r moved admin/file")


@pytest.mark.parametrize(
    ("part", "above"), [("/a", []), ("/a/b", ["/a"]), ("/a/b/c", ["/a", "/a/b"])], ids=["child", "deeper", "deepest"]
)
def test_what_lies_between_a_mount_and_its_part(part: str, above: list[str]) -> None:
    assert mounter.between(part) == above


@alone
def test_a_hidden_part_that_the_application_makes_anew_is_seen_not_to_be_hidden(place: Place) -> None:
    """In a bindfs mount it shows then; a mount over it would keep the application from that."""
    need("bindfs", place)
    [entry] = hidden(place, "bindfs")
    mounted(entry)
    assert is_present(entry)
    act(APPLICATION, place.source, "rm -r admin/mail; mkdir -m 0755 admin/mail; echo secret > admin/mail/letter")
    assert not is_present(entry)
    mounter.detach(entry.target)
    mounted(entry)
    assert is_present(entry)
    act(ACCOUNT, place.jail / "pim", "! cat admin/mail/letter 2> /dev/null")


@pytest.mark.parametrize("how", MAPPED)
@pytest.mark.parametrize("planted", ["admin", "admin/mail"])
@alone
def test_a_link_in_the_place_of_a_hidden_part_closes_the_whole_grant(planted: str, how: str, place: Place) -> None:
    need(how, place)
    entries = hidden(place, how)
    elsewhere = place.jail.parent / "elsewhere"
    (elsewhere / "mail").mkdir(parents=True)
    act(APPLICATION, place.source, f"mv {planted} moved")
    (place.source / planted).symlink_to(elsewhere)
    assert len(mounter.mount_all(entries)) == len(entries)
    assert not is_mount(place.jail / "pim")
    assert not is_mount(elsewhere)
    assert not is_mount(elsewhere / "mail")


@alone
def test_mounts_do_not_spread_to_the_source_when_the_filesystem_is_shared(place: Place) -> None:
    name = os.fsencode(place.jail.parent)
    mounter.call(mounter.libc.mount, name, name, None, mounter.MS_BIND, None)
    mounter.call(mounter.libc.mount, None, name, None, 1 << 20, None)  # MS_SHARED, as systemd has everything
    mounted(*hidden(place, "plain"))
    assert is_mount(place.jail / "pim/admin/mail")
    assert not is_mount(place.source / "admin/mail")


# --- bindfs is confined ---


@alone
def test_bindfs_has_nothing_but_the_folder_within_its_reach(place: Place) -> None:
    need("bindfs", place)
    earlier = set(_bindfs())
    mounted(place.entry("bindfs"))
    (pid,) = set(_bindfs()) - earlier
    for link, target in (("absolute", "/etc"), ("relative", "../../../../../../etc"), ("process", "/proc/1/root/etc")):
        (place.source / link).symlink_to(target)
    os.chroot(f"/proc/{pid}/root")
    assert sorted(os.listdir("/")) == ["absolute", "process", "relative"]
    for link in os.listdir("/"):
        with pytest.raises(FileNotFoundError):
            os.stat("/" + link)


def _bindfs() -> t.Iterator[int]:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if pathlib.Path("/proc", pid, "comm").read_text() == "bindfs\n" and os.listdir(f"/proc/{pid}/fd"):
                yield int(pid)
        except OSError:
            continue


@alone
def test_bindfs_ends_with_its_mount(place: Place) -> None:
    need("bindfs", place)
    earlier = set(_bindfs())
    mounted(place.entry("bindfs"))
    (pid,) = set(_bindfs()) - earlier
    mounter.unmount(str(place.jail / "pim"))
    _wait_for(lambda: pid not in set(_bindfs()))


@alone
def test_a_bindfs_that_was_killed_is_started_again(place: Place) -> None:
    need("bindfs", place)
    earlier = set(_bindfs())
    mounted(place.entry("bindfs"))
    (pid,) = set(_bindfs()) - earlier
    os.kill(pid, signal.SIGKILL)
    _wait_for(lambda: pid not in set(_bindfs()))
    with pytest.raises(OSError, match=r"not connected|connection abort"):
        os.listdir(place.jail / "pim")
    mounted(place.entry("bindfs"))
    act(ACCOUNT, place.jail / "pim", "touch back")
    assert (place.source / "back").stat().st_uid == APPLICATION


@alone
def test_what_bindfs_complains_about_is_told(place: Place) -> None:
    need("bindfs", place)
    ((_entry, why),) = mounter.mount_all([place.entry("bindfs", "pim", None, "map=nobody-here/1")])
    assert why.startswith("bindfs: ")
    assert "nobody-here" in why
    assert not is_mount(place.jail / "pim")


def _wait_for(condition: t.Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


# --- unmounting ---


@alone
def test_a_session_in_the_jail_keeps_no_mount_and_others_are_left_alone(place: Place) -> None:
    mounted(place.entry("plain"))
    target = place.jail / "pim"
    session = os.fork()
    if session == 0:
        os.chroot(place.jail)
        os.chdir("/pim")
        signal.pause()
    with subprocess.Popen([shutil.which("sleep") or "sleep", "60"], cwd=target) as other:
        _wait_for(lambda: os.readlink(f"/proc/{session}/cwd") == str(target))
        mounting.remove(str(target))
        assert os.waitpid(session, 0)[1] == signal.SIGKILL
        assert other.poll() is None
        other.kill()
    assert str(target) not in mounting.active()
    mounting.remove(str(target))


@alone
def test_a_mount_goes_with_all_that_is_hidden_in_it_even_when_renamed(place: Place) -> None:
    mounted(*hidden(place, "plain"))
    place.source.rename(place.source.with_name("moved"))
    mounting.remove(str(place.jail / "pim"))
    assert not [target for target in mounting.active() if target.startswith(str(place.jail))]
