#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: access_info
short_description: Read who has access to a host, as a model
version_added: 0.1.0
description:
  - Returns what the collection applied to a host under the names of the options of M(sallyport.ssh.access), and
    beside it what the host makes of it now.
  - Passwords and their hashes are never returned.
  - Where the collection has never been, the lists are empty.
author:
  - Sallyport contributors (@sallyport)
options:
  address:
    description:
      - What customers type to reach the host, for the lines of C(known_hosts) files and DNS records.
      - By default the name that the host gives itself.
    type: str
extends_documentation_fragment:
  - sallyport.ssh.attributes
attributes:
  check_mode:
    description: Does the same in check mode.
  diff_mode:
    support: none
    description: There is nothing to show.
  idempotent:
    description: It never changes anything.
seealso:
  - module: sallyport.ssh.access
"""

EXAMPLES = r"""
---
- name: Read who has access
  sallyport.ssh.access_info:
    address: "{{ inventory_hostname }}"
  register: access

- name: Show the fingerprints to tell customers
  ansible.builtin.debug:
    msg: "{{ access.server.host_keys | map(attribute='sha256') }}"

- name: Stop if a folder is not mounted in the jail of an account
  ansible.builtin.assert:
    that: access.accounts | map(attribute='folders') | flatten | rejectattr('mounted', 'ne', false) | length == 0
"""

RETURN = r"""
---
server:
  description: The sshd of the host.
  type: dict
  returned: success
  contains:
    address:
      description: What customers type to reach it.
      type: str
      sample: sftp.example.com
    ports:
      description: The ports on which it listens.
      type: list
      elements: int
      sample: [22]
    only_listed:
      description: Whether nobody but admins and listed accounts may log in.
      type: bool
    admins:
      description: Who may log in besides the accounts, where only listed ones may.
      type: list
      elements: str
      sample: [deploy]
    jails:
      description: The directory of the jails; V(null) where no account has one.
      type: str
      sample: /srv/sftp
    host_keys:
      description: The keys by which clients recognise the host.
      type: list
      elements: dict
      contains:
        type:
          description: The type of the key.
          type: str
          sample: ssh-ed25519
        sha256:
          description: Its fingerprint, as OpenSSH shows it.
          type: str
          sample: SHA256:aO9LOn3f4DXZJ4NMn0kIbPJkMaqT5KoIzkyp8FKIpmg
        md5:
          description: Its fingerprint, as old clients show it.
          type: str
          sample: MD5:24:4f:be:3a:3d:2e:19:a0:5f:1e:f1:a4:62:7d:1d:a1
        known_hosts:
          description: The line for the C(known_hosts) file of a client.
          type: str
          sample: sftp.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA00
        sshfp:
          description: The DNS record; V(null) for a type of key that has none.
          type: str
          sample: sftp.example.com IN SSHFP 4 2 68ef4b3a7ddfe035d927834c9f49086cf26431aa93e4aa08ce4ca9f05288a668
accounts:
  description: The logins that the collection applied, with all their options and what follows.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The login.
      type: str
      sample: acme
    kind:
      description: V(sftp), V(shell) or V(tunnel).
      type: str
      sample: sftp
    state:
      description: V(present) or V(suspended).
      type: str
      sample: present
    uid:
      description: The number of the user; V(null) if the host has no such user any more.
      type: int
      sample: 6400
    groups:
      description: The supplementary groups that the user has on the host.
      type: list
      elements: str
      sample: [pim-transfer]
    expires:
      description: From when on nobody can log in; V(null) if it does not expire.
      type: str
      sample: "2026-12-31T00:00:00Z"
    closed_from:
      description: The day from which the user database of the host refuses the account; V(null) for never.
      type: str
      sample: "2026-12-31"
    has_password:
      description: Whether a password is set.
      type: bool
    existing:
      description: V(manage) if the user was there before the collection, which gives it back on removal.
      type: str
      sample: refuse
    keys:
      description: The keys that open the account.
      type: list
      elements: dict
      contains:
        owner:
          description: The person who owns the key, or the account for a key of its own.
          type: str
          sample: alice
        name:
          description: What the key is called.
          type: str
          sample: laptop
        key:
          description: The public key.
          type: str
          sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA00
        fingerprint:
          description: Its fingerprint, as it stands in the log of sshd.
          type: str
          sample: SHA256:aO9LOn3f4DXZJ4NMn0kIbPJkMaqT5KoIzkyp8FKIpmg
        from:
          description: The networks from which it is accepted; empty for any.
          type: list
          elements: str
          sample: [203.0.113.0/24]
        expires:
          description: From when on it opens nothing; V(null) if it does not expire.
          type: str
          sample: "2027-01-31T00:00:00Z"
        installed:
          description: Whether it stands in the key file of the account, with these limits.
          type: bool
    folders:
      description: What the account sees in its jail, with the options of a grant.
      type: list
      elements: dict
      contains:
        at:
          description: The path at which the account sees it.
          type: str
          sample: /pim
        rights:
          description: What the account may do there.
          type: str
          sample: read_write
        mounted:
          description: Whether it is mounted as it should be; V(null) for what needs no mount of its own.
          type: bool
folders:
  description: The folders that the collection applied, with all their options and what follows.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: What the folder is called.
      type: str
      sample: pim
    exists:
      description: Whether the directory is there.
      type: bool
sudo_tasks:
  description: The sudo tasks that the collection applied, with all their options.
  type: list
  elements: dict
  returned: success
  sample:
    - {name: partners_mysql, service: mysql, actions: [status, start, restart], run_as: root}
tools:
  description: What decides what can be had on the host.
  type: dict
  returned: success
  contains:
    openssh:
      description: The version of OpenSSH; V(null) without one.
      type: str
      sample: "10.0"
    sudo:
      description: The version of the active sudo; V(null) without one.
      type: str
      sample: 1.9.16p2
    systemd:
      description: Whether systemd runs the host.
      type: bool
    sysusers:
      description: Whether C(systemd-sysusers) is there, which creates many users at once.
      type: bool
    idmapped_mounts:
      description: Whether the kernel has idmapped mounts.
      type: bool
    bindfs:
      description: Whether C(bindfs) can be used in their place.
      type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.sallyport.ssh.plugins.module_utils import facts, info
from ansible_collections.sallyport.ssh.plugins.module_utils.errors import Refused
from ansible_collections.sallyport.ssh.plugins.module_utils.wiring import fail, require_root


def main() -> None:
    module = AnsibleModule(argument_spec=dict(address=dict(type="str")), supports_check_mode=True)
    require_root(module)
    try:
        found, notes = facts.of_host(module.params["address"])
    except Refused as refused:
        fail(module, refused.problems, "The host cannot be read.")
    for note in notes:
        module.warn(note)
    module.exit_json(changed=False, **info.describe(found))


if __name__ == "__main__":
    main()
