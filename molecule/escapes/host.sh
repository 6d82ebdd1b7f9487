#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a host of this scenario has of its own. Runs there, as root.
set -euo pipefail

useradd --create-home --shell /bin/bash app
useradd --create-home --shell /bin/bash seller

# What nobody but its owner is to see or change
install -d -m 0750 -o seller -g seller /data/other
echo "secret of the seller" >/data/other/secret
for folder in /data/deep /opt/transfer/deepover; do
    install -d -m 0755 /opt/transfer
    install -d -m 2770 -o app -g app $folder $folder/down $folder/down/internal
    echo "secret of the application" >$folder/down/internal/secret
    chown app:app $folder/down/internal/secret
done

# The admin's key opens others, too, as far as they may log in at all
for user in root app; do
    home=$(getent passwd $user | cut -d: -f6)
    install -d -m 0700 -o $user -g $user "$home/.ssh"
    install -m 0600 -o $user -g $user ~deploy/.ssh/authorized_keys "$home/.ssh/authorized_keys"
done
echo "secret of root" >/root/secret

# Services for the tasks, and what a task runs
cat >/etc/systemd/system/web.service <<'UNIT'
[Service]
ExecStart=/bin/sleep infinity
UNIT
cat >/etc/systemd/system/queue@.service <<'UNIT'
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
UNIT
cp /etc/systemd/system/web.service /etc/systemd/system/mail.service
cat >/usr/local/sbin/make-report <<'PROGRAM'
#!/bin/sh
echo "report of $(id -un): $*"
pwd
umask
env
PROGRAM
chmod 0755 /usr/local/sbin/make-report

# Listeners on every address, and on a path
cat >/usr/local/sbin/listen <<'PROGRAM'
#!/usr/bin/python3
import contextlib, os, socket, threading

def answer(listener, text):
    while True:
        connection = listener.accept()[0]
        with contextlib.suppress(OSError): # who asked may be gone
            connection.sendall(text)
        connection.close()

os.umask(0)
plain = socket.socket(socket.AF_UNIX)
plain.bind("/run/listener.sock")
plain.listen()
listeners = [(plain, b"path")]
for port in (7001, 7002):
    listeners.append((socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True), b"port %d" % port))
threads = [threading.Thread(target=answer, args=each) for each in listeners]
for thread in threads:
    thread.start()
PROGRAM
chmod 0755 /usr/local/sbin/listen
cat >/etc/systemd/system/listen.service <<'UNIT'
[Service]
ExecStartPre=-/bin/rm /run/listener.sock
ExecStart=/usr/local/sbin/listen
[Install]
WantedBy=multi-user.target
UNIT

# X11 forwarding asks for xauth before anything else
printf '#!/bin/sh\n' >/usr/bin/xauth
chmod 0755 /usr/bin/xauth

systemctl daemon-reload
systemctl enable --now listen web mail queue@1 queue@2

# An sshd that allows everything; where a keyword stands twice, the first counts, so that this file opens what no other
# file closes
cat >/etc/ssh/sshd_config.d/90-lax.conf <<'CONFIG'
AcceptEnv *
AllowAgentForwarding yes
AllowStreamLocalForwarding yes
AllowTcpForwarding yes
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u
GatewayPorts clientspecified
GSSAPIAuthentication yes
HostbasedAuthentication yes
IgnoreRhosts no
KbdInteractiveAuthentication yes
PasswordAuthentication yes
PermitEmptyPasswords yes
PermitRootLogin yes
PermitTunnel yes
PermitUserEnvironment yes
PermitUserRC yes
StreamLocalBindUnlink yes
Subsystem identity /usr/bin/id
X11Forwarding yes
# who may have none is asked for it first, and PAM takes two seconds to refuse it
Match User deploy
    PermitEmptyPasswords no
CONFIG
sshd -t
systemctl reload ssh
