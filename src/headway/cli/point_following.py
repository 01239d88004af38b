"""Following the metrics of a run: what it logs, as it logs it, until it has ended."""

import heapq
from collections.abc import Callable, Iterator
from typing import Final

from headway.api import Api
from headway.cli.point_reading import Logged, PointReader
from headway.model import Run, SeriesSummary
from headway.sdk.metrics.shapes import SYSTEM_PREFIX
from headway.sdk.runs.following import LOG_NAME

PAUSE_S: Final = 1.0
"""Between two looks. The end of the run is noticed at once."""

_FAR: Final = 1 << 62
"""An offset that no log reaches: only the end of the run is waited for."""


def follow(api: Api, reader: PointReader, show: Callable[[Iterator[Logged]], None]) -> Run:
    """Show what is there and what comes, until the run has ended; return it then.

    Args:
        api: The workspace.
        reader: What to read of the run. Metrics that it does not have yet may be named.
        show: Called with new points, in the order of time, when there are some.
    """
    seen: dict[tuple[str, str], int] = {}
    pause_s = 0.0
    while True:
        update = api.runs.watch(reader.run_id, log=LOG_NAME, offset=_FAR, timeout_s=pause_s)
        pause_s = PAUSE_S
        grown: list[Iterator[Logged]] = []
        for series in _followed(reader):
            key = (series.name, series.column)
            if series.count > seen.get(key, 0):
                grown.append(_logged(reader, series, seen.get(key, 0)))
                seen[key] = series.count
        if grown:
            # Several values may be logged in one microsecond.
            show(heapq.merge(*grown, key=lambda one: (one.row.time, one.row.step)))
        if update.run.status.ended:  # asked before the points: none comes after these
            return update.run


def _followed(reader: PointReader) -> list[SeriesSummary]:
    """What was named, or what the run logs itself."""
    if reader.names:
        return reader.series()
    return [one for one in reader.series() if not one.name.startswith(SYSTEM_PREFIX)]


def _logged(reader: PointReader, series: SeriesSummary, seen: int) -> Iterator[Logged]:
    """The points up to the count of the summary: later ones are for the next look."""
    rows = reader.rows_between(series, seen, series.count)
    return (Logged(series, row) for row in rows)
