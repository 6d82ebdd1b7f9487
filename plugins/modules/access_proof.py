#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: access_proof
short_description: Prove by real logins what the accounts of a host can do and cannot
version_added: 0.1.0
description:
  - Takes the options of M(sallyport.ssh.access) and changes nothing. It logs in to the accounts through a second sshd
    on loopback, with the host's own configuration and with keys that are thrown away afterwards, and tries what each
    is promised and what it is refused.
  - Says where the host differs from the model, and what it has that nobody declared.
  - Fails when a promise is broken or the host differs, after all has been tried.
  - A host on which a run of the collection is under way is looked at when that run has ended.
author:
  - Sallyport contributors (@sallyport)
extends_documentation_fragment:
  - sallyport.ssh.model
  - sallyport.ssh.attributes
options:
  proof:
    description:
      - Whose promises are tried. V(sample) and V(changed) try one account of every policy class, V(none) tries none, so
        that only differences are said.
    type: str
    choices: [all, changed, sample, none]
    default: all
    aliases: [access_proof]
  drift:
    description:
      - What becomes of a host that differs from its model. V(fail) fails, V(report) says it and goes on.
    type: str
    choices: [fail, report]
    default: fail
  junit:
    description:
      - A path on the controller for JUnit XML. What ends in C(.xml) is a file, anything else a directory, which gets
        one file a host.
      - By default none is written.
    type: str
    default: ""
  table:
    description:
      - Whether a table is printed. The result then is short where it fails, since the table says it all.
    type: bool
    default: false
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
  - module: sallyport.ssh.access_info
"""

EXAMPLES = r"""
---
- name: Prove what acme can do
  sallyport.ssh.access_proof:
    accounts:
      - name: acme
        keys:
          - name: erp
            key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRlbW9kZW1vZGVtb2RlbW9kZW1vZGVtb2RlbW9kZW1v
        folders:
          - private: true
            at: /upload
    drift: report
  register: proof

- name: Show how many promises were tried
  ansible.builtin.debug:
    msg: "{{ proof.accounts | map(attribute='promises') | flatten | length }}"
"""

RETURN = r"""
---
accounts:
  description: The accounts that were tried.
  type: list
  elements: dict
  returned: always
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
      description: V(present), V(suspended) or V(expired).
      type: str
      sample: present
    promises:
      description: What was tried.
      type: list
      elements: dict
      contains:
        area:
          description: What it is about, V(login), V(folders), V(application), V(refusals), V(forwarding) or V(sudo).
          type: str
          sample: folders
        promise:
          description: What was tried, with its place.
          type: str
          sample: "/pim: uploading a file"
        expected:
          description: What it was to come to.
          type: str
          sample: works
        found:
          description: What it came to.
          type: str
          sample: works
        said:
          description: What the host said to it.
          type: str
          sample: Permission denied
        ok:
          description: Whether both are the same.
          type: bool
        remedy:
          description: What to do when they are not.
          type: str
          sample: see what lies at that place, then apply the model again
broken:
  description: The promises that do not hold; each with its account, what was found, and the remedy.
  type: list
  elements: str
  returned: always
  sample: []
drift:
  description: Where the host differs from the model, and what it has that nobody declared.
  type: list
  elements: str
  returned: always
  sample: []
logins:
  description: How many logins there were.
  type: int
  returned: always
  sample: 12
seconds:
  description: How long the logins took, with all that was tried over them.
  type: float
  returned: always
  sample: 0.4
problems:
  description: Why nothing could be tried.
  type: list
  elements: str
  returned: failure
  sample: []
"""

from ansible_collections.sallyport.ssh.plugins.module_utils.proofs.proving import run


def main() -> None:
    run()


if __name__ == "__main__":
    main()
