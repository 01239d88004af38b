"""One file of a journal, as the process that writes it sees it."""

import errno
import fcntl
import mmap
import os
import struct
import zlib
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final, Self

import msgspec

from headway.errors import StorageCorruptError
from headway.metrics.slots import (
    FORMAT_VERSION,
    HEADER_BYTES,
    INT_BODY,
    SLOT,
    SLOT_BYTES,
    SUFFIX,
    Kind,
    used_bytes,
)

FULL: Final = (struct.error, ValueError, TypeError)
"""What writing into a segment raises: the first when no slot is left, the others when closed."""

UNFINISHED: Final = ".new"
"""The suffix of a segment that its writer has not finished making, or has ready as its next."""
_MAGIC: Final = b"headway-journal"
_MOST_TRIES: Final = 20
_EMPTY: Final = bytes(SLOT_BYTES)
_ZEROS: Final = bytes(1 << 16)


class SegmentHeader(msgspec.Struct, frozen=True):
    """The line of JSON at the beginning of a segment."""

    run_id: str
    writer_id: str
    number: int
    slots_bytes: int
    """The room for slots; the same in all segments of a journal."""
    pid: int
    boot_id: str
    created_at: int

    def to_bytes(self) -> bytes:
        """The header as it stands in the file."""
        line = msgspec.json.encode(self)
        head = b"%s %d %08x\n%s\n" % (_MAGIC, FORMAT_VERSION, zlib.crc32(line), line)
        if len(head) > HEADER_BYTES:
            raise ValueError(f"the header of a journal has {len(head)} bytes")
        return head.ljust(HEADER_BYTES, b"\0")


def implied_header(run_id: str, writer_id: str, number: int, room: int) -> SegmentHeader:
    """The header of a segment by its name and its room, for one whose own a power cut has taken."""
    return SegmentHeader(
        run_id=run_id,
        writer_id=writer_id,
        number=number,
        slots_bytes=room,
        pid=0,
        boot_id="",
        created_at=0,
    )


def parse_header(path: Path, data: bytes) -> SegmentHeader:
    """The header of a segment.

    Raises:
        StorageCorruptError: It is damaged, of another version, or the file is no segment.
    """
    first, _, rest = data[:HEADER_BYTES].partition(b"\n")
    line = rest.partition(b"\n")[0]
    words = first.split(b" ")
    if len(words) != 3 or words[0] != _MAGIC:
        raise StorageCorruptError(
            f"{path} is not a journal of metrics: move it out of the folder of journals"
        )
    if words[1] != b"%d" % FORMAT_VERSION:
        raise StorageCorruptError(
            f"the journal {path} is of format {words[1].decode('ascii', 'replace')}, this Headway "
            f"reads format {FORMAT_VERSION}: open the workspace with the Headway that wrote it"
        )
    try:
        if words[2] != b"%08x" % zlib.crc32(line):
            raise ValueError("its checksum does not match")
        header = msgspec.json.decode(line, type=SegmentHeader)
        if header.slots_bytes <= 0 or header.slots_bytes % SLOT_BYTES:
            raise ValueError(f"it says it has room for {header.slots_bytes} bytes")
    except ValueError as error:
        raise StorageCorruptError(
            f"the header of the journal {path} is damaged ({error}): move the file out of the "
            "folder of journals; what it holds is lost"
        ) from error
    return header


def segment_path(folder: Path, run_id: str, writer_id: str, number: int) -> Path:
    """Where a segment is."""
    return folder / run_id / f"{writer_id}.{number:06d}{SUFFIX}"


class Segment:
    """An open segment. Its holder keeps a lock on the file: as long as it is held, it lives.

    Writing a record is ``SLOT.pack_into(segment.map, segment.take(), crc, body)``, which needs no
    lock: ``take`` is one call of C, so that the interpreter hands out each slot once.

    Attributes:
        path: Where the file is.
        number: Its place among the segments of the journal, from 0.
        map: What records are written into.
        size: Of the file, in bytes.
        take: Hands out where in the map the next record goes.
        mended: Whether ``settle`` has filled a slot whose taker may yet come to write it.
    """

    __slots__ = (
        "_carried",
        "_checked",
        "_has_hole",
        "_hole",
        "_hole_since",
        "map",
        "mended",
        "number",
        "path",
        "size",
        "take",
    )

    map: mmap.mmap | bytearray
    take: Callable[[], int]

    def __init__(self, path: Path, number: int, mapped: mmap.mmap | bytearray) -> None:
        self.path = path
        self.number = number
        self.map = mapped
        self.mended = False
        self.size = len(mapped)
        self.take = count(HEADER_BYTES, SLOT_BYTES).__next__
        self._checked = HEADER_BYTES
        self._carried = 0
        self._has_hole = False
        self._hole = 0
        self._hole_since = 0

    @classmethod
    def none(cls) -> Self:
        """A segment without room, in the place of one that is not there."""
        return cls(Path(), -1, bytearray())

    @classmethod
    def create(cls, folder: Path, header: SegmentHeader) -> Self:
        """Make the file with all its space, locked before it can be seen.

        Raises:
            OSError: There is no space, or the folder cannot be written.
        """
        path = segment_path(folder, header.run_id, header.writer_id, header.number)
        for _ in range(_MOST_TRIES):
            try:
                return cls._create(path, header)
            except FileNotFoundError:
                continue  # who discards a dead writer's journal has swept the folder meanwhile
        return cls._create(path, header)

    @classmethod
    def _create(cls, path: Path, header: SegmentHeader) -> Self:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(UNFINISHED)
        size = HEADER_BYTES + header.slots_bytes
        fd = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # an unfinished one that is not locked may be deleted
            # Never sparse: a page without space behind it is a SIGBUS when it is written.
            os.posix_fallocate(fd, 0, size)
            os.pwrite(fd, header.to_bytes(), 0)
            mapped = mmap.mmap(fd, size)
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)  # the map has a descriptor of its own, and by it keeps the lock
        return cls(path, header.number, mapped)

    def recycle(self, header: SegmentHeader) -> "Segment":
        """Make the file of this segment a new one, to be entered later; this one is then closed.

        It must be full, not mended, and taken in by the workspace. A power cut at any time leaves
        the old segment, which is known to be taken in, or one that is not entered, which is swept:
        never old records under a new header. Both share the map until ``give_up``.

        Raises:
            OSError: The file was deleted by whoever took it in, or cannot be written.
        """
        if not isinstance(self.map, mmap.mmap):
            raise OSError(errno.EBADF, "the segment is closed")
        path = self.path.with_suffix(UNFINISHED)  # by its own number: no other file has that name
        self.path.rename(path)
        sync_folder(path.parent)
        self.path = path
        for at in range(HEADER_BYTES, self.size, len(_ZEROS)):
            self.map[at : at + len(_ZEROS)] = _ZEROS[: self.size - at]
        self.map[:HEADER_BYTES] = header.to_bytes()
        sync_file(path)
        return Segment(path, header.number, self.map)

    def give_up(self) -> None:
        """Leave the map to the segment that this one was made into."""
        self.map = bytearray()

    def enter(self, path: Path) -> None:
        """Put a recycled segment in its place: from now on readers see it.

        Raises:
            OSError: It was deleted, or the folder cannot be written.
        """
        self.path.rename(path)
        self.path = path

    def delete(self) -> None:
        """Close a segment that nobody reads, and delete its file."""
        self.path.unlink(missing_ok=True)
        self.close()

    @property
    def used(self) -> int:
        """Bytes of slots up to the first that is not written yet."""
        return self._first_empty() - HEADER_BYTES

    @property
    def vanished(self) -> bool:
        """Whether somebody has deleted the file."""
        return isinstance(self.map, mmap.mmap) and not self.path.exists()

    def settle(self, now: int, patience: int) -> bool:
        """Fill slots that were taken and then not written.

        An exception out of a signal handler can strike between the two, and readers would wait at
        such a slot for ever. One that has been empty for ``patience`` while later ones are written
        is marked as a lost point.

        Returns:
            Whether every slot of the segment is written.
        """
        while (empty := self._first_empty()) < self.size:
            self._has_hole = self._is_written_after(empty)
            if not self._has_hole:
                return False
            if empty != self._hole:
                self._hole, self._hole_since = empty, now
            if 0 <= now - self._hole_since < patience:  # a clock set back must not prolong it
                return False
            self.mended = True
            body = INT_BODY.pack(Kind.LOST, now // 1000, 0, 1)
            SLOT.pack_into(self.map, empty, zlib.crc32(body), body)
        self._has_hole = False
        return True

    def sync(self) -> None:
        """Carry what was written before the last ``settle`` to the disk, where there is more."""
        written = self._checked
        if isinstance(self.map, mmap.mmap) and (written > self._carried or self._has_hole):
            sync_file(self.path)
            self._carried = written

    def close(self) -> None:
        """Give up the file and the lock; writing raises from now on."""
        if isinstance(self.map, mmap.mmap):
            self.map.close()

    def __del__(self) -> None:
        self.close()

    def _is_written_after(self, at: int) -> bool:
        """In pieces, so that no other thread waits for long."""
        return any(
            used_bytes(bytes(self.map[begin : begin + len(_ZEROS)]))
            for begin in range(at, self.size, len(_ZEROS))
        )

    def _first_empty(self) -> int:
        at = self._checked
        while at < self.size:
            block = self.map[at : at + len(_ZEROS)]
            found = block.find(_EMPTY)
            while found >= 0 and found % SLOT_BYTES:
                found = -(-found // SLOT_BYTES) * SLOT_BYTES
                if block[found : found + SLOT_BYTES] != _EMPTY:
                    found = block.find(_EMPTY, found)
            if found >= 0:
                at += found
                break
            at += len(block)
        self._checked = min(at, self.size)
        return self._checked


def sync_file(path: Path) -> None:
    """Carry what is written into a file to the disk; nothing where it is not there any more.

    A map's own flush would hold up every thread of the process meanwhile.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """Carry to the disk which files are in a folder."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
