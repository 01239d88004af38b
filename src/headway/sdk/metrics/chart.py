"""Several series over the same buckets: what ``headway.chart`` returns."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headway.api import Metrics
from headway.model import BucketSeries, ChartQuery
from headway.sdk.metrics.shapes import title_of

if TYPE_CHECKING:  # NumPy is loaded with the first chart, not with the SDK
    import numpy as np
    from numpy.typing import NDArray

    from headway.metrics.frames import Dates, Ints

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ChartSeries:
    """One series of a chart: an array each, with one number a bucket."""

    run_id: str
    name: str
    column: str
    """The column of a table; empty for anything else."""
    count: "Ints"
    """How many numbers fall in the bucket; truth values are 0 and 1, texts and None no numbers."""
    not_finite: "Ints"
    """How many of them are NaN or infinite."""
    minimum: "Floats"
    """The least number, infinities included; NaN where there is none."""
    maximum: "Floats"
    mean: "Floats"
    """Of the finite ones."""
    last: "Floats"
    """The one that was logged last."""

    @property
    def title(self) -> str:
        """The metric's name, with a dot and the column where it is of a table."""
        return title_of(self.name, self.column)

    def __repr__(self) -> str:
        return f"ChartSeries({self.title!r} of run {self.run_id!r}, {self.count.sum()} points)"


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """Several series over the same buckets.

    Bucket ``i`` reaches from ``edges[i]`` to before ``edges[i + 1]``.
    """

    edges: "Floats | Dates"
    """One more than there are buckets: steps, or datetime64[us] in UTC. None without points."""
    series: list[ChartSeries]
    """By run and by metric, in the order in which they were asked for."""

    def __repr__(self) -> str:
        series = "".join(f"\n  {one!r}" for one in self.series)
        return f"Chart({max(0, len(self.edges) - 1)} buckets, {len(self.series)} series){series}"


def read_chart(metrics: Metrics, query: ChartQuery) -> Chart:
    """The answer to a query, as arrays."""
    from headway.metrics import columns, frames  # noqa: PLC0415  (brings NumPy)

    found = metrics.chart(query)
    edges = columns.floats(found.edges)
    return Chart(
        frames.dates(edges.astype("int64")) if query.axis == "time" else edges,
        [_series(one) for one in found.series],
    )


def _series(found: BucketSeries) -> ChartSeries:
    from headway.metrics import columns  # noqa: PLC0415  (brings NumPy)

    return ChartSeries(
        found.run_id,
        found.name,
        found.column,
        columns.integers(found.count),
        columns.integers(found.not_finite),
        columns.floats(found.minimum),
        columns.floats(found.maximum),
        columns.floats(found.mean),
        columns.floats(found.last),
    )
