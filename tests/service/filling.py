"""Metrics of runs that are filled with points of one's own, in small sizes."""

from collections.abc import Callable, Sequence
from typing import cast

from headway.metrics.columns import Points, decode_points
from headway.model import PointQuery, Scalar
from headway.service.metrics import MetricService
from headway.service.sizes import Sizes
from headway.testing.records import Logged

SMALL = Sizes(
    tail=4,
    tail_bytes=80,
    steps=(8, 16, 32),
    largest=64,
    looked_at=12,
    fine=2,
    medium=4,
    coarse=8,
    exact=0,
    read_whole=0,
    units=1,
    ratio=2,
)
"""So that a few dozen points are sealed, and counted by units."""
LARGE = Sizes(tail=4, tail_bytes=80, steps=(8, 16, 32), largest=64, fine=2, medium=4, coarse=8)
"""The same, and every chart is exact."""

Fill = Callable[[Sizes, Sequence[Logged]], tuple[MetricService, str]]
"""Makes a run whose metric x has these points, in stretches of uneven lengths."""


def read(
    metrics: MetricService,
    run_id: str,
    *,
    start: int | None = None,
    end: int | None = None,
    points: int | None = None,
) -> Points:
    query = PointQuery(run_id, "x", start=start, end=end, points=points)
    return decode_points(metrics.points(query).blocks, start, end)


def plain(points: Points) -> list[tuple[int, int, Scalar]]:
    values = points.values if isinstance(points.values, list) else points.values.tolist()
    return list(
        zip(points.steps.tolist(), points.times.tolist(), cast("list[Scalar]", values), strict=True)
    )
