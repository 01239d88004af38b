"""The overviews of chunks, read together."""

from collections.abc import Collection, Sequence

from headway.metrics.overviews import Overview, decode_columns, decode_records
from headway.store import points as stored
from headway.store.base import Transaction
from headway.store.points import Level, Outline


def read_units(
    tx: Transaction,
    series_id: int,
    outlines: Sequence[Outline],
    level: Level,
    fields: Collection[str],
) -> list[Overview]:
    """The overviews of some chunks that have them, in one look at the database.

    Args:
        tx: A transaction.
        series_id: The series.
        outlines: The chunks, in order.
        level: The size of the units.
        fields: Those that are needed; others may be 0.

    Raises:
        StorageCorruptError: One is damaged.
    """
    if not outlines:
        return []
    first, last = outlines[0].position, outlines[-1].position
    rows = stored.overviews(tx, series_id, level, first, last)
    blocks = [rows[one.position] for one in outlines]
    if level == "fine":
        return [decode_columns(block, fields) for block in blocks]
    return decode_records(blocks)
