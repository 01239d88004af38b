"""Stretches of journals taken into the database.

Brings NumPy with it, so it is imported when there is something to take in, and not before.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from headway.metrics.records import NameTable, Stretch, decode
from headway.model import JournalStretch, SeriesSummary
from headway.service import merging, sealing
from headway.service.sizes import Sizes
from headway.store import points, runs, series, writers
from headway.store.base import Database, Transaction

_FEW: Final = 20
"""Up to so many series are looked up one by one; of more, all of the run are read at once."""
_KEPT_NAMES: Final = 64
"""Tables of names that are kept, so that a journal's is not read again for each stretch."""


class Arrival(msgspec.Struct, frozen=True):
    """A stretch, and where it goes."""

    stretch: JournalStretch
    rid: int
    taken: int
    """The journal's offset now; the stretch begins there or before it."""

    @property
    def records(self) -> bytes:
        """What of the stretch was not taken in yet."""
        return self.stretch.records[self.taken - self.stretch.offset :]


class MovedError(Exception):
    """Somebody else took the same stretch in meanwhile."""


class Intake:
    """Takes stretches in. It remembers the names that journals defined, and nothing else."""

    def __init__(self, database: Database, sizes: Sizes) -> None:
        self._database = database
        self._sizes = sizes
        self._names: dict[str, tuple[int, NameTable]] = {}

    def take(self, arrivals: Sequence[Arrival]) -> list[int]:
        """Add what journals say to the series of their runs, all in one transaction.

        Returns:
            The offset of each journal after it.

        Raises:
            MovedError: An offset is another one by now; nothing was added.
        """
        tables = [self._table(one) for one in arrivals]
        stretches = [
            decode(one.records, table, torn=one.stretch.torn)
            for one, table in zip(arrivals, tables, strict=True)
        ]
        fresh = [
            (one, table, stretch)
            for one, table, stretch in zip(arrivals, tables, stretches, strict=True)
            if stretch.consumed
        ]
        if fresh:
            with self._database.write() as tx:
                for one, table, stretch in fresh:
                    self._add(tx, one, table, stretch)
        for one, _, stretch in fresh:
            self._remember(one.stretch.writer_id, one.taken + stretch.consumed, stretch.names)
        return [
            one.taken + stretch.consumed for one, stretch in zip(arrivals, stretches, strict=True)
        ]

    def _table(self, arrival: Arrival) -> NameTable:
        taken, table = self._names.get(arrival.stretch.writer_id, (-1, NameTable()))
        if taken == arrival.taken:
            return table
        if not arrival.taken:
            return NameTable()
        with self._database.read() as tx:
            parts = writers.names(tx, arrival.stretch.writer_id)
        return NameTable.joined(parts)

    def _remember(self, writer_id: str, taken: int, table: NameTable) -> None:
        self._names.pop(writer_id, None)
        self._names[writer_id] = (taken, table)
        while len(self._names) > _KEPT_NAMES:
            self._names.pop(next(iter(self._names)), None)

    def _add(self, tx: Transaction, one: Arrival, table: NameTable, stretch: Stretch) -> None:
        same = stretch.names is table
        moved = writers.move(
            tx,
            one.rid,
            one.stretch.writer_id,
            before=one.taken,
            taken=one.taken + stretch.consumed,
            names=b"" if same else stretch.names.names_since(table),
            pending=b"" if same else stretch.names.pending_since(table),
        )
        if not moved:
            raise MovedError
        _Run(tx, one.stretch.run_id, one.rid, self._sizes).add(stretch)
        if stretch.lost:
            runs.add_lost(tx, one.rid, stretch.lost)


class _Run:
    """The series of a run while a stretch is added to them."""

    def __init__(self, tx: Transaction, run_id: str, rid: int, sizes: Sizes) -> None:
        self._tx = tx
        self._run_id = run_id
        self._rid = rid
        self._sizes = sizes
        self._known: dict[tuple[str, str], series.StoredSeries] = {}
        self._tails: dict[int, bytes] = {}

    def add(self, stretch: Stretch) -> None:
        self._look_up(stretch)
        changed: dict[int, series.StoredSeries] = {}
        tails: dict[int, points.Tail] = {}
        for column in stretch.columns:
            key = (column.name, column.column)
            stored = self._known.get(key)
            if stored is None:
                empty = SeriesSummary(
                    run_id=self._run_id, name=column.name, column=column.column, form=column.form
                )
                stored = self._known[key] = series.insert(self._tx, self._rid, empty)
            if not len(column.values):
                continue
            grown = merging.grow(stored, column, self._tails.pop(stored.id, None), self._sizes)
            self._known[key] = changed[stored.id] = grown.series
            tails[stored.id] = grown.tail
            if grown.tail.points is not None:
                self._tails[stored.id] = grown.tail.points
            if grown.points is not None:
                position = grown.series.summary.count - len(grown.points)
                sealing.append(self._tx, stored.id, position, grown.points, self._sizes)
        points.put_tails(self._tx, tails.values())
        series.update(self._tx, changed.values())

    def _look_up(self, stretch: Stretch) -> None:
        """The series that a stretch adds to, as far as they exist, and their tails."""
        if len(stretch.columns) > _FEW:
            self._known = series.of_run(self._tx, self._run_id, self._rid)
            self._tails = points.tails_of_run(self._tx, self._rid)
            return
        for column in stretch.columns:
            key = (column.name, column.column)
            found = series.named(self._tx, self._run_id, self._rid, *key)
            if found is not None:
                self._known[key] = found
                tail = points.tail(self._tx, found.id)
                if tail is not None:
                    self._tails[found.id] = tail
