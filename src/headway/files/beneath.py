"""Opening files below a folder in which somebody else chooses what there is.

A name is walked part by part from an open folder, and no link is followed: neither can a link lead
out of the folder, nor one that is put there while it is looked at. A pipe is never waited for.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

UNREACHABLE: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENAMETOOLONG}
)
"""What a name fails with that leads to no regular file."""
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def open_beneath(root: Path, name: str, flags: int = os.O_RDONLY, *, make: bool = False) -> int:
    """The descriptor of a regular file, by its name below a folder.

    A file with several names (hard links) is opened only if it belongs to whom the folder belongs
    to: another's file, which this process may read and its writer may not, stays closed.

    Args:
        root: The folder, which may be reached by links.
        name: Relative, with forward slashes, without ``.`` and ``..``.
        flags: As for ``os.open``.
        make: Whether to make the folders on the way.

    Raises:
        OSError: One of ``UNREACHABLE`` where it is no such file, or what else the system says.
    """
    *folders, last = name.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in (*folders, last)):
        raise OSError(errno.ENOENT, "no name of a file below a folder", name)
    if make:
        root.mkdir(parents=True, exist_ok=True)
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        owner = os.fstat(at).st_uid
        for part in folders:
            at = _enter(at, part, make=make)
        fd = os.open(last, flags | _FILE, 0o644, dir_fd=at)
    finally:
        os.close(at)
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode) and (found.st_nlink == 1 or found.st_uid == owner):
        return fd
    os.close(fd)
    raise OSError(errno.ELOOP, "no regular file of this folder", name)


def _enter(folder: int, name: str, *, make: bool) -> int:
    """The descriptor of a folder in another one, which is closed."""
    if make:
        try:
            os.mkdir(name, dir_fd=folder)
        except FileExistsError:
            pass
        else:
            os.fsync(folder)
    below = os.open(name, _FOLDER, dir_fd=folder)
    os.close(folder)
    return below
