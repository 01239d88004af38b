"""Metrics without their points: as tables, and put in order."""

from collections.abc import Iterable, Sequence

from headway.cli.tables import Column, print_table
from headway.model import Scalar, SeriesSummary
from headway.sdk.metrics.shapes import SYSTEM_PREFIX, title_of


def own_first(summaries: Iterable[SeriesSummary]) -> list[SeriesSummary]:
    """What the program logged, then what was measured of it."""
    return sorted(summaries, key=lambda one: one.name.startswith(SYSTEM_PREFIX))


def print_summaries(summaries: Sequence[SeriesSummary], indent: int = 0) -> None:
    """Print a line for each metric."""
    columns = [
        Column("METRIC", shorten=True),
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
    return title_of(summary.name, summary.column)


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
