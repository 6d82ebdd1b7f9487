# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes and goes: closed accounts, removed ones, users that were there before, and nothing but what is ours."""

from __future__ import annotations

import typing as t

from conftest import PICTURE, Model, Result, Target, Task, check, differences, key, run, sh

INFO: Task = run("access_info", {})


def account(name: str, number: int, **options: t.Any) -> Model:
    return {
        "name": name,
        "keys": [{"name": "laptop", "key": key(number)}],
        "folders": [{"private": True, "at": "/upload"}],
        **options,
    }


def accounts(*listed: Model, **model: t.Any) -> Model:
    return {"accounts": list(listed), **model}


def test_a_closed_account_keeps_its_uid_and_data(target: Target) -> None:
    upload = "/srv/sftp/mover/upload/file"
    _, first, _, _, suspended, kept, repeated, _, again, still = target.done(
        run("access", accounts(account("mover", 200, password_hash="$6$salt$" + "a" * 86))),
        INFO,
        sh(f"echo data >{upload} && chown mover: {upload}"),
        run("access", accounts(account("mover", 200, state="suspended"))),
        INFO,
        sh(f"stat -c %U {upload}; ls /etc/ssh/authorized_keys.d || true; getent shadow mover"),
        check("access", accounts(account("mover", 200, state="suspended"))),
        run("access", accounts(account("mover", 200))),
        INFO,
        sh(f"stat -c %U {upload}; id -nG mover"),
    )
    mover = first.accounts["mover"]
    assert (mover["state"], mover["has_password"], mover["closed_from"]) == ("present", True, None)
    assert mover["keys"][0]["installed"]

    closed = suspended.accounts["mover"]
    assert (closed["state"], closed["has_password"], closed["closed_from"]) == ("suspended", False, "1970-01-02")
    assert (closed["uid"], closed["keys"][0]["installed"]) == (mover["uid"], False)
    owner, *rest = kept["stdout_lines"]
    assert owner == "mover"
    assert "mover" not in rest[:-1]
    assert rest[-1].split(":")[1] == "*"
    assert repeated.actions == []

    opened = again.accounts["mover"]
    assert (opened["uid"], opened["state"], opened["closed_from"]) == (mover["uid"], "present", None)
    assert opened["keys"][0]["installed"]
    owner, groups = still["stdout_lines"]
    assert owner == "mover"
    assert "sallyport" in groups.split()


def test_a_removed_account_leaves_its_uid_to_nobody(target: Target) -> None:
    _, before, removed, gone, _, after = target.done(
        run("access", accounts(account("leaver", 210))),
        INFO,
        run("access", accounts(account("leaver", 210, state="absent"))),
        sh("getent passwd leaver || true; getent group leaver || true; ls /etc/ssh/authorized_keys.d || true"),
        run("access", accounts(account("newcomer", 211))),
        INFO,
    )
    leaving = [action for action in removed.actions if "leaver" in action]
    assert leaving[0] == "change user leaver (expires None → 1)"  # nothing lets it in while it is taken apart
    assert leaving.index("remove file /etc/ssh/authorized_keys.d/leaver") < leaving.index(
        "end the sessions of user leaver"
    )
    assert "remove user leaver" in leaving
    assert "leaver" not in gone["stdout"]
    assert "leaver" not in after.accounts
    assert after.accounts["newcomer"]["uid"] > before.accounts["leaver"]["uid"]


def test_exclusive_removes_what_is_ours_and_nothing_else(target: Target) -> None:
    """A user, files, a mount and a drop-in of somebody else's stand where ours do, and all of it stays."""
    foreign = """
        groupadd theirs && useradd --create-home --groups theirs bystander
        mkdir -p /srv/sftp/bystander /srv/bound && install -d -m 2770 -o bystander -g bystander /data/shared
        mount --bind /data/shared /srv/bound
        mkdir -p /etc/ssh/authorized_keys.d /etc/ssh/sshd_config.d
        for file in ssh/authorized_keys.d/bystander ssh/sshd_config.d/90-theirs.conf sudoers.d/theirs; do
            echo '# theirs' >/etc/$file && chmod 0440 /etc/$file
        done
        echo '#!/bin/sh' >/usr/local/bin/theirs
    """
    model = accounts(
        account("stays", 220),
        account("goes", 221, folders=[{"folder": "shared", "at": "/shared"}, {"private": True, "at": "/own"}]),
        account("operates", 222, kind="shell", folders=[], groups=["theirs"], sudo_tasks=["task220"]),
        folders=[{"name": "shared", "path": "/data/shared", "owner": "bystander", "group": "bystander"}],
        sudo_tasks=[{"name": "task220", "service": "cron", "actions": ["status"]}],
    )
    made, first, before, applied, announced, exclusive, after, info, repeated = target.done(
        sh(foreign),
        run("access", accounts(account("stays", 220), exclusive=True)),
        PICTURE,
        run("access", model),
        check("access", accounts(account("stays", 220), exclusive=True)),
        run("access", accounts(account("stays", 220), exclusive=True)),
        PICTURE,
        INFO,
        run("access", accounts(account("stays", 220), exclusive=True)),
    )
    assert made.ok
    assert first.ok
    assert {"create user goes", "create user operates"} <= {action.split(" (")[0] for action in applied.actions}
    assert exclusive.actions == announced.actions
    assert list(info.accounts) == ["stays"]
    assert info["folders"] == []
    assert info["sudo_tasks"] == []
    assert repeated.actions == []
    assert left_over(before, after) == {}


def test_a_user_who_was_there_is_taken_over_and_given_back(target: Target) -> None:
    def managed(**options: t.Any) -> Model:
        return accounts(account("native", 230, kind="shell", folders=[], home="/home/native", **options))

    _, before, refused, unchanged, taken, info, returned, after, user = target.do(
        sh("useradd --create-home --shell /bin/sh --comment 'Native User' native && usermod -p '$6$s$h' native"),
        PICTURE,
        run("access", managed()),
        PICTURE,
        run("access", managed(existing="manage", groups=["natives"])),
        INFO,
        run("access", managed(existing="manage", state="absent")),
        PICTURE,
        sh("getent passwd native; id -nG native"),
    )
    assert "native: the host has a user of that name" in refused.message
    assert differences(before, unchanged) == {}

    assert taken.ok, taken.message
    native = info.accounts["native"]
    assert (native["existing"], native["shell"], native["groups"]) == ("manage", "/bin/bash", ["natives"])

    assert returned.ok, returned.message
    assert "remove user native" not in returned.actions
    passwd, groups = user["stdout_lines"]
    assert passwd.endswith(":Native User:/home/native:/bin/sh")
    assert groups == "native"
    assert left_over(before, after) == {}


def test_a_user_who_may_do_more_by_sudo_than_the_model_says_is_not_taken_over(target: Target) -> None:
    model = accounts(account("mighty", 240, kind="shell", folders=[], home="/home/mighty", existing="manage"))
    made, before, refused, after, _, taken, _ = target.do(
        sh("useradd --create-home --groups sudo mighty"),
        PICTURE,
        run("access", model),
        PICTURE,
        sh("gpasswd --delete mighty sudo"),
        run("access", model),
        run("access", accounts(account("mighty", 240, kind="shell", state="absent"))),
    )
    assert made.ok
    assert "access_accounts: mighty: sudo lists (ALL : ALL) ALL, which no sudo task says" in refused.message
    assert differences(before, after) == {}
    assert taken.ok, taken.message


def left_over(before: Result, after: Result) -> dict[str, tuple[str | None, str | None]]:
    """What an account leaves on purpose: its files, and its uid in the state of record."""
    meant = ("/home/operates", "/srv/sftp/goes", "/var/lib/sallyport/record.json")
    return {path: change for path, change in differences(before, after).items() if not path.startswith(meant)}
