# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees of configuration, copied, and judged by the real sshd.

The classes are selected by groups that every Debian has (of daemon, bin, sys, nobody), so that no user is created.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Connection, Host, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Ban, Forwarding, Model, Server
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import sshd_policy, sshd_settings
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns.sshd_settings import PolicyClass
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd, sshd_tree
from ansible_collections.sallyport.ssh.plugins.module_utils.proofs import sshd_promises
from ansible_collections.sallyport.ssh.plugins.module_utils.system import processes
from ansible_collections.sallyport.ssh.plugins.module_utils.system.processes import Outcome

VERSION = sshd.version()
needs_sshd = pytest.mark.skipif(VERSION == (0, 0) or os.geteuid() != 0, reason="needs sshd, and root to run it")

MAIN = layout.SSHD_CONFIG
OURS = layout.SSHD_DROP_IN
EARLY = "/etc/ssh/sshd_config.d/00-a.conf"
INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n"
DEBIAN = "KbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\nAcceptEnv LANG LC_*\n"

SERVER = Server(address="sftp.example.com", admins=("mail",), ban=Ban(exempt=("10.0.0.0/8", "::1")))
SFTP = PolicyClass("sftp", password=True, sources=("10.0.0.0/8", "2001:db8::/32"), umask="0007", group_sharing=True)
READER = PolicyClass("sftp", umask="0007", read_only=True)
SHELL = PolicyClass("shell", home_keys=True, second_factor="password", password=True, forwarding=Forwarding(agent=True))
TUNNEL = PolicyClass("tunnel", forwarding=Forwarding(local=("127.0.0.1:3306", "[::1]:80"), remote=("0.0.0.0:8080",)))
CLOSED = PolicyClass("closed")
SAMPLES = {SFTP: "daemon", READER: "bin", SHELL: "sys", TUNNEL: "games", CLOSED: "nobody"}
GROUPS = {SFTP: "daemon", READER: "bin", SHELL: "sys", TUNNEL: "games", CLOSED: "nogroup"}


class Hosts:
    """Configuration trees below a temporary root, whose host key is real."""

    def __init__(self, path: pathlib.Path, key: pathlib.Path) -> None:
        self.root = path / "root"
        self.copy = path / "copy"
        self.key = key

    def write(self, files: t.Mapping[str, str]) -> None:
        for path, text in files.items():
            target = self.root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def candidate(self, changes: t.Mapping[str, t.Optional[str]]) -> sshd_tree.Tree:
        return sshd_tree.build_candidate(str(self.copy), changes, str(self.root))

    def debian(self, before: str = "", after: str = "") -> None:
        self.write({MAIN: f"{before}{INCLUDE}HostKey {self.key}\n{DEBIAN}{after}"})


@pytest.fixture(name="key", scope="session")
def host_key(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("key") / "ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(name="hosts")
def configuration_trees(tmp_path: pathlib.Path, key: pathlib.Path) -> Hosts:
    return Hosts(tmp_path, key)


@pytest.fixture(name="drop_in")
def our_drop_in(monkeypatch: pytest.MonkeyPatch) -> str:
    """The text for all the samples; those that are open are in the group of those who may log in."""
    for module in (sshd_policy, sshd_promises):
        monkeypatch.setattr(module, "group_name", GROUPS.__getitem__)
    monkeypatch.setattr(sshd_policy, "classes", lambda _model: {cls: [user] for cls, user in SAMPLES.items()})
    may = {"daemon", "bin", "sys", "games", "mail"}
    monkeypatch.setattr(
        sshd, "groups_of", lambda user: frozenset({user, *([layout.LOGIN_GROUP] if user in may else [])})
    )
    return render(SERVER)


def render(server: Server) -> str:
    return sshd_policy.render(Model(server), Host(tools=Tools(openssh=VERSION)))


def prove(tree: sshd_tree.Tree, server: Server = SERVER) -> t.List[str]:
    return sshd_promises.prove(tree, SAMPLES, "backup", server, VERSION)


# The copy


def test_a_candidate_is_complete_and_leads_to_its_own_files(hosts: Hosts) -> None:
    hosts.write({MAIN: "Include sshd_config.d/*.conf other\nPort 22\n", EARLY: "X11Forwarding no\n", OURS: "old\n"})
    hosts.write({"/etc/ssh/other": "Include /etc/ssh/deep/*\n", "/etc/ssh/deep/one": "MaxAuthTries 3\n"})
    tree = hosts.candidate({OURS: "LogLevel VERBOSE\n", EARLY: None, "/etc/ssh/deep/two": "PermitTTY no\n"})
    copy = str(hosts.copy)
    assert tree.main == copy + MAIN
    assert pathlib.Path(tree.main).read_text() == f'Include "{copy}{OURS}" "{copy}/etc/ssh/other"\nPort 22\n'
    assert [(item.place, item.keyword) for item in tree.settings() if item.keyword != "include"] == [
        (f"{OURS}:1", "loglevel"),
        ("/etc/ssh/deep/one:1", "maxauthtries"),
        ("/etc/ssh/deep/two:1", "permittty"),
        (f"{MAIN}:2", "port"),
    ]


def test_a_candidate_is_for_root_alone_and_overwrites_nothing(hosts: Hosts) -> None:
    hosts.write({MAIN: INCLUDE})
    tree = hosts.candidate({OURS: ""})
    assert os.stat(tree.main).st_mode & 0o777 == 0o600
    assert os.stat(hosts.copy).st_mode & 0o777 == 0o700
    with pytest.raises(FileExistsError):
        hosts.candidate({OURS: ""})


def test_an_include_of_nothing_keeps_the_line_numbers(hosts: Hosts) -> None:
    hosts.write({MAIN: "Include /etc/ssh/none/*.conf\nPort 22\n"})
    assert [item.line for item in hosts.candidate({}).settings()] == [2]


def test_files_that_include_each_other_are_copied_once(hosts: Hosts) -> None:
    hosts.write({MAIN: INCLUDE, EARLY: INCLUDE + "Port 22\n"})
    hosts.candidate({})
    assert sorted(path.name for path in hosts.copy.rglob("*") if path.is_file()) == ["00-a.conf", "sshd_config"]


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        pytest.param("", (), id="the default"),
        pytest.param("Port 2222\nPort 22\n", (22, 2222), id="named"),
        pytest.param("ListenAddress 0.0.0.0\nListenAddress ::\n", (), id="addresses without a port"),
        pytest.param("ListenAddress 10.0.0.1:2222\nListenAddress [::1]:23\n", (23, 2222), id="addresses with a port"),
        pytest.param("ListenAddress sftp.example.com:24\n", (24,), id="a name with a port"),
        pytest.param("ListenAddress 2001:db8::22\n", (), id="an address that ends in digits"),
        pytest.param("MaxAuthTries 3\n", (), id="another number"),
    ],
)
def test_ports_named_without_us(hosts: Hosts, text: str, ports: t.Tuple[int, ...]) -> None:
    hosts.write({MAIN: INCLUDE, EARLY: text, OURS: "Port 9\n"})
    assert sshd_tree.read_ports(str(hosts.root)) == ports


# What the real sshd says


@needs_sshd
def test_the_drop_in_keeps_its_promises(hosts: Hosts, drop_in: str) -> None:
    hosts.debian()
    tree = hosts.candidate({OURS: drop_in})
    assert sshd.test(tree.main) == Outcome(0, "", "")
    assert prove(tree) == []


@needs_sshd
@pytest.mark.parametrize(
    "server",
    [
        pytest.param(dataclasses.replace(SERVER, crypto="modern"), id="modern"),
        pytest.param(dataclasses.replace(SERVER, port=2222), id="another port"),
        pytest.param(dataclasses.replace(SERVER, idle_timeout=None, log_transfers=False, ban=None), id="without"),
        pytest.param(dataclasses.replace(SERVER, only_listed=False, admins=()), id="not only listed"),
        pytest.param(dataclasses.replace(SERVER, jails="/data/jails", max_startups="10:30:60"), id="values"),
    ],
)
@pytest.mark.usefixtures("drop_in")
def test_every_option_of_the_server(hosts: Hosts, server: Server) -> None:
    hosts.debian()
    tree = hosts.candidate({OURS: render(server)})
    assert sshd.test(tree.main) == Outcome(0, "", "")
    assert prove(tree, server) == []


@needs_sshd
@pytest.mark.usefixtures("drop_in")
def test_a_new_port_leaves_the_old_one(hosts: Hosts) -> None:
    hosts.debian()
    tree = hosts.candidate({OURS: render(dataclasses.replace(SERVER, port=2222))})
    assert sshd.effective(tree.main, "root", "h", "192.0.2.1")["port"] == ["22", "2222"]


@needs_sshd
@pytest.mark.parametrize(
    ("user", "address", "expected"),
    [
        ("daemon", "10.9.9.9", {"passwordauthentication": "yes", "chrootdirectory": "/srv/sftp/%u"}),
        ("daemon", "2001:db8::7", {"passwordauthentication": "yes"}),
        ("daemon", "192.0.2.1", {"passwordauthentication": "no", "chrootdirectory": "/srv/sftp/%u"}),
        ("daemon", "::1", {"passwordauthentication": "no", "disableforwarding": "yes"}),
        ("sys", "192.0.2.1", {"authenticationmethods": "publickey,password", "allowagentforwarding": "yes"}),
        ("games", "192.0.2.1", {"permitopen": "127.0.0.1:3306 [::1]:80", "x11forwarding": "no"}),
        ("nobody", "192.0.2.1", {"pubkeyauthentication": "no", "passwordauthentication": "no"}),
        ("backup", "192.0.2.1", {"chrootdirectory": "none", "forcecommand": "none", "allowgroups": "sallyport"}),
    ],
)
def test_effective_values(hosts: Hosts, drop_in: str, user: str, address: str, expected: t.Mapping[str, str]) -> None:
    hosts.debian()
    found = sshd.effective(hosts.candidate({OURS: drop_in}).main, user, "h", address)
    assert {keyword: " ".join(found[keyword]) for keyword in expected} == expected


@needs_sshd
@pytest.mark.parametrize("only_listed", [True, False])
def test_whose_class_comes_with_the_next_reload_gets_in_by_nothing_and_nobody_else_is_concerned(
    hosts: Hosts, drop_in: str, monkeypatch: pytest.MonkeyPatch, only_listed: bool
) -> None:
    """Else he could forward connections, or leave his jail, while a run tries the configuration that is to come."""
    monkeypatch.setattr(layout, "CLASS_GROUP", "")  # all users are in groups of that name now
    hosts.debian()
    server = dataclasses.replace(SERVER, only_listed=only_listed)
    tree = hosts.candidate({OURS: render(server)})
    found = sshd.effective(tree.main, "backup", "h", "192.0.2.1")
    shown = {"pubkeyauthentication", "passwordauthentication", "allowtcpforwarding", "kbdinteractiveauthentication"}
    assert {" ".join(found[keyword]) for keyword in shown} == {"no"}
    assert sshd.effective(tree.main, "mail", "h", "192.0.2.1")["pubkeyauthentication"] == ["yes"]
    assert sshd_promises.prove(tree, SAMPLES, "backup", server, VERSION) == []


@needs_sshd
@pytest.mark.parametrize(
    ("early", "promise", "remedy"),
    [
        pytest.param(
            "\nMatch User daemon\nForceCommand none\n",
            r"^user 'daemon' \(policy class daemon\) from 10.0.0.0: forcecommand is 'none', not 'internal-sftp .*': ",
            f"{EARLY}:3 wins: remove that line, or have its 'Match User daemon' leave out this user",
            id="Match User",
        ),
        pytest.param(
            "Match Address 192.0.2.0/24\nPasswordAuthentication yes\n",
            r"^user 'daemon' .* from 192.0.2.1: passwordauthentication is 'yes', not 'no': ",
            f"{EARLY}:2 wins",
            id="Match Address, from elsewhere only",
        ),
        pytest.param("LogLevel ERROR\n", r"^every user: loglevel is 'ERROR'", f"{EARLY}:1 wins: remove", id="global"),
        pytest.param(
            "AllowGroups ops\n", r"^every user: allowgroups is 'ops sallyport'", f"{EARLY}:1 wins", id="AllowGroups"
        ),
        pytest.param(
            "Match User bob\nAllowGroups ops\n",
            "AllowGroups below 'Match User bob' lets in who is not listed",
            f"{EARLY}:2: ",
            id="AllowGroups for some",
        ),
        pytest.param(
            "DenyUsers gam*\n", "^user 'games' .*: denyusers keeps it out: ", f"{EARLY}:1 says", id="DenyUsers"
        ),
        pytest.param("Match all\nX11Forwarding yes\n", "x11forwarding is 'yes'", f"{EARLY}:2 wins", id="Match all"),
        pytest.param("Match all\nAcceptEnv *\n", "acceptenv is", f"{EARLY}:2 wins", id="AcceptEnv"),
    ],
)
def test_a_foreign_setting_that_wins_is_named(
    hosts: Hosts, drop_in: str, early: str, promise: str, remedy: str
) -> None:
    hosts.debian()
    found = prove(hosts.candidate({EARLY: early, OURS: drop_in}))
    assert any(re.search(promise, text) and remedy in text for text in found), found


@needs_sshd
@pytest.mark.parametrize(
    ("after", "promise"),
    [
        pytest.param("AllowUsers bob\n", f"admin 'mail': allowusers keeps it out: {MAIN}:7 says so", id="AllowUsers"),
        pytest.param(
            "AuthorizedKeysCommand /usr/bin/true\nAuthorizedKeysCommandUser nobody\n",
            f"authorizedkeyscommand is '/usr/bin/true', not 'none': {MAIN}:7 wins",
            id="AuthorizedKeysCommand",
        ),
        pytest.param("ListenAddress 127.0.0.1:2200\n", f"not listen on 22: {MAIN}:7 names other", id="ListenAddress"),
    ],
)
def test_later_lines_that_count_all_the_same(hosts: Hosts, drop_in: str, after: str, promise: str) -> None:
    hosts.debian(after=after)
    found = prove(hosts.candidate({OURS: drop_in}))
    assert any(promise in text for text in found), found


@needs_sshd
@pytest.mark.parametrize(
    ("before", "harmless"),
    [
        pytest.param(
            "PasswordAuthentication yes\nX11Forwarding yes\nPermitTTY yes\n", True, id="no block of ours yields"
        ),
        pytest.param("Match User bob\nForceCommand /bin/sh\nMatch all\n", False, id="the Include depends on Match all"),
        pytest.param("Match User bob\nPermitTTY yes\n", False, id="late Include"),
    ],
)
def test_what_stands_before_the_include(hosts: Hosts, drop_in: str, before: str, harmless: bool) -> None:
    hosts.debian(before=before)
    found = prove(hosts.candidate({OURS: drop_in}))
    assert found == [] if harmless else len(found) == 1


@needs_sshd
def test_a_second_member_whom_another_file_singles_out(
    hosts: Hosts, drop_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sshd, "groups_of", lambda user: frozenset({"x" if user == "backup" else layout.LOGIN_GROUP}))
    hosts.debian()
    tree = hosts.candidate({EARLY: "Match User lp\nForceCommand /bin/sh\n", OURS: drop_in})
    assert prove(tree) == []
    found = sshd_promises.prove(tree, SAMPLES, "backup", SERVER, VERSION, also=[(TUNNEL, "lp")])
    assert any(text.startswith("user 'lp'") and "forcecommand is '/bin/sh'" in text for text in found), found


@needs_sshd
def test_an_address_that_another_file_names(hosts: Hosts, drop_in: str) -> None:
    hosts.debian()
    early = "Match Address 172.16.0.0/12\nPermitTTY yes\n"
    found = prove(hosts.candidate({EARLY: early, OURS: drop_in}))
    assert any("from 172.16.0.0: permittty is 'yes', not 'no'" in text for text in found), found


@needs_sshd
def test_admins_are_asked_for_from_where_they_come(hosts: Hosts, drop_in: str) -> None:
    hosts.debian()
    tree = hosts.candidate({EARLY: "Match Address 198.18.0.0/15\nDenyUsers mail\n", OURS: drop_in})
    assert not any("admin 'mail'" in text for text in prove(tree))
    found = sshd_promises.prove(
        tree, SAMPLES, "backup", SERVER, VERSION, connection=Connection("198.18.0.1", "127.0.0.1", 22)
    )
    assert any(text.startswith("admin 'mail': denyusers keeps it out") for text in found), found


THERE = Connection("198.18.0.1", "198.18.0.9", 22)


@needs_sshd
@pytest.mark.parametrize(
    ("match", "singled_out"),
    [("LocalAddress 198.18.0.9", True), ("Address 198.18.0.1", True), ("LocalAddress 198.18.0.8", False)],
)
@pytest.mark.parametrize("file", [EARLY, "/etc/ssh/sshd_config.d/zz-z.conf"])
@pytest.mark.parametrize(
    ("line", "keyword"),
    [
        ("ForceCommand /bin/false", "forcecommand"),
        ("ChrootDirectory /nowhere", "chrootdirectory"),
        ("AuthenticationMethods password", "authenticationmethods"),
        ("PubkeyAuthentication no", "pubkeyauthentication"),
    ],
)
def test_what_holds_where_admins_arrive_and_not_on_loopback(
    hosts: Hosts, drop_in: str, match: str, singled_out: bool, file: str, line: str, keyword: str
) -> None:
    hosts.debian()
    tree = hosts.candidate({file: f"Match {match}\n{line}\n", OURS: drop_in})
    found = sshd_promises.prove(tree, {}, "backup", SERVER, VERSION, connection=THERE)
    said = [text for text in found if text.startswith("admin 'mail' from 198.18.0.1 to 198.18.0.9:22: ")]
    assert [f": {keyword} is" in text and f"{file}:2 wins" in text for text in said] == [True] * singled_out


@needs_sshd
@pytest.mark.parametrize(
    ("line", "listening", "over", "problems"),
    [
        ("", True, THERE, 0),
        ("ListenAddress 127.0.0.1", True, THERE, 1),
        ("ListenAddress 127.0.0.1", False, THERE, 0),
        ("ListenAddress 127.0.0.1", True, None, 0),
        ("ListenAddress 198.18.0.9", True, THERE, 0),
        ("AddressFamily inet6", True, THERE, 1),
        ("AddressFamily inet", True, Connection("2001:db8::1", "2001:db8::9", 22), 1),
        ("AddressFamily inet6", True, Connection("2001:db8::1", "2001:db8::9", 22), 0),
    ],
)
def test_sshd_goes_on_listening_where_the_run_came_in(
    hosts: Hosts, drop_in: str, line: str, listening: bool, over: t.Optional[Connection], problems: int
) -> None:
    hosts.debian()
    tree = hosts.candidate({EARLY: f"{line}\n", OURS: drop_in})
    found = sshd_promises.prove(tree, {}, "backup", SERVER, VERSION, connection=over, listening=listening)
    said = [text for text in found if "where this run came in" in text]
    assert [f"{EARLY}:1 says so" in text for text in said] == [True] * problems


@needs_sshd
def test_a_missing_include_is_a_problem(hosts: Hosts, drop_in: str) -> None:
    hosts.write({MAIN: f"HostKey {hosts.key}\n"})
    (problem,) = prove(hosts.candidate({OURS: drop_in}))
    assert problem.startswith(f"{MAIN}: nothing includes {OURS}")


@needs_sshd
def test_a_broken_foreign_file_is_named_by_its_own_path(hosts: Hosts, drop_in: str) -> None:
    hosts.debian()
    (problem,) = prove(hosts.candidate({"/etc/ssh/sshd_config.d/50-x.conf": "\nNonsense yes\n", OURS: drop_in}))
    assert "/etc/ssh/sshd_config.d/50-x.conf" in problem
    assert "line 2" in problem
    assert str(hosts.copy) not in problem


@needs_sshd
def test_what_sshd_could_not_read_at_a_connection_is_refused(hosts: Hosts, drop_in: str) -> None:
    hosts.debian()
    (problem,) = prove(hosts.candidate({"/etc/ssh/sshd_config.d/50-x.conf": "# long\n" * 40000, OURS: drop_in}))
    assert "over 250 KiB" in problem


@needs_sshd
def test_an_unlisted_user_who_is_in_the_group_is_a_problem(
    hosts: Hosts, drop_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sshd, "groups_of", lambda user: frozenset({layout.LOGIN_GROUP}))
    hosts.debian()
    (problem,) = prove(hosts.candidate({OURS: drop_in}))
    assert problem.startswith("user 'backup': is not listed")


@needs_sshd
def test_an_admin_who_is_not_in_the_group_is_a_problem(
    hosts: Hosts, drop_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sshd, "groups_of", lambda user: frozenset({"x" if user in ("mail", "backup") else "sallyport"}))
    hosts.debian()
    (problem,) = prove(hosts.candidate({OURS: drop_in}))
    assert problem.startswith("admin 'mail': allowgroups keeps it out")


@needs_sshd
def test_root_as_an_admin_may_log_in(hosts: Hosts, drop_in: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sshd, "groups_of", lambda user: frozenset({"x" if user == "backup" else "sallyport"}))
    server = dataclasses.replace(SERVER, admins=("root",))
    hosts.debian(before="PermitRootLogin no\n")
    (problem,) = prove(hosts.candidate({OURS: render(server)}), server)
    assert problem.startswith(f"admin 'root': permitrootlogin is 'no', not 'prohibit-password': {MAIN}:1 wins")
    assert drop_in != render(server)


@needs_sshd
def test_internal_sftp_knows_every_request_that_we_deny() -> None:
    """sftp-server ignores a name it does not know: the request would stay allowed."""
    server = next(
        path for path in ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server") if os.path.exists(path)
    )
    requests = set(processes.must([server, "-Q", "requests"]).out.split())
    command = dict(sshd_settings.of_class(SFTP, SERVER, VERSION))["ForceCommand"]
    denied = next(argument for argument in command.split() if argument.startswith("-P"))
    assert set(denied[2:].split(",")) <= requests


def test_an_edited_candidate_keeps_its_includes(hosts: Hosts) -> None:
    hosts.write({MAIN: INCLUDE + "Port 22\n", EARLY: "Port 23\n"})
    tree = sshd_tree.build_candidate(str(hosts.copy), {}, str(hosts.root), lambda path, line: f"# {path} {line}")
    assert [item.keyword for item in tree.settings()] == ["include"]
    assert pathlib.Path(str(hosts.copy) + EARLY).read_text() == f"# {EARLY} Port 23\n"


# Reloading


@needs_sshd
def test_the_missing_directory_of_sshd_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: t.List[t.Tuple[str, int]] = []
    said = iter([Outcome(255, "", "Missing privilege separation directory: /run/sshd"), Outcome(0, "", "")])
    monkeypatch.setattr(sshd, "run", lambda _argv: next(said))
    monkeypatch.setattr(os.path, "lexists", lambda _path: False)
    monkeypatch.setattr(os, "mkdir", lambda path, mode: made.append((path, mode)))
    assert sshd.test(MAIN).ok
    assert made == [("/run/sshd", 0o755)]


@pytest.mark.parametrize(
    ("outcome", "version"),
    [
        (Outcome(0, "", "OpenSSH_9.2, OpenSSL 3.0.19 27 Jan 2026\n"), (9, 2)),
        (Outcome(1, "", "unknown option -- V\nOpenSSH_8.4p1 Debian-5+deb11u3, OpenSSL 1.1.1w\nusage: sshd"), (8, 4)),
        (Outcome(0, "OpenSSH_10.0p2 Debian-7, OpenSSL 3.5.7\n", ""), (10, 0)),
        (Outcome(127, "", "no such program"), (0, 0)),
    ],
    ids=["9.2", "8.4 knows no -V", "10.0", "none"],
)
def test_version(monkeypatch: pytest.MonkeyPatch, outcome: Outcome, version: t.Tuple[int, int]) -> None:
    monkeypatch.setattr(sshd, "run", lambda _argv: outcome)
    assert sshd.version() == version
