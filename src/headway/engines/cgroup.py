"""A control group (v2) of one run: what is in it can be listed and killed as a whole.

An addition where the system allows it (root, or a delegated session), never a requirement.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PREFIX: Final = "headway-run."
_REMOVE_PATIENCE_S: Final = 1.0


def make(run_id: str) -> Path | None:
    """A new group for a run, below the one of this process; None where that is not allowed."""
    own = _own()
    if own is None:
        return None
    path = own / f"{_PREFIX}{run_id}-{os.getpid()}"
    try:
        path.mkdir()
    except OSError:
        return None
    if (path / "cgroup.kill").exists():  # Linux 5.14
        return path
    remove(path)
    return None


def made_by(path: Path, pid: int) -> bool:
    """Whether a recorded path is that of a group which the process with this pid made."""
    return path.name.startswith(_PREFIX) and path.name.endswith(f"-{pid}") and path.is_dir()


def leave_foreign() -> None:
    """Step out of the group of another run, whose program may have started this process.

    Otherwise a run that is submitted by a run would be killed with it.
    """
    own = _own()
    outside = own
    while outside is not None and any(p.startswith(_PREFIX) for p in outside.parts):
        outside = outside.parent
    if own is not None and outside is not None and outside != own:
        _enter(outside)


def enter(path: Path) -> bool:
    """Move this process into the group; what it starts from now on is born there."""
    return _enter(path)


def pids(path: Path) -> list[int]:
    """The processes in the group and in the groups below it."""
    found: list[int] = []
    for group in _groups(path):
        try:
            found += [int(line) for line in (group / "cgroup.procs").read_text().split()]
        except OSError:
            continue
    return found


def kill(path: Path) -> bool:
    """SIGKILL everything in the group and below it, at one instant."""
    try:
        (path / "cgroup.kill").write_text("1")
    except OSError:
        return False
    return True


def killed_for_memory(path: Path) -> bool:
    """Whether the kernel killed a process of this group because memory ran out."""
    try:
        lines = (path / "memory.events").read_text().splitlines()
    except OSError:
        return False
    return any(line.startswith("oom_kill ") and line != "oom_kill 0" for line in lines)


def remove(path: Path) -> bool:
    """Remove the empty group, waiting a moment for those that were just killed to leave it."""
    deadline = time.monotonic() + _REMOVE_PATIENCE_S
    while True:
        try:
            for group in reversed(list(_groups(path))):
                group.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        else:
            return True


def _groups(path: Path) -> Iterator[Path]:
    for folder, _, _ in os.walk(path):
        yield Path(folder)


def _own() -> Path | None:
    """The group of this process, where a cgroup v2 hierarchy is mounted, alone or beside v1."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    mount = next((m.split()[4] for m in mounts if m.partition(" - ")[2].startswith("cgroup2 ")), "")
    own = next((g[3:] for g in groups if g.startswith("0::")), "")
    if not mount or not own:
        return None
    return Path(mount.replace(r"\040", " "), own.lstrip("/"))


def _enter(path: Path) -> bool:
    try:
        (path / "cgroup.procs").write_text("0")
    except OSError:
        return False
    return True
