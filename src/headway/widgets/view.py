"""What is shown of a run, read from its workspace."""

import math
import time
from collections.abc import Callable
from typing import Final

import msgspec

from headway.api import Api
from headway.model import MetricQuery, RunQuery, Scalar, SeriesSummary, Status
from headway.model import Run as RunRecord
from headway.sdk.handles import Run
from headway.sdk.metrics.shapes import SYSTEM_PREFIX
from headway.sdk.runs.following import LOG_NAME

MOST_METRICS: Final = 30
"""With more metrics, the first ones by name are shown."""
MOST_CHILDREN: Final = 20
_BUCKETS: Final = 120
_TAIL_BYTES: Final = 4_096
_TAIL_LINES: Final = 15


class MetricView(msgspec.Struct, frozen=True):
    """One metric: its last value, and the outline of its course."""

    title: str
    last: Scalar
    count: int
    low: list[float] = []
    """The least number of each bucket that has one, from left to right."""
    high: list[float] = []
    """The greatest, in the same buckets."""
    at: list[float] = []
    """Where the buckets are, from 0 to 1."""


class ChildView(msgspec.Struct, frozen=True):
    """One child run."""

    id: str
    name: str
    status: Status


class RunView(msgspec.Struct, frozen=True):
    """A run as it is shown."""

    id: str
    name: str
    experiment: str
    status: Status
    duration_s: float | None
    """None where it has not begun."""
    error: str = ""
    metrics: list[MetricView] = []
    metric_count: int = 0
    children: list[ChildView] = []
    child_count: int = 0
    log: list[str] = []
    """The last lines."""


def view_of(run: Run, now: Callable[[], float] = time.time) -> RunView:
    """What is to be shown of a run now.

    Args:
        run: The run.
        now: The time, in seconds since 1970.
    """
    api = run.experiment.workspace.api
    record = api.runs.get(run.id)
    summaries = [
        one
        for one in api.metrics.summarize(MetricQuery(run_id=run.id))
        if not one.name.startswith(SYSTEM_PREFIX)
    ]
    children = api.runs.list(RunQuery(parent_id=run.id, limit=MOST_CHILDREN + 1)).runs
    return RunView(
        id=record.id,
        name=record.name,
        experiment=record.experiment_name,
        status=record.status,
        duration_s=_duration_s(record, now()),
        error=record.error.message if record.error else "",
        metrics=_metrics(run, summaries),
        metric_count=len(summaries),
        children=[ChildView(one.id, one.name, one.status) for one in children[:MOST_CHILDREN]],
        child_count=len(children),
        log=_log(api, run.id),
    )


def _duration_s(record: RunRecord, now_s: float) -> float | None:
    if record.started_at is None:
        return None
    end_s = now_s if record.ended_at is None else record.ended_at / 1e6
    return max(0.0, end_s - record.started_at / 1e6)


def _metrics(run: Run, summaries: list[SeriesSummary]) -> list[MetricView]:
    shown = sorted(summaries, key=lambda one: (one.name, one.column))[:MOST_METRICS]
    names = list(dict.fromkeys(one.name for one in shown if one.count > 1))
    outlines = _outlines(run, names) if names else {}
    return [
        MetricView(
            f"{one.name}.{one.column}" if one.column else one.name,
            one.last,
            one.count,
            *outlines.get((one.name, one.column), ([], [], [])),
        )
        for one in shown
    ]


def _outlines(
    run: Run, names: list[str]
) -> dict[tuple[str, str], tuple[list[float], list[float], list[float]]]:
    found = run.chart(names, buckets=_BUCKETS)
    outlines: dict[tuple[str, str], tuple[list[float], list[float], list[float]]] = {}
    for one in found.series:
        low, high = map(float, one.minimum), map(float, one.maximum)
        count = max(1, len(one.minimum) - 1)
        kept = [
            (a, b, i / count)
            for i, (a, b) in enumerate(zip(low, high, strict=True))
            if math.isfinite(a) and math.isfinite(b)
        ]
        if len(kept) > 1:
            least, most, at = (list(column) for column in zip(*kept, strict=True))
            outlines[one.name, one.column] = (least, most, at)
    return outlines


def _log(api: Api, run_id: str) -> list[str]:
    size = next((e.size_bytes for e in api.files.list(run_id, LOG_NAME) if e.path == LOG_NAME), 0)
    if not size:
        return []
    offset = max(0, size - _TAIL_BYTES)
    part = api.runs.watch(run_id, log=LOG_NAME, offset=offset, timeout_s=0).log
    lines = part.data.decode("utf-8", "replace").splitlines()
    return lines[1 if offset else 0 :][-_TAIL_LINES:]
