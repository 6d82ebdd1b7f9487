# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Says all that would change, and changes nothing.
  diff_mode:
    support: full
    description: Shows one text before and one after of everything that changes, without secrets.
  idempotent:
    support: full
    description: A second run changes nothing.
  platform:
    support: full
    platforms: linux
    description: Linux hosts with OpenSSH 8.4 or newer.
"""
