# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends of lines, blanks and quotes of all kinds: read by us, copied, and read back by the real sshd."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.openssh import sshd, sshd_config, sshd_tree

needs_sshd = pytest.mark.skipif(
    sshd.version() < (9, 2) or os.geteuid() != 0, reason="needs an sshd that knows both kinds of quotes, and root"
)

MAIN = layout.SSHD_CONFIG
EARLY = "/etc/ssh/sshd_config.d/00-a.conf"
SHOWN = ("port", "permittty", "banner", "allowusers", "maxauthtries")


def _id(text: str) -> str:
    return ascii(text).strip("'\"")


TAKEN = [
    # what ends a line
    "# x\x0cPermitTTY no\n",
    "# x\x0bPermitTTY no\n",
    "# x\x1cPermitTTY no\n",
    "# x\x85PermitTTY no\n",
    "# x\u2028PermitTTY no\n",
    "# x\rPermitTTY no\n",
    "# x\udc85PermitTTY no\n",
    "PermitTTY no\r\nPort 7\r\n",
    "PermitTTY no\x0c\nPort 7",
    "Port 7 \x0c \nMaxAuthTries 3",
    "\n\n\rPermitTTY no\n\r\n",
    "# x\0\nPermitTTY no\n",
    "PermitTTY no\0",
    "PermitTTY \0 yes\n  no\nPort 7\n",
    # what stands between words
    "PermitTTY\rno\n",
    "PermitTTY\t=\tno\n",
    "=PermitTTY no\n",
    "\tPERMITTTY  =no\n",
    "AllowUsers a\rb c\n",
    "AllowUsers a\x0cb\x1cc\x85d \xa0e\u2028\n",
    "Banner /a\x0bb\n",
    # quotes, backslashes and comments
    '"PermitTTY" no\n',
    '"" PermitTTY no\n',
    'Permit"TTY" no\n',
    'PermitTTY"no\n',
    'Banner "/a b"\n',
    'Banner "/a \\" b"\n',
    "Banner /a\\ b\n",
    "Banner /a\\'b\n",
    "Banner /a\\b\n",
    'Banner /a"b c"d\n',
    'Banner "/a\\\\b"\n',
    "AllowUsers 'a \\' b'\n",
    'AllowUsers "a\tb" c\n',
    "AllowUsers a #b\n",
    "AllowUsers a#b\n",
    'AllowUsers "#a" b\n',
    "AllowUsers a'#b'c d # e\n",
]


@pytest.fixture(name="root")
def configured(tmp_path: pathlib.Path) -> pathlib.Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    (tmp_path / "root/etc/ssh/sshd_config.d").mkdir(parents=True)
    return tmp_path / "root"


def _write(root: pathlib.Path, path: str, text: str) -> None:
    (root / path.lstrip("/")).write_bytes(text.encode("utf-8", "surrogateescape"))


def _shown(config: str) -> t.Dict[str, t.List[str]]:
    found = sshd.effective(config, "root", "h", "192.0.2.1")
    return {keyword: found[keyword] for keyword in SHOWN if keyword in found}


def _usual() -> t.Dict[str, t.List[str]]:
    return {"port": ["22"], "permittty": ["yes"], "banner": ["none"], "maxauthtries": ["6"]}


def _meant(settings: t.Iterable[sshd_config.Setting]) -> t.Dict[str, t.List[str]]:
    """What -T shows if sshd reads the settings as we do."""
    found = _usual()
    for setting in settings:
        if setting.keyword == "allowusers":
            found.setdefault("allowusers", []).extend(setting.arguments)
        elif setting.keyword in SHOWN:
            found[setting.keyword] = [setting.value]
    return found


@needs_sshd
@pytest.mark.parametrize("text", TAKEN, ids=_id)
def test_we_read_and_copy_lines_as_sshd_does(root: pathlib.Path, tmp_path: pathlib.Path, text: str) -> None:
    _write(root, MAIN, f"HostKey {tmp_path}/key\n{text}")
    tree = sshd_tree.build_candidate(str(tmp_path / "copy"), {}, str(root))
    said = _shown(f"{root}{MAIN}")
    assert _meant(tree.settings()) == said
    assert _shown(tree.main) == said


@needs_sshd
def test_the_table_has_what_each_kind_of_text_comes_to(root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Else the two could agree in reading nothing at all."""
    changed = 0
    for text in TAKEN:
        _write(root, MAIN, f"HostKey {tmp_path}/key\n{text}")
        changed += _shown(f"{root}{MAIN}") != _usual()
    assert changed == 29


@needs_sshd
@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"Include" /etc/ssh/sshd_config.d/*.conf\n', id="quoted keyword"),
        pytest.param("Include\r/etc/ssh/sshd_config.d/*.conf\r\n", id="carriage returns"),
        pytest.param("=Include=sshd_config.d/*.conf\x0c\n", id="equals signs and a form feed"),
        pytest.param("Include '/etc/ssh/sshd_config.d/'*.conf # all\n", id="half quoted"),
        pytest.param("Incl\0ab\n  ude /etc/ssh/sshd_config.d/*.conf\n", id="in two halves"),
    ],
)
def test_every_include_that_sshd_would_follow_leads_to_the_copy(
    root: pathlib.Path, tmp_path: pathlib.Path, text: str
) -> None:
    """One that is overlooked would have the trial read the files that are installed."""
    _write(root, MAIN, f"HostKey {tmp_path}/key\n{text}")
    _write(root, EARLY, "MaxAuthTries 3\n")
    tree = sshd_tree.build_candidate(str(tmp_path / "copy"), {EARLY: "MaxAuthTries 4\n"}, str(root))
    assert _shown(tree.main)["maxauthtries"] == ["4"]
    assert [item.place for item in tree.settings() if item.keyword == "maxauthtries"] == [f"{EARLY}:1"]


@needs_sshd
@pytest.mark.parametrize("text", ["Include\n", 'Include "/etc\n', "\x0cPermitTTY no\n"], ids=_id)
def test_what_sshd_refuses_it_refuses_in_the_copy(root: pathlib.Path, tmp_path: pathlib.Path, text: str) -> None:
    _write(root, MAIN, f"HostKey {tmp_path}/key\n{text}")
    tree = sshd_tree.build_candidate(str(tmp_path / "copy"), {}, str(root))
    assert not sshd.test(f"{root}{MAIN}").ok
    assert not sshd.test(tree.main).ok
