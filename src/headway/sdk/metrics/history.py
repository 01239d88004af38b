"""The points of metrics as arrays: what ``Run.history`` returns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, cast, overload

from headway.api import Metrics
from headway.errors import InvalidValueError, MetricNotFoundError
from headway.model import MetricQuery, PointQuery, Scalar, SeriesSummary
from headway.sdk.metrics import dataframes
from headway.sdk.metrics.dataframes import ArrowTable, Column
from headway.sdk.metrics.shapes import SYSTEM_PREFIX, title_of

if TYPE_CHECKING:  # NumPy is loaded with the first history, not with the SDK
    import pandas
    import polars

    from headway.metrics.frames import Array, Dates, Ints

_MOST_NAMES: Final = 20


class Point(NamedTuple):
    """One value of a metric."""

    step: int
    time: datetime
    """When it was logged, in UTC."""
    value: Scalar


class History(Sequence[Point]):
    """The points of one series, in the order in which they were logged.

    It is a sequence of ``Point``: ``len(history)``, ``history[-1]``, ``history[10:20]`` and ``for
    point in history`` do what they say. The arrays are faster.

    Attributes:
        run_id: The run.
        name: The metric.
        column: The column of a table; empty for anything else.
        steps: The steps, int64.
        times: When they were logged, datetime64[us] in UTC.
        values: float64, int64 or bool where all values are of one type, else objects: texts, None,
            integers beyond 64 bits, a mixture.
    """

    def __init__(
        self,
        run_id: str,
        name: str,
        column: str,
        steps: "Ints",
        times: "Dates",
        values: "Array",
    ) -> None:
        self.run_id = run_id
        self.name = name
        self.column = column
        self.steps = steps
        self.times = times
        self.values = values

    @property
    def title(self) -> str:
        """The metric's name, with a dot and the column where it is of a table."""
        return title_of(self.name, self.column)

    def to_pandas(self) -> "pandas.DataFrame":
        """A data frame with the columns ``step``, ``time`` and ``value``.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        return dataframes.to_pandas(self._columns())

    def to_polars(self) -> "polars.DataFrame":
        """The same for Polars. Numbers of several types become floats, other mixtures texts.

        Raises:
            MissingPackageError: Polars is not installed.
        """
        return dataframes.to_polars(self._columns())

    def to_arrow(self) -> ArrowTable:
        """A ``pyarrow.Table``, alike. Numbers of several types become floats, other mixtures texts.

        Raises:
            MissingPackageError: pyarrow is not installed.
        """
        return dataframes.to_arrow(self._columns())

    def _columns(self) -> list[Column]:
        return [
            Column("step", self.steps),
            Column("time", self.times),
            Column("value", self.values),
        ]

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> "History": ...
    def __getitem__(self, index: int | slice) -> "Point | History":
        if isinstance(index, slice):
            return History(
                self.run_id,
                self.name,
                self.column,
                self.steps[index],
                self.times[index],
                self.values[index],
            )
        at = range(len(self))[index]  # says what is wrong with the index
        return next(iter(self[at : at + 1]))

    def __iter__(self) -> Iterator[Point]:
        steps = cast("list[int]", self.steps.tolist())
        times = cast("list[datetime]", self.times.tolist())
        values = cast("list[Scalar]", self.values.tolist())
        for step, time, value in zip(steps, times, values, strict=True):
            yield Point(step, time.replace(tzinfo=UTC), value)

    def __repr__(self) -> str:
        if not len(self):
            return f"History({self.title!r}, no points)"
        last = self[-1]
        count = "1 point" if len(self) == 1 else f"{len(self)} points"
        return (
            f"History({self.title!r}, {count}, steps {self.steps.min()} to "
            f"{self.steps.max()}, last {last.value!r})"
        )


class Histories(Mapping[str, History]):
    """Several series of one run, by title: a metric's name, or ``name.column`` of a table.

    As a table they stand side by side, a row a step, ascending. What a series has no point for is
    missing there; the n-th points that series have at one step share a row.
    """

    def __init__(self, histories: Iterable[History]) -> None:
        self._by_title = {one.title: one for one in histories}

    def to_pandas(self) -> "pandas.DataFrame":
        """A data frame with the column ``step`` and one for each series.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        return dataframes.to_pandas(self._columns())

    def to_polars(self) -> "polars.DataFrame":
        """The same for Polars.

        Raises:
            MissingPackageError: Polars is not installed.
        """
        return dataframes.to_polars(self._columns())

    def to_arrow(self) -> ArrowTable:
        """A ``pyarrow.Table``, alike.

        Raises:
            MissingPackageError: pyarrow is not installed.
        """
        return dataframes.to_arrow(self._columns())

    def _columns(self) -> list[Column]:
        from headway.metrics import frames  # noqa: PLC0415  (brings NumPy)

        joined = frames.join([one.steps for one in self.values()])
        columns = [Column("step", joined.steps)]
        for one, rows in zip(self.values(), joined.rows, strict=True):
            columns.append(Column(one.title, *frames.spread(one.values, rows, len(joined.steps))))
        return columns

    def __getitem__(self, title: str) -> History:
        return self._by_title[title]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_title)

    def __len__(self) -> int:
        return len(self._by_title)

    def __repr__(self) -> str:
        lines = "".join(f"\n  {history!r}" for history in self.values())
        return f"Histories({len(self)}){lines}"


class Range(NamedTuple):
    """Which points of each series are wanted; see ``headway.model.PointQuery``."""

    start: int | None = None
    end: int | None = None
    points: int | None = None


def read_history(
    metrics: Metrics, run_id: str, name: str, column: str | None, wanted: Range
) -> History:
    """The points of one series.

    Raises:
        MetricNotFoundError: There is none of this name or column.
        InvalidValueError: It is a table, and no column was given.
    """
    try:
        return _read(metrics, PointQuery(run_id, name, column or "", *wanted))
    except MetricNotFoundError as error:
        raise _no_series(name, column, _series(metrics, run_id, name)) from error


def _no_series(
    name: str, column: str | None, found: list[SeriesSummary]
) -> InvalidValueError | MetricNotFoundError:
    """The error that a metric which is there does not have this column."""
    columns = _quoted(one.column for one in found if one.column)
    if column is None:
        return InvalidValueError(
            f"metric {name!r} is a table: give column=, one of {columns}; history([{name!r}]) "
            "reads all of them"
        )
    what = f"its columns are {columns}" if columns else "it is no table"
    return MetricNotFoundError(f"metric {name!r} has no column {column!r}: {what}")


def read_histories(
    metrics: Metrics, run_id: str, names: Iterable[str] | None, wanted: Range
) -> Histories:
    """The points of several metrics; None for all that the run logged itself.

    Raises:
        MetricNotFoundError: There is none of one of the names.
    """
    if names is None:
        every = metrics.summarize(MetricQuery(run_id=run_id))
        found = [one for one in every if not one.name.startswith(SYSTEM_PREFIX)]
    else:
        found = [one for name in names for one in _series(metrics, run_id, name)]
    titles = [title_of(one.name, one.column) for one in found]
    twice = next((title for title in titles if titles.count(title) > 1), None)
    if twice is not None:
        raise InvalidValueError(
            f"{twice!r} is the name of a metric and of a column of a table: read them one by one"
        )
    return Histories(
        _read(metrics, PointQuery(run_id, one.name, one.column, *wanted)) for one in found
    )


def no_metric(run_ids: Sequence[str], name: str, there: Iterable[str]) -> MetricNotFoundError:
    """The error that no run has a metric of this name, but some of others."""
    names = sorted({*there})
    shown = ", ".join(names[:_MOST_NAMES]) or "none"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    if len(run_ids) > 1:
        return MetricNotFoundError(f"no run has a metric {name!r}; they have: {shown}{more}")
    return MetricNotFoundError(f"run {run_ids[0]} has no metric {name!r}; it has: {shown}{more}")


def _series(metrics: Metrics, run_id: str, name: str) -> list[SeriesSummary]:
    found = metrics.summarize(MetricQuery(run_id=run_id, name=name))
    if not found:
        there = metrics.summarize(MetricQuery(run_id=run_id))
        raise no_metric([run_id], name, (one.name for one in there))
    return found


def _read(metrics: Metrics, query: PointQuery) -> History:
    from headway.metrics import columns, frames  # noqa: PLC0415  (brings NumPy)

    found = metrics.points(query)
    with columns.naming(found.summary):
        points = columns.decode_points(found.blocks, query.start, query.end)
    return History(
        query.run_id,
        query.name,
        query.column,
        points.steps,
        frames.dates(points.times),
        frames.array(points.values),
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
