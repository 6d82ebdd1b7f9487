# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that customers transfer files with: the same verbs for each of them.

A verb never raises when a host refuses it: what a host refuses is what half of the tests are about.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import shlex
import tempfile
import typing as t
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import paramiko
from logins import KNOWN_HOSTS, SECONDS, Answer, Login, run


class Client(t.Protocol):
    """Paths are the client's own: ``remote`` as its user sees it, ``local`` on this machine."""

    def put(self, local: Path, remote: str) -> Answer: ...
    def put_tree(self, local: Path, remote: str) -> Answer: ...  # to a name that does not exist yet
    def get(self, remote: str, local: Path) -> Answer: ...
    def ls(self, remote: str) -> Answer: ...  # the names, one a line
    def mkdir(self, remote: str) -> Answer: ...
    def rename(self, old: str, new: str) -> Answer: ...
    def rm(self, remote: str) -> Answer: ...


@dataclass(frozen=True)
class _Commands:
    """A client that reads commands: each verb is some lines in its language."""

    login: Login

    PUT: t.ClassVar[str]
    PUT_TREE: t.ClassVar[str]
    GET: t.ClassVar[str]
    LS: t.ClassVar[str]
    MKDIR: t.ClassVar[str]
    RENAME: t.ClassVar[str]
    RM: t.ClassVar[str]

    def commands(self, lines: str) -> Answer:
        raise NotImplementedError

    def names(self, text: str) -> list[str]:
        return text.splitlines()

    def put(self, local: Path, remote: str) -> Answer:
        return self.commands(self.PUT.format(local, remote))

    def put_tree(self, local: Path, remote: str) -> Answer:
        return self.commands(self.PUT_TREE.format(local, remote))

    def get(self, remote: str, local: Path) -> Answer:
        return self.commands(self.GET.format(remote, local))

    def ls(self, remote: str) -> Answer:
        return _listing(self.commands(self.LS.format(remote)), self.names)

    def mkdir(self, remote: str) -> Answer:
        return self.commands(self.MKDIR.format(remote))

    def rename(self, old: str, new: str) -> Answer:
        return self.commands(self.RENAME.format(old, new))

    def rm(self, remote: str) -> Answer:
        return self.commands(self.RM.format(remote))


class Sftp(_Commands):
    """OpenSSH's."""

    PUT = 'put "{}" "{}"'
    PUT_TREE = 'put -r "{}" "{}"'
    GET = 'get "{}" "{}"'
    LS = 'cd "{}"\nls -1a'
    MKDIR = 'mkdir "{}"'
    RENAME = 'rename "{}" "{}"'
    RM = 'rm "{}"'

    def commands(self, lines: str) -> Answer:
        # -b turns BatchMode on, but the first setting counts
        options = [*self.login.options, "-q", "-b", "-"]
        answer = run("sftp", *options, self.login.destination, password=self.login.password, text=lines + "\n")
        return Answer(answer.code, re.sub(r"^sftp> .*\n", "", answer.text, flags=re.MULTILINE))

    def each(self, *lines: str) -> list[str]:
        """What each of several commands answers, whatever became of the others."""
        batch = run(
            *("sftp", *self.login.options, "-b", "-", self.login.destination),
            password=self.login.password,
            text="".join(f"-{line}\n" for line in lines),
        )
        return [answer.partition("\n")[2] for answer in batch.text.split("sftp> ")[1:]]


class SftpPreserving(Sftp):
    """OpenSSH's, told to give each file the mode and times that it has here."""

    PUT = 'put -p "{}" "{}"'
    PUT_TREE = 'put -pr "{}" "{}"'


class Lftp(_Commands):
    PUT = 'put "{}" -o "{}"'
    PUT_TREE = 'mirror --reverse "{}" "{}"'
    GET = 'get "{}" -o "{}"'
    LS = 'cd "{}"\ncls --all -1'
    MKDIR = 'mkdir "{}"'
    RENAME = 'mv "{}" "{}"'
    RM = 'rm "{}"'

    def commands(self, lines: str) -> Answer:
        program = f"ssh -a -x {shlex.join(self.login.options)}"
        opening = f"--user {self.login.user} --password {self.login.password or 'none'}"
        script = f"""
            set sftp:connect-program "{program}"
            set cmd:fail-exit yes
            set net:max-retries 1
            set xfer:use-temp-file yes
            open {opening} sftp://{self.login.address}
        """
        return run("lftp", "--norc", "-c", script + lines)

    def names(self, text: str) -> list[str]:
        return [line.rstrip("/") for line in text.splitlines()]


class Psftp(_Commands):
    """PuTTY's."""

    PUT = 'put "{}" "{}"'
    PUT_TREE = 'put -r "{}" "{}"'
    GET = 'get "{}" "{}"'
    LS = 'ls "{}"'
    MKDIR = 'mkdir "{}"'
    RENAME = 'mv "{}" "{}"'
    RM = 'rm "{}"'

    def commands(self, lines: str) -> Answer:
        with tempfile.TemporaryDirectory() as directory:
            batch, key = Path(directory, "batch"), Path(directory, "key.ppk")
            batch.write_text(lines + "\n")
            opening = ["-pw", self.login.password or ""]
            if self.login.key:
                run("puttygen", self.login.key, "-O", "private", "-o", key)
                opening = ["-i", str(key)]
            for fingerprint in _fingerprints(self.login.address):
                opening += ["-hostkey", fingerprint]
            return run("psftp", "-batch", "-noagent", "-b", batch, *opening, self.login.destination)

    def names(self, text: str) -> list[str]:
        return re.findall(r"^[-dl][-rwxsStT]{9}(?: +\S+){7} (.+)$", text, re.MULTILINE)


@dataclass(frozen=True)
class Curl:
    login: Login

    def _run(self, *arguments: str | Path) -> Answer:
        opening = ["--user", f"{self.login.user}:{self.login.password or ''}"]
        if self.login.key:
            opening += ["--key", str(self.login.key), "--pubkey", f"{self.login.key}.pub"]
        with tempfile.TemporaryDirectory() as home:  # curl reads ~/.ssh/known_hosts and no other
            Path(home, ".ssh").mkdir()
            Path(home, ".ssh/known_hosts").symlink_to(KNOWN_HOSTS)
            return run("env", f"HOME={home}", "curl", "--silent", "--show-error", *opening, *arguments)

    def _quote(self, command: str) -> Answer:
        return self._run("--output", "/dev/null", "--quote", command, self._url("/"))

    def _url(self, remote: str) -> str:
        return f"sftp://{self.login.address}{urllib.parse.quote(remote)}"

    def put(self, local: Path, remote: str) -> Answer:
        return self._run("--upload-file", local, self._url(remote))

    def put_tree(self, local: Path, remote: str) -> Answer:
        uploads: list[str | Path] = []
        for file in sorted(path for path in local.rglob("*") if path.is_file()):
            uploads += ["--upload-file", file, self._url(f"{remote}/{file.relative_to(local)}")]
        return self._run("--ftp-create-dirs", *uploads)

    def get(self, remote: str, local: Path) -> Answer:
        return self._run("--output", local, self._url(remote))

    def ls(self, remote: str) -> Answer:
        return _listing(self._run("--list-only", self._url(remote.rstrip("/") + "/")), str.splitlines)

    def mkdir(self, remote: str) -> Answer:
        return self._quote(f'mkdir "{remote}"')

    def rename(self, old: str, new: str) -> Answer:
        return self._quote(f'rename "{old}" "{new}"')

    def rm(self, remote: str) -> Answer:
        return self._quote(f'rm "{remote}"')


@dataclass(frozen=True)
class Rclone:
    login: Login

    def _run(self, verb: str, *arguments: str | Path) -> Answer:
        options = {
            "--config": "/dev/null",
            "--retries": "1",
            "--low-level-retries": "1",
            "--sftp-host": self.login.address,
            "--sftp-user": self.login.user,
            "--sftp-known-hosts-file": str(KNOWN_HOSTS),
        }
        if self.login.key:
            options["--sftp-key-file"] = str(self.login.key)
        if self.login.password:
            options["--sftp-pass"] = run("rclone", "obscure", "-", text=self.login.password).text.strip()
        return run("rclone", verb, *(f"{name}={value}" for name, value in options.items()), *arguments)

    def put(self, local: Path, remote: str) -> Answer:
        return self._run("copyto", local, f":sftp:{remote}")

    def put_tree(self, local: Path, remote: str) -> Answer:
        return self._run("copy", local, f":sftp:{remote}")

    def get(self, remote: str, local: Path) -> Answer:
        return self._run("copyto", f":sftp:{remote}", local)

    def ls(self, remote: str) -> Answer:
        return _listing(
            self._run("lsf", f":sftp:{remote}"), lambda text: [name.rstrip("/") for name in text.splitlines()]
        )

    def mkdir(self, remote: str) -> Answer:
        return self._run("mkdir", f":sftp:{remote}")

    def rename(self, old: str, new: str) -> Answer:
        return self._run("moveto", f":sftp:{old}", f":sftp:{new}")

    def rm(self, remote: str) -> Answer:
        return self._run("deletefile", f":sftp:{remote}")


@dataclass(frozen=True)
class Paramiko:
    """The Python library. ``session`` gives its SFTP client, for what the programs cannot do."""

    login: Login

    @contextlib.contextmanager
    def session(self) -> t.Iterator[paramiko.SFTPClient]:
        with paramiko.SSHClient() as client:
            client.load_host_keys(str(KNOWN_HOSTS))
            client.connect(
                self.login.address,
                username=self.login.user,
                password=self.login.password,
                key_filename=str(self.login.key) if self.login.key else None,
                allow_agent=False,
                look_for_keys=False,
                timeout=SECONDS,
            )
            yield client.open_sftp()

    def _do(self, action: t.Callable[[paramiko.SFTPClient], object]) -> Answer:
        try:
            with self.session() as sftp:
                result = action(sftp)
        except (OSError, EOFError, paramiko.SSHException) as error:
            return Answer(1, str(error))
        return Answer(0, "\n".join(sorted(result)) if isinstance(result, list) else "")

    def put(self, local: Path, remote: str) -> Answer:
        return self._do(lambda sftp: sftp.put(str(local), remote))

    def put_tree(self, local: Path, remote: str) -> Answer:
        def put(sftp: paramiko.SFTPClient) -> None:
            sftp.mkdir(remote)
            for path in sorted(local.rglob("*")):
                target = f"{remote}/{path.relative_to(local)}"
                if path.is_dir():
                    sftp.mkdir(target)
                else:
                    sftp.put(str(path), target)

        return self._do(put)

    def get(self, remote: str, local: Path) -> Answer:
        return self._do(lambda sftp: sftp.get(remote, str(local)))

    def ls(self, remote: str) -> Answer:
        return self._do(lambda sftp: sftp.listdir(remote))

    def mkdir(self, remote: str) -> Answer:
        return self._do(lambda sftp: sftp.mkdir(remote))

    def rename(self, old: str, new: str) -> Answer:
        return self._do(lambda sftp: sftp.posix_rename(old, new))

    def rm(self, remote: str) -> Answer:
        return self._do(lambda sftp: sftp.remove(remote))


@dataclass(frozen=True)
class Scp:
    """OpenSSH's, which speaks SFTP since 9.0. It transfers, and has no other verb."""

    login: Login
    flags: tuple[str, ...] = ()

    def _copy(self, *arguments: str | Path) -> Answer:
        # -s is what newer releases do without being told
        return run("scp", "-qs", *self.login.options, *self.flags, *arguments, password=self.login.password)

    def put(self, local: Path, remote: str) -> Answer:
        return self._copy(local, f"{self.login.destination}:{remote}")

    def put_tree(self, local: Path, remote: str) -> Answer:
        return self._copy("-r", local, f"{self.login.destination}:{remote}")

    def get(self, remote: str, local: Path) -> Answer:
        return self._copy(f"{self.login.destination}:{remote}", local)


def _listing(answer: Answer, names: t.Callable[[str], list[str]]) -> Answer:
    if not answer.ok:
        return answer
    return Answer(0, "\n".join(sorted(name for name in names(answer.text) if name not in {".", ".."})))


def _fingerprints(address: str) -> list[str]:
    """Of every host key that we know of an address, as psftp wants them."""
    found = []
    for line in KNOWN_HOSTS.read_text().splitlines():
        names, _, blob = line.split()[:3]
        if address in names.split(","):
            digest = hashlib.sha256(base64.b64decode(blob)).digest()
            found.append("SHA256:" + base64.b64encode(digest).decode().rstrip("="))
    return found


CLIENTS: t.Mapping[str, t.Callable[[Login], Client]] = {
    "sftp": Sftp,
    "lftp": Lftp,
    "curl": Curl,
    "rclone": Rclone,
    "psftp": Psftp,
    "paramiko": Paramiko,
}
