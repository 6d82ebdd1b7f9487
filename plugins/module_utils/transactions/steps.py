# SPDX-License-Identifier: GPL-3.0-or-later
"""How each step of a transaction is made, and unmade: two functions a step.

What unmakes goes by what the host has now, never by how far the making came: the run that made it may have been killed
anywhere in between, and its journal is all that is left of it.
"""

from __future__ import annotations

import typing as t

from ..plan import Action, Step
from . import file_steps, user_steps
from .ports import Ports


def _nothing(actions: t.List[Action], ports: Ports) -> None:
    """Sessions that were ended do not come back; mounts do, with their table."""


Do = t.Callable[[t.List[Action], Ports], None]

STEPS: t.Mapping[Step, t.Tuple[Do, Do]] = {
    Step.CLOSE: (user_steps.close, user_steps.uncreate_or_change_back_users),
    Step.GROUP: (user_steps.create_groups, user_steps.uncreate_groups),
    Step.USER: (user_steps.create_or_change_users, user_steps.uncreate_or_change_back_users),
    Step.MEMBERS: (user_steps.change_members, user_steps.change_members_back),
    Step.DIRECTORY: (file_steps.make_directories, file_steps.unmake_directories),
    Step.FILE: (file_steps.swap_files, file_steps.put_back),
    Step.LINK: (file_steps.swap_links, file_steps.swap_links_back),
    Step.MOUNT: (file_steps.mount, file_steps.unmount),
    Step.SUDO: (file_steps.swap_files, file_steps.put_back),
    Step.SSHD: (file_steps.swap_files, file_steps.put_back),
    Step.KEY: (file_steps.swap_files, file_steps.put_back),
    Step.REMOVE_LINK: (file_steps.swap_links, file_steps.swap_links_back),
    Step.REMOVE_FILE: (file_steps.remove_files, file_steps.put_back),
    Step.RECORD: (file_steps.swap_files, file_steps.put_back),
    Step.PASSWORD: (user_steps.set_passwords, user_steps.set_passwords_back),
    Step.SESSION: (user_steps.end_sessions, _nothing),
    Step.REMOVE_MOUNT: (file_steps.remove_mounts, _nothing),
    Step.REMOVE_DIRECTORY: (file_steps.remove_directories, file_steps.bring_back_directories),
    Step.REMOVE_USER: (user_steps.remove_users, user_steps.bring_back_users),
    Step.REMOVE_GROUP: (user_steps.remove_groups, user_steps.bring_back_groups),
    Step.FINAL_RECORD: (file_steps.swap_files, file_steps.put_back),
}
