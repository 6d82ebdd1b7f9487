# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract promises and this version cannot do yet. It is refused, never ignored.

An option becomes available by deleting its line here. The value is what cannot be had, or ANY for every value other
than the default.
"""

from __future__ import annotations

ANY = None

UNAVAILABLE: dict[str, frozenset[str] | None] = {
    "server.user_ca_keys": ANY,
    "folders.retention": ANY,
    "folders.size_limit": ANY,
    "accounts.principals": ANY,
    "accounts.second_factor": frozenset({"totp"}),
    "accounts.folders.rights": frozenset({"drop_box", "no_delete"}),
    "accounts.max_sessions": ANY,
    "accounts.on_removal": ANY,
}
