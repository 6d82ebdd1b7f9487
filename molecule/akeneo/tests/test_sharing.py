# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides own every file: what a customer uploads the application reads, edits, renames and deletes, and the
reverse, whatever modes the client sends and whatever umask the application has."""

from __future__ import annotations

import itertools
import os
import typing as t
from pathlib import Path

import pytest
from clients import Curl, Lftp, Paramiko, Psftp, Rclone, Scp, Sftp, SftpPreserving
from conftest import FOLDER, Logins, Place
from logins import Answer, Login, ssh
from testinfra.host import Host

MODES = (0o600, 0o644, 0o400)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Directories and files that, if the customer's modes counted, would keep the application out."""
    path = tmp_path / "tree"
    (path / "deep").mkdir(parents=True)
    for mode, directory in itertools.product(MODES, (path, path / "deep")):
        file = directory / f"{mode:04o}"
        file.write_text("from the customer\n")
        file.chmod(mode)
        os.utime(file, (1_000_000_000, 1_000_000_000))
    for directory in (path / "deep", path):
        directory.chmod(0o700)
    return path


UPLOADS: dict[str, t.Callable[[Login, Path, str], Answer]] = {
    "sftp put -r": lambda login, tree, to: Sftp(login).put_tree(tree, to),
    "sftp put -pr": lambda login, tree, to: SftpPreserving(login).put_tree(tree, to),
    "scp -r": lambda login, tree, to: Scp(login).put_tree(tree, to),
    "scp -pr": lambda login, tree, to: Scp(login, ("-p",)).put_tree(tree, to),
    "lftp": lambda login, tree, to: Lftp(login).put_tree(tree, to),
    "curl": lambda login, tree, to: Curl(login).put_tree(tree, to),
    "rclone": lambda login, tree, to: Rclone(login).put_tree(tree, to),
    "psftp": lambda login, tree, to: Psftp(login).put_tree(tree, to),
}

# What the application does to each file, and to the directories, in a shell of its own.
APPLICATION = """
set -e
cd {path}
for file in 0??? deep/0???; do
    test "$(cat $file)" = "from the customer"
    chmod u+w $file
    echo "from the application" >> $file
    mv $file $file.done
    cp $file.done $file.copy
done
mkdir deep/made
mv deep/made made
find . ! -user akeneo
rm -r {path}
"""


@pytest.mark.promise("A17")
@pytest.mark.parametrize("upload", UPLOADS.values(), ids=UPLOADS.keys())
def test_the_application_owns_what_is_uploaded(
    logins: Logins, place: Place, tree: Path, upload: t.Callable[[Login, Path, str], Answer]
) -> None:
    uploaded = upload(logins.akeneosftp2, tree, place.customer)
    assert uploaded.ok, uploaded
    assert ssh(logins.alice, "--", APPLICATION.format(path=place.application)) == Answer(0, "")


@pytest.mark.promise("A17")
def test_the_application_owns_what_is_renamed_while_open(logins: Logins, place: Place) -> None:
    with Paramiko(logins.akeneosftp).session() as sftp, sftp.open(f"{place.customer}.part", "w") as file:
        file.chmod(0o600)
        file.write("first\n")
        sftp.posix_rename(f"{place.customer}.part", place.customer)
        early = ssh(logins.alice, "--", f"cat {place.application}")
        file.write("second\n")
    assert early == Answer(0, "first\n")
    command = f"cat {place.application}; mv {place.application} {place.application}.done; rm {place.application}.done"
    assert ssh(logins.alice, "--", command) == Answer(0, "first\nsecond\n")


@pytest.mark.promise("A17")
def test_the_application_keeps_the_last_word_while_a_file_is_open(logins: Logins, place: Place) -> None:
    with Paramiko(logins.akeneosftp).session() as sftp, sftp.open(place.customer, "w") as file:
        file.write("first\n")
        file.flush()
        assert ssh(logins.alice, "--", f"mv {place.application} {place.application}.taken").ok
        file.write("second\n")
    assert ssh(logins.alice, "--", f"cat {place.application}.taken") == Answer(0, "first\nsecond\n")


@pytest.mark.promise("A17")
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o4755, 0o2700], ids="{:04o}".format)
def test_a_file_is_the_applications_on_disk(host: Host, logins: Logins, place: Place, mode: int) -> None:
    with Paramiko(logins.akeneosftp).session() as sftp:
        sftp.open(place.customer, "w").close()
        sftp.chmod(place.customer, mode)
    found = host.file(place.application)
    assert (found.user, found.group) == ("akeneo", "pim-transfer")


@pytest.mark.promise("A17")
def test_accounts_share_the_folder_with_one_another(logins: Logins, place: Place, tmp_path: Path) -> None:
    local = tmp_path / "file"
    local.write_text("from one customer\n")
    local.chmod(0o600)
    assert SftpPreserving(logins.akeneosftp).put(local, place.customer).ok
    other = Sftp(logins.akeneosftp2)
    assert other.get(place.customer, tmp_path / "back").ok
    assert other.put(local, place.customer).ok
    assert other.rename(place.customer, f"{place.customer}.done").ok
    assert Sftp(logins.auditor).get(f"{place.customer}.done", tmp_path / "again").ok
    assert other.rm(f"{place.customer}.done").ok


@pytest.mark.promise("A17")
def test_other_users_of_the_host_see_nothing_of_it(host: Host) -> None:
    refused = host.run("runuser -u nobody -- ls %s", FOLDER)
    assert refused.rc != 0
    assert "Permission denied" in refused.stderr


def from_the_application(umask: str) -> str:
    return f"""
        set -e; umask {umask}; mkdir -p {{path}}/deep; cd {{path}}
        echo "from the application" | tee one deep/two > /dev/null
    """


MOVED_FROM_HOME = """
    set -e; umask 077; mkdir -p ~/{name}/deep; cd ~/{name}
    echo "from the application" | tee one deep/two > /dev/null
    cd; mv ~/{name} {path}
"""

APPLICATIONS = {
    "umask 002": from_the_application("002"),
    "umask 022": from_the_application("022"),
    "umask 077": from_the_application("077"),
    "its own umask": from_the_application("$(umask)"),
    "moved from its home": MOVED_FROM_HOME,
}


@pytest.mark.promise("A18")
@pytest.mark.parametrize("script", APPLICATIONS.values(), ids=APPLICATIONS.keys())
def test_a_customer_owns_what_the_application_makes(logins: Logins, place: Place, script: str) -> None:
    made = ssh(logins.alice, "--", script.format(path=place.application, name=Path(place.application).name))
    assert made.ok, made
    with Paramiko(logins.akeneosftp2).session() as sftp:
        for name in ("one", "deep/two"):
            path = f"{place.customer}/{name}"
            with sftp.open(path, "a") as file:
                file.write("from the customer\n")
            with sftp.open(path) as file:
                assert file.read() == b"from the application\nfrom the customer\n"
            sftp.chmod(path, 0o640)
            sftp.posix_rename(path, f"{path}.done")
            sftp.open(path, "w").close()
            sftp.remove(path)
            sftp.remove(f"{path}.done")
        sftp.mkdir(f"{place.customer}/deep/new")
        sftp.posix_rename(f"{place.customer}/deep/new", f"{place.customer}/new")
        for directory in ("/new", "/deep", ""):
            sftp.rmdir(place.customer + directory)


@pytest.mark.promise("A19")
def test_the_documented_repair_works_and_is_not_needed(logins: Logins, place: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from the customer\n")
    for name in ("one", "two"):
        assert Sftp(logins.akeneosftp).put(tmp_path / "file", f"{place.customer}-{name}").ok
    repair = f"chmod u=rwX,g=rwXs,o= {place.application}-*"
    assert ssh(logins.alice, "--", repair) == Answer(0, "")
    assert Sftp(logins.akeneosftp2).rename(f"{place.customer}-one", f"{place.customer}-done").ok
    assert Sftp(logins.akeneosftp2).rm(f"{place.customer}-two").ok
