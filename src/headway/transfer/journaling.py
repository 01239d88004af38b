"""Points made into the records of a journal, as which a workspace takes them in exactly once."""

import zlib
from typing import Final

from headway.metrics.slots import (
    FLOAT_BODY,
    HAS_STEP,
    INT_BODY,
    MAX_INT,
    MIN_INT,
    PART_BODY,
    PART_BYTES,
    REFERENCE_BODY,
    SLOT,
    Kind,
)
from headway.transfer.tables import ExportedPoint

_LENGTH_SHIFT: Final = 24


class Recorder:
    """Makes the records of one journal. Equal calls make equal bytes."""

    def __init__(self) -> None:
        self._names = 0

    def define(self, form: str, name: str, column: str) -> tuple[int, bytes]:
        """Begin a series: its number, and what says so."""
        number, self._names = self._names, self._names + 1
        return number, _text(f"{form}\n{name}\n{column}", Kind.NAME, number << 8, 0, 0)

    def point(self, number: int, point: ExportedPoint) -> bytes:
        """A point of a series."""
        head = number << 8 | HAS_STEP
        step, time, value = point
        if isinstance(value, float):
            return _slot(FLOAT_BODY.pack(head | Kind.FLOAT, time, step, value))
        if isinstance(value, bool):
            return _slot(INT_BODY.pack(head | Kind.BOOL, time, step, value))
        if value is None:
            return _slot(INT_BODY.pack(head | Kind.NONE, time, step, 0))
        if isinstance(value, str):
            return _text(value, Kind.TEXT, head, time, step)
        if MIN_INT <= value <= MAX_INT:
            return _slot(INT_BODY.pack(head | Kind.INT, time, step, value))
        return _text(f"{value:x}", Kind.BIGINT, head, time, step)


def _text(text: str, kind: Kind, head: int, time: int, step: int) -> bytes:
    data = text.encode()
    parts = [
        _slot(PART_BODY.pack(Kind.PART, data[at : at + PART_BYTES]))
        for at in range(0, len(data), PART_BYTES)
    ]
    reference = REFERENCE_BODY.pack(head | kind, time, step, len(data) << _LENGTH_SHIFT)
    return b"".join([*parts, _slot(reference)])


def _slot(body: bytes) -> bytes:
    return SLOT.pack(zlib.crc32(body), body)
