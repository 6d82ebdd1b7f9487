# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that sudo tasks may run, and those that would hand their rights on."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns.escapes import escape


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/bin/sh", "a shell"),
        ("/usr/bin/bash", "a shell"),
        ("/usr/bin/ksh93", "a shell"),
        ("/usr/bin/vim.tiny", "an editor"),
        ("/usr/bin/nano", "an editor"),
        ("/usr/bin/less", "a pager"),
        ("/usr/bin/python3", "an interpreter"),
        ("/usr/bin/python3.11", "an interpreter"),
        ("/usr/bin/perl5.36.0", "an interpreter"),
        ("/usr/bin/php8.1", "an interpreter"),
        ("/usr/bin/tclsh8.6", "an interpreter"),
        ("/usr/bin/env", "a program that starts others"),
        ("/usr/bin/sudo.ws", "a program that starts others"),
        ("/usr/bin/systemctl", None),
        ("/usr/bin/ssh-keygen", None),
        ("/usr/sbin/php-fpm8.1", None),
        ("/usr/local/sbin/time.sh", None),
        ("/usr/local/sbin/clear-cache", None),
        ("/usr/bin/rm", None),
        ("/usr/bin/123", None),
    ],
)
def test_programs_that_hand_their_rights_on(path: str, kind: t.Optional[str]) -> None:
    assert escape([path, "argument"]) == kind


STARTER = "a program that starts others"


@pytest.mark.parametrize(
    ("argv", "kind"),
    [
        pytest.param("runuser -u akeneo -- /srv/app/bin/console cache:warmup", None, id="gives up root"),
        pytest.param("runuser -u root -- /srv/app/bin/console", STARTER, id="stays root"),
        pytest.param("runuser -u 0 -- /srv/app/bin/console", STARTER, id="stays root by number"),
        pytest.param("runuser akeneo -c /srv/app/bin/console", STARTER, id="another form"),
        pytest.param("runuser -u akeneo --", STARTER, id="starts nothing"),
        pytest.param("find /srv/app/cache -mindepth 1 -delete", None, id="only deletes"),
        pytest.param("find /srv/app -execdir id", STARTER, id="executes"),
        pytest.param("find /srv/app -okdir id", STARTER, id="asks and executes"),
    ],
)
def test_what_a_command_is_told_decides_where_it_can(argv: str, kind: t.Optional[str]) -> None:
    assert escape(["/usr/bin/" + argv.split()[0], *argv.split()[1:]]) == kind
