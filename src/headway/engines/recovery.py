"""Ending a run whose shim is dead: nothing of it is left, and its record says why."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headway.engines import cgroup, ending, processes, tree
from headway.engines.ending import Ending
from headway.engines.folder import RunFolder, ShimRecord
from headway.engines.processes import Process
from headway.errors import StorageCorruptError

_EMPTY_PASSES: Final = 8
"""One pass can miss a process that forks and exits meanwhile; some forkers are missed by any number
of them (a chain without a pause, where there is no cgroup)."""


def recover(folder: RunFolder) -> ShimRecord | None:
    """End a run whose shim is dead; the contract is that of ``Engine.recover``."""
    if folder.alive():
        return _readable_state(folder)
    fd = folder.try_hold()
    if fd is None:  # somebody else recovers it at this moment
        return _readable_state(folder)
    try:
        record = _readable_state(folder)  # the shim may have ended the run before it let go
        if record is not None and record.ended:
            return record
        survivors = _end_orphans(folder, record)
        final = ending.final(record or unwritten(), _judge(folder, record), survivors)
        folder.write_state(final)
        return final
    finally:
        os.close(fd)


def _judge(folder: RunFolder, record: ShimRecord | None) -> Ending:
    intent = folder.standing_intent()
    if intent is not None:
        return ending.of_intent(intent)
    if record is not None and record.boot_id != processes.boot_id():
        return Ending(
            outcome="Failed",
            error_code="HostRestarted",
            message="the host was restarted while the run went on",
        )
    if record is not None or folder.state_file.exists():
        return Ending(
            outcome="Failed",
            error_code="ShimLost",
            message="the runner of this run was killed (by SIGKILL, or by the kernel as memory ran "
            "out), and what it left running was ended",
        )
    return Ending(
        outcome="Failed",
        error_code="SubmissionInterrupted",
        message="the submission was interrupted before the program began: submit again",
    )


def _end_orphans(folder: RunFolder, record: ShimRecord | None) -> list[int]:
    """Kill what is left of the run and return the pids of what could not be killed."""
    if record is not None and record.boot_id != processes.boot_id():
        return []  # nothing outlives a restart; the pids and groups of now belong to others
    group = _group(record)
    if group is not None:
        cgroup.kill(group)
    survivors = tree.kill_all(
        lambda: _orphans(folder, record, group),
        lambda: not any(list(_orphans(folder, record, group)) for _ in range(_EMPTY_PASSES)),
    )
    if group is not None:
        cgroup.remove(group)
    return sorted(process.pid for process in survivors)


def _group(record: ShimRecord | None) -> Path | None:
    """The run's own cgroup, if it had one: a damaged record must not name somebody else's."""
    if record is None or record.cgroup is None:
        return None
    group = Path(record.cgroup)
    return group if cgroup.made_by(group, record.shim_pid) else None


def _orphans(folder: RunFolder, record: ShimRecord | None, group: Path | None) -> Iterator[Process]:
    """What carries the run's mark, is in its cgroup or was in the recorded tree; and below."""
    found: set[Process] = set()
    for process in itertools.chain(
        processes.marked(folder.mark),
        processes.identify(cgroup.pids(group) if group is not None else ()),
        filter(processes.alive, _recorded(folder, record)),
    ):
        # A run that this one submitted may have been recorded before it stood on its own feet.
        if process.pid != os.getpid() and not tree.holds_a_run(process):
            found.add(process)
            yield process
    for process in tree.below(p.pid for p in found):
        if process.pid != os.getpid():
            yield process


def _recorded(folder: RunFolder, record: ShimRecord | None) -> list[Process]:
    recorded = folder.read_tree()
    if record is not None and record.main_pid is not None and record.main_start is not None:
        recorded.append(Process(record.main_pid, record.main_start))
    return recorded


def _readable_state(folder: RunFolder) -> ShimRecord | None:
    try:
        return folder.read_state()
    except StorageCorruptError:
        return None


def unwritten() -> ShimRecord:
    """The record of a run whose shim has written none that can be read."""
    return ShimRecord(
        sequence=0, phase="Starting", boot_id=processes.boot_id(), shim_pid=0, shim_start=0
    )
