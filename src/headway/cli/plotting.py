"""Charts of metrics: which series stand in which, once or again and again."""

import shutil
from collections.abc import Callable, Sequence

import click

from headway.api import Api
from headway.cli import charts
from headway.cli.charts import Line
from headway.cli.listing import own_name
from headway.cli.output import write
from headway.cli.summaries import title
from headway.model import ChartQuery, Run, SeriesSummary
from headway.sdk.metrics.chart import Chart, ChartSeries, read_chart


class Drawer:
    """Draws metrics of one or several runs within a range of steps."""

    def __init__(self, api: Api, runs: Sequence[Run], start: int | None, end: int | None) -> None:
        self._metrics = api.metrics
        self._runs = {run.id: run for run in runs}
        self._start = start
        self._end = end
        self._drawn: set[str] = set()

    @property
    def compares(self) -> bool:
        """Whether there are several runs."""
        return len(self._runs) > 1

    @property
    def missing(self) -> list[str]:
        """The runs of which nothing was drawn so far."""
        return [run_id for run_id in self._runs if run_id not in self._drawn]

    def lines(self, found: Sequence[SeriesSummary]) -> list[Line]:
        """The numbers of series of these titles, a line for each of each run."""
        if not found:
            return []
        names, titles = _names(found), {title(one) for one in found}
        query = ChartQuery(list(self._runs), names, charts.buckets(), self._start, self._end)
        chart = read_chart(self._metrics, query)
        wanted = [series for series in chart.series if series.title in titles]
        self._drawn |= {series.run_id for series in wanted if series.count.any()}
        labels = [self._label(series) for series in wanted]
        return charts.lines_of(Chart(chart.edges, wanted), labels)

    def _label(self, series: ChartSeries) -> str:
        if not self.compares:
            return series.title
        run = self._runs[series.run_id]
        return "  ".join(filter(None, (series.title, run.id, own_name(run))))


def print_charts(drawer: Drawer, found: Sequence[SeriesSummary], *, together: bool) -> bool:
    """Draw series, all in one chart or one below the other; return whether there was any."""
    apart = [[one for one in found if one.name == name] for name in _names(found)]
    drawn = False
    for group in [found] if together else apart:
        lines = drawer.lines(group)
        one_chart = together or drawer.compares
        for part in [lines] if one_chart else [[line] for line in lines]:
            if part:
                if drawn:
                    write()
                charts.print_rows(charts.render(part))
                drawn = True
    return drawn


class Redrawing:
    """One chart, drawn again where it stands on the terminal."""

    def __init__(self, drawer: Drawer, series: Callable[[], Sequence[SeriesSummary]]) -> None:
        self._drawer = drawer
        self._series = series
        self._drawn = 0

    def __call__(self) -> None:
        """Draw it as it is now."""
        lines = self._drawer.lines(self._series())
        if not lines:
            return
        rows = charts.render(lines)
        if 0 < self._drawn < shutil.get_terminal_size().lines:
            click.echo(f"\x1b[{self._drawn}F\x1b[J", nl=False)  # up to its first row, and clear
        charts.print_rows(rows)
        self._drawn = len(rows)


def _names(found: Sequence[SeriesSummary]) -> list[str]:
    return list(dict.fromkeys(one.name for one in found))
