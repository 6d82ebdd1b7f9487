# SPDX-License-Identifier: GPL-3.0-or-later
"""Which class an account is in, the groups that select it, and the text of the drop-in."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import (
    Account,
    Ban,
    Folder,
    Forwarding,
    Grant,
    Key,
    Model,
    Server,
)
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import sshd_policy, sshd_settings
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns.sshd_settings import PolicyClass
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import Group, State, User, of

SERVER = Server(address="sftp.example.com", admins=("deploy",))
MAPPED = Folder("pim", "/data/pim", "akeneo", "pim")
SHARED = Folder("dam", "/data/dam", "akeneo", "dam", sharing="group")
HASH = "$y$j9T$x"


def account(name: str = "acme", kind: str = "sftp", **fields: t.Any) -> Account:
    return Account(name, kind, **fields)


def model(*accounts: Account, **server: t.Any) -> Model:
    return Model(dataclasses.replace(SERVER, **server), folders=(MAPPED, SHARED), accounts=accounts)


def host(version: t.Tuple[int, int] = (9, 2), ports: t.Tuple[int, ...] = ()) -> Host:
    return Host(tools=Tools(openssh=version, sshd_ports=ports))


def known(*more: t.Any) -> State:
    return of(User("root", 0, 0, "/root", "/bin/bash"), User("deploy", 1000, 1000, "/home/deploy", "/bin/bash"), *more)


def cls(one: Account) -> PolicyClass:
    return sshd_policy.class_of(one, model())


SAME = [
    pytest.param({"keys": (Key("ssh-ed25519", "AAAA", "bob", "x"),)}, id="keys"),
    pytest.param({"sources": ("10.0.0.0/8",)}, id="sources of a key-only account, whose keys carry them"),
    pytest.param({"expires": 1}, id="expires"),
    pytest.param({"start_in": "/pim"}, id="start_in"),
    pytest.param({"uid": 6401, "groups": ("x",), "note": "x"}, id="uid, groups, note"),
    pytest.param({"forwarding": Forwarding(agent=True, local=("db:1",))}, id="forwarding, which sftp never has"),
    pytest.param({"home_keys": True}, id="home_keys, which only a shell has"),
    pytest.param({"grants": (Grant("/pim", folder="pim"), Grant("/pim/x", hidden=True))}, id="a hidden part"),
    pytest.param({"grants": (Grant("/up", private=True, sharing="group"),)}, id="a private folder is not shared"),
    pytest.param({"grants": (Grant("/pim", "read_only", folder="pim"), Grant("/b", private=True))}, id="one read only"),
]


@pytest.mark.parametrize("fields", SAME)
def test_what_sshd_does_not_decide_does_not_split_a_class(fields: t.Mapping[str, t.Any]) -> None:
    base = account(grants=(Grant("/pim", folder="pim"),))
    assert cls(dataclasses.replace(base, **fields)) == cls(base)


@pytest.mark.parametrize(
    ("fields", "difference"),
    [
        pytest.param({"password_hash": HASH}, {"password": True}, id="password"),
        pytest.param(
            {"password_hash": HASH, "sources": ("b", "a", "b")},
            {"password": True, "sources": ("a", "b")},
            id="password from sources",
        ),
        pytest.param({"second_factor": "password"}, {"second_factor": "password"}, id="second factor"),
        pytest.param({"umask": "0077"}, {"umask": "0077"}, id="umask"),
        pytest.param({"grants": (Grant("/a", "read_only", folder="pim"),)}, {"read_only": True}, id="all read only"),
        pytest.param({"grants": (Grant("/a", folder="dam"),)}, {"group_sharing": True}, id="the folder's sharing"),
        pytest.param(
            {"grants": (Grant("/a", source="/x", sharing="group"),)}, {"group_sharing": True}, id="a source's"
        ),
        pytest.param({"grants": (Grant("/a", "read_only", folder="dam"),)}, {"read_only": True}, id="read only wins"),
        pytest.param({"grants": (Grant("/a", folder="pim", sharing="group"),)}, {}, id="a folder's own sharing counts"),
    ],
)
def test_what_splits_sftp_accounts(fields: t.Mapping[str, t.Any], difference: t.Mapping[str, t.Any]) -> None:
    base = account(grants=(Grant("/a", folder="pim"),))
    assert cls(dataclasses.replace(base, **fields)) == dataclasses.replace(cls(base), **difference)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(account(kind="shell", umask="0077"), PolicyClass("shell"), id="shell: no umask from sshd"),
        pytest.param(
            account(kind="shell", home_keys=True, sources=("10.0.0.0/8",)),
            PolicyClass("shell", home_keys=True, sources=("10.0.0.0/8",)),
            id="shell: keys of its own need the sources here",
        ),
        pytest.param(
            account(kind="shell", forwarding=Forwarding(True, ("b:1", "a:1"), (), True)),
            PolicyClass("shell", forwarding=Forwarding(True, ("a:1", "b:1"), (), True)),
            id="shell: destinations in any order",
        ),
        pytest.param(
            account(kind="tunnel", home_keys=True, forwarding=Forwarding(True, ("db:1",), (), True)),
            PolicyClass("tunnel", forwarding=Forwarding(local=("db:1",))),
            id="tunnel: neither agent nor X11 nor keys of its own",
        ),
        pytest.param(
            account(kind="shell", state="suspended", password_hash=HASH), PolicyClass("closed"), id="suspended shell"
        ),
        pytest.param(account(state="suspended"), PolicyClass("closed"), id="suspended sftp"),
    ],
)
def test_class_of(one: Account, expected: PolicyClass) -> None:
    assert cls(one) == expected


def test_the_name_of_a_class_is_the_same_everywhere() -> None:
    """Hosts keep the name in /etc/group: another hash seed, order or release must not change it."""
    assert sshd_policy.group_name(PolicyClass("closed")) == "sallyport-closed-8a3cc65b"
    program = (
        "from ansible_collections.sallyport.ssh.plugins.module_utils import model as m;"
        "from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import sshd_policy as p;"
        "print(p.group_name(p.PolicyClass('tunnel', sources=('a', 'b'), forwarding=m.Forwarding(local=('db:1',)))))"
    )
    names = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ".collections"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(names) == 1
    assert re.fullmatch(r"sallyport-tunnel-[0-9a-f]{8}\n", names.pop())


def test_groups_hold_classes_and_those_who_may_log_in() -> None:
    accounts = account("a"), account("b"), account("c", state="suspended"), account("d", state="absent")
    sftp, closed = sshd_policy.group_name(cls(account())), sshd_policy.group_name(PolicyClass("closed"))
    found = sshd_policy.groups(model(*accounts), known(Group(sftp, 990), Group("other", 991)))
    assert found.groups == {
        sftp: Group(sftp, 990, frozenset({"a", "b"})),
        closed: Group(closed, sshd_policy.UNALLOCATED, frozenset({"c"})),
        layout.LOGIN_GROUP: Group(layout.LOGIN_GROUP, sshd_policy.UNALLOCATED, frozenset({"a", "b", "deploy"})),
    }


def test_without_only_listed_there_is_no_login_group() -> None:
    wanted = model(account("a"), only_listed=False)
    assert layout.LOGIN_GROUP not in sshd_policy.groups(wanted, known()).groups
    assert "AllowGroups" not in sshd_policy.render(wanted, host())
    assert "PermitRootLogin" not in sshd_policy.render(wanted, host())


def test_an_account_that_joins_a_class_leaves_the_text_as_it_is() -> None:
    one, two = model(account("a")), model(account("b"), account("a"), account("z", state="absent"))
    assert sshd_policy.render(one, host()) == sshd_policy.render(two, host())


def test_the_order_of_accounts_does_not_matter() -> None:
    accounts = (account("a"), account("b", umask="0077"), account("c", "shell"), account("d", "tunnel"))
    assert sshd_policy.render(model(*accounts), host()) == sshd_policy.render(model(*reversed(accounts)), host())


def test_the_stricter_block_comes_first() -> None:
    accounts = (account("c", "shell"), account("d", "tunnel"), account("a"), account("s", state="suspended"))
    kinds = re.findall(r"^Match Group sallyport-(\w+)-", sshd_policy.render(model(*accounts), host()), re.MULTILINE)
    assert kinds == ["closed", "sftp", "tunnel", "shell"]


def test_sources_have_a_block_of_their_own_before_the_class() -> None:
    text = sshd_policy.render(model(account(password_hash=HASH, sources=("10.0.0.0/8", "2001:db8::/32"))), host())
    first, second, _coming = re.findall(r"^Match Group .*", text, re.MULTILINE)
    assert first == f"{second} Address *,!10.0.0.0/8,!2001:db8::/32"


def test_who_is_not_listed_is_offered_no_password_and_an_admin_what_the_host_offers() -> None:
    text = sshd_policy.render(model(account(), admins=("deploy", "root")), host())
    assert text.endswith(
        "\n\nMatch User *,!deploy,!root\n    PasswordAuthentication no\n    KbdInteractiveAuthentication no\n"
    )
    assert "Match User" not in sshd_policy.render(model(account(), only_listed=False), host())


def block(one: Account, **server: t.Any) -> t.Dict[str, str]:
    return dict(sshd_settings.of_class(cls(one), dataclasses.replace(SERVER, **server), (9, 2)))


FORWARD_NOTHING = {
    "DisableForwarding": "yes",
    "AllowTcpForwarding": "no",
    "AllowStreamLocalForwarding": "no",
    "AllowAgentForwarding": "no",
    "X11Forwarding": "no",
    "PermitTunnel": "no",
    "GatewayPorts": "no",
    "PermitOpen": "none",
    "PermitListen": "none",
}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(account(), FORWARD_NOTHING, id="sftp forwards nothing"),
        pytest.param(
            account(),
            {
                "PermitTTY": "no",
                "PermitUserRC": "no",
                "ChrootDirectory": "/srv/sftp/%u",
                "AuthorizedKeysFile": "/etc/ssh/authorized_keys.d/%u",
                "PasswordAuthentication": "no",
                "AuthenticationMethods": "publickey",
            },
            id="sftp is jailed",
        ),
        pytest.param(
            account(password_hash=HASH),
            {"PasswordAuthentication": "yes", "AuthenticationMethods": "publickey password"},
            id="key or password",
        ),
        pytest.param(
            account(password_hash=HASH, second_factor="password"),
            {"PasswordAuthentication": "yes", "AuthenticationMethods": "publickey,password"},
            id="key and password",
        ),
        pytest.param(
            account(kind="shell", home_keys=True),
            {
                "AuthorizedKeysFile": "/etc/ssh/authorized_keys.d/%u .ssh/authorized_keys",
                "ForceCommand": "none",
                "ChrootDirectory": "none",
                "PermitTTY": "yes",
            },
            id="shell",
        ),
        pytest.param(
            account(kind="shell", forwarding=Forwarding(agent=True)),
            {**FORWARD_NOTHING, "DisableForwarding": "no", "AllowAgentForwarding": "yes"},
            id="agent only",
        ),
        pytest.param(
            account(kind="tunnel", forwarding=Forwarding(local=("127.0.0.1:3306", "[::1]:80"))),
            {
                **FORWARD_NOTHING,
                "DisableForwarding": "no",
                "AllowTcpForwarding": "local",
                "PermitOpen": "127.0.0.1:3306 [::1]:80",
                "PermitTTY": "no",
                "ForceCommand": "echo 'This account opens no session.'; exit 1",
            },
            id="tunnel to destinations",
        ),
        pytest.param(
            account(kind="tunnel", forwarding=Forwarding(local=("a:1",), remote=("localhost:8080",))),
            {"AllowTcpForwarding": "yes", "PermitListen": "localhost:8080", "GatewayPorts": "no"},
            id="both directions",
        ),
        pytest.param(
            account(kind="tunnel", forwarding=Forwarding(remote=("0.0.0.0:8080",))),
            {"AllowTcpForwarding": "remote", "PermitOpen": "none", "GatewayPorts": "clientspecified"},
            id="a listener for other machines",
        ),
        pytest.param(
            account(state="suspended", password_hash=HASH),
            {
                **FORWARD_NOTHING,
                "PubkeyAuthentication": "no",
                "PasswordAuthentication": "no",
                "KbdInteractiveAuthentication": "no",
                "HostbasedAuthentication": "no",
                "AuthorizedKeysFile": "none",
            },
            id="closed",
        ),
    ],
)
def test_settings_of_a_class(one: Account, expected: t.Mapping[str, str]) -> None:
    settings = block(one)
    assert {keyword: settings[keyword] for keyword in expected} == expected


def test_every_block_has_every_keyword() -> None:
    """A keyword that one class leaves out would be inherited from other files."""
    kinds = [account(kind=kind) for kind in ("sftp", "shell", "tunnel")] + [account(state="suspended")]
    assert len({tuple(block(one)) for one in kinds}) == 1


@pytest.mark.parametrize(
    ("fields", "server", "command"),
    [
        pytest.param({}, {}, "internal-sftp -Psymlink,hardlink -lINFO -fAUTHPRIV -u0007", id="mapped"),
        pytest.param({}, {"log_transfers": False}, "internal-sftp -Psymlink,hardlink -u0007", id="no log"),
        pytest.param(
            {"grants": (Grant("/a", folder="dam"),), "umask": "0002"},
            {},
            "internal-sftp -Psetstat,lsetstat,symlink,hardlink -lINFO -fAUTHPRIV -u0002",
            id="group",
        ),
        pytest.param(
            {"grants": (Grant("/a", "read_only", folder="dam"),)},
            {},
            "internal-sftp -R -Psymlink,hardlink -lINFO -fAUTHPRIV -u0007",
            id="read only comes first",
        ),
    ],
)
def test_internal_sftp(fields: t.Mapping[str, t.Any], server: t.Mapping[str, t.Any], command: str) -> None:
    fields = {"grants": (Grant("/a", folder="pim"),), **fields}
    assert block(account(**fields), **server)["ForceCommand"] == command
    assert len(command.split()) <= 1 + sshd_settings.MOST_SFTP_ARGUMENTS


ALL_GATED = set(sshd_settings.FIRST)


@pytest.mark.parametrize(
    ("version", "known_keywords"),
    [
        pytest.param((8, 4), set(), id="8.4"),
        pytest.param(
            (9, 2),
            {"PubkeyAcceptedAlgorithms", "RequiredRSASize", "ChannelTimeout", "UnusedConnectionTimeout"},
            id="9.2",
        ),
        pytest.param((10, 0), ALL_GATED, id="10.0"),
    ],
)
def test_options_wait_for_their_version(version: t.Tuple[int, int], known_keywords: t.Set[str]) -> None:
    text = sshd_policy.render(model(account(), crypto="modern", ban=Ban(exempt=("::1",))), host(version))
    assert set(re.findall(r"^ *(\w+)", text, re.MULTILINE)) & ALL_GATED == known_keywords
    assert ("PubkeyAcceptedKeyTypes" in text) == (version < (8, 5))


@pytest.mark.parametrize(
    ("version", "first"),
    [((8, 4), "curve25519-sha256"), ((9, 2), "sntrup761x25519-sha512@openssh.com"), ((10, 0), "mlkem768x25519-sha256")],
    ids=["8.4", "9.2", "10.0"],
)
def test_modern_key_exchange_starts_with_the_best_that_is_known(version: t.Tuple[int, int], first: str) -> None:
    settings = dict(sshd_settings.of_host(dataclasses.replace(SERVER, crypto="modern"), version, ()))
    assert settings["KexAlgorithms"].split(",")[0] == first


def test_vendor_crypto_is_left_alone() -> None:
    assert not {"KexAlgorithms", "Ciphers", "MACs"} & set(dict(sshd_settings.of_host(SERVER, (10, 0), ())))


@pytest.mark.parametrize(
    ("port", "named", "lines"),
    [
        pytest.param(22, (), [], id="the default"),
        pytest.param(2222, (2222,), [], id="named elsewhere"),
        pytest.param(2222, (), ["22", "2222"], id="22 stays"),
        pytest.param(2222, (22, 23), ["2222"], id="those of other files stay by themselves"),
        pytest.param(22, (2222,), ["22"], id="22 is added"),
    ],
)
def test_ports(port: int, named: t.Tuple[int, ...], lines: t.List[str]) -> None:
    settings = sshd_settings.of_host(dataclasses.replace(SERVER, port=port), (9, 2), named)
    assert [value for keyword, value in settings if keyword == "Port"] == lines


@pytest.mark.parametrize(
    ("admins", "lines"),
    [(("deploy",), ["AllowGroups sallyport", "PermitRootLogin no"]), (("root",), ["AllowGroups sallyport"])],
    ids=["root is no admin", "root is an admin"],
)
def test_only_listed(admins: t.Tuple[str, ...], lines: t.List[str]) -> None:
    text = sshd_policy.render(model(account(), admins=admins), host())
    assert re.findall(r"^(?:AllowGroups|PermitRootLogin).*", text, re.MULTILINE) == lines


def accumulated(each: int, times: t.Sequence[int], most: int) -> t.List[int]:
    """The penalty of an address after each failure, by the rule of sshd's srclimit.c."""
    expiry, found = 0, []
    for now in times:
        expiry = now + each if expiry <= now else min(expiry + each, now + most)
        found.append(expiry - now)
    return found


@pytest.mark.parametrize("ban", [Ban(), Ban(5, 60, 3600), Ban(3, 3600, 60), Ban(1, 600, 600), Ban(100, 600, 30)])
@pytest.mark.parametrize("spread", ["burst", "even", "late"])
def test_failures_within_the_window_reach_the_ban(ban: Ban, spread: str) -> None:
    settings = dict(sshd_settings.of_host(dataclasses.replace(SERVER, ban=ban), (9, 8), ()))
    each, most, least = map(int, re.findall(r"\d+", settings["PerSourcePenalties"]))
    last, window = ban.failures - 1, min(ban.window, ban.duration)
    times = {
        "burst": [0] * ban.failures,
        "even": [window * index // max(last, 1) for index in range(ban.failures)],
        "late": [0] + [window] * last,
    }[spread]
    reached = accumulated(each, times, most)
    assert max(reached) > least
    assert max(reached) <= ban.duration
    if ban.failures > 1:
        assert reached[0] <= least


def test_no_ban_and_exemptions() -> None:
    assert "PerSourcePenalties no\n" in sshd_policy.render(model(ban=None), host((9, 8)))
    text = sshd_policy.render(model(ban=Ban(exempt=("10.0.0.0/8", "::1"))), host((9, 8)))
    assert "PerSourcePenaltyExemptList 10.0.0.0/8,::1\n" in text


def test_expectations_are_the_settings_and_no_other_way_in() -> None:
    one = cls(account(password_hash=HASH, sources=("10.0.0.0/8",)))
    inside = sshd_policy.expectations(one, SERVER, (9, 2))
    outside = sshd_policy.expectations(one, SERVER, (9, 2), from_source=False)
    assert (inside["passwordauthentication"], outside["passwordauthentication"]) == ("yes", "no")
    assert inside["authorizedkeyscommand"] == inside["trustedusercakeys"] == "none"
    assert {keyword for keyword in inside if inside[keyword] != outside[keyword]} == {"passwordauthentication"}


def test_keys_of_a_home_do_not_open_an_account_from_elsewhere() -> None:
    one = cls(account(kind="shell", home_keys=True, sources=("10.0.0.0/8",)))
    outside = sshd_policy.expectations(one, SERVER, (9, 2), from_source=False)
    assert outside["authorizedkeysfile"] == "/etc/ssh/authorized_keys.d/%u"


def test_a_sound_model_has_no_problems() -> None:
    assert sshd_policy.problems(model(account(), account("ops", "shell")), host(), known()) == []


CLASS = sshd_policy.group_name(PolicyClass("closed"))


@pytest.mark.parametrize(
    ("wanted", "on", "users", "problem"),
    [
        pytest.param(model(), host((0, 0)), known(), "no sshd was found: install OpenSSH 8.2", id="no sshd"),
        pytest.param(model(), host((8, 0)), known(), "this is OpenSSH 8.0: install OpenSSH 8.2", id="no Include yet"),
        pytest.param(model(jails="/srv/my sftp"), host(), known(), "access_server.jails: .*/srv/my sftp", id="space"),
        pytest.param(model(jails="/srv/%h"), host(), known(), "access_server.jails: .*/srv/%h", id="token"),
        pytest.param(model(jails="srv"), host(), known(), "access_server.jails: ", id="relative"),
        pytest.param(model(admins=()), host(), known(), "access_server.admins: .*name at least one", id="no admin"),
        pytest.param(model(admins=("dploy",)), host(), known(), "admins: 'dploy' is no user", id="unknown admin"),
        pytest.param(model(account("deploy")), host(), known(), "'deploy' is one of .*kind sftp", id="jailed admin"),
        pytest.param(
            model(account("deploy", "shell", state="suspended")), host(), known(), "state suspended", id="closed admin"
        ),
        pytest.param(
            model(),
            host(),
            known(Group(layout.LOGIN_GROUP, 995), User("sallyport", 995, 995, "/", "/bin/sh")),
            "user 'sallyport': its primary group is 'sallyport'",
            id="a user whose primary group lets it in",
        ),
        pytest.param(
            model(account("a", state="suspended")),
            host(),
            known(Group(CLASS, 995), User("x", 1995, 995, "/", "/bin/sh")),
            f"user 'x': its primary group is '{CLASS}'",
            id="a user whose primary group is a class",
        ),
        pytest.param(
            model(*(account(f"a{i}", password_hash=HASH, sources=(f"10.{i}.0.0/16",)) for i in range(256))),
            host(),
            known(),
            "256 policy classes make it 2.. KiB, .*let more accounts share",
            id="too large",
        ),
    ],
)
def test_problems(wanted: Model, on: Host, users: State, problem: str) -> None:
    found = sshd_policy.problems(wanted, on, users)
    assert len(found) == 1
    assert re.search(problem, found[0])


def test_an_admin_may_have_a_shell_account() -> None:
    assert sshd_policy.problems(model(account("deploy", "shell")), host(), known()) == []


@pytest.mark.parametrize(
    ("version", "options"),
    [((8, 4), ["idle_timeout", "ban"]), ((9, 2), ["ban"]), ((10, 0), [])],
    ids=["8.4", "9.2", "10.0"],
)
def test_what_an_old_sshd_cannot_do_is_noted_where_somebody_chose_it(
    version: t.Tuple[int, int], options: t.List[str]
) -> None:
    chosen = model(idle_timeout=60, ban=Ban(failures=5))
    notes = sshd_policy.notes(chosen, host(version))
    assert [note.split(":")[0] for note in notes] == [f"access_server.{option}" for option in options]
    assert sshd_policy.notes(model(), host(version)) == []
    assert sshd_policy.notes(model(idle_timeout=None, ban=None), host(version)) == []
