"""Where a database must not be: on a file system whose locks and shared memory are not real."""

import os
from pathlib import Path
from typing import Final

from headway.errors import StorageError

_NETWORK: Final = frozenset(
    {
        *("afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
        *("orangefs", "pvfs2", "smb3", "smbfs", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs"),
    }
)
_MOUNTS: Final = Path("/proc/self/mountinfo")


def refuse_network_filesystem(folder: Path, mounts: Path = _MOUNTS) -> None:
    """Raise where the folder is on a network file system: SQLite would lose data there.

    Args:
        folder: An existing folder.
        mounts: The kernel's table of mounts; where there is none, nothing is refused.
    """
    try:
        kind = filesystem_of(folder, mounts.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return
    if kind in _NETWORK:
        raise StorageError(
            f"the workspace {folder} is on a network file system ({kind}), where an embedded "
            "database loses data. Put it on a local disk (HEADWAY_WORKSPACE or HEADWAY_HOME), or "
            "let everybody use one server"
        )


def filesystem_of(folder: Path, mountinfo: str) -> str | None:
    """The type of the file system that holds a folder, by the text of ``mountinfo`` (proc(5))."""
    target = os.path.realpath(folder)
    best, kind = "", None
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4].encode().decode("unicode_escape")
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, right.split(" ", 1)[0]
    return kind
