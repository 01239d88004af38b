"""``headway metrics``: what a run logged, as a table, a chart, JSON or CSV."""

import csv
import io
from collections.abc import Iterable, Sequence

import click

from headway.cli.call import Call, shared_options
from headway.cli.documents import summary_document
from headway.cli.opening import find_run, open_workspace
from headway.cli.output import say, write, write_bytes, write_json
from headway.cli.tables import Column, print_table
from headway.errors import NotFoundError
from headway.model import MetricQuery, Scalar, Series, SeriesSummary
from headway.sdk.metric_shapes import SYSTEM_PREFIX


@click.command(name="metrics")
@click.argument("run")
@click.argument("name", required=False)
@click.option(
    "--csv", "as_csv", is_flag=True, help="Every value as CSV: name, column, index, value."
)
@click.option("--plot", is_flag=True, help="Draw a chart of each metric that has numbers.")
@click.option("--experiment", "-e", help="Where @N and latest look.")
@shared_options
@click.pass_obj
def command(
    call: Call, run: str, name: str | None, as_csv: bool, plot: bool, experiment: str | None
) -> int:
    """Print a summary of the metrics of RUN, or every value of the metric NAME."""
    if as_csv + plot + call.json > 1:
        raise click.UsageError("--json, --csv and --plot do not go together: give one of them")
    api = open_workspace(call).api
    found = find_run(api, run, experiment)
    query = MetricQuery(run_id=found.id, name=name)
    summaries = own_first(api.metrics.summarize(query))
    if name is not None and not summaries:
        raise _no_metric(found.id, name, api.metrics.summarize(MetricQuery(run_id=found.id)))
    if call.json:
        write_json([_document(series) for series in _own_first(api.metrics.read(query))])
    elif as_csv:
        _write_csv(_own_first(api.metrics.read(query)))
    elif plot:
        _plot(_own_first(api.metrics.read(query)))
    elif not summaries:
        say(f"headway: run {found.id} has logged nothing")
    elif name is not None:
        _print_values(api.metrics.read(query))
    else:
        print_summaries(summaries)
    return 0


def own_first(summaries: Iterable[SeriesSummary]) -> list[SeriesSummary]:
    """What the program logged, then what was measured of it."""
    return sorted(summaries, key=lambda one: one.name.startswith(SYSTEM_PREFIX))


def _own_first(series: Iterable[Series]) -> list[Series]:
    return sorted(series, key=lambda one: one.summary.name.startswith(SYSTEM_PREFIX))


def print_summaries(summaries: Sequence[SeriesSummary], indent: int = 0) -> None:
    """Print a line for each metric."""
    columns = [
        Column("METRIC"),
        Column("COUNT", right=True),
        Column("LAST", right=True, shorten=True),
        Column("MIN", right=True),
        Column("MAX", right=True),
        Column("STEPS"),
    ]
    rows = [
        [
            title(one),
            str(one.count),
            value_text(one.last),
            value_text(one.minimum),
            value_text(one.maximum),
            _steps(one),
        ]
        for one in summaries
    ]
    print_table(columns, rows, indent)


def title(summary: SeriesSummary) -> str:
    """A metric's name, with the column where it is of a table."""
    return f"{summary.name}.{summary.column}" if summary.column else summary.name


def value_text(value: Scalar) -> str:
    """A value in a table: numbers to six digits."""
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return str(value)
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _steps(summary: SeriesSummary) -> str:
    if summary.first_step is None:
        return ""
    if summary.first_step == summary.last_step:
        return str(summary.first_step)
    return f"{summary.first_step} to {summary.last_step}"


def _document(series: Series) -> dict[str, object]:
    return {**summary_document(series.summary), "values": series.values}


def _write_csv(found: Sequence[Series]) -> None:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["name", "column", "index", "value"])
    for series in found:
        summary = series.summary
        for index, value in enumerate(series.values):
            rows.writerow([summary.name, summary.column, index, "" if value is None else value])
        write_bytes(_taken(text))
    write_bytes(_taken(text))


def _taken(text: io.StringIO) -> bytes:
    data = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return data


def _print_values(found: Sequence[Series]) -> None:
    """Every value, the columns of a table side by side."""
    count = max(len(series.values) for series in found)
    rows = [
        [str(index), *(_exact(s.values[index]) if index < len(s.values) else "" for s in found)]
        for index in range(count)
    ]
    columns = [
        Column("#", right=True),
        *(Column(title(s.summary), right=_numeric(s), shorten=not _numeric(s)) for s in found),
    ]
    print_table(columns, rows)


def _exact(value: Scalar) -> str:
    return "-" if value is None else str(value)


def _numeric(series: Series) -> bool:
    return not any(isinstance(value, str) for value in series.values)


def _plot(found: Sequence[Series]) -> None:
    from headway.cli import charts  # noqa: PLC0415  (brings plotext)

    drawn = False
    for series in found:
        points = charts.numbers(series.values, _first_step(series.summary))
        if points:
            if drawn:
                write()
            charts.print_chart(title(series.summary), points)
            drawn = True
    if not drawn:
        say("headway: there are no numbers to plot")


def _first_step(summary: SeriesSummary) -> int:
    """The step of the first value where steps count up one by one; else values are counted."""
    first, last = summary.first_step, summary.last_step
    if first is None or last is None or last - first + 1 != summary.count:
        return 0
    return first


def _no_metric(run_id: str, name: str, there: Sequence[SeriesSummary]) -> NotFoundError:
    names = ", ".join(sorted({one.name for one in there})) or "none"
    return NotFoundError(f"run {run_id} has no metric {name!r}; it has: {names}")
