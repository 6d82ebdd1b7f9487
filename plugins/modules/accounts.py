#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: accounts
short_description: Create the users, keys and passwords of accounts
version_added: 0.1.0
description:
  - The slice of M(sallyport.ssh.access) that is users, groups, passwords, expiry, homes and key files.
  - An account of kind V(sftp) is confined by M(sallyport.ssh.jails) and M(sallyport.ssh.sshd_policy). Apply those
    first, or an account with a password is not jailed yet.
author:
  - Sallyport contributors (@sallyport)
extends_documentation_fragment:
  - sallyport.ssh.model
  - sallyport.ssh.attributes
"""

EXAMPLES = r"""
---
- name: A shell user with one key
  sallyport.ssh.accounts:
    accounts:
      - name: akeneo
        kind: shell
        people: [alice]
    people:
      - name: alice
        keys:
          - name: laptop
            key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRlbW9kZW1vZGVtb2RlbW9kZW1vZGVtb2RlbW9kZW1v
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
    run({"accounts"})


if __name__ == "__main__":
    main()
