"""Metrics: journals taken in, series read."""

from typing import Final

from msgspec.structs import replace

from headway.errors import InvalidValueError, TooLargeError
from headway.metrics import chunks
from headway.model import (
    JournalStretch,
    MetricQuery,
    PointQuery,
    SeriesSummary,
)
from headway.server.context import Context
from headway.server.handlers.binding import bind
from headway.server.intake import Intakes
from headway.wire import metrics as table
from headway.wire.metrics import (
    MOST_VALUES,
    AppendJournal,
    AppendJournals,
    JournalRequest,
    SentPoints,
    SentSeries,
    SentSummary,
    Taken,
    TakenMany,
    packed,
)

_intakes: Final = Intakes()
"""By workspace: they hold nothing but who waits."""


def _offset(context: Context, ask: JournalRequest) -> Taken:
    return Taken(context.api.metrics.offset(ask.run_id, ask.writer_id))


def _append(context: Context, ask: AppendJournal) -> Taken:
    stretch = JournalStretch(ask.run_id, ask.writer_id, ask.offset, ask.data, ask.torn)
    return Taken(_intakes.take(context.api.metrics, [stretch])[0])


def _append_many(context: Context, ask: AppendJournals) -> TakenMany:
    writers = {one.writer_id for one in ask.stretches}
    if len(writers) < len(ask.stretches):
        raise InvalidValueError(
            "two stretches of one journal were sent together: send one after the other"
        )
    return TakenMany(_intakes.take(context.api.metrics, ask.stretches))


def _summarize(context: Context, ask: MetricQuery) -> list[SentSummary]:
    return [packed(one) for one in context.api.metrics.summarize(ask)]


def _read(context: Context, ask: MetricQuery) -> list[SentSeries]:
    count = sum(one.count for one in context.api.metrics.summarize(ask))
    if count > MOST_VALUES:
        raise TooLargeError(
            f"these series have {count:,} points: at most {MOST_VALUES:,} are read at once; read "
            "them series by series, as points"
        )
    read = context.api.metrics.read(ask)
    return [SentSeries(packed(one.summary), chunks.encode(one.values)) for one in read]


def _points(context: Context, ask: PointQuery) -> SentPoints:
    found = context.api.metrics.points(ask)
    empty = SeriesSummary(ask.run_id, ask.name)
    return SentPoints(packed(found.summary), replace(found, summary=empty))


HANDLERS: Final = (
    bind(table.OFFSET, _offset),
    bind(table.APPEND, _append),
    bind(table.APPEND_MANY, _append_many),
    bind(table.SUMMARIZE, _summarize),
    bind(table.READ, _read),
    bind(table.POINTS, _points),
    bind(table.CHART, lambda c, ask: c.api.metrics.chart(ask)),
)
