"""Metrics of a workspace on a server: this machine's journals sent there, series read there."""

import contextlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from headway.client.connection import Connection
from headway.errors import (
    MissingPackageError,
    NotFoundError,
    StorageCorruptError,
    StorageFullError,
)
from headway.metrics.drain import journals_of
from headway.metrics.moving import Mover
from headway.model import (
    Block,
    Chart,
    ChartQuery,
    JournalStretch,
    MetricQuery,
    PointBlocks,
    PointQuery,
    Scalar,
    Series,
    SeriesSummary,
)
from headway.wire import metrics as table
from headway.wire.metrics import MOST_VALUES, unpacked

_PAGE_POINTS: Final = 1_000_000
"""So many points are asked for at once: what bounds the memory of the server."""
_OTHERS: Final = (NotFoundError, StorageCorruptError, StorageFullError)
"""What may stop journals from being sent, and is no reason not to show what the server has."""


class RemoteMetrics:
    """Implements ``headway.api.Metrics``.

    Args:
        connection: The way to the server.
        journals: The folder of this machine's journals for the workspace.
    """

    def __init__(self, connection: Connection, journals: Path) -> None:
        self._connection = connection
        self._journals = journals
        self._mover = Mover(self)

    @property
    def journal_dir(self) -> Path:
        """Where writers on this machine keep their journals for this workspace."""
        return self._journals

    def offset(self, run_id: str, writer_id: str) -> int:
        """How many bytes of this writer's journal were taken in."""
        return self._connection.call(table.OFFSET, table.JournalRequest(run_id, writer_id)).offset

    def append(
        self, run_id: str, writer_id: str, offset: int, records: bytes, *, torn: bool = False
    ) -> int:
        """Take in a stretch of a journal and return the new offset."""
        ask = table.AppendJournal(run_id, writer_id, offset, records, torn)
        return self._connection.call(table.APPEND, ask).offset

    def append_many(self, stretches: Sequence[JournalStretch]) -> list[int]:
        """Take in stretches of several journals, all or none."""
        ask = table.AppendJournals(list(stretches))
        return self._connection.call(table.APPEND_MANY, ask).offsets

    def read(self, query: MetricQuery) -> list[Series]:
        """Series with all their points, everything logged so far on this machine included."""
        summaries = self.summarize(query)
        if sum(one.count for one in summaries) > MOST_VALUES:
            return [Series(one, self._values(one)) for one in summaries]
        return [
            Series(unpacked(one.summary), _decode(one.values))
            for one in self._connection.call(table.READ, query)
        ]

    def summarize(self, query: MetricQuery) -> list[SeriesSummary]:
        """The same series without their points."""
        self._send([query.run_id], recursive=query.recursive)
        return [unpacked(one) for one in self._connection.call(table.SUMMARIZE, query)]

    def points(self, query: PointQuery) -> PointBlocks:
        """The points of one series, still encoded."""
        self._send([query.run_id])
        if (query.points, query.start, query.end, query.most) != (None, None, None, None):
            return self._points(query)
        found = page = self._points(replace(query, most=_PAGE_POINTS))
        while page.blocks and _end(found) < page.summary.count:
            page = self._points(replace(query, skip=_end(found), most=_PAGE_POINTS))
            found = _joined(found, page)
        return found

    def chart(self, query: ChartQuery) -> Chart:
        """Series over the same buckets."""
        self._send(query.run_ids)
        return self._connection.call(table.CHART, query)

    def drain(self, run_id: str) -> None:
        """Send what the journals of a run hold, and discard what was taken in.

        Raises:
            HeadwayError: It cannot be sent; it is kept.
        """
        self._mover.drain(run_id)

    def drain_all(self) -> None:
        """Send what all journals of this machine hold, as far as it can be sent."""
        self._send((), recursive=True)

    def written_here(self) -> list[str]:
        """The runs of whose journals the writers live on this machine."""
        runs = [folder.name for folder in self._journals.iterdir()]
        return [one for one in runs if any(j.alive for j in journals_of(self._journals, one))]

    def _points(self, query: PointQuery) -> PointBlocks:
        sent = self._connection.call(table.POINTS, query)
        return replace(sent.points, summary=unpacked(sent.summary))

    def _values(self, summary: SeriesSummary) -> list[Scalar]:
        query = PointQuery(summary.run_id, summary.name, summary.column)
        return [one for block in self.points(query).blocks for one in _decode(block.values)]

    def _send(self, run_ids: Iterable[str], *, recursive: bool = False) -> None:
        """Send what runs logged on this machine; of a run with others below it, what all did."""
        pending = {folder.name for folder in self._journals.iterdir()}
        wanted = pending if recursive else pending.intersection(run_ids)
        with contextlib.suppress(*_OTHERS):
            self._mover.drain_many(wanted)


def _end(found: PointBlocks) -> int:
    """How many points were logged up to the last one that was found."""
    return found.skipped + sum(one.count for one in found.blocks)


def _joined(found: PointBlocks, page: PointBlocks) -> PointBlocks:
    """Two pages as one. Small blocks at the end of the first may be in a larger one by now."""
    kept: list[Block] = []
    at = found.skipped
    for block in found.blocks:
        if at >= page.skipped:
            break
        kept.append(block)
        at += block.count
    return PointBlocks(page.summary, [*kept, *page.blocks], found.skipped)


def _decode(block: bytes) -> list[Scalar]:
    try:
        from headway.metrics import chunks  # noqa: PLC0415  (brings NumPy)
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"metrics cannot be read here: {sys.executable} has no package {error.name!r}; read "
            "them from the Python that Headway is installed in, or add headway to the "
            "requirements of this environment. Nothing that was logged is lost"
        ) from error
    return chunks.decode_list(block)
