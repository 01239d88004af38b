"""The points of a run's metrics: as arrays, and reduced for charts."""

import operator
from collections.abc import Iterable
from typing import Literal, SupportsIndex, cast, overload

from headway.api import Metrics
from headway.errors import InvalidValueError
from headway.model import ChartQuery, MetricQuery
from headway.sdk.arguments import checked
from headway.sdk.metrics.chart import Chart, read_chart
from headway.sdk.metrics.history import (
    Histories,
    History,
    Range,
    no_metric,
    read_histories,
    read_history,
)
from headway.sdk.metrics.shapes import SYSTEM_PREFIX
from headway.sdk.runs.state import RunState

Axis = Literal["step", "time"]


class RunHistory(RunState):
    """The part of ``Run`` about reading metrics with their steps and times."""

    @overload
    def history(
        self,
        name: str,
        start: int | None = None,
        end: int | None = None,
        points: int | None = None,
        *,
        column: str | None = None,
    ) -> History: ...
    @overload
    def history(
        self,
        name: Iterable[str] | None = None,
        start: int | None = None,
        end: int | None = None,
        points: int | None = None,
    ) -> Histories: ...
    def history(
        self,
        name: str | Iterable[str] | None = None,
        start: int | None = None,
        end: int | None = None,
        points: int | None = None,
        *,
        column: str | None = None,
    ) -> History | Histories:
        """The points logged so far, with their steps and times, as arrays of NumPy.

        Args:
            name: A metric, for one ``History``; or a list of metrics, or None for all that the run
                logged itself, for ``Histories`` by name. Tables have one for each column.
            start: Only from this step on.
            end: Only up to before this step.
            points: At most so many of each, chosen so that a line through them looks as through
                all. These are points as logged; the least and the greatest stay.
            column: Which column, where ``name`` is a table.

        Raises:
            MetricNotFoundError: The run has no metric, or the table no column, of this name.
            InvalidValueError: It is a table and no column was given, or a number is not accepted.
        """
        wanted = Range(
            _integer_or_none("start", start),
            _integer_or_none("end", end),
            _integer_or_none("points", points),
        )
        metrics = self._api.metrics
        if isinstance(name, str):
            return read_history(metrics, self.id, name, column, wanted)
        if column is not None:
            raise InvalidValueError(f"column {column!r} was given without the name of one table")
        names = None if name is None else _texts("name", name)
        return read_histories(metrics, self.id, names, wanted)

    def chart(
        self,
        names: str | Iterable[str] | None = None,
        *,
        others: "Iterable[RunHistory]" = (),
        buckets: int = 1000,
        start: int | None = None,
        end: int | None = None,
        axis: Axis = "step",
    ) -> Chart:
        """Metrics over the same buckets, of this run and others, however many points there are.

        The least and the greatest number of each bucket are exact, so that no spike is lost. Of
        some million points and more, counts and means may take a few points at an edge for the
        next bucket.

        Args:
            names: Metrics; None for all that the runs logged themselves. Runs need not have all.
            others: More runs of the same workspace.
            buckets: At most so many.
            start: Where the first bucket begins; None for the first point.
            end: Where the last one ends; None for behind the last point.
            axis: ``"step"``, or ``"time"``, where ``start`` and ``end`` are microseconds since
                1970 UTC.

        Raises:
            MetricNotFoundError: None of the runs has a metric of one of the names.
            InvalidValueError: A run is of another workspace, or a number is not accepted.
        """
        if axis not in {"step", "time"}:
            raise InvalidValueError(f"axis was given as {axis!r}: give 'step' or 'time'")
        runs = {run.id: run for run in (self, *_runs("others", others))}
        for run in runs.values():
            if run._home.folder != self._home.folder:
                raise InvalidValueError(
                    f"run {run.id} is in the workspace {run._home.folder}, run {self.id} in "
                    f"{self._home.folder}: give runs of one workspace"
                )
        query = ChartQuery(
            run_ids=[*runs],
            names=_names(self._api.metrics, [*runs], names),
            buckets=_integer("buckets", buckets),
            start=_integer_or_none("start", start),
            end=_integer_or_none("end", end),
            axis=axis,
        )
        return read_chart(self._api.metrics, query)


def chart(
    runs: RunHistory | Iterable[RunHistory],
    names: str | Iterable[str] | None = None,
    *,
    buckets: int = 1000,
    start: int | None = None,
    end: int | None = None,
    axis: Axis = "step",
) -> Chart:
    """``Run.chart`` for a list of runs.

    Raises:
        InvalidValueError: The list is empty.
    """
    given = [runs] if isinstance(runs, RunHistory) else _runs("runs", runs)
    if not given:
        raise InvalidValueError("runs was given as an empty list: give at least one run")
    first, *others = given
    return first.chart(names, others=others, buckets=buckets, start=start, end=end, axis=axis)


def _runs(name: str, given: object) -> list[RunHistory]:
    runs: list[RunHistory] = []
    for one in _many(name, given):
        if not isinstance(one, RunHistory):
            raise InvalidValueError(
                f"{name} was given with {type(one).__name__} {one!r}: give runs"
            )
        runs.append(one)
    return runs


def _names(metrics: Metrics, run_ids: list[str], given: object) -> list[str]:
    """The metrics, each once; every one is there in at least one of the runs."""
    found = [
        one.name for run_id in run_ids for one in metrics.summarize(MetricQuery(run_id=run_id))
    ]
    there = dict.fromkeys(found)
    if given is None:
        return [name for name in there if not name.startswith(SYSTEM_PREFIX)]
    names = _texts("names", [given] if isinstance(given, str) else given)
    absent = next((name for name in names if name not in there), None)
    if absent is not None:
        raise no_metric(run_ids, absent, there)
    return names


def _texts(name: str, given: object) -> list[str]:
    """Names, each once."""
    return [*dict.fromkeys(checked(one, str, name) for one in _many(name, given))]


def _many(name: str, given: object) -> Iterable[object]:
    if not isinstance(given, Iterable):
        raise InvalidValueError(
            f"{name} was given as {type(given).__name__} {given!r}: give a list"
        )
    return cast("Iterable[object]", given)


def _integer(name: str, given: object) -> int:
    """A whole number, NumPy's among them."""
    try:
        return operator.index(cast("SupportsIndex", given))
    except TypeError as error:
        raise InvalidValueError(
            f"{name} was given as {type(given).__name__} {given!r}: give a whole number"
        ) from error


def _integer_or_none(name: str, given: object) -> int | None:
    return None if given is None else _integer(name, given)
