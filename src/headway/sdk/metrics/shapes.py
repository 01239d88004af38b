"""From stored series to the dicts that ``Run.get_metrics`` returns."""

from collections.abc import Callable, Iterable

from headway.model import Scalar, Series, SeriesSummary
from headway.sdk.metrics.artifacts import ARTIFACT_FORMS, Artifact, artifact_uri

SYSTEM_PREFIX = "system/"
"""The names of what is measured of every run, as opposed to what it logs itself."""

MetricValue = (
    Scalar
    | list[Scalar]
    | dict[str, Scalar]
    | dict[str, list[Scalar]]
    | Artifact
    | list[str | Artifact]
)
"""One value for a scalar logged once, a list for one logged often or as a list, a dict of columns
for a table; for what is kept as a file an address, or an object with the content."""
Metrics = dict[str, MetricValue]
Shown = Callable[[SeriesSummary, str], str | Artifact]
"""What stands for the file of a series: the file's name is the second argument."""


def as_uri(series: SeriesSummary, file: str) -> str:
    """An address for the file of a series."""
    return artifact_uri(series.run_id, file)


def title_of(name: str, column: str) -> str:
    """A metric's name, with a dot and the column where it is of a table."""
    return f"{name}.{column}" if column else name


def metrics_of(series: Iterable[Series], shown: Shown = as_uri) -> Metrics:
    """The metrics of one run by name, in the order of their series.

    Args:
        series: The series of the run.
        shown: What stands for files that were logged as metrics.
    """
    columns: dict[str, dict[str, list[Scalar]]] = {}
    shaped: Metrics = {}
    for one in series:
        name, values = one.summary.name, list(one.values)
        if one.summary.form == "table":
            columns.setdefault(name, {})[one.summary.column] = values
            shaped[name] = _table(columns[name])
        elif one.summary.form in ARTIFACT_FORMS:
            files = [shown(one.summary, str(file)) for file in values]
            if files:
                shaped[name] = files[0] if len(files) == 1 else files
        elif one.summary.form == "scalar" and len(values) == 1:
            shaped[name] = values[0]
        else:
            shaped[name] = values
    return shaped


def metrics_by_run(series: Iterable[Series], shown: Shown = as_uri) -> dict[str, Metrics]:
    """The metrics of several runs; a run without any is left out."""
    grouped: dict[str, list[Series]] = {}
    for one in series:
        grouped.setdefault(one.summary.run_id, []).append(one)
    return {run_id: metrics_of(group, shown) for run_id, group in grouped.items()}


def _table(columns: dict[str, list[Scalar]]) -> dict[str, Scalar] | dict[str, list[Scalar]]:
    """Columns as lists, or as bare values where the table has one row."""
    if all(len(values) == 1 for values in columns.values()):
        return {column: values[0] for column, values in columns.items()}
    return dict(columns)
