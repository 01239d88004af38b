"""A workspace's rows copied from one database to another, whatever kinds they are.

All or nothing: the target has them when its one transaction commits, after every table was read
back and compared. The source is only read, as of one moment.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from headway.errors import ConflictError, RunStateError, StorageCorruptError
from headway.snapshots.blobs import hash_blocks
from headway.store import runs, schema
from headway.store.base import Database, Transaction
from headway.store.schema import Table

_ROWS_AT_ONCE: Final = 1000
_CHUNKS_AT_ONCE: Final = 16
"""Of the one table whose rows may hold megabytes."""
_MOST_NAMED: Final = 3

Progress = Callable[[str, int, int], None]
"""Told a table, how many of its rows are done, and how many there are."""


class Moved(msgspec.Struct, frozen=True):
    """What was copied."""

    rows: dict[str, int]
    """By table."""
    checksums: dict[str, str]
    """Hashes of all rows of each table, equal in both databases."""


def move(source: Database, target: Database, progress: Progress) -> Moved:
    """Copy all rows to a database with the same schema and nothing in it.

    Raises:
        ConflictError: The target is not empty.
        RunStateError: Runs go on in the source, and would write there while they are copied.
        StorageCorruptError: What was read back differs; the target is as it was.
    """
    with source.read() as reading:
        _refuse_living(reading)
        counts = schema.count_rows(reading)
        with target.write() as writing:
            _refuse_rows(writing)
            checksums: dict[str, str] = {}
            for table in schema.tables():
                copying = _copied(reading, writing, table, counts[table.name], progress)
                copied, _ = hash_blocks(copying)
                found, _ = hash_blocks(map(_bytes_of, _rows(writing, table)))
                if copied != found:
                    raise StorageCorruptError(
                        f"the table {table.name} reads back otherwise than it was written: nothing "
                        "was kept; check both disks, then move again"
                    )
                checksums[table.name] = found
            _continue_numbers(writing)
    return Moved(counts, checksums)


def _copied(
    reading: Transaction, writing: Transaction, table: Table, count: int, progress: Progress
) -> Iterator[bytes]:
    """Copy a table; what a checksum is made of."""
    done = 0
    for page in _pages(reading, table):
        progress(table.name, done, count)
        schema.insert(writing, table, page)
        done += len(page)
        yield from map(_bytes_of, page)


def _rows(tx: Transaction, table: Table) -> Iterator[tuple[Any, ...]]:
    for page in _pages(tx, table):
        yield from page


def _pages(tx: Transaction, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    limit = _CHUNKS_AT_ONCE if table.name == "point_chunks" else _ROWS_AT_ONCE
    key = None
    while page := schema.rows_after(tx, table, key, limit):
        yield page
        key = schema.key_of(table, page[-1])


def _bytes_of(row: tuple[Any, ...]) -> bytes:
    return msgspec.msgpack.encode([_alike(value) for value in row])


def _alike(value: object) -> object:
    """The value as both kinds of database give it back."""
    if isinstance(value, float):
        return value + 0.0  # SQLite forgets the sign of zero
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")  # PostgreSQL has no NUL
    return value


def _continue_numbers(tx: Transaction) -> None:
    """Keys that the database makes go on after those that are there."""
    if not tx.dialect.continue_after:
        return
    for table in schema.tables():
        if table.serial:
            statement = tx.dialect.continue_after.format(table=table.name, column=table.key[0])
            tx.all(statement)


def _refuse_rows(tx: Transaction) -> None:
    found = [name for name, count in schema.count_rows(tx).items() if count]
    if found:
        raise ConflictError(
            f"the target is not empty: it has rows in {', '.join(found[:_MOST_NAMED])}; give a "
            "place that does not exist yet"
        )


def _refuse_living(tx: Transaction) -> None:
    living = [run_id for run_id, _ in runs.live(tx)]
    if living:
        more = f" and {len(living) - _MOST_NAMED} more" if living[_MOST_NAMED:] else ""
        raise RunStateError(
            f"runs go on in this workspace: {', '.join(living[:_MOST_NAMED])}{more}; wait for "
            "their end, or cancel them, and move again"
        )
