# SPDX-License-Identifier: GPL-3.0-or-later
"""The SFTP accounts: every client transfers files with them, and they see one folder and can do nothing else."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
from pathlib import Path

import paramiko
import pytest
from clients import CLIENTS, Paramiko, Scp, Sftp
from conftest import FOLDER, Logins, Place
from logins import Answer, Login, answer_at, forwarding, run, ssh
from testinfra.host import Host

ACCOUNTS = ["akeneosftp", "akeneosftp2"]
EVERYBODY = [*ACCOUNTS, "auditor"]


@pytest.fixture
def login(logins: Logins, account: str) -> Login:
    return t.cast(Login, getattr(logins, account))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "über den Tag.csv"
    path.write_text("sku;name\n1;Mug\n")
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    (path / "a/b").mkdir(parents=True)
    (path / "a/b/.deep").write_text("deep\n")
    (path / "top").write_text("top\n")
    return path


@pytest.mark.promise("A14")
@pytest.mark.promise("A15")
@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_transfers_files(logins: Logins, name: str, place: Place, file: Path, tree: Path) -> None:
    client, here = CLIENTS[name](logins.akeneosftp2), place.customer
    assert_ok(client.mkdir(here))
    assert_ok(client.put(file, f"{here}/{file.name}"))
    assert client.ls(here) == Answer(0, file.name)
    assert_ok(client.rename(f"{here}/{file.name}", f"{here}/renamed"))
    assert_ok(client.get(f"{here}/renamed", file.with_name("back")))
    assert file.with_name("back").read_bytes() == file.read_bytes()
    assert_ok(client.rm(f"{here}/renamed"))
    assert_ok(client.put_tree(tree, f"{here}/tree"))
    assert client.ls(f"{here}/tree") == Answer(0, "a\ntop")
    assert_ok(client.get(f"{here}/tree/a/b/.deep", file.with_name("deep")))
    assert file.with_name("deep").read_text() == "deep\n"


@pytest.mark.promise("A13")
@pytest.mark.promise("A15")
@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_takes_the_password(logins: Logins, name: str, place: Place, file: Path) -> None:
    client = CLIENTS[name](logins.akeneosftp)
    assert_ok(client.put(file, place.customer))
    assert_ok(client.get(place.customer, file.with_name("back")))
    assert file.with_name("back").read_bytes() == file.read_bytes()


@pytest.mark.promise("A14")
@pytest.mark.parametrize("account", ACCOUNTS)
def test_scp_transfers_files(login: Login, place: Place, file: Path, tree: Path) -> None:
    client = Scp(login)
    assert_ok(client.put_tree(tree, place.customer))
    assert_ok(client.put(file, f"{place.customer}/{file.name}"))
    assert_ok(client.get(f"{place.customer}/{file.name}", file.with_name("back")))
    assert file.with_name("back").read_bytes() == file.read_bytes()


def assert_ok(answer: Answer) -> None:
    assert answer.ok, answer.text


@pytest.mark.promise("A14")
@pytest.mark.parametrize("account", EVERYBODY)
def test_there_is_one_folder_and_nothing_else(login: Login, account: str) -> None:
    assert Sftp(login).ls("/") == Answer(0, "pim")


OUTSIDE = {
    "ls /etc": "not found",
    "ls /data/transfer/pim": "not found",
    "ls /srv/sftp": "not found",
    "ls /pim/../../home": "not found",
    "get /etc/passwd /dev/null": "not found",
    "get ../../../etc/passwd /dev/null": "not found",
    "put {file} /new": "Permission denied",
    "mkdir /new": "Permission denied",
    "rmdir /pim": "Failure|Permission denied",
    "rename /pim /mip": "Failure|Permission denied",
    "chmod 0777 /": "Permission denied",
    "chown 6400 /": "Permission denied",
    "ln -s /etc/passwd /new": "Permission denied",
}


@pytest.mark.promise("A14")
@pytest.mark.parametrize("account", EVERYBODY)
def test_outside_the_folder_is_nothing(login: Login, account: str, file: Path) -> None:
    answers = Sftp(login).each(*(command.format(file=f'"{file}"') for command in OUTSIDE))
    assert len(answers) == len(OUTSIDE)
    wrong = {
        command: answer
        for (command, expected), answer in zip(OUTSIDE.items(), answers)
        if not any(text in answer for text in expected.split("|"))
    }
    assert wrong == {}


@pytest.mark.promise("A14")
@pytest.mark.parametrize("account", ["akeneosftp2", "auditor"])
def test_a_link_that_the_application_plants_leads_nowhere(
    logins: Logins, login: Login, account: str, place: Place
) -> None:
    assert_ok(ssh(logins.alice, "--", f"ln -s /etc/passwd {place.application}"))
    answer = Sftp(login).get(place.customer, Path("/dev/null"))
    assert not answer.ok
    assert "root:" not in answer.text


@pytest.mark.promise("A14")
@pytest.mark.parametrize("account", ["akeneosftp2"])
@pytest.mark.parametrize("option", ["-s", ""])
def test_customers_plant_no_links(login: Login, host: Host, place: Place, option: str) -> None:
    client = Sftp(login)
    assert_ok(client.put(Path(__file__), place.customer))
    assert not client.commands(f"ln {option} {place.customer} {place.customer}-link").ok
    assert not host.file(f"{place.application}-link").exists


ONLY_SFTP = "This service allows sftp connections only.\n"


@pytest.mark.promise("A14")
@pytest.mark.promise("A20")  # who cannot start a program cannot start crontab
@pytest.mark.parametrize("account", EVERYBODY)
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["-T"], Answer(1, ONLY_SFTP), id="shell"),
        pytest.param(["--", "id"], Answer(1, ONLY_SFTP), id="command"),
        pytest.param(["--", "crontab", "-l"], Answer(1, ONLY_SFTP), id="crontab"),
        pytest.param(["--", "scp", "-t", "/pim"], Answer(1, ONLY_SFTP), id="scp of old"),
        pytest.param(["--", "rsync", "--server", ".", "/pim"], Answer(1, ONLY_SFTP), id="rsync"),
        pytest.param(
            ["-s", "--", "netconf"], Answer(255, "subsystem request failed on channel 0\n"), id="other subsystem"
        ),
        pytest.param(["-tt"], Answer(255, "PTY allocation request failed on channel 0\n"), id="terminal"),
    ],
)
def test_sftp_is_all_there_is(login: Login, account: str, arguments: list[str], expected: Answer) -> None:
    assert ssh(login, *arguments) == expected


@pytest.mark.promise("A14")
@pytest.mark.parametrize("account", ["akeneosftp2", "auditor"])
def test_scp_without_sftp_is_refused(login: Login, account: str, file: Path) -> None:
    answer = run("scp", "-q", "-O", *login.options, file, f"{login.destination}:/pim/")
    assert answer == Answer(1, ONLY_SFTP)


@pytest.mark.promise("A14")
@pytest.mark.parametrize("account", EVERYBODY)
def test_nothing_is_reached_through_the_host(login: Login, account: str) -> None:
    answer = ssh(login, "-W", "127.0.0.1:22")
    assert answer.code == 255
    assert "stdio forwarding failed" in answer.text


@pytest.mark.promise("A14")
@pytest.mark.parametrize("account", ["akeneosftp2"])
@pytest.mark.parametrize(
    ("options", "sent"),
    [
        pytest.param(["-L", "PORT:127.0.0.1:22"], b"", id="-L port"),
        pytest.param(["-L", "PORT:/run/dbus/system_bus_socket"], b"\0AUTH EXTERNAL 30\r\n", id="-L socket"),
        pytest.param(["-D", "127.0.0.1:PORT"], b"\4\1\0\x16\x7f\0\0\1\0", id="-D"),
    ],
)
def test_a_forward_leads_nowhere(login: Login, options: list[str], sent: bytes) -> None:
    with forwarding(login, *options) as port:
        assert answer_at(port, sent) == b""


@pytest.mark.promise("A14")
@pytest.mark.parametrize("account", ["akeneosftp2"])
@pytest.mark.parametrize("listener", ["9998", "/tmp/listener"])
def test_no_listener_is_opened_on_the_host(login: Login, account: str, listener: str) -> None:
    answer = ssh(login, "-N", "-oExitOnForwardFailure=yes", "-R", f"{listener}:127.0.0.1:22")
    assert answer.code == 255
    assert "remote port forwarding failed for listen p" in answer.text


@pytest.mark.promise("A9")
@pytest.mark.parametrize("account", ["akeneosftp2"])
def test_no_agent_is_left_on_the_host(host: Host, login: Login, agents: dict[str, str]) -> None:
    sockets = "find /tmp -path '/tmp/ssh-*' -type s"
    before = host.run(sockets).stdout
    login = dataclasses.replace(login, agent=agents["alice"])
    assert run("sftp", "-Aq", *login.options, "-b", "-", login.destination, text="ls /\n!sleep 0.2\n").ok
    assert host.run(sockets).stdout == before


@pytest.mark.promise("A16")
def test_a_credential_is_shared_by_sessions_at_the_same_time(logins: Logins, place: Place) -> None:
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(Paramiko(logins.akeneosftp).session()) for _ in range(3)]
        sessions[0].mkdir(place.customer)
        files = [
            stack.enter_context(session.open(f"{place.customer}/{number}", "w"))
            for number, session in enumerate(sessions)
        ]
        for file in files:
            file.write("at the same time\n")
        assert sorted(sessions[2].listdir(place.customer)) == ["0", "1", "2"]


@pytest.mark.promise("A13")
def test_a_wrong_password_opens_nothing(logins: Logins) -> None:
    answer = ssh(Login(logins.address, "akeneosftp", password="not this one"), "-s", "--", "sftp")
    assert answer == Answer(255, f"akeneosftp@{logins.address}: Permission denied (publickey,password).\n")


@pytest.mark.promise("A13")
@pytest.mark.parametrize("user", ["akeneosftp2", "auditor", "root"])
def test_the_password_of_akeneosftp_opens_nothing_else(logins: Logins, user: str) -> None:
    answer = ssh(logins.password(user), "-s", "--", "sftp")
    assert answer.code == 255
    assert "Permission denied (" in answer.text


# The auditor


# To the file ``old``, which is there, or to the name ``new``, which is not.
Change = t.Callable[[paramiko.SFTPClient, str, str], object]


def extension(name: str) -> Change:
    """A request that the library has no method for."""
    return lambda sftp, old, new: getattr(sftp, "_request")(paramiko.sftp.CMD_EXTENDED, name, old, new)  # noqa: B009


CHANGES: dict[str, Change] = {
    "create": lambda sftp, old, new: sftp.open(new, "w"),
    "create and set a mode": lambda sftp, old, new: sftp.open(new, "x"),
    "overwrite": lambda sftp, old, new: sftp.open(old, "w"),
    "append": lambda sftp, old, new: sftp.open(old, "a"),
    "edit in place": lambda sftp, old, new: sftp.open(old, "r+"),
    "truncate": lambda sftp, old, new: sftp.truncate(old, 0),
    "truncate an open file": lambda sftp, old, new: sftp.open(old, "r").truncate(0),
    "remove": lambda sftp, old, new: sftp.remove(old),
    "rename": lambda sftp, old, new: sftp.rename(old, new),
    "rename over": lambda sftp, old, new: sftp.posix_rename(old, new),
    "make a directory": lambda sftp, old, new: sftp.mkdir(new),
    "remove a directory": lambda sftp, old, new: sftp.rmdir(f"{old}.d"),
    "change the mode": lambda sftp, old, new: sftp.chmod(old, 0o777),
    "change the mode of an open file": lambda sftp, old, new: sftp.open(old, "r").chmod(0o777),
    "change the owner": lambda sftp, old, new: sftp.chown(old, 0, 0),
    "change the times": lambda sftp, old, new: sftp.utime(old, (0, 0)),
    "make a symbolic link": lambda sftp, old, new: sftp.symlink(old, new),
    "make a hard link": extension("hardlink@openssh.com"),
    "copy on the host": extension("copy-data"),
}


@pytest.fixture(scope="module")
def reading(host: Host, logins: Logins) -> t.Iterator[paramiko.SFTPClient]:
    """A session of the auditor, in which nothing that is in the folder becomes another."""
    look = f"cd {FOLDER} && find . -printf '%p %m %s %U %G %T@\n' | sort && sha256sum kept"
    host.check_output(
        "cd %s && install -o akeneo -g pim-transfer -m 0660 /etc/hostname kept"
        " && install -o akeneo -g pim-transfer -m 2770 -d kept.d",
        FOLDER,
    )
    before = host.check_output(look)
    with Paramiko(logins.auditor).session() as sftp:
        yield sftp
    after = host.check_output(look)
    host.check_output("cd %s && rm -r kept kept.d", FOLDER)
    assert after == before


@pytest.mark.promise("A15")
def test_the_auditor_reads(reading: paramiko.SFTPClient, host: Host) -> None:
    assert {"kept", "kept.d"} <= set(reading.listdir("/pim"))
    with reading.open("/pim/kept") as file:
        assert file.read() == host.file(f"{FOLDER}/kept").content


@pytest.mark.promise("A15")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_auditor_changes_nothing(reading: paramiko.SFTPClient, change: Change) -> None:
    with pytest.raises(OSError, match=r"Permission denied|Failure|Operation unsupported"):
        change(reading, "/pim/kept", "/pim/new")


@pytest.mark.promise("A15")
@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_reads_for_the_auditor_and_none_writes(logins: Logins, name: str, file: Path) -> None:
    client = CLIENTS[name](logins.auditor)
    assert_ok(client.get("/pim/kept", file.with_name("back")))
    assert not client.put(file, "/pim/new").ok
