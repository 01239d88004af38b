"""Contents and lists of files that come from elsewhere, and are believed only when checked."""

import os
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from headway.contents import Content
from headway.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    StorageCorruptError,
    StorageError,
    StorageVersionError,
)
from headway.snapshots.blobs import BLOCK_BYTES, Blobs, hash_blocks, place, write_all
from headway.snapshots.durable import fsync_all
from headway.snapshots.tree import HASH, Entry, Manifest, decode, encode, identify, unescape

_MAX_PATH_BYTES: Final = 4_096
_MAX_PART_BYTES: Final = 255
_MODES: Final = 0o777
_MOST_NAMED: Final = 5
_BYTES_AN_ENTRY: Final = 10_000
"""More than any entry needs: what is longer is not looked at."""


def check_manifest(content: bytes, *, max_bytes: int, max_files: int) -> Manifest:
    """The snapshot that a list of files is, if it could have been taken here.

    Raises:
        InvalidValueError: It is no list of files, or one that no directory has.
    """
    if len(content) > max_files * _BYTES_AN_ENTRY:
        raise _refused(f"it has {len(content)} bytes, more than {max_files} files need")
    try:
        manifest = decode(identify(content), content)
    except StorageVersionError as error:
        raise _refused(f"it cannot be read: {error.__cause__}") from error
    except StorageCorruptError as error:
        raise _refused(error.message) from error
    except ValueError as error:
        raise _refused(f"it cannot be read: {error}") from error
    if encode([*manifest.entries])[1] != content:
        raise _refused("it is not written as Headway writes it, by path and without spaces")
    _check_entries(manifest, max_bytes=max_bytes, max_files=max_files)
    return manifest


def _check_entries(manifest: Manifest, *, max_bytes: int, max_files: int) -> None:
    entries = manifest.entries
    if len(entries) > max_files:
        raise _refused(f"it has {len(entries)} entries; at most {max_files} are accepted")
    if manifest.size_bytes > max_bytes:
        raise _refused(
            f"its files have {manifest.size_bytes} bytes together; at most {max_bytes} are accepted"
        )
    path, times = next(iter(Counter(entry.path for entry in entries).most_common(1)), ("", 0))
    if times > 1:
        raise _refused(f"{path!r} stands in it {times} times")
    folders = {entry.path for entry in entries if entry.kind == "folder"}
    for entry in entries:
        above = entry.path.rpartition("/")[0]
        if above and above not in folders:
            raise _refused(f"{entry.path!r} does not lie in a folder of the list")
        _check_entry(entry)


def _check_entry(entry: Entry) -> None:
    path = os.fsencode(unescape(entry.path))
    if b"\0" in path or len(path) > _MAX_PATH_BYTES:
        raise _refused(f"the path {entry.path[:80]!r} is too long or holds a NUL")
    if max(map(len, path.split(b"/"))) > _MAX_PART_BYTES:
        raise _refused(f"a part of the path {entry.path[:80]!r} has over {_MAX_PART_BYTES} bytes")
    if entry.mode & ~_MODES:
        raise _refused(f"{entry.path!r} has the mode {entry.mode:o}; at most 777 is accepted")
    if entry.kind == "file":
        sound = HASH.fullmatch(entry.blake3) is not None and entry.size_bytes >= 0
    else:
        sound = not entry.blake3 and not entry.size_bytes
    target = os.fsencode(unescape(entry.target))
    if entry.kind == "link":
        sound = sound and 0 < len(target) <= _MAX_PATH_BYTES and b"\0" not in target
    elif target:
        sound = False
    if not sound:
        raise _refused(
            f"{entry.path!r} has what a {entry.kind} does not have, or lacks what it has"
        )


def check_hash(blake3: str) -> str:
    """The hash of a content.

    Raises:
        InvalidValueError: It is none.
    """
    if not HASH.fullmatch(blake3):
        raise InvalidValueError(
            f"{blake3[:80]!r} is no BLAKE3 hash: give its 64 hexadecimal digits in lower case"
        )
    return blake3


def refuse_absent(manifest: Manifest, absent: list[str]) -> None:
    """Raise where contents of a snapshot are lacking."""
    if absent:
        by_hash = {entry.blake3: entry.path for entry in manifest.entries}
        names = ", ".join(repr(by_hash[digest]) for digest in absent[:_MOST_NAMED])
        raise ConflictError(
            f"{len(absent)} contents of snapshot {manifest.id} are not here, such as that of "
            f"{names}: ask which are missing, send those, and commit again"
        )


def contents_of(manifest: Manifest) -> list[Content]:
    """The contents that a snapshot holds, each once."""
    sizes = {e.blake3: e.size_bytes for e in manifest.entries if e.kind == "file"}
    return [Content(digest, size) for digest, size in sizes.items()]


def absent_blob(blake3: str) -> NotFoundError:
    """What is raised for a content that is not kept."""
    return NotFoundError(
        f"no snapshot here has a content with the hash {blake3}: give one that the list of files "
        "of a snapshot names"
    )


def receive(blobs: Blobs, incoming: Path, blake3: str, source: BinaryIO, *, max_bytes: int) -> None:
    """Keep a content in a folder, whole or not at all."""
    part = incoming / os.urandom(16).hex()
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        try:
            digest, _ = hash_blocks(_written(fd, bounded(source, max_bytes)))
            os.fsync(fd)
        finally:
            os.close(fd)
        check_content(blake3, digest)
        with suppress(FileExistsError):
            os.mkdir(blake3[:2], dir_fd=blobs.fd)
        os.rename(part, place(blake3), dst_dir_fd=blobs.fd)
    finally:
        part.unlink(missing_ok=True)
    fsync_all([blake3[:2], "."], dir_fd=blobs.fd)


def check_content(blake3: str, digest: str) -> None:
    """Refuse a content that is not what it was said to be."""
    if digest != blake3:
        raise InvalidValueError(
            f"the content has the BLAKE3 hash {digest}, not {blake3}: nothing was kept; send it "
            "again, whole"
        )


def bounded(source: BinaryIO, max_bytes: int) -> Generator[bytes]:
    """The blocks of a stream; refused as soon as there are too many bytes."""
    left = max_bytes
    while block := source.read(BLOCK_BYTES):
        left -= len(block)
        if left < 0:
            raise InvalidValueError(
                f"the content has more than {max_bytes} bytes, the most that a snapshot may have "
                "(HEADWAY_MAX_SNAPSHOT_BYTES): leave the file out of the snapshot"
            )
        yield block


def _written(out: int, blocks: Generator[bytes]) -> Generator[bytes]:
    for block in blocks:
        write_all(out, block)
        yield block


def open_kept(blobs: Blobs, blake3: str) -> BinaryIO:
    """A content in a folder."""
    try:
        fd = os.open(place(blake3), os.O_RDONLY | os.O_CLOEXEC, dir_fd=blobs.fd)
    except FileNotFoundError as error:
        raise absent_blob(blake3) from error
    except OSError as error:
        raise StorageError(f"the content {blake3} cannot be read: {error.strerror}") from error
    return os.fdopen(fd, "rb")


def _refused(why: str) -> InvalidValueError:
    return InvalidValueError(
        f"the list of files is not accepted: {why}; send what taking a snapshot gives"
    )
