"""Metrics of an embedded workspace: journals taken in, series read."""

import contextlib
import sys
from collections.abc import Generator
from pathlib import Path

from headway.errors import (
    InvalidValueError,
    MissingPackageError,
    RunNotFoundError,
    StorageCorruptError,
)
from headway.metrics.moving import Mover
from headway.model import MetricQuery, Series, SeriesSummary
from headway.service.layout import Layout
from headway.service.lookup import find_rid
from headway.store import series
from headway.store.base import Database, Transaction
from headway.store.series import Writer


class MetricService:
    """Implements ``headway.api.Metrics``."""

    def __init__(self, database: Database, layout: Layout) -> None:
        self._database = database
        self._layout = layout
        self._mover = Mover(self)

    @property
    def journal_dir(self) -> Path:
        """Where writers on this machine keep their journals for this workspace."""
        return self._layout.journals

    def offset(self, run_id: str, writer_id: str) -> int:
        """How many bytes of this writer's journal were taken in."""
        with self._database.read() as tx:
            return _writer(tx, run_id, writer_id)[1].taken

    def append(
        self, run_id: str, writer_id: str, offset: int, records: bytes, *, torn: bool = False
    ) -> int:
        """Take in a stretch of a journal and return the new offset."""
        while True:
            with self._database.read() as tx:
                rid, writer = _writer(tx, run_id, writer_id)
            fresh = _not_taken(records, offset, writer)
            if not fresh:
                return writer.taken
            with _packages():
                from headway.service import ingest  # noqa: PLC0415  (brings NumPy)

                taken = ingest.take_in(self._database, run_id, rid, writer, fresh, torn=torn)
            if taken is not None:
                return taken

    def read(self, query: MetricQuery) -> list[Series]:
        """Series with all their points, everything logged so far on this machine included."""
        with self._drained(query).read() as tx:
            found = series.summaries(tx, query)
            blocks = series.values(tx, query)
        with _packages():
            from headway.service import merging  # noqa: PLC0415  (brings NumPy)

            return [Series(one.summary, merging.values(blocks.get(one.id, []))) for one in found]

    def summarize(self, query: MetricQuery) -> list[SeriesSummary]:
        """The same series without their points."""
        with self._drained(query).read() as tx:
            return [one.summary for one in series.summaries(tx, query)]

    def drain(self, run_id: str) -> None:
        """Take in what the journals of a run hold, and discard what was taken.

        Where packages for that are missing, it is left to whoever reads from another Python.
        """
        with contextlib.suppress(MissingPackageError):
            self._mover.drain(run_id)

    def drain_all(self) -> None:
        """Take in what every journal of the workspace holds, but for damaged ones.

        Those must not hide the other runs; whoever reads the run that they belong to is told.
        """
        for run_id in self._pending():
            with contextlib.suppress(StorageCorruptError, RunNotFoundError):
                self._mover.drain(run_id)

    def _pending(self) -> set[str]:
        """The runs that have journals."""
        return {folder.name for folder in self._layout.journals.iterdir()}

    def _drained(self, query: MetricQuery) -> Database:
        """The database, after what the runs of a query logged so far was taken in."""
        with self._database.read() as tx:
            find_rid(tx, query.run_id)
            wanted = series.run_ids(tx, query.run_id) if query.recursive else [query.run_id]
        for run_id in self._pending().intersection(wanted):
            self._mover.drain(run_id)
        return self._database


@contextlib.contextmanager
def _packages() -> Generator[None]:
    """What comes here brings packages that the environment of a run may well lack."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"metrics cannot be read here: {sys.executable} has no package {error.name!r}; read "
            "them from the Python that Headway is installed in, or add headway to the "
            "requirements of this environment. Nothing that was logged is lost"
        ) from error


def _writer(tx: Transaction, run_id: str, writer_id: str) -> tuple[int, Writer]:
    rid = find_rid(tx, run_id)
    found = series.writer(tx, rid, writer_id)
    return rid, found or Writer(writer_id, 0, b"")


def _not_taken(records: bytes, offset: int, writer: Writer) -> bytes:
    if offset > writer.taken:
        raise InvalidValueError(
            f"the stretch of journal {writer.writer_id} begins at {offset}, but only "
            f"{writer.taken} bytes were taken in so far: send what comes between first"
        )
    return records[writer.taken - offset :]
