# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths, modes and umasks."""

from __future__ import annotations

from ansible_collections.sallyport.ssh.tests.unit.hostile.rows import CONTROLS, HALF, SIGNS, Accepted, Refused

PATH = "folders[0].path"
ODD = [name for name in SIGNS if name not in ("comma", "colon", "at", "plus", "slash", "equals", "tilde")]

FOLDERS = [
    *(Refused(PATH, f"/data/a{SIGNS[name]}b", "holds a character") for name in ODD),
    *(Refused(PATH, f"/data/a{sign}b", "control character") for sign in CONTROLS.values()),
    *(
        Refused(PATH, path, says)
        for path, says in (
            ("", "is not absolute"),
            (" ", "is not absolute"),
            ("data", "is not absolute"),
            (".", "is not absolute"),
            ("~root", "is not absolute"),
            (" /data/x", "is not absolute"),
            ("file:///data/x", "is not absolute"),
            ("/data/x ", "holds a character"),
            ("/data/x\n", "holds a character"),
            ("/data/..", "holds . or .."),
            ("/data/../etc", "holds . or .."),
            ("/data/./x", "holds . or .."),
            ("/data/x/../../etc/", "holds . or .."),
            ("//data", "holds //"),
            ("/data//x", "holds //"),
            ("/data/x//", "holds //"),
            ("/data/%u", "holds a character"),
            ("/data/%%u", "holds a character"),
            ("/data/\\040x", "holds a character"),
            ("/data/x,bind #", "holds a character"),
            ("/data/$(id)", "holds a character"),
            ("/data/[a-z]*", "holds a character"),
            (f"/data/{HALF}", "half a character"),
            ("/data/" + "x" * 256, "255 between two slashes"),
            ("/data" + "/x" * 512, "use 1024 at most"),
            ("/data" + "/x" * 50_000, "use 1024 at most"),
            ("/", "lies above"),
            ("/etc", "lies in /etc"),
            ("/etc/", "lies in /etc"),
            ("/etc/ssh/authorized_keys.d", "lies in /etc"),
            ("/proc/self/root/data", "lies in /proc"),
            ("/proc/1/root", "lies in /proc"),
            ("/sys/fs", "lies in /sys"),
            ("/dev/shm/x", "lies in /dev"),
            ("/run/x", "lies in /run"),
            ("/var/run/x", "lies in /var/run"),
            ("/usr/local/x", "lies in /usr"),
            ("/boot", "lies in /boot"),
            ("/root", "lies in /root"),
            ("/lib64/x", "lies in /lib64"),
            ("/var", "lies above /var"),
            ("/var/lib", "lies above /var/lib"),
            ("/var/lib/sallyport", "lies in /var/lib/sallyport"),
            ("/var/spool/cron/crontabs", "lies in /var/spool/cron"),
            ("/tmp", "anybody"),
            ("/tmp/x", "anybody"),
            ("/var/tmp/x", "anybody"),
            ("/home", "belongs to others"),
            ("/srv", "belongs to others"),
            ("/srv/sftp", "jails"),
            ("/srv/sftp/acme/upload", "jails"),
        )
    ),
    Refused(PATH, "/data/transfer/dam", "overlaps", "folders[1].path"),
    Refused("folders[1].path", "/data/transfer/pim/in/x", "overlaps"),
    Refused("folders[1].path", "/data/transfer/pim/", "overlaps"),
    Refused("folders[0].subfolders[0]", "../x", "no plain name"),
    Refused("folders[0].subfolders[0]", "..", "no plain name"),
    Refused("folders[0].subfolders[0]", ".", "no plain name"),
    Refused("folders[0].subfolders[0]", "", "no plain name"),
    Refused("folders[0].subfolders[0]", "/in", "no plain name"),
    Refused("folders[0].subfolders[0]", "a/b", "no plain name"),
    Refused("folders[0].subfolders[0]", "-rf", "no plain name"),
    Refused("folders[0].subfolders[0]", "a b", "no plain name"),
    Refused("folders[0].subfolders[0]", "a\nb", "no plain name"),
    Refused("folders[0].subfolders[0]", "*", "no plain name"),
    Refused("folders[0].subfolders[0]", "x" * 256, "no plain name"),
    Refused("folders[0].subfolders", ["in", "in"], "repeats", "folders[0].subfolders[1]"),
]

JAILS = [
    Refused("server.jails", path, says)
    for path, says in (
        ("/srv/%u", "holds a character"),
        ("/srv/%h", "holds a character"),
        ("/srv/a b", "holds a character"),
        ("/srv/a+b", "sshd may misread"),
        ("/srv/a:b", "sshd may misread"),
        ("/srv/~x", "sshd may misread"),
        ("/srv/a=b", "sshd may misread"),
        ("/srv/a,b", "sshd may misread"),
        ('/srv/"x"', "holds a character"),
        ("/srv/x\nMatch all\nPermitRootLogin yes", "holds a character"),
        ("none", "is not absolute"),
        ("", "is not absolute"),
        ("/", "lies above"),
        ("/home", "belongs to others"),
        ("/etc/jails", "lies in /etc"),
        ("/tmp/jails", "anybody"),
        ("/srv/../etc", "holds . or .."),
    )
]

GRANTS = [
    *(
        Refused("accounts[0].folders[1].at", path, says)
        for path, says in (
            ("/", "the jail itself"),
            ("", "is not absolute"),
            ("upload", "is not absolute"),
            ("/../upload", "holds . or .."),
            ("/upload/..", "holds . or .."),
            ("//upload", "holds //"),
            ("/dev", "log socket"),
            ("/dev/log", "log socket"),
            ("/up load", "holds a character"),
            ("/up\nload", "holds a character"),
            ("/up\\040load", "holds a character"),
            ("/up%u", "holds a character"),
            ("/up#", "holds a character"),
            ("/upl\xf6ad", "holds a character"),
            ("/pim/x", "overlaps"),
            ("/" + "x" * 256, "255 between two slashes"),
        )
    ),
    Refused("accounts[0].folders[1].at", "/store", "overlaps", "accounts[0].folders[2].at"),
    *(
        Refused("accounts[0].folders[2].source", path, says)
        for path, says in (
            ("/etc/ssh", "lies in /etc"),
            ("/proc/self/cwd", "lies in /proc"),
            ("/srv/sftp/other", "jails"),
            ("/vmfs/../etc", "holds . or .."),
            ("/data/transfer/pim", "overlaps"),
            ("/data/transfer/pim/out", "overlaps"),
            ("/", "lies above"),
            ("/tmp/x", "anybody"),
            ("vmfs", "is not absolute"),
        )
    ),
    Refused("accounts[0].folders[3].at", "/store/pcc-1", "lies in no folder"),
    Refused("accounts[0].folders[3].at", "/upload/x", "lies in no folder"),
    Refused("accounts[0].folders[3].at", "/elsewhere", "lies in no folder"),
    Refused("accounts[0].folders[3].folder", "pim", "has folder and hidden", "accounts[0].folders[3]"),
    Refused("accounts[0].folders[4]", {"at": "/x"}, "says nothing of what to show"),
    Refused("accounts[0].folders[0].folder", "", "is no folder"),
    Refused("accounts[0].start_in", "/elsewhere", "nowhere in its folders"),
    Refused("accounts[0].start_in", "/pim/secret", "nowhere in its folders"),
    Refused("accounts[0].start_in", "/pim/../upload", "holds . or .."),
    Refused("accounts[0].start_in", "/pim/x:/bin/sh", "holds a colon"),
    Refused("accounts[0].start_in", "/pim\n", "holds a character"),
]

USERS = [
    *(
        Refused("accounts[1].home", path, says)
        for path, says in (
            ("/srv/shop:/bin/sh", "holds a colon"),
            ("/srv/shop\nx:x:0:0::/:/bin/sh", "holds a character"),
            ("/srv/s hop", "holds a character"),
            ("/srv/sh%u", "holds a character"),
            ("/root", "lies in /root"),
            ("/etc", "lies in /etc"),
            ("/", "lies above"),
            ("/home", "belongs to others"),
            ("/home/../root", "holds . or .."),
            ("/srv/sftp/acme", "jails"),
            ("~", "is not absolute"),
            ("/nonexistent/" + "x" * 256, "255 between two slashes"),
        )
    ),
    Refused("accounts[3]", {"name": "x", "kind": "shell", "home": "/srv/shop/"}, "overlaps", "accounts[3].home"),
    Refused("accounts[3]", {"name": "x", "kind": "shell", "home": "/srv/shop/x"}, "overlaps", "accounts[3].home"),
    Refused("accounts[1].home", "/home/shop/../x", "holds . or .."),
    *(
        Refused("accounts[1].shell", path, says)
        for path, says in (
            ("", "is not absolute"),
            ("bash", "is not absolute"),
            ("/bin/bash:x", "holds a colon"),
            ("/bin/bash\nroot2:x:0:0::/:/bin/sh", "holds a character"),
            ("/bin/bash -c id", "holds a character"),
            ("/bin/../bin/bash", "holds . or .."),
            ("/usr/sbin/nologin", "lets nobody work"),
            ("/bin/false", "lets nobody work"),
            ("/bin/false/", "lets nobody work"),
            ("/usr/lib/openssh/sftp-server", "lets nobody work"),
            ("/bin/ba\u0455h", "holds a character"),
        )
    ),
]

MODES = [
    *(
        Refused("folders[0].mode", mode, says)
        for mode, says in (
            ("777", "lets everybody write"),
            ("2777", "lets everybody write"),
            ("0772", "lets everybody write"),
            ("7777", "lets everybody write"),
            ("4770", "setuid"),
            ("6770", "setuid"),
            ("1770", "sticky"),
            ("0070", "keeps the owner out"),
            ("2570", "keeps the owner out"),
            ("0o2770", "is no mode"),
            ("02770", "is no mode"),
            ("27 70", "is no mode"),
            ("2780", "is no mode"),
            ("-2770", "is no mode"),
            ("2770\n", "is no mode"),
            ("u=rwx,g=rwxs", "is no mode"),
            ("\uff12\uff17\uff17\uff10", "is no mode"),
            ("\u0662\u0667\u0667\u0660", "is no mode"),
            ("", "is no mode"),
        )
    ),
    Refused("folders[1].mode", "0770", "sharing group"),
    *(
        Refused("accounts[0].umask", mask, says)
        for mask, says in (
            ("000", "lets everybody write"),
            ("0775", "from its own files"),
            ("7777", "from its own files"),
            ("0700", "from its own files"),
            ("1007", "from its own files"),
            ("0o07", "is no mode"),
            ("7", "is no mode"),
            ("0007 -R", "is no mode"),
            ("0007\n", "is no mode"),
            ("\u0660\u0660\u0660\u0667", "is no mode"),
            ("", "is no mode"),
        )
    ),
]

REFUSED = [*FOLDERS, *JAILS, *GRANTS, *USERS, *MODES]

ODD_PATH = "/data/.a-b_c@d+e=f,g:h~i"
ACCEPTED = [
    Accepted(PATH, ODD_PATH),
    Accepted(PATH, "/data/x/", PATH, "/data/x"),
    Accepted(PATH, "/data/" + "x" * 255),
    Accepted(PATH, "/" + "/".join(["x" * 200] * 5)),
    Accepted(PATH, "/etcetera/x"),
    Accepted(PATH, "/data/-rf"),
    Accepted(PATH, "/data/..."),
    Accepted("folders[0].subfolders", ["...", ".x", "a,b", "a:b", "~", "x" * 255]),
    Accepted("folders[0].mode", "750", "folders[0].mode", "0750"),
    Accepted("accounts[0].umask", "077", "accounts[0].umask", "0077"),
    Accepted("accounts[0].folders[1].at", "/a,b:c=d~e@f+g/.h", "accounts[0].grants[1].at"),
    Accepted("accounts[0].folders[1].at", "/" + "y" * 255 + "/" + "z" * 255, "accounts[0].grants[1].at"),
    Accepted("accounts[0].folders[1].at", "/developers/", "accounts[0].grants[1].at", "/developers"),
    Accepted("accounts[0].folders[2].source", ODD_PATH, "accounts[0].grants[2].source"),
    Accepted("accounts[0].folders[3].at", "/pim/a,b:c", "accounts[0].grants[3].at"),
    Accepted("accounts[0].start_in", "/pim/~x,y=z"),
    Accepted("accounts[1].home", "/srv/.a-b_c@d+e=f,g~h"),
    Accepted("accounts[1].home", "/home/shop/", "accounts[1].home", "/home/shop"),
    Accepted("accounts[1].shell", "/opt/sh-1.2_x/bin/z+sh"),
    Accepted("server.jails", "/srv/.jails-1_x/", "server.jails", "/srv/.jails-1_x"),
]
