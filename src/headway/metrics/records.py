"""Reading journals: stretches of slots, decoded into columns with NumPy.

There is no Python step per number, only per text. The format is described in
``headway.metrics.slots``.
"""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, cast, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from headway.checks import check_name
from headway.errors import InvalidValueError
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
_MAX_NAME_CHARS: Final = 1 << 16
"""However long the settings of a writer allow them to be."""
_FORMS: Final = frozenset(get_args(SeriesForm))
_HEXADECIMAL: Final = re.compile(rf"-?[0-9a-f]{{1,{MAX_INTEGER_BITS // 4}}}")
RECORD: Final = np.dtype(
    [("crc", "<u4"), ("head", "<u4"), ("time", "<i8"), ("step", "<i8"), ("value", "<i8")]
)
"""A slot of the journal."""
_REFERS: Final = np.isin(np.arange(HAS_STEP), (Kind.TEXT, Kind.BIGINT, Kind.NAME))
"""By kind, whether a record refers to a text."""
_MOST_TEXT_BYTES: Final = 0xFFFFFFFFFF


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

    def names_since(self, before: "NameTable") -> bytes:
        """The names that are not in the table before, as they are kept; no bytes for none."""
        names = {id: key for id, key in self.names.items() if before.names.get(id) != key}
        return NameTable(names).to_bytes() if names else b""

    def pending_since(self, before: "NameTable") -> bytes:
        """What is pending, as it is kept; no bytes where neither table has anything."""
        return NameTable({}, self.pending).to_bytes() if self.pending or before.pending else b""

    @classmethod
    def joined(cls, parts: Iterable[bytes]) -> "NameTable":
        """The table of what was added bit by bit; what is pending is that of the last part."""
        names: dict[int, SeriesKey] = {}
        pending: dict[int, bytes] = {}
        for part in parts:
            added = cls.from_bytes(part)
            names |= added.names
            pending = added.pending
        return cls(names, pending)

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
    records = np.ascontiguousarray(slots).view(RECORD).reshape(-1)
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


def checksums(bodies: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The CRC-32 of each body of a record.

    Args:
        bodies: A row for each position in the body, a column for each body: at most some thousand,
            so that they stay in the cache.
    """
    crc = np.full(bodies.shape[1], _CRC_OF_ZEROS, np.uint32)
    for table, column in zip(_TABLES, bodies, strict=True):
        if (column == column[0]).all():  # most bytes of heads, times and steps
            crc ^= table[column[0]]
        else:
            crc ^= table[column]
    return crc


def _check(slots: NDArray[np.uint8]) -> Bools:
    """Which slots hold what their checksum says; an empty slot does not."""
    good = np.empty(len(slots), np.bool_)
    for begin in range(0, len(slots), _BLOCK_SLOTS):
        block = slots[begin : begin + _BLOCK_SLOTS]
        stored = np.ascontiguousarray(block[:, :4]).view("<u4").reshape(-1)
        good[begin : begin + len(block)] = checksums(np.ascontiguousarray(block.T)[4:]) == stored
    return good


# ---------------------------------------------------------------- records


@dataclass(slots=True)
class _Reading:
    """What is gathered while one stretch is read."""

    names: dict[int, SeriesKey]
    pending: dict[int, bytes]
    lost: int
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
    same = reading.names == table.names and reading.pending == table.pending
    names = table if same else NameTable(reading.names, reading.pending)
    return Stretch(consumed, reading.lost, columns, names)


def _read_texts(records: NDArray[np.void], kinds: NDArray[np.uint8], reading: _Reading) -> None:
    """Put texts together, and define the names among them."""
    is_part = kinds == Kind.PART
    at = np.flatnonzero(is_part | _REFERS[kinds])
    if not at.size:
        return
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
    owners = at[references]
    lengths = (records["value"][owners] >> 24) & _MOST_TEXT_BYTES
    data = pieces.tobytes()
    names: list[tuple[int, str]] = []
    for owner, kind, head, length, row, begin in zip(
        cast("list[int]", owners.tolist()),
        cast("list[int]", kinds[owners].tolist()),
        cast("list[int]", records["head"][owners].tolist()),
        cast("list[int]", lengths.tolist()),
        cast("list[int]", references.tolist()),
        cast("list[int]", begins.tolist()),
        strict=True,
    ):
        first = row - -(-length // PART_BYTES)
        text = None
        if first >= begin:
            text = _text(data[first * PART_BYTES : first * PART_BYTES + length])
        if kind == Kind.NAME:
            if text is not None:
                names.append((head >> 8, text))
        elif text is not None:
            value = _big_integer(text) if kind == Kind.BIGINT else text
            if value is not None:
                reading.texts[owner] = value
    for name_id, text in sorted(names):
        _define(reading, name_id, text)


def _define(reading: _Reading, name_id: int, text: str) -> None:
    lines = text.split("\n")
    if len(lines) == 3 and lines[0] in _FORMS and _is_name(lines[1]):
        if lines[2] and not _is_name(lines[2]):
            return
        key = (lines[1], lines[2], cast("SeriesForm", lines[0]))
        reading.names[name_id] = key
        reading.defined.append(key)


def _is_name(text: str) -> bool:
    """Whether it is what writers accept: a journal may come from a stranger."""
    try:
        check_name("metric name", text, _MAX_NAME_CHARS)
    except InvalidValueError:
        return False
    return True


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
    # Gathered once for all: what is left to do for each series is to cut slices.
    own = _Gathered.of(records, kinds, at)
    starts = np.flatnonzero(np.r_[True, series[1:] != series[:-1]]) if series.size else series
    lowest = np.minimum.reduceat(own.kinds, starts) if series.size else own.kinds
    highest = np.maximum.reduceat(own.kinds, starts) if series.size else own.kinds
    columns: list[Column] = []
    with_points: set[SeriesKey] = set()
    for number, begin, end, low, high in zip(
        cast("list[int]", series[starts].tolist()),
        starts.tolist(),
        [*starts[1:].tolist(), len(series)],
        lowest.tolist(),
        highest.tolist(),
        strict=False,
    ):
        key = keys[number]
        with_points.add(key)
        values = own.values(begin, end, low if low == high else None, reading.texts)
        columns.append(own.column(key, begin, end, values))
    empty = [key for key in dict.fromkeys(reading.defined) if key not in with_points]
    columns += [own.column(key, 0, 0, []) for key in empty]
    return columns


@dataclass(frozen=True, slots=True, eq=False)
class _Gathered:
    """The records of points, series by series, as arrays."""

    at: Ints
    kinds: NDArray[np.uint8]
    times: Ints
    steps: Ints
    has_step: Bools
    raw: Ints

    @classmethod
    def of(cls, records: NDArray[np.void], kinds: NDArray[np.uint8], at: Ints) -> "_Gathered":
        whole = len(at) == len(records) and bool((at == np.arange(len(at))).all())
        own = records if whole else records[at]
        return cls(
            at=at,
            kinds=kinds if whole else kinds[at],
            times=np.ascontiguousarray(own["time"]),
            steps=np.ascontiguousarray(own["step"]),
            has_step=(own["head"] & HAS_STEP) != 0,
            raw=np.ascontiguousarray(own["value"]),
        )

    def column(self, key: SeriesKey, begin: int, end: int, values: Values) -> Column:
        return Column(
            name=key[0],
            column=key[1],
            form=key[2],
            times=self.times[begin:end],
            steps=self.steps[begin:end],
            has_step=self.has_step[begin:end],
            values=values,
        )

    def values(self, begin: int, end: int, kind: int | None, texts: dict[int, str | int]) -> Values:
        """The values of a series.

        Args:
            begin: Its first record.
            end: Behind its last one.
            kind: That of all its records; None where they differ.
            texts: By the position of their record.
        """
        raw = self.raw[begin:end]
        if kind == Kind.FLOAT:
            return raw.view(np.float64)
        if kind == Kind.INT:
            return raw
        if kind == Kind.BOOL:
            return raw != 0
        if kind == Kind.TEXT:
            return [texts[i] for i in cast("list[int]", self.at[begin:end].tolist())]
        return self._mixed(begin, end, texts)

    def _mixed(self, begin: int, end: int, texts: dict[int, str | int]) -> Values:
        raw, kinds = self.raw[begin:end], self.kinds[begin:end]
        mixed = np.full(len(raw), None, np.object_)
        for kind, plain in (
            (Kind.FLOAT, raw.view(np.float64)),
            (Kind.INT, raw),
            (Kind.BOOL, raw != 0),
        ):
            chosen = kinds == kind
            mixed[chosen] = plain[chosen].tolist()
        for index in np.flatnonzero((kinds == Kind.TEXT) | (kinds == Kind.BIGINT)).tolist():
            mixed[index] = texts[int(self.at[begin + index])]
        return cast("list[Scalar]", mixed.tolist())
