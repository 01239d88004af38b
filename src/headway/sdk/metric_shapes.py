"""From stored series to the dicts that ``Run.get_metrics`` returns."""

from collections.abc import Iterable

from headway.model import Scalar, Series

SYSTEM_PREFIX = "system/"
"""The names of what is measured of every run, as opposed to what it logs itself."""

MetricValue = Scalar | list[Scalar] | dict[str, Scalar] | dict[str, list[Scalar]]
"""One value for a scalar logged once, a list for one logged often or as a list, and a dict of
columns for a table."""
Metrics = dict[str, MetricValue]


def metrics_of(series: Iterable[Series]) -> Metrics:
    """The metrics of one run by name, in the order of their series."""
    columns: dict[str, dict[str, list[Scalar]]] = {}
    shaped: Metrics = {}
    for one in series:
        name, values = one.summary.name, list(one.values)
        if one.summary.form == "table":
            columns.setdefault(name, {})[one.summary.column] = values
            shaped[name] = _table(columns[name])
        elif one.summary.form == "scalar" and len(values) == 1:
            shaped[name] = values[0]
        else:
            shaped[name] = values
    return shaped


def metrics_by_run(series: Iterable[Series]) -> dict[str, Metrics]:
    """The metrics of several runs; a run without any is left out."""
    grouped: dict[str, list[Series]] = {}
    for one in series:
        grouped.setdefault(one.summary.run_id, []).append(one)
    return {run_id: metrics_of(group) for run_id, group in grouped.items()}


def _table(columns: dict[str, list[Scalar]]) -> dict[str, Scalar] | dict[str, list[Scalar]]:
    """Columns as lists, or as bare values where the table has one row."""
    if all(len(values) == 1 for values in columns.values()):
        return {column: values[0] for column, values in columns.items()}
    return dict(columns)
