#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: access
short_description: Provision SFTP and SSH access in one transaction
version_added: 0.1.0
description:
  - Turns the model (accounts with their jails, folders, keys and sudo tasks) into the state of the host, in one remote
    call whatever the number of accounts.
  - Nothing is kept unless all of it holds; a failure leaves the host as it was.
author:
  - Sallyport contributors (@sallyport)
extends_documentation_fragment:
  - sallyport.ssh.model
  - sallyport.ssh.attributes
"""

EXAMPLES = r"""
---
- name: One customer, one folder, one key
  sallyport.ssh.access:
    accounts:
      - name: acme
        keys:
          - name: erp
            key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRlbW9kZW1vZGVtb2RlbW9kZW1vZGVtb2RlbW9kZW1v
        folders:
          - private: true
            at: /upload
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
    run()


if __name__ == "__main__":
    main()
