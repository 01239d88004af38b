"""The metrics of a run: logged, flushed, read."""

from collections.abc import Iterable, Mapping
from typing import cast

from headway.errors import InvalidValueError
from headway.metrics.journal import JournalWriter
from headway.metrics.point_log import Pen, PointLog
from headway.model import MetricQuery, SeriesSummary
from headway.sdk.arguments import checked
from headway.sdk.metrics.artifacts import Artifact, read_artifact
from headway.sdk.metrics.shapes import SYSTEM_PREFIX, Metrics, as_uri, metrics_by_run, metrics_of
from headway.sdk.runs.state import RunState


class RunMetrics(PointLog, RunState):
    """The part of ``Run`` about metrics.

    What was logged outlives the process whenever it dies, from the moment the call returns.
    """

    _inner = frozenset({"log_checked"})
    _journal: JournalWriter | None = None
    _rows: dict[str, int]

    def log_metrics(self, metrics: Mapping[str, object], step: int | None = None) -> None:
        """Log one value of each of several metrics, all or none.

        Args:
            metrics: Names and values.
            step: The step, such as the epoch; None to count on from the last one.
        """
        checked(metrics, Mapping, "metrics")
        self._open_journal().log_metrics(metrics, step)

    def log_list(self, name: str, value: Iterable[object], description: str = "") -> None:
        """Log the values of a list, which ``get_metrics`` returns as a list, empty ones too.

        Raises:
            InvalidValueError: It is no list, or an element is not one value; nothing is logged.
        """
        self._open_journal().log_values(name, value)

    def log_row(self, name: str, description: str | None = None, **kwargs: object) -> None:
        """Log one row of a table, with a keyword argument for each column.

        Raises:
            InvalidValueError: A column is a list, or there is none; nothing is logged.
        """
        journal = self._open_journal()
        row = self._rows.get(name, 0)
        journal.log_row(name, kwargs, row)
        self._rows[name] = row + 1

    def log_table(self, name: str, value: Mapping[str, object], description: str = "") -> None:
        """Log a table: columns with equally long lists, or single values for one row.

        Raises:
            InvalidValueError: It is no dict, or the columns differ in length; nothing is logged.
        """
        columns = _columns(name, value)
        journal = self._open_journal()
        for column, values in columns.items():
            journal.log_values(name, values, "table", column)

    def get_metrics(
        self,
        name: str | None = None,
        recursive: bool = False,
        run_type: str | None = None,
        populate: bool = False,
    ) -> Metrics | dict[str, Metrics]:
        """The metrics logged so far, by name.

        A metric logged once is its bare value, one logged often a list in the order of logging, a
        list stays a list, a table is a dict of its columns. What Headway measures of every run
        (``system/cpu_percent`` and the like) is given where it is asked for by name.

        Args:
            name: Only this metric; an unknown one gives an empty dict.
            recursive: Also of all runs below this one: a dict by run id, without the runs that
                have none.
            run_type: Only of runs of this type.
            populate: Whether what is kept as a file (an image, a confusion matrix ...) is given
                as an object with its content, in place of an address.
        """
        query = MetricQuery(run_id=self.id, recursive=bool(recursive), name=name, run_type=run_type)
        series = self._api.metrics.read(query)
        if name is None:
            series = [one for one in series if not one.summary.name.startswith(SYSTEM_PREFIX)]
        shown = self._read_artifact if populate else as_uri
        return metrics_by_run(series, shown) if recursive else metrics_of(series, shown)

    def flush(self, timeout_seconds: float = 300) -> None:
        """Move what was logged into the workspace now.

        It is done about once a second anyway, and readers always see everything.

        Args:
            timeout_seconds: Accepted and ignored.
        """
        self._session.drain(self.id)

    def _read_artifact(self, series: SeriesSummary, file: str) -> Artifact:
        with self._api.files.open(series.run_id, file) as stream:
            return read_artifact(series.form, series.run_id, file, stream.read())

    def _open_journal(self) -> JournalWriter:
        if self._journal is None:
            self._journal = self._session.journal(self.id)
            self._rows = {}
        return self._journal

    def _open_pen(self) -> Pen:
        self._pen = self._open_journal().pen
        return self._pen

    def log_checked(self, name: object, value: object, step: object) -> None:
        """Log one value, whatever it is. ``log`` is the quick way."""
        self._open_journal().log_checked(name, value, step)


def _columns(name: object, value: object) -> dict[str, list[object]]:
    """The columns of a table, each a list of the same length."""
    word = type(value).__name__
    given = cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None
    if not given:
        raise InvalidValueError(
            f"table {name!r} was given as {word} {value!r}: give a dict of columns and their lists"
        )
    columns: dict[str, list[object]] = {}
    for column, values in given.items():
        many = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)
        columns[column] = list(cast("Iterable[object]", values)) if many else [values]
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidValueError(
            f"Columns must have the same length, but those of table {name!r} have {lengths}: give "
            "lists of equal length"
        )
    return columns
