"""The points of a series as arrays, from the blocks in which they are kept and sent."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np

from headway.errors import StorageCorruptError
from headway.metrics import chunks
from headway.metrics.records import Floats, Ints, Values
from headway.model import Block, Scalar, SeriesSummary


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points in the order in which they were logged; the three have one length."""

    steps: Ints
    times: Ints
    """Microseconds since the epoch."""
    values: Values
    """An array of float64, int64 or bool where all are of one type, else a list."""

    def __len__(self) -> int:
        return len(self.steps)

    def at(self, places: Ints) -> "Points":
        """The points at these places, in this order."""
        if isinstance(self.values, np.ndarray):
            values = cast("Values", self.values[places])
        else:
            values = [self.values[place] for place in cast("list[int]", places.tolist())]
        return Points(self.steps[places], self.times[places], values)

    def within(self, start: int | None, end: int | None) -> "Points":
        """The points whose steps lie in a range; None for no bound."""
        chosen = np.ones(len(self), np.bool_)
        if start is not None:
            chosen &= self.steps >= start
        if end is not None:
            chosen &= self.steps < end
        return self if chosen.all() else self.at(np.flatnonzero(chosen))


@contextmanager
def naming(series: SeriesSummary) -> Generator[None]:
    """Say of what is damaged to which series it belongs."""
    try:
        yield
    except StorageCorruptError as error:
        column = f", column {series.column!r}" if series.column else ""
        raise StorageCorruptError(
            f"metric {series.name!r}{column} of run {series.run_id}: {error.message}; what else "
            "the run logged can be read by its name"
        ) from error


def decode_points(
    blocks: Sequence[Block], start: int | None = None, end: int | None = None
) -> Points:
    """The points of blocks whose steps lie in a range.

    Args:
        blocks: In their order.
        start: The first step wanted; None for no bound.
        end: The step behind the last one wanted; None for no bound.

    Raises:
        StorageCorruptError: A block is damaged.
    """
    if start is None and end is None and len(blocks) > 1:
        whole = _decode_whole(blocks)
        if whole is not None:
            return whole
    return joined([decode_block(block).within(start, end) for block in blocks])


def _decode_whole(blocks: Sequence[Block]) -> Points | None:
    """All points, written once; None where their values are no numbers of one type."""
    dtypes = {chunks.dtype_of(block.values) for block in blocks}
    if len(dtypes) != 1 or None in dtypes:
        return None
    count = sum(block.count for block in blocks)
    steps, times = np.empty(count, np.int64), np.empty(count, np.int64)
    values = np.empty(count, dtypes.pop())
    at = 0
    for block in blocks:
        part = slice(at, at + block.count)
        chunks.decode_into(block.steps, steps[part])
        chunks.decode_into(block.times, times[part])
        chunks.decode_into(block.values, values[part])
        at += block.count
    return Points(steps, times, cast("Values", values))


def joined(parts: Sequence[Points]) -> Points:
    """All points one after the other."""
    filled = [part for part in parts if len(part)] or parts[:1]
    if not filled:
        return Points(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
    if len(filled) == 1:
        return filled[0]
    return Points(
        np.concatenate([part.steps for part in filled]),
        np.concatenate([part.times for part in filled]),
        join([part.values for part in filled]),
    )


def points_of(steps: list[int], times: list[int], values: list[Scalar]) -> Points:
    """Points as arrays, the values too where they are numbers of one type."""
    narrowed = chunks.decode(chunks.encode_scalars(values)) if values else values
    return Points(np.array(steps, np.int64), np.array(times, np.int64), narrowed)


def join(parts: Sequence[Values]) -> Values:
    """All values one after the other, as an array where they are arrays of one type."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts) and len({part.dtype for part in arrays}) == 1:
        return cast("Values", np.concatenate(arrays))
    return [value for part in parts for value in listed(part)]


def listed(values: Values) -> list[Scalar]:
    """Values as Python's own."""
    return values if isinstance(values, list) else cast("list[Scalar]", values.tolist())


def integers(block: bytes) -> Ints:
    """Steps or times.

    Raises:
        StorageCorruptError: The block is damaged, or holds something else.
    """
    values = chunks.decode(block)
    if not isinstance(values, np.ndarray) or values.dtype != np.int64:
        raise StorageCorruptError(
            "a block of stored steps or times holds no whole numbers: restore the workspace from a "
            "backup"
        )
    return cast("Ints", values)


def floats(block: bytes) -> Floats:
    """Numbers of a chart.

    Raises:
        StorageCorruptError: The block is damaged, or holds something else.
    """
    values = chunks.decode(block)
    if not isinstance(values, np.ndarray) or values.dtype != np.float64:
        raise StorageCorruptError(
            "a block of a chart holds no floats: restore the workspace from a backup"
        )
    return cast("Floats", values)


def decode_block(block: Block) -> Points:
    """The points of one block.

    Raises:
        StorageCorruptError: It is damaged.
    """
    points = Points(integers(block.steps), integers(block.times), chunks.decode(block.values))
    if not len(points.steps) == len(points.times) == len(points.values) == block.count:
        raise StorageCorruptError(
            f"a block of {block.count} stored points holds {len(points.steps)} steps, "
            f"{len(points.times)} times and {len(points.values)} values: restore the workspace "
            "from a backup"
        )
    return points
