"""What a chart needs to know of a long stretch of points without reading them.

Points are counted by units of one size, in the order in which they were logged. An overview is a
block (``headway.metrics.chunks``) of two numbers, uint32: the points of a unit and the number of
units; and then either a record a unit, as ``UNIT`` lays it out (codec 0x31), or, for each field of
a record, a uint32 with the length of its block and then all of these blocks (0x32). In blocks,
steps and times but for the lowest are differences to the lowest one.

Steps and times are those of all points. The rest is about numbers only; truth values are 0 and 1.
"""

import struct
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from headway.metrics import chunks
from headway.metrics.records import Bools, Floats, Ints

Units = NDArray[np.void]

UNIT: Final = np.dtype(
    [
        ("count", "<i4"),
        ("not_finite", "<i4"),
        ("low_step", "<i8"),
        ("high_step", "<i8"),
        ("low_time", "<i8"),
        ("high_time", "<i8"),
        ("minimum", "<f8"),
        ("minimum_step", "<i8"),
        ("minimum_time", "<i8"),
        ("maximum", "<f8"),
        ("maximum_step", "<i8"),
        ("maximum_time", "<i8"),
        ("total", "<f8"),
        ("last", "<f8"),
    ]
)
"""Minimum and maximum leave NaN out and are NaN where nothing else is there; the total is that of
the finite numbers."""

FIELDS: Final = cast("tuple[str, ...]", UNIT.names)
EXTREMES: Final = (
    "count",
    *(field for field in FIELDS if field.startswith(("minimum", "maximum"))),
)
"""What is needed of the least and the greatest points."""
_MOST_UNITS: Final = 1 << 20
_RECORDS: Final = 0x31
_COLUMNS: Final = 0x32
_HEAD: Final = struct.Struct("<II")
_LENGTHS: Final = struct.Struct(f"<{len(FIELDS)}I")
_RELATIVE: Final = tuple(
    (field, field[-4:])
    for field in FIELDS
    if field.endswith(("_step", "_time")) and not field.startswith("low")
)


def make_units(
    steps: Ints, times: Ints, numbers: Floats, is_number: Bools | None, size: int
) -> Units:
    """Count points by units.

    Args:
        steps: Of at least one point.
        times: As many.
        numbers: As many; whatever stands where there is no number.
        is_number: Which points are numbers; None for all.
        size: Points of a unit. The last one may have fewer.
    """
    padding = -len(steps) % size
    valid = np.ones(len(steps), np.bool_) if is_number is None else is_number
    at_steps = np.pad(steps, (0, padding), mode="edge").reshape(-1, size)
    at_times = np.pad(times, (0, padding), mode="edge").reshape(-1, size)
    valid = np.pad(valid, (0, padding)).reshape(-1, size)
    values = np.where(valid, np.pad(numbers, (0, padding)).reshape(-1, size), np.nan)
    finite = np.isfinite(values)
    units = np.zeros(len(values), UNIT)
    units["count"] = valid.sum(axis=1)
    units["not_finite"] = units["count"] - finite.sum(axis=1)
    for name, at in (("step", at_steps), ("time", at_times)):
        units[f"low_{name}"] = at.min(axis=1)
        units[f"high_{name}"] = at.max(axis=1)
    rows = np.arange(len(values))
    is_nan = np.isnan(values)
    for field, places in (
        ("minimum", np.argmin(np.where(is_nan, np.inf, values), axis=1)),
        ("maximum", np.argmax(np.where(is_nan, -np.inf, values), axis=1)),
    ):
        # Where a unit has infinities and NaN alone, the place found may be that of a NaN.
        found = cast("Ints", np.where(is_nan[rows, places], np.argmin(is_nan, axis=1), places))
        units[field] = values[rows, found]
        units[f"{field}_step"] = at_steps[rows, found]
        units[f"{field}_time"] = at_times[rows, found]
    units["total"] = np.where(finite, values, 0.0).sum(axis=1)
    lasts = size - 1 - np.argmax(valid[:, ::-1], axis=1)
    units["last"] = values[rows, lasts]
    return units


def combine(units: Units, factor: int) -> Units:
    """Units of ``factor`` times as many points."""
    begins = np.arange(0, len(units), factor)
    larger = np.zeros(len(begins), UNIT)
    for field in ("count", "not_finite", "total"):
        larger[field] = np.add.reduceat(units[field], begins)
    for field in ("low_step", "low_time"):
        larger[field] = np.minimum.reduceat(units[field], begins)
    for field in ("high_step", "high_time"):
        larger[field] = np.maximum.reduceat(units[field], begins)
    group = np.arange(len(units)) // factor
    for field, best in (("minimum", np.fmin), ("maximum", np.fmax)):
        extremes = best.reduceat(units[field], begins)
        is_it = (units[field] == extremes[group]) | np.isnan(extremes[group])
        found = np.flatnonzero(is_it)
        firsts = found[np.searchsorted(group[found], np.arange(len(begins)))]
        for suffix in ("", "_step", "_time"):
            larger[f"{field}{suffix}"] = units[f"{field}{suffix}"][firsts]
    counted = np.flatnonzero(units["count"] > 0)
    lasts = (
        counted[np.searchsorted(group[counted], np.arange(len(begins)), side="right") - 1]
        if (counted.size)
        else np.zeros(len(begins), np.int64)
    )
    larger["last"] = np.where(larger["count"] > 0, units["last"][lasts], np.nan)
    return larger


def joined(parts: Sequence[Units]) -> Units:
    """All units one after the other; NumPy would copy records field by field."""
    return np.frombuffer(b"".join(part.tobytes() for part in parts), UNIT)


def encode_records(units: Units, size: int) -> bytes:
    """An overview that is read fastest: for few units."""
    return chunks.block(_RECORDS, _HEAD.pack(size, len(units)) + units.tobytes())


def encode_columns(units: Units, size: int) -> bytes:
    """An overview that takes the least room: for many units."""
    relative = dict(_RELATIVE)
    columns: list[bytes] = []
    for field in FIELDS:
        column = np.ascontiguousarray(units[field])
        if field in relative:
            column = column - units[f"low_{relative[field]}"]
        if column.dtype.kind == "f":
            columns.append(chunks.encode_numbers(column.astype(np.float64)))
        else:
            columns.append(chunks.encode_numbers(column.astype(np.int64)))
    lengths = _LENGTHS.pack(*map(len, columns))
    return chunks.block(_COLUMNS, _HEAD.pack(size, len(units)) + lengths + b"".join(columns))


class Overview(NamedTuple):
    """An overview that was read."""

    size: int
    """Points of a unit; the last one may have fewer."""
    units: Units


def decode_records(blocks: Sequence[bytes]) -> list[Overview]:
    """Overviews as ``encode_records`` makes them.

    Raises:
        StorageCorruptError: A block is damaged.
    """
    bodies = [chunks.content(block, _RECORDS) for block in blocks]
    heads = [_head(body) for body in bodies]
    for body, (_, count) in zip(bodies, heads, strict=True):
        if len(body) != _HEAD.size + count * UNIT.itemsize:
            raise chunks.damaged(f"an overview of {count} units has {len(body)} bytes")
    return [
        Overview(size, np.frombuffer(body, UNIT, count, _HEAD.size))
        for body, (size, count) in zip(bodies, heads, strict=True)
    ]


def decode_columns(data: bytes, fields: Collection[str]) -> Overview:
    """An overview as ``encode_columns`` makes it, with some fields; the others are 0.

    Raises:
        StorageCorruptError: The block is damaged.
    """
    body = chunks.content(data, _COLUMNS)
    size, count = _head(body)
    at = _HEAD.size + _LENGTHS.size
    if len(body) < at:
        raise chunks.damaged(f"an overview has {len(body)} bytes")
    relative = dict(_RELATIVE)
    needed = {*fields, *(f"low_{relative[field]}" for field in fields if field in relative)}
    units = np.zeros(count, UNIT)
    for field, length in zip(FIELDS, _LENGTHS.unpack_from(body, _HEAD.size), strict=True):
        if field in needed:
            column = chunks.decode(bytes(body[at : at + length]))
            if len(column) != count or not isinstance(column, np.ndarray):
                raise chunks.damaged(f"{field} of an overview is not {count} numbers")
            units[field] = column
        at += length
    for field, what in _RELATIVE:
        if field in needed:
            units[field] += units[f"low_{what}"]
    return Overview(size, units)


def _head(body: memoryview) -> tuple[int, int]:
    try:
        size, count = _HEAD.unpack_from(body)
    except struct.error as error:
        raise chunks.damaged(str(error)) from error
    if size < 1 or count > _MOST_UNITS:
        raise chunks.damaged(f"an overview says that it has {count} units of {size} points")
    return size, count
