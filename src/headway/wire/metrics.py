"""Operations about metrics: journals taken in, series read.

Points travel as they are kept: stretches of journals in one direction, encoded blocks in the other,
so nothing is lost or made longer on the way. MessagePack carries them, for it has bytes, NaN and
infinities; integers beyond 64 bits, which it lacks too, have a form of their own.
"""

from typing import Any, Final

import msgspec

from headway.accounts import Scope
from headway.model import (
    Chart,
    ChartQuery,
    JournalStretch,
    MetricQuery,
    PointBlocks,
    PointQuery,
    Scalar,
    SeriesForm,
    SeriesSummary,
)
from headway.wire.operation import Body, Operation

STRETCHES_BYTES: Final = 6 << 20
"""The largest body with stretches of several journals."""
MOST_VALUES: Final = 1_000_000
"""So many points of all series of a query are read at once; more are read series by series."""

_MIN_INT: Final = -(1 << 63)
_MAX_INT: Final = (1 << 64) - 1


class JournalRequest(msgspec.Struct, frozen=True):
    """The journal of one writer."""

    run_id: str
    writer_id: str


class AppendJournal(msgspec.Struct, frozen=True):
    """A stretch of a journal."""

    run_id: str
    writer_id: str
    offset: int
    data: bytes
    torn: bool = False
    """Whether the writer is dead, so that what cannot be read is counted as lost."""


class AppendJournals(msgspec.Struct, frozen=True):
    """Stretches of several journals, taken in together or not at all."""

    stretches: list[JournalStretch]


class Taken(msgspec.Struct, frozen=True):
    """How many bytes of a journal were taken in so far."""

    offset: int


class TakenMany(msgspec.Struct, frozen=True):
    """The same for several, in the order in which they were sent."""

    offsets: list[int]


class BigInteger(msgspec.Struct, frozen=True):
    """An integer beyond 64 bits, in hexadecimal digits."""

    hexadecimal: str


class SentSummary(msgspec.Struct, frozen=True):
    """``headway.model.SeriesSummary`` on its way."""

    run_id: str
    name: str
    column: str = ""
    form: SeriesForm = "scalar"
    count: int = 0
    last: Scalar | BigInteger = None
    first_step: int | None = None
    last_step: int | None = None
    minimum: float | None = None
    maximum: float | None = None


class SentSeries(msgspec.Struct, frozen=True):
    """``headway.model.Series`` on its way."""

    summary: SentSummary
    values: bytes
    """A block as ``headway.metrics.chunks`` encodes it."""


class SentPoints(msgspec.Struct, frozen=True):
    """``headway.model.PointBlocks`` on its way."""

    summary: SentSummary
    points: PointBlocks
    """Its own summary is an empty one."""


def packed(summary: SeriesSummary) -> SentSummary:
    """A summary as it travels."""
    last: Scalar | BigInteger = summary.last
    if isinstance(last, int) and not _MIN_INT <= last <= _MAX_INT:
        last = BigInteger(f"{last:x}")
    return SentSummary(
        run_id=summary.run_id,
        name=summary.name,
        column=summary.column,
        form=summary.form,
        count=summary.count,
        last=last,
        first_step=summary.first_step,
        last_step=summary.last_step,
        minimum=summary.minimum,
        maximum=summary.maximum,
    )


def unpacked(sent: SentSummary) -> SeriesSummary:
    """A summary that has travelled."""
    last = sent.last
    return SeriesSummary(
        run_id=sent.run_id,
        name=sent.name,
        column=sent.column,
        form=sent.form,
        count=sent.count,
        last=int(last.hexadecimal, 16) if isinstance(last, BigInteger) else last,
        first_step=sent.first_step,
        last_step=sent.last_step,
        minimum=sent.minimum,
        maximum=sent.maximum,
    )


OFFSET: Final = Operation(
    name="metrics.offset",
    method="GET",
    path="/runs/{run_id}/journals/{writer_id}",
    request=JournalRequest,
    answer=Taken,
    scope=Scope.READ,
    help="How many bytes of a writer's journal were taken in.",
)
APPEND: Final = Operation(
    name="metrics.append",
    method="POST",
    path="/runs/{run_id}/journals/{writer_id}",
    request=AppendJournal,
    answer=Taken,
    scope=Scope.WRITE,
    sends=Body.BYTES,
    help="Take in a stretch of a journal, exactly once, and say how far it is taken in now.",
)
APPEND_MANY: Final = Operation(
    name="metrics.append_many",
    method="POST",
    path="/journals",
    request=AppendJournals,
    answer=TakenMany,
    scope=Scope.WRITE,
    sends=Body.PACKED,
    most_bytes=STRETCHES_BYTES,
    help="Take in stretches of several journals, all or none, each exactly once.",
)
SUMMARIZE: Final = Operation(
    name="metrics.summarize",
    method="GET",
    path="/runs/{run_id}/metrics",
    request=MetricQuery,
    answer=list[SentSummary],
    scope=Scope.READ,
    gives=Body.PACKED,
    help="The series of a run without their points.",
)
READ: Final = Operation(
    name="metrics.read",
    method="GET",
    path="/runs/{run_id}/values",
    request=MetricQuery,
    answer=list[SentSeries],
    scope=Scope.READ,
    gives=Body.PACKED,
    help=f"Series with their values, of at most {MOST_VALUES:,} points in all.",
)
POINTS: Final = Operation(
    name="metrics.points",
    method="GET",
    path="/runs/{run_id}/points",
    request=PointQuery,
    answer=SentPoints,
    scope=Scope.READ,
    gives=Body.PACKED,
    help="The points of one series with their steps and times, all or so many of them.",
)
CHART: Final = Operation(
    name="metrics.chart",
    method="POST",
    path="/charts",
    request=ChartQuery,
    answer=Chart,
    scope=Scope.READ,
    gives=Body.PACKED,
    help="Series of runs over the same buckets.",
)

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    OFFSET,
    APPEND,
    APPEND_MANY,
    SUMMARIZE,
    READ,
    POINTS,
    CHART,
)
