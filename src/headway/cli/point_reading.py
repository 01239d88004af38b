"""Points of metrics read for output: block by block, so that it does not matter how many."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, cast

from headway.api import Api
from headway.cli.summaries import own_first, title
from headway.model import Block, MetricQuery, PointBlocks, PointQuery, Scalar, SeriesSummary
from headway.sdk.metrics.history import no_metric

if TYPE_CHECKING:
    from headway.metrics.columns import Points


class Row(NamedTuple):
    """One point."""

    step: int
    time: int
    """Microseconds since 1970 UTC."""
    value: Scalar


class Stretch(NamedTuple):
    """Some points, as columns."""

    steps: list[int]
    times: list[int]
    """Microseconds since 1970 UTC."""
    values: list[Scalar]


class Logged(NamedTuple):
    """One point, and what it is of."""

    series: SeriesSummary
    row: Row


class SeriesPoints:
    """The points of one series, in the order of logging; they are decoded when they are wanted.

    Args:
        found: The series.
        start: The first step wanted.
        end: The step behind the last one wanted.
    """

    def __init__(self, found: PointBlocks, start: int | None, end: int | None) -> None:
        self.summary = found.summary
        self._blocks = found.blocks
        self._start = start
        self._end = end

    def arrays(self) -> "Points":
        """All of them."""
        return _decoded(self._blocks, self._start, self._end)

    def __iter__(self) -> Iterator[Stretch]:
        """A stretch at a time."""
        for block in self._blocks:
            yield _listed(_decoded([block], self._start, self._end))


class PointReader:
    """The metrics of one run, or some of them, within a range of steps.

    Args:
        api: The workspace.
        run_id: The run.
        names: Metrics, or columns of tables as ``table.column``; none for all.
        start: The first step wanted.
        end: The step behind the last one wanted.
        points: At most so many of each series.
    """

    def __init__(
        self,
        api: Api,
        run_id: str,
        names: Sequence[str] = (),
        *,
        start: int | None = None,
        end: int | None = None,
        points: int | None = None,
    ) -> None:
        self.run_id = run_id
        self._metrics = api.metrics
        self.names = list(dict.fromkeys(names))
        """Those that were named, each once."""
        self._start = start
        self._end = end
        self._points = points

    def series(self) -> list[SeriesSummary]:
        """Those that are there by now, what the program logged first."""
        if not self.names:
            return own_first(self._metrics.summarize(MetricQuery(run_id=self.run_id)))
        found = [one for name in self.names for one in self._named(name)]
        return list({(one.name, one.column): one for one in found}.values())

    def check_names(self) -> None:
        """Check that the run has every metric that was named.

        Raises:
            MetricNotFoundError: It has none of one of the names.
        """
        absent = next((name for name in self.names if not self._named(name)), None)
        if absent is not None:
            there = self._metrics.summarize(MetricQuery(run_id=self.run_id))
            raise no_metric([self.run_id], absent, (one.name for one in there))

    def _named(self, name: str) -> list[SeriesSummary]:
        """The series of a metric, or the one that the name is the title of."""
        found = self._metrics.summarize(MetricQuery(run_id=self.run_id, name=name))
        dots = (at for at, letter in enumerate(name) if letter == "." and not found)
        for at in dots:
            query = MetricQuery(run_id=self.run_id, name=name[:at])
            found = [one for one in self._metrics.summarize(query) if title(one) == name]
        return found

    def read(self, series: SeriesSummary) -> SeriesPoints:
        """The points of a series as they are now."""
        query = PointQuery(
            series.run_id, series.name, series.column, self._start, self._end, self._points
        )
        return SeriesPoints(self._metrics.points(query), self._start, self._end)

    def rows_between(self, series: SeriesSummary, begin: int, end: int) -> Iterator[Row]:
        """Those with a number from ``begin`` to before ``end``, counted from 0 as logged."""
        query = PointQuery(series.run_id, series.name, series.column, skip=begin)
        found = self._metrics.points(query)
        first = found.skipped
        for block in found.blocks:
            part = slice(max(0, begin - first), max(0, end - first))
            if part.start < block.count and part.stop:
                rows = zip(*_listed(_decoded([block])), strict=True)
                yield from (
                    Row(*row) for row in islice(rows, part.start, part.stop) if self._wants(row[0])
                )
            first += block.count

    def _wants(self, step: int) -> bool:
        return (self._start is None or step >= self._start) and (
            self._end is None or step < self._end
        )


def _decoded(blocks: Sequence[Block], start: int | None = None, end: int | None = None) -> "Points":
    from headway.metrics.columns import decode_points  # noqa: PLC0415  (brings NumPy)

    return decode_points(blocks, start, end)


def _listed(points: "Points") -> Stretch:
    values = points.values
    return Stretch(
        cast("list[int]", points.steps.tolist()),
        cast("list[int]", points.times.tolist()),
        values if isinstance(values, list) else cast("list[Scalar]", values.tolist()),
    )
