"""Ending a run whose shim is dead: nothing of it is left, and its record says why."""

import os
from pathlib import Path

from headway.engines import cgroup, ending, processes, tree
from headway.engines.ending import Ending
from headway.engines.folder import RunFolder, ShimRecord
from headway.engines.processes import Process
from headway.errors import StorageCorruptError


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
        final = ending.final(record or _unwritten(), _judge(folder, record), survivors)
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
    run_id = folder.read_spec().run_id
    group = Path(record.cgroup) if record is not None and record.cgroup else None
    if group is not None and not cgroup.belongs_to(group, run_id):
        group = None
    if group is not None:
        cgroup.kill(group)
    survivors = tree.kill_all(lambda: _orphans(folder, record, run_id, group))
    if group is not None:
        cgroup.remove(group)
    return sorted(process.pid for process in survivors)


def _orphans(
    folder: RunFolder, record: ShimRecord | None, run_id: str, group: Path | None
) -> list[Process]:
    """What is in the cgroup, was in the recorded tree, or carries the run's mark; and below."""
    found = {process for process in _recorded(folder, record) if processes.alive(process)}
    found |= set(processes.marked("HEADWAY_RUN_ID", run_id))
    if group is not None:
        found |= processes.identify(cgroup.pids(group))
    found |= set(tree.below(process.pid for process in found))
    return [process for process in found if process.pid != os.getpid()]


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


def _unwritten() -> ShimRecord:
    """The record of a run whose shim has written none that can be read."""
    return ShimRecord(
        sequence=0, phase="Starting", boot_id=processes.boot_id(), shim_pid=0, shim_start=0
    )
