"""Reading journals: stretches of slots, decoded into columns with NumPy.

There is no Python step per number, only per text. The format is described in
``headway.metrics.slots``.
"""

import re
import zlib
from dataclasses import dataclass, field
from typing import Final, cast, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from headway.metrics.slots import (
    HAS_STEP,
    MAX_ID,
    MAX_INTEGER_BITS,
    PART_BYTES,
    SLOT_BYTES,
    Kind,
    used_bytes,
)
from headway.model import Scalar, SeriesForm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Values = Floats | Ints | Bools | list[Scalar]
SeriesKey = tuple[str, str, SeriesForm]
"""Name, column and form of a series."""

_MAX_PENDING_BYTES: Final = 64 << 20
_BLOCK_SLOTS: Final = 1 << 13  # what is checked at once stays in the cache
_FORMS: Final = frozenset(get_args(SeriesForm))
_HEXADECIMAL: Final = re.compile(rf"-?[0-9a-f]{{1,{MAX_INTEGER_BITS // 4}}}")
_RECORD: Final = np.dtype(
    [("crc", "<u4"), ("head", "<u4"), ("time", "<i8"), ("step", "<i8"), ("value", "<i8")]
)
_REFERRING: Final = (Kind.TEXT, Kind.BIGINT, Kind.NAME)


class NameTable(msgspec.Struct, frozen=True):
    """What a reader must know of the part of a journal before the stretch that it reads.

    It is kept beside the offset, as MessagePack.
    """

    names: dict[int, SeriesKey] = {}
    """The series by id."""
    pending: dict[int, bytes] = {}
    """Whole parts of texts that were not referred to yet, by id."""

    def to_bytes(self) -> bytes:
        """The table as it is kept."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "NameTable":
        """The table that was kept; an empty one for no bytes."""
        return msgspec.msgpack.decode(data, type=cls) if data else cls()


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The points of one series in the order in which they were logged."""

    name: str
    column: str
    form: SeriesForm
    times: Ints
    """Microseconds since the epoch."""
    steps: Ints
    """0 where ``has_step`` is false."""
    has_step: Bools
    values: Values
    """An array where all are of one of the number types, else a list."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What a part of a journal says."""

    consumed: int
    """Bytes that are done with; the next stretch begins behind them."""
    lost: int
    """Points that were logged and cannot be had, those included that the writer could not write."""
    columns: list[Column]
    """One for each series that has points here or is new."""
    names: NameTable
    """For the next stretch; the same object where nothing was added."""


def decode(data: bytes, names: NameTable, *, torn: bool) -> Stretch:
    """Read a stretch of a journal.

    Args:
        data: Slots, from where the stretch before ended.
        names: As it came out of the stretch before; an empty table for the first one.
        torn: Whether the writer is dead. Then slots that are empty or damaged are counted as lost
            and skipped; from a living writer the stretch is read up to the first of them.
    """
    whole = len(data) // SLOT_BYTES * SLOT_BYTES
    end = used_bytes(data[:whole])
    slots = np.frombuffer(data, np.uint8, end).reshape(-1, SLOT_BYTES)
    good = _check(slots)
    lost = 0
    if good.all():
        consumed = end
    elif torn:
        lost = int(np.count_nonzero(~good))
        slots = slots[good]
        consumed = end
    else:
        first_bad = int(np.argmin(good))
        slots = slots[:first_bad]
        consumed = first_bad * SLOT_BYTES
    if torn:
        consumed = whole
    records = np.ascontiguousarray(slots).view(_RECORD).reshape(-1)
    return _read(records, names, consumed, lost)


# ---------------------------------------------------------------- checksums


def _make_tables() -> tuple[int, list[NDArray[np.uint32]]]:
    """The CRC-32 of 28 zeros, and what each value of each byte changes in it.

    CRC-32 is linear: the checksum of a body is the XOR of one table entry a byte.
    """
    zeros = bytes(SLOT_BYTES - 4)
    base = zlib.crc32(zeros)
    tables: list[NDArray[np.uint32]] = []
    for position in range(len(zeros)):
        body = bytearray(zeros)
        entries: list[int] = []
        for byte in range(256):
            body[position] = byte
            entries.append(zlib.crc32(body) ^ base)
        tables.append(np.array(entries, np.uint32))
    return base, tables


_CRC_OF_ZEROS, _TABLES = _make_tables()


def _check(slots: NDArray[np.uint8]) -> Bools:
    """Which slots hold what their checksum says; an empty slot does not."""
    good = np.empty(len(slots), np.bool_)
    for begin in range(0, len(slots), _BLOCK_SLOTS):
        block = slots[begin : begin + _BLOCK_SLOTS]
        columns = np.ascontiguousarray(block.T)
        crc = np.full(len(block), _CRC_OF_ZEROS, np.uint32)
        for table, column in zip(_TABLES, columns[4:], strict=True):
            if (column == column[0]).all():  # most bytes of heads, times and steps
                crc ^= table[column[0]]
            else:
                crc ^= table[column]
        stored = np.ascontiguousarray(block[:, :4]).view("<u4").reshape(-1)
        good[begin : begin + len(block)] = crc == stored
    return good


# ---------------------------------------------------------------- records


@dataclass(slots=True)
class _Reading:
    """What is gathered while one stretch is read."""

    names: dict[int, SeriesKey]
    pending: dict[int, bytes]
    lost: int
    changed: bool = False
    defined: list[SeriesKey] = field(default_factory=list["SeriesKey"])
    texts: dict[int, str | int] = field(default_factory=dict[int, str | int])
    """Texts, and integers that were kept as such, by the position of the record of the point."""


def _read(records: NDArray[np.void], table: NameTable, consumed: int, lost: int) -> Stretch:
    heads = np.ascontiguousarray(records["head"])
    kinds = (heads & (HAS_STEP - 1)).astype(np.uint8)
    reading = _Reading(dict(table.names), dict(table.pending), lost)
    if kinds.size and int(kinds.max()) >= Kind.TEXT:
        _read_texts(records, kinds, reading)
        reading.lost += int(records["value"][kinds == Kind.LOST].clip(min=0).sum())
    columns = _read_points(records, heads, kinds, reading)
    names = NameTable(reading.names, reading.pending) if reading.changed else table
    return Stretch(consumed, reading.lost, columns, names)


def _read_texts(records: NDArray[np.void], kinds: NDArray[np.uint8], reading: _Reading) -> None:
    """Put texts together, and define the names among them."""
    is_part = kinds == Kind.PART
    at = np.flatnonzero(is_part | np.isin(kinds, _REFERRING))
    if not at.size:
        return
    reading.changed = True
    chosen = records[at]
    owner = np.where(is_part[at], chosen["head"] >> 8, chosen["value"] & MAX_ID).astype(np.int64)
    payload = chosen.view(np.uint8).reshape(-1, SLOT_BYTES)[:, -PART_BYTES:]
    # Parts left over from stretches before come first, as if they were read again.
    left_over = b"".join(reading.pending.values())
    counts = [len(parts) // PART_BYTES for parts in reading.pending.values()]
    owner = np.concatenate([np.repeat(np.array(list(reading.pending), np.int64), counts), owner])
    old = np.frombuffer(left_over, np.uint8).reshape(-1, PART_BYTES)
    at = np.concatenate([np.full(len(old), -1, np.int64), at])
    order = np.argsort(owner, kind="stable")
    pieces = np.concatenate([old, payload])[order]
    owner, at = owner[order], at[order]
    refers = (at >= 0) & ~is_part[at]
    firsts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    _cut_texts(records, kinds, reading, pieces, at, np.flatnonzero(refers), firsts)
    _keep_pending(reading, pieces, owner, refers)


def _cut_texts(
    records: NDArray[np.void],
    kinds: NDArray[np.uint8],
    reading: _Reading,
    pieces: NDArray[np.uint8],
    at: Ints,
    references: Ints,
    firsts: Ints,
) -> None:
    begins = firsts[np.searchsorted(firsts, references, side="right") - 1]
    begins = np.maximum(begins, np.r_[-1, references[:-1]] + 1)
    names: list[tuple[int, str]] = []
    for row, begin in zip(references.tolist(), begins.tolist(), strict=True):
        record = records[int(at[row])]
        length = int(record["value"]) >> 24 & 0xFFFFFFFFFF
        needed = -(-length // PART_BYTES)
        text = None
        if needed <= row - begin:
            text = _text(pieces[row - needed : row].tobytes()[:length])
        if kinds[at[row]] == Kind.NAME:
            if text is not None:
                names.append((int(record["head"]) >> 8, text))
        elif text is not None:
            value = _big_integer(text) if kinds[at[row]] == Kind.BIGINT else text
            if value is not None:
                reading.texts[int(at[row])] = value
    for name_id, text in sorted(names):
        _define(reading, name_id, text)


def _define(reading: _Reading, name_id: int, text: str) -> None:
    lines = text.split("\n")
    if len(lines) == 3 and lines[0] in _FORMS and lines[1]:
        key = (lines[1], lines[2], cast("SeriesForm", lines[0]))
        reading.names[name_id] = key
        reading.defined.append(key)


def _keep_pending(reading: _Reading, pieces: NDArray[np.uint8], owner: Ints, refers: Bools) -> None:
    """Keep the parts behind the last reference to each text."""
    reading.pending = {}
    bounds = np.flatnonzero(np.r_[True, (owner[1:] != owner[:-1]) | refers[:-1], True])
    size = 0
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if refers[end - 1]:
            continue
        parts = pieces[begin:end].tobytes()
        size += len(parts)
        if size > _MAX_PENDING_BYTES:
            break
        reading.pending[int(owner[begin])] = parts


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _big_integer(digits: str) -> int | None:
    return int(digits, 16) if _HEXADECIMAL.fullmatch(digits) else None


# ---------------------------------------------------------------- columns


def _read_points(
    records: NDArray[np.void],
    heads: NDArray[np.uint32],
    kinds: NDArray[np.uint8],
    reading: _Reading,
) -> list[Column]:
    keys: dict[SeriesKey, int] = {}
    lookup = np.full(max(reading.names, default=-1) + 2, -1, np.int32)  # the last one: unknown
    for name_id, key in sorted(reading.names.items()):
        lookup[name_id] = keys.setdefault(key, len(keys))
    is_point = (kinds >= Kind.FLOAT) & (kinds <= Kind.BIGINT)
    at = np.arange(len(records)) if is_point.all() else np.flatnonzero(is_point)
    series = lookup[np.minimum(heads[at] >> 8, len(lookup) - 1)]
    if kinds.size and int(kinds.max()) >= Kind.TEXT:
        needs_text = (kinds[at] == Kind.TEXT) | (kinds[at] == Kind.BIGINT)
        has_text = np.isin(at, np.array(list(reading.texts), np.int64))
        series[needs_text & ~has_text] = -1
    known = series >= 0
    if not known.all():
        reading.lost += int(np.count_nonzero(~known))
        at, series = at[known], series[known]
    return _columns(records, kinds, reading, list(keys), at, series)


def _columns(
    records: NDArray[np.void],
    kinds: NDArray[np.uint8],
    reading: _Reading,
    keys: list[SeriesKey],
    at: Ints,
    series: NDArray[np.int32],
) -> list[Column]:
    if series.size and (series != series[0]).any():
        narrow = series.astype(np.uint16) if len(keys) < 1 << 16 else series
        order = np.argsort(narrow, kind="stable")  # a radix sort for 16 bits
        at, series = at[order], series[order]
    starts = np.flatnonzero(np.r_[True, series[1:] != series[:-1]]) if series.size else series
    columns: list[Column] = []
    with_points: set[SeriesKey] = set()
    for begin, end in zip(starts.tolist(), [*starts[1:].tolist(), len(series)], strict=False):
        key = keys[int(series[begin])]
        with_points.add(key)
        columns.append(_column(key, records, kinds, at[begin:end], reading.texts))
    empty = [key for key in dict.fromkeys(reading.defined) if key not in with_points]
    columns += [_column(key, records, kinds, at[:0], reading.texts) for key in empty]
    return columns


def _column(
    key: SeriesKey,
    records: NDArray[np.void],
    kinds: NDArray[np.uint8],
    at: Ints,
    texts: dict[int, str | int],
) -> Column:
    own = records[at] if len(at) != len(records) else records
    return Column(
        name=key[0],
        column=key[1],
        form=key[2],
        times=np.ascontiguousarray(own["time"]),
        steps=np.ascontiguousarray(own["step"]),
        has_step=(own["head"] & HAS_STEP) != 0,
        values=_values(own, kinds[at], at, texts),
    )


def _values(
    records: NDArray[np.void], kinds: NDArray[np.uint8], at: Ints, texts: dict[int, str | int]
) -> Values:
    raw = np.ascontiguousarray(records["value"])
    if not kinds.size:
        return []
    if int(kinds.min()) == int(kinds.max()):
        match int(kinds[0]):
            case Kind.FLOAT:
                return raw.view(np.float64)
            case Kind.INT:
                return raw
            case Kind.BOOL:
                return raw != 0
            case _:
                pass
    mixed = np.full(len(raw), None, np.object_)
    for kind, plain in (
        (Kind.FLOAT, raw.view(np.float64)),
        (Kind.INT, raw),
        (Kind.BOOL, raw != 0),
    ):
        chosen = kinds == kind
        mixed[chosen] = plain[chosen].tolist()
    for index in np.flatnonzero((kinds == Kind.TEXT) | (kinds == Kind.BIGINT)).tolist():
        mixed[index] = texts[int(at[index])]
    return cast("list[Scalar]", mixed.tolist())
