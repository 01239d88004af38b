"""Points of series read back: as they are, fewer of them, or counted into the buckets of a chart.

Brings NumPy with it, so it is imported when there is something to read, and not before.
"""

from headway.errors import InvalidValueError, MetricNotFoundError
from headway.metrics import chunks
from headway.metrics.columns import Points, naming, points_of
from headway.model import Block, MetricQuery, PointBlocks, PointQuery, Scalar, Series
from headway.service.lookup import find_rid
from headway.service.sizes import Sizes
from headway.service.thinning import thin
from headway.store import points as stored
from headway.store import series
from headway.store.base import Database, Transaction
from headway.store.points import Outline
from headway.store.series import StoredSeries


def read(database: Database, query: MetricQuery) -> list[Series]:
    """Series with all their values."""
    with database.read() as tx:
        found = series.summaries(tx, query)
        blocks = stored.values(tx, query)
        tails = stored.tails(tx, query)
    read: list[Series] = []
    for one in found:
        with naming(one.summary):
            values = _values(blocks.get(one.id, []), tails.get(one.id))
        read.append(Series(one.summary, values))
    return read


def _values(blocks: list[bytes], tail: bytes | None) -> list[Scalar]:
    parts = [chunks.decode_list(block) for block in blocks]
    if tail is not None:
        parts.append(chunks.decode_tail_values(tail))
    return parts[0] if len(parts) == 1 else [value for part in parts for value in part]


def points(database: Database, query: PointQuery, sizes: Sizes) -> PointBlocks:
    """The points of one series."""
    if query.points is not None and query.points < 1:
        raise InvalidValueError(
            f"{query.points} points were asked for: ask for at least one, or leave the number out"
        )
    with database.read() as tx:
        rid = find_rid(tx, query.run_id)
        found = series.named(tx, query.run_id, rid, query.name, query.column)
        if found is None:
            raise _absent(query)
        every = stored.outlines(tx, found.id)
        skipped = sum(one.count for one in every if _is_skipped(one, query))
        outlines = [one for one in every if _overlaps(one, query) and not _is_skipped(one, query)]
        tail = tail_of(tx, found)
        if query.most is not None:
            outlines, tail = _first(outlines, tail, query.most)
        count = sum(one.count for one in outlines) + (len(tail) if tail else 0)
        if query.points is not None and query.points < count:
            with naming(found.summary):
                few = thin(tx, found.id, outlines, tail, query, sizes)
            blocks = [encode_block(few)]
        else:
            blocks = [stored.block(tx, found.id, one) for one in outlines]
            blocks += [] if tail is None else [encode_block(tail)]
    return PointBlocks(found.summary, blocks, skipped)


def tail_of(tx: Transaction, one: StoredSeries) -> Points | None:
    """The newest points of a series, where they are in no chunk."""
    tail = stored.tail(tx, one.id)
    if tail is None:
        return None
    with naming(one.summary):
        return points_of(*chunks.decode_tail(tail))


def encode_block(points: Points) -> Block:
    """Points as they are sent."""
    return Block(
        count=len(points),
        steps=chunks.encode(points.steps),
        times=chunks.encode(points.times),
        values=chunks.encode(points.values),
    )


def _is_skipped(outline: Outline, query: PointQuery) -> bool:
    """Whether whoever asks has all of its points."""
    return outline.position + outline.count <= query.skip


def _first(
    outlines: list[Outline], tail: Points | None, most: int
) -> tuple[list[Outline], Points | None]:
    """As many whole chunks as it takes to have so many points, and the tail if that is short."""
    count = 0
    for place, one in enumerate(outlines, 1):
        count += one.count
        if count >= most:
            return outlines[:place], None
    return outlines, tail


def _overlaps(outline: Outline, query: PointQuery) -> bool:
    """Whether a chunk may have points of the steps that are wanted."""
    if outline.low_step is None or outline.high_step is None:
        return True
    return (query.start is None or outline.high_step >= query.start) and (
        query.end is None or outline.low_step < query.end
    )


def _absent(query: PointQuery) -> MetricNotFoundError:
    column = f" with a column {query.column!r}" if query.column else ""
    return MetricNotFoundError(
        f"run {query.run_id} has no metric {query.name!r}{column}; 'headway metrics "
        f"{query.run_id}' shows what it has"
    )
