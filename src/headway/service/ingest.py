"""Stretches of journals taken into the database.

Brings NumPy with it, so it is imported when there is something to take in, and not before.
"""

from typing import Final

from headway.metrics.records import NameTable, Stretch, decode
from headway.model import SeriesSummary
from headway.service import merging
from headway.store import runs, series
from headway.store.base import Database, Transaction
from headway.store.series import Chunk, StoredSeries, Writer

_FEW: Final = 20
"""Up to so many series are looked up one by one; of more, all of the run are read at once."""


def take_in(
    database: Database, run_id: str, rid: int, writer: Writer, records: bytes, *, torn: bool
) -> int | None:
    """Decode what a writer logged and add it to its run's series.

    Args:
        database: The workspace's database.
        run_id: The run.
        rid: The key of its rows.
        writer: How far the journal was taken in before.
        records: What comes next in the journal.
        torn: Whether the writer is dead.

    Returns:
        The offset after it, or None where somebody else moved it meanwhile; then nothing was added.
    """
    known = NameTable.from_bytes(writer.names)
    stretch = decode(records, known, torn=torn)
    if not stretch.consumed:
        return writer.taken
    names = writer.names if stretch.names is known else stretch.names.to_bytes()
    moved = Writer(writer.writer_id, writer.taken + stretch.consumed, names)
    with database.write() as tx:
        if not series.put_writer(tx, rid, moved, before=writer.taken):
            return None
        _add(tx, run_id, rid, stretch)
    return moved.taken


def _add(tx: Transaction, run_id: str, rid: int, stretch: Stretch) -> None:
    known = _known(tx, run_id, rid, stretch)
    changed: dict[tuple[str, str], StoredSeries] = {}
    chunks: list[Chunk] = []
    for column in stretch.columns:
        key = (column.name, column.column)
        if key in changed:  # the same name logged as a scalar and as a list
            series.put_chunks(tx, chunks)
            chunks = []
        stored = known.get(key)
        if stored is None:
            empty = SeriesSummary(
                run_id=run_id, name=column.name, column=column.column, form=column.form
            )
            stored = known[key] = series.insert(tx, rid, empty)
        if len(column.values):
            tail = series.tail(tx, stored.id) if stored.summary.count else None
            merged = merging.merge(stored, column, tail)
            chunks += merged.chunks
            known[key] = changed[key] = merged.series
    series.put_chunks(tx, chunks)
    series.update(tx, changed.values())
    if stretch.lost:
        runs.add_lost(tx, rid, stretch.lost)


def _known(
    tx: Transaction, run_id: str, rid: int, stretch: Stretch
) -> dict[tuple[str, str], StoredSeries]:
    """The series that a stretch adds to, as far as they exist."""
    if len(stretch.columns) > _FEW:
        return series.of_run(tx, run_id, rid)
    found = [
        series.named(tx, run_id, rid, column.name, column.column) for column in stretch.columns
    ]
    return {(one.summary.name, one.summary.column): one for one in found if one is not None}
