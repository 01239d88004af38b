"""Records of a journal made without a journal: any steps and times, and as many as wanted."""

import zlib
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headway.metrics.records import RECORD, checksums
from headway.metrics.slots import (
    FLOAT_BODY,
    HAS_STEP,
    INT_BODY,
    PART_BODY,
    PART_BYTES,
    REFERENCE_BODY,
    SLOT,
    SLOT_BYTES,
    Kind,
)
from headway.model import Scalar

_AT_ONCE: Final = 1 << 13

Logged = tuple[int | None, int, Scalar]
"""Step, time and value; integers of 64 bits."""


def slot(body: bytes) -> bytes:
    """A record with its checksum."""
    return SLOT.pack(zlib.crc32(body), body)


def name_records(name: str, name_id: int = 0, *, form: str = "scalar", column: str = "") -> bytes:
    """What defines a series."""
    return _text(f"{form}\n{name}\n{column}", Kind.NAME, name_id, 0, None)


def records(points: Iterable[Logged], name_id: int = 0) -> bytes:
    """Points of one series."""
    return b"".join(_point(name_id, *point) for point in points)


def float_records(
    steps: NDArray[np.int64],
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    name_id: int = 0,
) -> bytes:
    """The same for many points, about ten million a second."""
    made = np.zeros(len(steps), RECORD)
    made["head"] = name_id << 8 | HAS_STEP | Kind.FLOAT
    made["time"], made["step"], made["value"] = times, steps, values.view(np.int64)
    rows = made.view(np.uint8).reshape(-1, SLOT_BYTES)
    for begin in range(0, len(rows), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        made["crc"][part] = checksums(np.ascontiguousarray(rows[part].T)[4:])
    return made.tobytes()


def _point(name_id: int, step: int | None, time: int, value: Scalar) -> bytes:
    head = name_id << 8 | (0 if step is None else HAS_STEP)
    at = step or 0
    if isinstance(value, float):
        return slot(FLOAT_BODY.pack(head | Kind.FLOAT, time, at, value))
    if isinstance(value, bool):
        return slot(INT_BODY.pack(head | Kind.BOOL, time, at, value))
    if value is None:
        return slot(INT_BODY.pack(head | Kind.NONE, time, at, 0))
    if isinstance(value, int):
        return slot(INT_BODY.pack(head | Kind.INT, time, at, value))
    return _text(value, Kind.TEXT, name_id, time, step)


def _text(text: str, kind: Kind, name_id: int, time: int, step: int | None) -> bytes:
    data = text.encode()
    parts = [
        slot(PART_BODY.pack(Kind.PART, data[at : at + PART_BYTES]))
        for at in range(0, len(data), PART_BYTES)
    ]
    head = name_id << 8 | kind | (0 if step is None else HAS_STEP)
    reference = REFERENCE_BODY.pack(head, time, step or 0, len(data) << 24)
    return b"".join([*parts, slot(reference)])
