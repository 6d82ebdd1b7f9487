# SPDX-License-Identifier: GPL-3.0-or-later
# The same accounts with the least that a shell can do, as root on the host: lines of "NAME KEY" on standard input.
set -euo pipefail

getent group customers >/dev/null || groupadd customers
install -d /srv/sftp /etc/ssh/authorized_keys.d
while read -r name key; do
    getent passwd "$name" >/dev/null ||
        useradd --user-group --groups customers --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$name"
    install -d "/srv/sftp/$name"
    install -d -m 0700 -o "$name" -g "$name" "/srv/sftp/$name/upload"
    echo "$key" >"/etc/ssh/authorized_keys.d/$name"
done
cat >/etc/ssh/sshd_config.d/customers.conf <<'CONF'
Match Group customers
    ChrootDirectory /srv/sftp/%u
    ForceCommand internal-sftp
    AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u
    PasswordAuthentication no
    DisableForwarding yes
CONF
sshd -t
systemctl reload ssh
