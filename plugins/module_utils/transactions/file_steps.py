# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a transaction that change files, directories, links and mounts: each made by one, unmade by another."""

from __future__ import annotations

import contextlib
import functools
import os
import time
import typing as t

from .. import layout
from ..errors import Refused
from ..plan import Action
from ..resources import Directory, File, Link, Mount
from ..system import files, mounting, processes
from .ports import Ports, owner

PATIENCE = 2.0  # seconds for all directories of a step together, with users who swap them meanwhile


def make_directories(actions: t.List[Action], ports: Ports) -> None:
    until = time.monotonic() + PATIENCE
    for action in actions:
        _make_directory(t.cast(Directory, action.after), ports, until)
    files.settle(t.cast(Directory, action.after).path for action in actions)


def unmake_directories(actions: t.List[Action], ports: Ports) -> None:
    until = time.monotonic() + PATIENCE
    stays = []
    for action in reversed(actions):
        before, after = t.cast(t.Optional[Directory], action.before), t.cast(Directory, action.after)
        try:
            if before is not None:
                _make_directory(before, ports, until)
            elif os.path.lexists(after.path):
                files.patiently(functools.partial(files.unmake_directory, after), after.path, until)
        except (files.NotEmpty, Refused) as error:
            stays.append(str(error))
    if stays:
        raise files.NotEmpty("; ".join(stays))


def _make_directory(directory: Directory, ports: Ports, until: float) -> None:
    make = functools.partial(files.make_directory, directory, *owner(directory, ports.known))
    files.patiently(make, directory.path, until)


def remove_directories(actions: t.List[Action], ports: Ports) -> None:
    """A directory that holds something stays: what customers left there is kept."""
    for action in actions:
        files.remove_directory(t.cast(Directory, action.before).path)


def bring_back_directories(actions: t.List[Action], ports: Ports) -> None:
    until = time.monotonic() + PATIENCE
    for action in reversed(actions):
        _make_directory(t.cast(Directory, action.before), ports, until)


def swap_files(actions: t.List[Action], ports: Ports) -> None:
    paths = [t.cast(File, action.after).path for action in actions]
    for action in actions:
        file = t.cast(File, action.after)
        files.stage(file, *owner(file, ports.known))
    with contextlib.ExitStack() as gates:
        for action in actions:
            file = t.cast(File, action.after)
            if file.path in ports.gates:
                gates.enter_context(ports.gates[file.path](file))
        for path in paths:
            files.keep(path)
            files.swap_in(path)
        files.settle(paths)
        _tell_systemd(paths, ports)
        _restart_timers(paths, ports)


def remove_files(actions: t.List[Action], ports: Ports) -> None:
    paths = [t.cast(File, action.before).path for action in actions]
    _stop_timers(paths, ports)
    for path in paths:
        files.set_aside(path)
    files.settle(paths)
    _tell_systemd(paths, ports)
    _read_again(paths, ports.take_up)


def put_back(actions: t.List[Action], ports: Ports) -> None:
    """The files as they were before, and nothing where there were none."""
    paths = [t.cast(File, action.resource).path for action in actions]
    new = {path for path, action in zip(paths, actions) if action.before is None}
    _stop_timers(new, ports)
    for path in paths:
        files.discard(path)
    changed = [path for path in paths if files.put_back(path, existed=path not in new)]
    files.settle(paths)
    told = paths if ports.recovering else changed
    _tell_systemd(told, ports)
    _read_again(told, ports.take_back)
    _restart_timers(set(told) - new, ports)


def _read_again(paths: t.Sequence[str], by_path: t.Mapping[str, t.Callable[[], None]]) -> None:
    for path in paths:
        if path in by_path:
            by_path[path]()


def _tell_systemd(paths: t.Iterable[str], ports: Ports) -> None:
    if ports.systemd and any(path.startswith(layout.UNITS + "/") for path in paths):
        processes.must(["systemctl", "daemon-reload"])


def _restart_timers(paths: t.Iterable[str], ports: Ports) -> None:
    """A timer keeps its old moments, or does not run at all, until it is started anew."""
    for timer in _timers(paths, ports):
        processes.must(["systemctl", "restart", timer])


def _stop_timers(paths: t.Iterable[str], ports: Ports) -> None:
    """Before its file goes: a timer whose service has vanished would be left behind as failed."""
    for timer in _timers(filter(os.path.exists, paths), ports):
        processes.must(["systemctl", "stop", timer])


def _timers(paths: t.Iterable[str], ports: Ports) -> t.List[str]:
    units = (os.path.basename(path) for path in sorted(paths) if os.path.dirname(path) == layout.UNITS)
    return [unit for unit in units if ports.systemd and unit.endswith(".timer")]


def swap_links(actions: t.List[Action], ports: Ports) -> None:
    for action in actions:
        _put_link(t.cast(Link, action.resource).path, t.cast(t.Optional[Link], action.after), ports)


def swap_links_back(actions: t.List[Action], ports: Ports) -> None:
    for action in reversed(actions):
        _put_link(t.cast(Link, action.resource).path, t.cast(t.Optional[Link], action.before), ports)


def _put_link(path: str, wanted: t.Optional[Link], ports: Ports) -> None:
    files.discard(path)
    if wanted is None:
        files.remove(path)
    else:
        files.stage_link(path, wanted.target)
        files.swap_in(path)
    files.settle([path])
    _tell_systemd([path], ports)


def mount(actions: t.List[Action], ports: Ports) -> None:
    changed = [t.cast(Mount, action.before).target for action in actions if action.before is not None]
    for target in reversed(changed):
        mounting.remove(target)
    mounting.apply(layout.MOUNT_TABLE, ports.systemd)


def unmount(actions: t.List[Action], ports: Ports) -> None:
    """What was mounted before comes back with its table."""
    for action in reversed(actions):
        mounting.remove(t.cast(Mount, action.after).target)


def remove_mounts(actions: t.List[Action], ports: Ports) -> None:
    for action in actions:
        mounting.remove(t.cast(Mount, action.before).target)
