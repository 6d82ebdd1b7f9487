# SPDX-License-Identifier: GPL-3.0-or-later
"""What undoes a transaction when its run cannot: a program, a unit that runs it at boot, and a timer.

All of it is on the host only while a transaction is under way. The program is this package itself (see recovery.py),
packed: it must work when nothing of the run is left, and does what the run would have done.
"""

from __future__ import annotations

import inspect
import io
import os
import subprocess
import sys
import zipfile

from .. import layout
from ..resources import Directory, File, Link
from ..system import files, processes

# the system's Python, kept from everything that the environment or a group may have put in its way
COMMAND = (layout.PYTHON, "-I", "-S", layout.RECOVERY_PROGRAM)
UNIT = layout.UNITS + "/" + layout.RECOVERY_UNIT
ENABLED = Link(f"{layout.UNITS}/multi-user.target.wants/{layout.RECOVERY_UNIT}", UNIT)
CRON = "/etc/cron.d/sallyport-recover"  # where no systemd runs
START = "from sallyport.transactions.recovery import main\n\nraise SystemExit(main())\n"


def install(systemd: bool) -> None:
    """The program, and what runs it at boot; on disk before anything changes."""
    files.make_directory(Directory(layout.STATE, 0o700), 0, 0)
    _write(File(layout.RECOVERY_PROGRAM, _program().decode("utf-8", "surrogateescape"), 0o600))
    if systemd:
        os.makedirs(os.path.dirname(ENABLED.path), mode=0o755, exist_ok=True)
        _write(File(UNIT, _unit()))
        files.stage_link(ENABLED.path, ENABLED.target)
        files.swap_in(ENABLED.path)
        files.settle([ENABLED.path])
    elif os.path.isdir(os.path.dirname(CRON)):
        _write(File(CRON, f"# {layout.HEADER}@reboot root {' '.join(COMMAND)}\n"))


def remove() -> None:
    for path in (ENABLED.path, UNIT, CRON, layout.RECOVERY_PROGRAM, layout.RELOADED):
        files.discard(path)
        files.remove(path)


def arm(identity: str, seconds: float, systemd: bool) -> None:
    """From now on the transaction is undone after so many seconds, whatever becomes of the run and its connection."""
    command = [*COMMAND, identity]
    if systemd:
        processes.must(
            [
                *("systemd-run", "--quiet", "--collect", f"--unit={_timer(identity)}"),
                *(f"--on-active={seconds:g}", "--timer-property=AccuracySec=100ms", *command),
            ]
        )
    else:
        subprocess.Popen(
            [*command, f"{seconds:g}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", env=processes.ENVIRONMENT, start_new_session=True,
        )  # fmt: skip


def disarm(identity: str, systemd: bool) -> None:
    """What does not run under systemd finds nothing to undo when its time comes."""
    if systemd:
        processes.run(["systemctl", "stop", _timer(identity) + ".timer"])


def _timer(identity: str) -> str:
    return f"sallyport-recover-{identity}"


def _write(file: File) -> None:
    files.stage(file, 0, 0)
    files.swap_in(file.path)
    files.settle([file.path])


def _program() -> bytes:
    """The modules of this package that are loaded and need nothing but Python, as a program."""
    package = __name__.rpartition(".")[0].rpartition(".")[0]
    sources = {"__main__.py": START, "sallyport/__init__.py": ""}
    for name, module in sorted(sys.modules.items()):
        path = "sallyport/" + name[len(package) + 1 :].replace(".", "/")
        if not name.startswith(package + "."):
            continue
        if hasattr(module, "__path__"):
            sources[f"{path}/__init__.py"] = ""
        elif "\nfrom ansible" not in inspect.getsource(module):
            sources[f"{path}.py"] = inspect.getsource(module)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, source in sources.items():
            archive.writestr(zipfile.ZipInfo(path), source, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _unit() -> str:
    """Before sshd and before our mounts: both read what this puts back."""
    return f"""# {layout.HEADER}[Unit]
Description=Undoing of a transaction that was interrupted
ConditionPathExists={layout.JOURNAL}
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target
After=local-fs.target systemd-tmpfiles-setup.service
Before={layout.MOUNT_UNIT} {layout.EXPIRY_SERVICE} ssh.service ssh.socket sshd.service sshd.socket

[Service]
Type=oneshot
ExecStart={" ".join(COMMAND)}
TimeoutStartSec=10min

[Install]
WantedBy=multi-user.target
"""
