"""Metrics of an embedded workspace: journals taken in, series read."""

import contextlib
import sys
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headway.errors import (
    InvalidValueError,
    MissingPackageError,
    RunNotFoundError,
    StorageCorruptError,
)
from headway.forking import whole
from headway.hosting.layout import Layout
from headway.metrics.moving import Mover
from headway.model import (
    Chart,
    ChartQuery,
    JournalStretch,
    MetricQuery,
    PointBlocks,
    PointQuery,
    Series,
    SeriesSummary,
)
from headway.service.lookup import find_rid
from headway.service.sizes import Sizes
from headway.store import series, writers
from headway.store.base import Database, Transaction

if TYPE_CHECKING:
    from headway.service.ingest import Intake


class MetricService:
    """Implements ``headway.api.Metrics``."""

    def __init__(self, database: Database, layout: Layout, sizes: Sizes | None = None) -> None:
        self._database = database
        self._layout = layout
        self._sizes = sizes or Sizes()
        self._mover = Mover(self)
        self._intake: Intake | None = None

    @property
    def journal_dir(self) -> Path:
        """Where writers on this machine keep their journals for this workspace."""
        return self._layout.journals

    def offset(self, run_id: str, writer_id: str) -> int:
        """How many bytes of this writer's journal were taken in."""
        with self._database.read() as tx:
            return _taken(tx, find_rid(tx, run_id), run_id, writer_id)

    def append(
        self, run_id: str, writer_id: str, offset: int, records: bytes, *, torn: bool = False
    ) -> int:
        """Take in a stretch of a journal and return the new offset."""
        return self.append_many([JournalStretch(run_id, writer_id, offset, records, torn)])[0]

    def append_many(self, stretches: Sequence[JournalStretch]) -> list[int]:
        """Take in stretches of several journals, all or none."""
        while True:
            with self._database.read() as tx:
                places = [_place(tx, one) for one in stretches]
            ends = [one.offset + len(one.records) for one in stretches]
            if all(end <= at for end, (_, at) in zip(ends, places, strict=True)):
                return [at for _, at in places]
            with _packages():
                with whole:
                    from headway.service import ingest  # noqa: PLC0415  (brings NumPy)

                self._intake = self._intake or ingest.Intake(self._database, self._sizes)
                arrivals = [
                    ingest.Arrival(one, rid, at)
                    for one, (rid, at) in zip(stretches, places, strict=True)
                ]
                with contextlib.suppress(ingest.MovedError):
                    return self._intake.take(arrivals)

    def read(self, query: MetricQuery) -> list[Series]:
        """Series with all their points, everything logged so far on this machine included."""
        self._drain([query.run_id], recursive=query.recursive)
        with _packages():
            from headway.service import reading  # noqa: PLC0415  (brings NumPy)

            return reading.read(self._database, query)

    def summarize(self, query: MetricQuery) -> list[SeriesSummary]:
        """The same series without their points."""
        self._drain([query.run_id], recursive=query.recursive)
        with self._database.read() as tx:
            return [one.summary for one in series.summaries(tx, query)]

    def points(self, query: PointQuery) -> PointBlocks:
        """The points of one series, still encoded."""
        self._drain([query.run_id])
        with _packages():
            from headway.service import reading  # noqa: PLC0415  (brings NumPy)

            return reading.points(self._database, query, self._sizes)

    def chart(self, query: ChartQuery) -> Chart:
        """Series over the same buckets."""
        self._drain(query.run_ids)
        with _packages():
            from headway.service import charting  # noqa: PLC0415  (brings NumPy)

            return charting.chart(self._database, query, self._sizes)

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
        with contextlib.suppress(StorageCorruptError, RunNotFoundError):
            self._mover.drain_many(self._pending())

    def _pending(self) -> set[str]:
        """The runs that have journals."""
        return {folder.name for folder in self._layout.journals.iterdir()}

    def _drain(self, run_ids: Iterable[str], *, recursive: bool = False) -> None:
        """Take in what runs logged so far, and the runs below them."""
        wanted: set[str] = set()
        with self._database.read() as tx:
            for run_id in run_ids:
                find_rid(tx, run_id)
                wanted.update(series.run_ids(tx, run_id) if recursive else [run_id])
        self._mover.drain_many(self._pending() & wanted)


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


def _place(tx: Transaction, stretch: JournalStretch) -> tuple[int, int]:
    """The key of a stretch's run, and the offset of its journal."""
    rid = find_rid(tx, stretch.run_id)
    taken = _taken(tx, rid, stretch.run_id, stretch.writer_id)
    if stretch.offset > taken:
        raise InvalidValueError(
            f"the stretch of journal {stretch.writer_id} begins at {stretch.offset}, but only "
            f"{taken} bytes were taken in so far: send what comes between first"
        )
    return rid, taken


def _taken(tx: Transaction, rid: int, run_id: str, writer_id: str) -> int:
    found = writers.find(tx, writer_id)
    if found is None:
        return 0
    if found.rid != rid:
        raise InvalidValueError(
            f"the journal {writer_id} belongs to another run than {run_id}: give each journal an "
            "id of its own"
        )
    return found.taken
