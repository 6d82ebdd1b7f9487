# SPDX-License-Identifier: GPL-3.0-or-later
"""The real ways in of an admin, under effective settings, with key files on disk."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import as_user
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh.as_user import Read
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import ways_in
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import User

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to read as others")

NOW = 1_800_000_000  # 2027-01-15
HASH = "$y$j9T$salt$hash"
ON = {
    "pubkeyauthentication": ["yes"],
    "passwordauthentication": ["yes"],
    "kbdinteractiveauthentication": ["no"],
    "usepam": ["yes"],
    "authenticationmethods": ["any"],
    "authorizedkeysfile": [".ssh/authorized_keys .ssh/authorized_keys2"],
    "authorizedkeyscommand": ["none"],
    "trustedusercakeys": ["none"],
    "permitrootlogin": ["without-password"],
    "pubkeyacceptedalgorithms": ["ssh-ed25519,rsa-sha2-512"],
}
KEY, PASSWORD = "a key in /home/ada/.ssh/authorized_keys", "his password"


@pytest.fixture(name="public", scope="session")
def public_keys(tmp_path_factory: pytest.TempPathFactory) -> t.Dict[str, str]:
    directory, found = tmp_path_factory.mktemp("keys"), {}
    for name, arguments in {"ed25519": [], "ecdsa": [], "rsa": ["-b", "2048"]}.items():
        path = directory / name
        subprocess.run(["ssh-keygen", "-q", "-t", name, *arguments, "-N", "", "-f", str(path)], check=True)
        found[name] = path.with_suffix(".pub").read_text().strip()
    return found


@pytest.fixture(name="files")
def files_as_the_user_reads_them(monkeypatch: pytest.MonkeyPatch, public: t.Mapping[str, str]) -> t.Dict[str, Read]:
    """One key in the usual place."""
    files = {"/home/ada/.ssh/authorized_keys": Read(public["ed25519"] + "\n")}
    nothing = Read(refused="No such file or directory")
    monkeypatch.setattr(
        as_user,
        "read",
        lambda wanted, *_how: {
            u.name: {path: files.get(path, nothing) for path in paths} for u, paths in wanted.items()
        },
    )
    return files


def admin(
    name: str = "ada", password: t.Optional[str] = "*", coming: t.Optional[t.Dict[str, str]] = None
) -> ways_in.Admin:
    return ways_in.Admin(User(name, 1000, 1000, f"/home/{name}", "/bin/bash"), password, coming or {})


def found(who: ways_in.Admin, **settings: str) -> t.Set[str]:
    return set(ways_in.of(who, {**ON, **{keyword: [value] for keyword, value in settings.items()}}, NOW))


@pytest.mark.parametrize(
    ("password", "settings", "ways"),
    [
        ("*", {}, {KEY}),
        (HASH, {}, {KEY, PASSWORD}),
        ("!" + HASH, {}, {KEY}),
        (None, {}, {KEY, PASSWORD}),
        ("", {}, {KEY}),
        ("", {"permitemptypasswords": "yes"}, {KEY, PASSWORD}),
        (HASH, {"pubkeyauthentication": "no"}, {PASSWORD}),
        (HASH, {"passwordauthentication": "no"}, {KEY}),
        (HASH, {"passwordauthentication": "no", "kbdinteractiveauthentication": "yes"}, {KEY, PASSWORD}),
        (HASH, {"passwordauthentication": "no", "challengeresponseauthentication": "yes", "usepam": "no"}, {KEY}),
        ("*", {"authorizedkeysfile": "none"}, set()),
        ("*", {"authorizedkeysfile": "/etc/ssh/nowhere/%u"}, set()),
        ("*", {"authorizedkeysfile": "/home/%u/.ssh/authorized_keys"}, {KEY}),
        ("*", {"authorizedkeysfile": "%h/.ssh/authorized_keys"}, {KEY}),
        ("*", {"pubkeyacceptedalgorithms": "rsa-sha2-512"}, set()),
        (HASH, {"authenticationmethods": "publickey"}, {KEY}),
        (HASH, {"authenticationmethods": "password"}, {PASSWORD}),
        (HASH, {"authenticationmethods": "publickey,password"}, {KEY + " and password"}),
        ("*", {"authenticationmethods": "publickey,password"}, set()),
        ("*", {"authenticationmethods": "publickey,password publickey"}, {KEY}),
        ("*", {"authenticationmethods": "publickey,keyboard-interactive:pam"}, set()),
        (
            "*",
            {"authenticationmethods": "publickey,keyboard-interactive:pam", "kbdinteractiveauthentication": "yes"},
            {KEY + " and keyboard-interactive"},
        ),
        ("*", {"authenticationmethods": "keyboard-interactive", "kbdinteractiveauthentication": "yes"}, set()),
        ("*", {"authenticationmethods": "publickey,hostbased"}, set()),
        ("*", {"authenticationmethods": "gssapi-with-mic"}, set()),
        ("*", {"authorizedkeysfile": "none", "authorizedkeyscommand": "/bin/true %u"}, {"a key that /bin/true finds"}),
        ("*", {"authorizedkeysfile": "none", "authorizedkeyscommand": "/bin/there-is-none"}, set()),
        ("*", {"authorizedkeysfile": "none", "trustedusercakeys": "/etc/passwd"}, {"a certificate by /etc/passwd"}),
        ("*", {"authorizedkeysfile": "none", "trustedusercakeys": "/etc/there-is-none"}, set()),
        (
            "*",
            {"authorizedkeysfile": "none", "trustedusercakeys": "/etc/passwd", "authorizedprincipalsfile": "/nope/%u"},
            set(),
        ),
    ],
    ids=str,
)
@pytest.mark.usefixtures("files")
def test_ways(password: t.Optional[str], settings: t.Dict[str, str], ways: t.Set[str]) -> None:
    assert found(admin(password=password), **settings) == ways


@pytest.mark.parametrize(
    ("permit", "ways"),
    [
        ("yes", {"a key in /home/root/.ssh/authorized_keys", PASSWORD}),
        ("without-password", {"a key in /home/root/.ssh/authorized_keys"}),
        ("prohibit-password", {"a key in /home/root/.ssh/authorized_keys"}),
        ("forced-commands-only", set()),
        ("no", set()),
    ],
)
def test_root(files: t.Dict[str, Read], public: t.Dict[str, str], permit: str, ways: t.Set[str]) -> None:
    files["/home/root/.ssh/authorized_keys"] = Read(public["ed25519"])
    assert found(admin("root", HASH), permitrootlogin=permit) == ways


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("", False),
        ("# {ed25519}", False),
        ("ssh-ed25519 AAAAgarbage", False),
        ("{ed25519}", True),
        ('from="10.0.0.0/8",no-pty {ed25519}', True),
        ('expiry-time="20260101" {ed25519}', False),
        ('no-pty,EXPIRY-TIME="202601012359Z" {ed25519}', False),
        ('expiry-time="20990101" {ed25519}', True),
        ("{ecdsa}", False),
        ("{rsa}", True),
    ],
)
def test_lines_that_open(public: t.Dict[str, str], text: str, usable: bool) -> None:
    assert ways_in.usable(text.format(**public), ON, NOW) is usable


def test_a_key_that_is_too_short_for_sshd(public: t.Dict[str, str]) -> None:
    assert not ways_in.usable(public["rsa"], {**ON, "requiredrsasize": ["3072"]}, NOW)


def test_key_files_that_the_run_is_about_to_write(files: t.Dict[str, Read], public: t.Dict[str, str]) -> None:
    files.clear()
    path = "/etc/ssh/authorized_keys.d/ada"
    assert found(admin(coming={path: public["ed25519"]}), authorizedkeysfile=path) == {f"a key in {path}"}
    assert found(admin(coming={path: "# none\n"}), authorizedkeysfile=path) == set()


def test_a_file_that_sshd_would_not_take(files: t.Dict[str, Read]) -> None:
    path = "/home/ada/.ssh/authorized_keys"
    files[path] = dataclasses.replace(files[path], refused="others can change it")
    assert found(admin()) == set()


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ({"ada": {KEY}}, {"ada": {KEY}}, False),
        ({"ada": {KEY}}, {"ada": {PASSWORD}}, False),
        ({"ada": {KEY}}, {"ada": set()}, True),
        ({"ada": {KEY}}, {}, True),
        ({"ada": set()}, {"ada": set()}, False),
    ],
    ids=["kept", "another one", "none", "not there", "had none"],
)
def test_who_has_a_way_in_keeps_one(
    before: t.Mapping[str, t.Set[str]], after: t.Mapping[str, t.Set[str]], lost: bool
) -> None:
    problems = ways_in.lost(before, after)
    assert len(problems) == lost
    assert all(
        text.startswith(f"access_server.admins: 'ada' would have no way in: sshd would not take {KEY}; ")
        for text in problems
    )


# Reading as the user


@pytest.fixture(name="home")
def home_of_games(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[pathlib.Path]:
    """A home whose way down from the root is nobody else's: /tmp would not do."""
    home = pathlib.Path("/run/sallyport-test") / str(os.getpid())
    home.mkdir(parents=True)
    os.chown(home, 5, 60)
    (home / "keys").write_text("text")
    yield home
    (home / "keys").unlink()
    (home / "link").unlink(missing_ok=True)
    home.rmdir()
    if not any(home.parent.iterdir()):
        home.parent.rmdir()


@needs_root
@pytest.mark.parametrize(
    ("mode", "owner", "directory", "strict", "refused"),
    [
        (0o644, 0, 0o755, True, ""),
        (0o600, 5, 0o700, True, ""),
        (0o640, 0, 0o755, True, ""),
        (0o600, 0, 0o755, True, "Permission denied"),
        (0o644, 0, 0o775, True, "others than its user can change {home}"),
        (0o664, 0, 0o755, True, "others than its user can change {home}/keys"),
        (0o644, 6, 0o755, True, "others than its user can change {home}/keys"),
        (0o664, 6, 0o777, False, ""),
    ],
    ids=[
        "root's, for everybody",
        "the user's own",
        "root's, for the user's group",
        "root's alone",
        "in a directory for the group",
        "for the group",
        "another user's",
        "StrictModes no",
    ],
)
def test_what_sshd_would_take(
    home: pathlib.Path, mode: int, owner: int, directory: int, strict: bool, refused: str
) -> None:
    os.chown(home / "keys", owner, 60)
    os.chmod(home / "keys", mode)
    os.chmod(home, directory)
    games = User("games", 5, 60, str(home), "/usr/sbin/nologin")
    read = as_user.read({games: [str(home / "keys")]}, strict)["games"][str(home / "keys")]
    assert read.refused == refused.format(home=home)
    assert refused or read.text == "text"
    assert (os.geteuid(), os.getegid()) == (0, 0)


@needs_root
def test_what_is_no_file(home: pathlib.Path) -> None:
    (home / "link").symlink_to("/root/there-is-none")
    games = User("games", 5, 60, str(home), "/usr/sbin/nologin")
    found = as_user.read({games: [str(home), str(home / "link"), "/etc/there-is-none"]})["games"]
    assert [read.refused for read in found.values()] == [
        "Is a directory",
        "Permission denied",
        "No such file or directory",
    ]


@needs_root
def test_several_users_in_a_row(home: pathlib.Path) -> None:
    os.chmod(home / "keys", 0o600)
    os.chown(home / "keys", 5, 60)
    path = str(home / "keys")
    people = [User(name, number, number, "/nonexistent", "/bin/false") for name, number in (("man", 6), ("games", 5))]
    found = as_user.read({user: [path] for user in people}, groups=False)
    assert found["man"][path].refused == "Permission denied"
    assert found["games"][path] == Read("text")


@needs_root
def test_our_own_key_files(home: pathlib.Path) -> None:
    path = str(home / "keys")
    games = User("games", 5, 60, str(home), "/usr/sbin/nologin")
    assert ways_in.unreadable({games: path}) == []
    os.chmod(path, 0o600)
    (problem,) = ways_in.unreadable({games: path})
    assert problem.startswith(f"{path}: sshd would not take the keys of 'games' from it: Permission denied; ")


@pytest.mark.parametrize("compiled", [False, True], ids=["text", "krl"])
@pytest.mark.parametrize(
    ("revoked", "ways"),
    [("ed25519", set()), ("rsa", {KEY}), ("none", {KEY}), ("nothing", set())],
    ids=["his own", "another", "no list", "a list that is not there"],
)
def test_a_revoked_key_is_no_way_in(
    files: t.Mapping[str, Read],
    public: t.Mapping[str, str],
    tmp_path: pathlib.Path,
    revoked: str,
    ways: t.Set[str],
    compiled: bool,
) -> None:
    path = tmp_path / "revoked"
    if revoked in public:
        path.write_text("# gone\n" + public[revoked] + "\n")
        if compiled:
            subprocess.run(["ssh-keygen", "-q", "-k", "-f", str(tmp_path / "krl"), str(path)], check=True)
            path = tmp_path / "krl"
    assert found(admin(), revokedkeys="none" if revoked == "none" else str(path)) == ways
