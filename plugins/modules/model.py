#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: model
short_description: Validate the model of a host without contacting it
version_added: 0.1.0
description:
  - Takes the options of M(sallyport.ssh.access) and says everything that is wrong with them at once.
  - Every module of the collection validates its model by itself. With several hosts in a play, this one as the
    first task, with C(any_errors_fatal), sees to it that a mistake in the variables of one host is found before
    another is changed. The role P(sallyport.ssh.access#role) starts with it.
  - With C(serial) that holds for the hosts of one batch, and with the strategy C(free) not at all.
author:
  - Sallyport contributors (@sallyport)
extends_documentation_fragment:
  - sallyport.ssh.model
attributes:
  check_mode:
    support: full
    description: Does the same in check mode.
  diff_mode:
    support: none
    description: There is nothing to show.
  idempotent:
    support: full
    description: It never changes anything.
  platform:
    support: full
    platforms: all
    description: It runs on the controller.
seealso:
  - module: sallyport.ssh.access
"""

EXAMPLES = r"""
---
- name: Validate the models of all hosts, before any is changed
  sallyport.ssh.model:
    accounts: "{{ access_accounts }}"
    folders: "{{ access_folders }}"
  any_errors_fatal: true
"""

RETURN = r"""
---
accounts:
  description: How many accounts the model has.
  type: int
  returned: success
  sample: 4
folders:
  description: How many folders it has.
  type: int
  returned: success
  sample: 1
sudo_tasks:
  description: How many sudo tasks it has.
  type: int
  returned: success
  sample: 5
problems:
  description: What is wrong with the model; each with its place and its remedy.
  type: list
  elements: str
  returned: failure
  sample:
    - "access_accounts[0].kind: is \"sfpt\"; choose one of sftp, shell, tunnel."
"""
