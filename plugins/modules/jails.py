#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: jails
short_description: Build the jails of SFTP accounts and mount their folders
version_added: 0.1.0
description:
  - The slice of M(sallyport.ssh.access) that is jails, which are root-owned trees that sshd accepts, and the mounts of
    the granted folders in them.
  - The accounts must exist on the host; apply M(sallyport.ssh.accounts) first.
author:
  - Sallyport contributors (@sallyport)
extends_documentation_fragment:
  - sallyport.ssh.model
  - sallyport.ssh.attributes
"""

EXAMPLES = r"""
---
- name: Show the folder to its customer
  sallyport.ssh.jails:
    accounts: "{{ access_accounts }}"
    folders: "{{ access_folders }}"
"""

RETURN = r"""
---
actions:
  description: What was done, or in check mode what would be done, in its order. Empty when the host is as it should be.
  type: list
  elements: str
  returned: success
  sample:
    - create user acme (uid 6400)
    - create directory /srv/sftp/acme
problems:
  description: Why the host cannot become what the model says, or what failed; each with its place and its remedy.
  type: list
  elements: str
  returned: failure
  sample:
    - "access_folders: pim.owner: the host has no user akeneo, and no account has that name: name another owner"
"""

from ansible_collections.sallyport.ssh.plugins.module_utils.wiring import run


def main() -> None:
    run({"jails"})


if __name__ == "__main__":
    main()
