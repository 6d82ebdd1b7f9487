# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary: real logins through the complete configuration decide whether the running sshd ever reads it.

Every admin and an account of every policy class have to get in, who is closed or not listed does not. A user who was
here before cannot make it fail by what is his own (a shell's start files), or nobody could be shut out any more.
"""

from __future__ import annotations

import concurrent.futures
import re
import typing as t
from dataclasses import dataclass

from ..errors import Refused
from ..logins import mux, sftp, sftp_packets, side
from ..model import Account
from ..nouns.sshd_settings import PolicyClass, Version
from ..openssh.sshd_effective import Effective

AT_ONCE = 4
SOON = 60  # seconds: who expires so soon is no sample
NO_SESSION = (254, 255)  # of a session that sshd or PAM did not open

REMEDIES: t.Sequence[t.Tuple[str, str]] = (
    ("AllowGroups", "have the AllowGroups line that says so allow it"),
    ("AllowUsers", "have the AllowUsers line that says so allow it"),
    ("DenyGroups|DenyUsers", "have the line that denies it leave it out"),
    ("shell .* does not exist|shell .* is not executable", "give it a shell that is there (usermod -s)"),
    ("chroot", "let every directory of the jail's path belong to root, and nobody else write in it"),
    ("pam_nologin|/etc/nologin", "remove /etc/nologin"),
    ("pam_access", "let /etc/security/access.conf allow it"),
    ("expired|pam_unix\\(sshd:account\\)", "look at its expiry and its password's age (chage -l)"),
    ("PAM|pam_", "look at /etc/pam.d/sshd, at /etc/nologin, and at chage -l"),
    ("internal-sftp", "look at the ForceCommand that holds for it"),
    # Newer ones say nothing at all.
    ("bad msg_len|rexec|^Connection (reset|closed)", "see whether the configuration has 256 KiB with all it includes"),
    ("revoked keys file", "let RevokedKeys name a file that is there"),
    ("no more sessions", "let MaxSessions allow some"),
    ("account is locked", "let UsePAM stay on, or unlock it (usermod -p '*')"),
    ("no matching .* found", "let sshd offer an algorithm that the host's own ssh knows"),
    ("AuthenticationMethods|authentication methods", "let AuthenticationMethods want only what is on for it"),
    ("ROOT LOGIN REFUSED", "let PermitRootLogin allow it, or take it out of access_server.admins"),
    ("does not exist|Invalid user", "create it"),
)
OTHERWISE = "look at what holds for it (sshd -T -C), and at what other files say of it"


@dataclass(frozen=True)
class Samples:
    """Who logs in, or tries to."""

    admins: t.Mapping[str, Effective]  # with what sshd -T -C shows for each
    members: t.Mapping[PolicyClass, Account]
    unlisted: t.Optional[str] = None  # who must not get in, where only listed users may

    @property
    def users(self) -> t.Set[str]:
        members = {account.name for account in self.members.values()}
        return {*self.admins, *members, *([self.unlisted] if self.unlisted else [])}


def sample(members: t.Mapping[PolicyClass, t.Sequence[Account]], now: float) -> t.Dict[PolicyClass, Account]:
    """One account of each policy class that has one that does not expire."""
    lasting = {
        cls: [account for account in accounts if account.expires is None or account.expires > now + SOON]
        for cls, accounts in members.items()
    }
    return {cls: accounts[0] for cls, accounts in lasting.items() if accounts}


def problems(
    changes: t.Mapping[str, t.Optional[str]], samples: Samples, version: Version, root: str = "/"
) -> t.List[str]:
    """Whom the installed configuration with these changes (path: text, None: no file) lets in wrongly, or keeps out."""
    with side.started(changes, samples.users, version, root) as running:
        trials: t.List[t.Callable[[], t.List[str]]] = [
            *(lambda name=name, found=found: _admin(running, name, found) for name, found in samples.admins.items()),
            *(
                lambda cls=cls, account=account: _member(running, cls, account)
                for cls, account in samples.members.items()
            ),
        ]
        if samples.unlisted is not None:
            trials.append(lambda: _nobody(running, str(samples.unlisted), "is not listed"))
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(dict.fromkeys(text for found in pool.map(_tried, trials) for text in found))


def _tried(trial: t.Callable[[], t.List[str]]) -> t.List[str]:
    try:
        return trial()
    except Refused as refused:
        return list(refused.problems)


def _admin(running: side.Side, name: str, found: Effective) -> t.List[str]:
    """An admin from whom sshd wants more than a key, or no key at all, gets in by the easy face."""
    who = f"access_server.admins: '{name}'"
    easy = not takes_keys(found)
    try:
        try:
            return _admin_works(running, who, name, easy)
        except side.Refusal as refusal:
            if easy or not refusal.demanded:
                raise
            return _admin_works(running, who, name, easy=True)
    except side.Refusal as refusal:
        return [_sentence(who, "a login is refused", refusal.reason)]


def takes_keys(found: Effective) -> bool:
    """Whether a key is the first thing that sshd may take."""
    lists = " ".join(found.get("authenticationmethods", ())) or "any"
    first = any(item == "any" or re.match(r"publickey\b", item) for item in lists.split())
    return first and list(found.get("pubkeyauthentication", ["yes"])) == ["yes"]


def _admin_works(running: side.Side, who: str, name: str, easy: bool) -> t.List[str]:
    with running.connect(name, easy) as connection:
        outcome = connection.run("true", timeout=20)
        if outcome.ok:
            return []
        said = connection.said() or outcome.said or f"it ended with {outcome.code}"
        return [_sentence(who, "it gets in, and cannot run a command", said)]


def _member(running: side.Side, cls: PolicyClass, account: Account) -> t.List[str]:
    name = account.name
    who = f"access_accounts: {name} (kind {account.kind})"
    if cls.closed:
        return _nobody(running, name, "is suspended")
    twofold = cls.second_factor != "none"
    try:
        if twofold:
            wanted = running.demanded(name)
            if not wanted:
                return [_sentence(who, "the key alone let it in", "no second factor was wanted")]
        with running.connect(name, easy=twofold) as connection:
            return [_sentence(who, what, said) for what, said in _KINDS[account.kind](connection)]
    except side.Refusal as refusal:
        return [_sentence(who, "a login is refused", refusal.reason)]


def _sftp(connection: side.Connection) -> t.Iterator[t.Tuple[str, str]]:
    try:
        with connection.subsystem("sftp") as channel:
            sftp.Client(channel).listing("/")
    except (sftp_packets.Broken, sftp.Refused, mux.Failed, OSError) as error:
        # What sshd runs does not say what it does not like, so what it is has to do.
        yield "it gets in, and SFTP does not work", connection.said() or f"{error} ({connection.forced() or 'sftp'})"


def _shell(connection: side.Connection) -> t.Iterator[t.Tuple[str, str]]:
    if connection.run("true").code in NO_SESSION:
        said = connection.said()
        if said:
            yield "it gets in, and cannot run a command", said


def _tunnel(connection: side.Connection) -> t.Iterator[t.Tuple[str, str]]:
    outcome = connection.run("true")
    if outcome.ok:
        yield "it may run commands", "its session ended well"
    elif outcome.code in NO_SESSION and connection.said():
        yield "it gets in, and its session fails", connection.said()


_KINDS: t.Mapping[str, t.Callable[[side.Connection], t.Iterator[t.Tuple[str, str]]]] = {
    "sftp": _sftp,
    "shell": _shell,
    "tunnel": _tunnel,
}


def _nobody(running: side.Side, name: str, state: str) -> t.List[str]:
    try:
        with running.connect(name):
            return [f"user '{name}': {state}, and gets in with the new configuration; keep it out (AllowGroups)"]
    except side.Refusal as refusal:
        if refusal.demanded:
            return [f"user '{name}': {state}, and its key is taken; keep it out (AllowGroups)"]
        return []


def _sentence(who: str, what: str, said: str) -> str:
    remedy = next((remedy for pattern, remedy in REMEDIES if re.search(pattern, said)), OTHERWISE)
    return f"{who}: with the new configuration {what}: {said.rstrip('. ')}; {remedy}"
