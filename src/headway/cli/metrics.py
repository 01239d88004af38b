"""``headway metrics``: what a run logged, as a table, a chart, JSON or CSV."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import click

from headway.api import Api
from headway.cli import point_following, point_tables, point_writing
from headway.cli.call import Call, shared_options
from headway.cli.opening import find_run, open_workspace
from headway.cli.output import say
from headway.cli.point_reading import Logged, PointReader
from headway.cli.streaming import INTERRUPTED, say_after_interrupt, say_end
from headway.cli.summaries import print_summaries
from headway.model import Run, SeriesSummary


class Wanted(NamedTuple):
    """What the options say."""

    names: tuple[str, ...]
    start: int | None
    end: int | None
    points: int | None
    as_csv: bool
    plot: bool
    others: tuple[str, ...]
    follow: bool

    @property
    def ranged(self) -> bool:
        """Whether not all values are wanted."""
        return any(bound is not None for bound in (self.start, self.end, self.points))


@click.command(name="metrics")
@click.argument("run")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--start", type=int, metavar="STEP", help="Only from this step on.")
@click.option("--end", type=int, metavar="STEP", help="Only up to before this step.")
@click.option(
    "--points",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most so many values of each metric, chosen so that its line keeps its shape.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Every value as CSV.")
@click.option("--plot", is_flag=True, help="Draw a chart: one of all NAMEs, else one of each.")
@click.option(
    "--compare", "others", multiple=True, metavar="RUN", help="With --plot: draw this run too."
)
@click.option("--follow", "-f", "follow_it", is_flag=True, help="Go on until the run has ended.")
@click.option("--experiment", "-e", help="Where @N and latest look.")
@shared_options
@click.pass_obj
def command(
    call: Call,
    run: str,
    names: tuple[str, ...],
    start: int | None,
    end: int | None,
    points: int | None,
    as_csv: bool,
    plot: bool,
    others: tuple[str, ...],
    follow_it: bool,
    experiment: str | None,
) -> int:
    """Print a summary of the metrics of RUN, or every value of the metrics NAME.

    NAME is a metric, or table.column for one column of a table.

    \b
    headway metrics latest
    headway metrics latest loss --start 1000
    headway metrics latest loss val_loss --plot --follow
    headway metrics latest loss --plot --compare @3 -e trials
    headway metrics latest --csv > metrics.csv

    CSV has the columns name, column (of a table), step, time and value. JSON is a
    list of metrics, each with its summary and the lists steps, times and values;
    with --follow it is a line for each value. Times are in UTC. In JSON, NaN and
    infinities are the texts NaN, Infinity and -Infinity.
    """  # noqa: D301  (the mark is for click)
    wanted = Wanted(names, start, end, points, as_csv, plot, others, follow_it)
    _check(call, wanted)
    api = open_workspace(call).api
    found = find_run(api, run, experiment)
    compared = [found, *(find_run(api, other, experiment) for other in others)]
    reader = PointReader(api, found.id, names, start=start, end=end, points=points)
    if not follow_it:
        reader.check_names()
        _show(call, api, wanted, reader, compared)
        return 0
    try:
        ended = _follow(call, api, wanted, reader, compared)
    except KeyboardInterrupt:
        say_after_interrupt(f"headway: stopped following; run {found.id} goes on")
        return INTERRUPTED
    reader.check_names()
    say_end(ended)
    return 0


def _check(call: Call, wanted: Wanted) -> None:
    """Refuse options that do not go together."""
    if call.json + wanted.as_csv + wanted.plot > 1:
        raise click.UsageError("--json, --csv and --plot do not go together: give one of them")
    if wanted.points is not None and (wanted.plot or wanted.follow):
        raise click.UsageError("--points does not go with --plot or --follow")
    if wanted.others and not wanted.plot:
        raise click.UsageError("--compare goes with --plot only")
    if wanted.plot and wanted.follow and not (wanted.names and sys.stdout.isatty()):
        raise click.UsageError("--plot --follow redraws one chart in a terminal: give names for it")
    of_values = wanted.names or call.json or wanted.as_csv or wanted.plot or wanted.follow
    if wanted.ranged and not of_values:
        raise click.UsageError("--start, --end and --points choose values: name a metric")


def _show(
    call: Call, api: Api, wanted: Wanted, reader: PointReader, compared: Sequence[Run]
) -> None:
    found = reader.series()
    if call.json:
        point_writing.write_documents(reader, found)
    elif wanted.as_csv:
        point_writing.write_csv(reader, found)
    elif not found:
        say(f"headway: run {reader.run_id} has logged nothing")
    elif wanted.plot:
        _plot(api, wanted, found, compared)
    elif wanted.names:
        point_tables.print_points(reader, found)
    else:
        print_summaries(found)


def _plot(
    api: Api, wanted: Wanted, found: Sequence[SeriesSummary], compared: Sequence[Run]
) -> None:
    from headway.cli import plotting  # noqa: PLC0415  (brings plotext)

    drawer = plotting.Drawer(api, compared, wanted.start, wanted.end)
    if not plotting.print_charts(drawer, found, together=bool(wanted.names)):
        say("headway: there are no numbers to plot")
    elif drawer.compares:
        for run_id in drawer.missing:
            say(f"headway: run {run_id} has no numbers for this")


def _follow(
    call: Call, api: Api, wanted: Wanted, reader: PointReader, compared: Sequence[Run]
) -> Run:
    """Go on with new values until the run has ended; return it then."""
    if wanted.plot:
        from headway.cli import plotting  # noqa: PLC0415  (brings plotext)

        drawer = plotting.Drawer(api, compared, wanted.start, wanted.end)
        redraw = plotting.Redrawing(drawer, reader.series)
        return point_following.follow(api, reader, lambda _: redraw())
    show: Callable[[Iterator[Logged]], None]
    if call.json:
        show = point_writing.write_json_lines
    elif wanted.as_csv:
        point_writing.write_csv_heading()
        show = point_writing.write_csv_lines
    else:
        show = point_tables.LoggedPrinter().print
    return point_following.follow(api, reader, show)
