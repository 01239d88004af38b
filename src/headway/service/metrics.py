"""Metrics of an embedded workspace: journals taken in, series read."""

from collections.abc import Mapping
from pathlib import Path

from headway.errors import InvalidValueError, RunNotFoundError
from headway.metrics import drain
from headway.metrics.records import NameTable, Stretch, decode
from headway.model import MetricQuery, Series, SeriesSummary
from headway.service import merging
from headway.service.layout import Layout
from headway.store import runs, series
from headway.store.base import Database, Transaction
from headway.store.series import StoredSeries, Writer

_STRETCH_BYTES = 4 << 20


class MetricService:
    """Implements ``headway.api.Metrics``."""

    def __init__(self, database: Database, layout: Layout) -> None:
        self._database = database
        self._layout = layout

    @property
    def journal_dir(self) -> Path:
        """Where writers on this machine keep their journals for this workspace."""
        return self._layout.journals

    def offset(self, run_id: str, writer_id: str) -> int:
        """How many bytes of this writer's journal were taken in."""
        with self._database.read() as tx:
            return self._writer(tx, run_id, writer_id)[1].taken

    def append(
        self, run_id: str, writer_id: str, offset: int, records: bytes, *, torn: bool = False
    ) -> int:
        """Take in a stretch of a journal and return the new offset."""
        while True:
            with self._database.read() as tx:
                rid, writer = self._writer(tx, run_id, writer_id)
            fresh = _not_taken(records, offset, writer)
            if not fresh:
                return writer.taken
            stretch = decode(fresh, NameTable.from_bytes(writer.names), torn=torn)
            if not stretch.consumed:
                return writer.taken
            moved = Writer(writer_id, writer.taken + stretch.consumed, stretch.names.to_bytes())
            with self._database.write() as tx:
                # Somebody else may have taken the same stretch in meanwhile: then look again.
                if series.put_writer(tx, rid, moved, before=writer.taken):
                    self._merge(tx, run_id, rid, stretch)
                    return moved.taken

    def read(self, query: MetricQuery) -> list[Series]:
        """Series with all their points, everything logged so far on this machine included."""
        with self._drained(query).read() as tx:
            found = series.summaries(tx, query)
            blocks = series.values(tx, query)
        return [Series(one.summary, merging.values(blocks.get(one.id, []))) for one in found]

    def summarize(self, query: MetricQuery) -> list[SeriesSummary]:
        """The same series without their points."""
        with self._drained(query).read() as tx:
            return [one.summary for one in series.summaries(tx, query)]

    def drain(self, run_id: str) -> None:
        """Take in what the journals of a run hold, and discard what was taken."""
        folder = self._layout.journals
        for journal in drain.journals_of(folder, run_id):
            offset = self.offset(run_id, journal.writer_id)
            while data := drain.read(folder, journal, offset, _STRETCH_BYTES):
                moved = self.append(run_id, journal.writer_id, offset, data, torn=not journal.alive)
                if moved == offset:
                    break
                offset = moved
            drain.discard(folder, journal, offset)

    def drain_all(self) -> None:
        """Take in what every journal of the workspace holds."""
        for run_id in self._pending():
            self.drain(run_id)

    def _pending(self) -> set[str]:
        """The runs that have journals."""
        return {folder.name for folder in self._layout.journals.iterdir()}

    def _drained(self, query: MetricQuery) -> Database:
        """The database, after what the runs of a query logged so far was taken in."""
        with self._database.read() as tx:
            if runs.rid_of(tx, query.run_id) is None:
                raise _no_run(query.run_id)
            below = series.run_ids(tx, query.run_id) if query.recursive else [query.run_id]
        for run_id in self._pending().intersection(below):
            self.drain(run_id)
        return self._database

    def _merge(self, tx: Transaction, run_id: str, rid: int, stretch: Stretch) -> None:
        known = self._known(tx, run_id, rid, stretch)
        changed: list[StoredSeries] = []
        chunks: list[series.Chunk] = []
        for column in stretch.columns:
            stored = known.get((column.name, column.column))
            if stored is None:
                empty = SeriesSummary(
                    run_id=run_id, name=column.name, column=column.column, form=column.form
                )
                stored = series.insert(tx, rid, empty)
            if len(column.values):
                tail = series.tail(tx, stored.id) if stored.summary.count else None
                merged = merging.merge(stored, column, tail)
                chunks += merged.chunks
                changed.append(merged.series)
        series.put_chunks(tx, chunks)
        series.update(tx, changed)
        if stretch.lost:
            runs.add_lost(tx, rid, stretch.lost)

    def _known(
        self, tx: Transaction, run_id: str, rid: int, stretch: Stretch
    ) -> Mapping[tuple[str, str], StoredSeries]:
        """The series that a stretch adds to, as far as they exist."""
        if len(stretch.columns) > _FEW:
            return series.of_run(tx, run_id, rid)
        found = [
            series.named(tx, run_id, rid, column.name, column.column) for column in stretch.columns
        ]
        return {(one.summary.name, one.summary.column): one for one in found if one is not None}

    def _writer(self, tx: Transaction, run_id: str, writer_id: str) -> tuple[int, Writer]:
        rid = runs.rid_of(tx, run_id)
        if rid is None:
            raise _no_run(run_id)
        found = series.writer(tx, rid, writer_id)
        return rid, found or Writer(writer_id, 0, NameTable().to_bytes())


_FEW = 20


def _not_taken(records: bytes, offset: int, writer: Writer) -> bytes:
    if offset > writer.taken:
        raise InvalidValueError(
            f"the stretch of journal {writer.writer_id} begins at {offset}, but only "
            f"{writer.taken} bytes were taken in so far: send what comes between first"
        )
    return records[writer.taken - offset :]


def _no_run(run_id: str) -> RunNotFoundError:
    return RunNotFoundError(
        f"there is no run {run_id!r} in this workspace; 'headway list' shows what there is"
    )
