"""The files of journals as a reader sees them: which there are, what they hold, what may go.

Reading and deleting need no lock of their own here: who moves records into a store keeps others
from doing the same. Files that somebody else deletes meanwhile are no error.
"""

import os
import re
import zlib
from pathlib import Path
from typing import Final

import msgspec

from headway.errors import StorageCorruptError
from headway.locks import is_held
from headway.metrics.segment import (
    UNFINISHED,
    SegmentHeader,
    implied_header,
    parse_header,
    segment_path,
)
from headway.metrics.slots import (
    HAS_STEP,
    HEADER_BYTES,
    INT_BODY,
    SLOT,
    SLOT_BYTES,
    SUFFIX,
    Kind,
    used_bytes,
)

_HEAD_AT: Final = 4
"""Where in a slot the byte with the kind is."""
_POINTS: Final = (Kind.FLOAT, Kind.INT, Kind.BOOL, Kind.NONE, Kind.TEXT, Kind.BIGINT)
_NAME: Final = re.compile(rf"(.+)\.(\d{{6,}}){re.escape(SUFFIX)}")


class JournalInfo(msgspec.Struct, frozen=True):
    """One journal as it was found."""

    run_id: str
    writer_id: str
    segments: list[int]
    """The numbers of the files that are there, lowest first."""
    alive: bool
    """Whether its writer may still add to it. One that is not alive never is again."""


def journals(folder: Path) -> list[JournalInfo]:
    """All journals in a folder, by run and writer."""
    return [journal for run_id in _names(folder) for journal in journals_of(folder, run_id)]


def journals_of(folder: Path, run_id: str) -> list[JournalInfo]:
    """The journals of one run."""
    found = _list(folder, run_id)
    return [
        JournalInfo(run_id, writer, numbers, _is_alive(folder, run_id, writer))
        for writer, numbers in sorted(found.items())
    ]


def read(folder: Path, journal: JournalInfo, offset: int, max_bytes: int) -> bytes:
    """Slots of a journal from an offset on; no bytes where there is nothing more.

    What is not written yet at the end of the last file is left out. Where a file is missing
    before others of a dead writer, the points that it had room for are said to be lost.

    Raises:
        StorageCorruptError: A file is damaged or no journal; the message names it.
    """
    numbers = _list(folder, journal.run_id).get(journal.writer_id, [])
    header = _any_header(folder, journal, numbers)
    if header is None:
        return b""
    parts: list[bytes] = []
    size = 0
    while size < max_bytes:
        number, at = divmod(offset + size, header.slots_bytes)
        wanted = min(max_bytes - size, header.slots_bytes - at) // SLOT_BYTES * SLOT_BYTES
        is_last = number >= numbers[-1]
        part = _read_segment(folder, journal, number, at, wanted, is_last=is_last)
        if part is None and not is_last and not journal.alive:
            part = _gap(wanted)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if is_last:
            break
    return b"".join(parts)


def count_points(folder: Path, journal: JournalInfo) -> int:
    """How many points the files of a journal hold, those among them that were taken in already."""
    count = 0
    for number in journal.segments:
        opened = _open(folder, journal, number)
        if opened is not None:
            fd, header = opened
            try:
                data = os.pread(fd, header.slots_bytes, HEADER_BYTES)
            finally:
                os.close(fd)
            heads = data[_HEAD_AT : used_bytes(data) : SLOT_BYTES]
            count += sum(heads.count(kind) + heads.count(kind | HAS_STEP) for kind in _POINTS)
    return count


def is_discarded(folder: Path, journal: JournalInfo, offset: int) -> bool:
    """Whether the file that an offset is in was taken in and discarded already."""
    numbers = _list(folder, journal.run_id).get(journal.writer_id, [])
    if not numbers or not numbers[0]:
        return False
    header = _any_header(folder, journal, numbers)
    return header is not None and offset // header.slots_bytes < numbers[0]


def discard(folder: Path, journal: JournalInfo, offset: int, *, finished: bool) -> None:
    """Delete the files of a journal that were taken in up to an offset.

    A living writer keeps its last file.

    Args:
        folder: Where the journals of the workspace are.
        journal: Which.
        offset: How far it was taken in.
        finished: Whether nothing was left to read. Of a dead writer everything goes then, and the
            folder of the run when nothing else is in it.
    """
    numbers = _list(folder, journal.run_id).get(journal.writer_id, [])
    if finished and not journal.alive:
        for number in numbers:
            _path(folder, journal, number).unlink(missing_ok=True)
        sweep(folder, journal.run_id)
        return
    header = _any_header(folder, journal, numbers) if numbers[1:] or not journal.alive else None
    taken = 0 if header is None else offset // header.slots_bytes
    for number in numbers[: len(numbers) - journal.alive]:
        if number < taken:
            _path(folder, journal, number).unlink(missing_ok=True)


def sweep(folder: Path, run_id: str) -> None:
    """Delete what writers left that were killed while they made a file, and an empty folder."""
    for name in _names(folder / run_id):
        path = folder / run_id / name
        if path.suffix == UNFINISHED and not is_held(path):
            path.unlink(missing_ok=True)
    try:
        (folder / run_id).rmdir()
    except OSError:
        return  # journals are in it, or it is gone


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are wanted, not paths
    except (FileNotFoundError, NotADirectoryError):
        return []


def _list(folder: Path, run_id: str) -> dict[str, list[int]]:
    """The numbers of the segments by writer, lowest first."""
    found: dict[str, list[int]] = {}
    for name in _names(folder / run_id):
        match = _NAME.fullmatch(name)
        if match:
            found.setdefault(match[1], []).append(int(match[2]))
    for numbers in found.values():
        numbers.sort()
    return found


def _path(folder: Path, journal: JournalInfo, number: int) -> Path:
    return segment_path(folder, journal.run_id, journal.writer_id, number)


def _is_alive(folder: Path, run_id: str, writer_id: str) -> bool:
    """Whether somebody holds the lock on the newest segment."""
    probed = -1
    while True:
        numbers = _list(folder, run_id).get(writer_id, [])
        # A free lock counts only if no newer segment has come up since it was listed: a writer
        # lets go of a segment after it has the next one.
        if not numbers or numbers[-1] == probed:
            return False
        probed = numbers[-1]
        if is_held(segment_path(folder, run_id, writer_id, probed)):
            return True


def _any_header(folder: Path, journal: JournalInfo, numbers: list[int]) -> SegmentHeader | None:
    for number in reversed(numbers):
        opened = _open(folder, journal, number)
        if opened is not None:
            fd, header = opened
            os.close(fd)
            return header
    return None


def _open(folder: Path, journal: JournalInfo, number: int) -> tuple[int, SegmentHeader] | None:
    """A file of a journal and what its header says; None where it is not there any more."""
    path = _path(folder, journal, number)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return fd, _header(path, journal, number, fd)
    except BaseException as error:
        is_there = _is_at(path, fd)
        os.close(fd)
        if isinstance(error, StorageCorruptError) and not is_there:
            return None  # its writer has made another segment of it meanwhile
        raise


def _is_at(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False


def _header(path: Path, journal: JournalInfo, number: int, fd: int) -> SegmentHeader:
    data = os.pread(fd, HEADER_BYTES, 0)
    if not any(data):
        room = os.fstat(fd).st_size - HEADER_BYTES
        if room > 0 and room % SLOT_BYTES == 0:  # a power cut took it: name and size say the same
            return implied_header(journal.run_id, journal.writer_id, number, room)
    header = parse_header(path, data)
    found = (header.run_id, header.writer_id, header.number)
    if found != (journal.run_id, journal.writer_id, number):
        raise StorageCorruptError(
            f"the journal {path} says that it is number {header.number} of writer "
            f"{header.writer_id!r} for run {header.run_id!r}: give it its own name again, or move "
            "it out of the folder of journals"
        )
    return header


def _read_segment(
    folder: Path, journal: JournalInfo, number: int, at: int, wanted: int, *, is_last: bool
) -> bytes | None:
    """Slots of one file; None where the file is not there."""
    opened = _open(folder, journal, number)
    if opened is None:
        return None
    fd, header = opened
    try:
        data = os.pread(fd, wanted, HEADER_BYTES + at)
        if is_last and not _written_after(fd, at + wanted, header.slots_bytes):
            return data[: used_bytes(data)]
        return data.ljust(wanted, b"\0")
    finally:
        os.close(fd)


def _written_after(fd: int, at: int, end: int) -> bool:
    """Whether a segment holds anything from here on."""
    while at < end:
        block = os.pread(fd, min(1 << 16, end - at), HEADER_BYTES + at)
        if used_bytes(block):
            return True
        if not block:
            return False
        at += len(block)
    return False


def _gap(size: int) -> bytes:
    body = INT_BODY.pack(Kind.LOST, 0, 0, 1)
    return SLOT.pack(zlib.crc32(body), body) * (size // SLOT_BYTES)
