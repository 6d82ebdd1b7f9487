# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups that no account becomes a member of, whoever asks for it: the model, or the group of a directory."""

from __future__ import annotations

# Groups whose members can become root or read what only root should.
PRIVILEGED_GROUPS = frozenset(
    """root sudo adm wheel admin docker podman lxd incus libvirt kvm disk shadow kmem mem tty sys bin daemon staff
    systemd-journal netdev input video plugdev ssl-cert operator tape dialout crontab utmp _ssh sshd
    lpadmin src mail backup microk8s wireshark messagebus polkitd postdrop""".split()
)
