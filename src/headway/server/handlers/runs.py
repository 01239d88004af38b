"""Runs: made, found, changed, ended."""

from typing import Final

from headway.model import CancelOutcome, Run, RunUpdate
from headway.server.context import Context
from headway.server.handlers.binding import bind, bind_waiting
from headway.wire import runs as row

_LOG_PAUSE_S: Final = 0.1
"""Logs grow without a bell."""


def _end(context: Context, ask: row.EndRun) -> Run:
    runs = context.api.runs
    return runs.end(ask.run_id, ask.status, error=ask.error, reason=ask.reason, at=ask.at)


def _cancel(context: Context, ask: row.CancelRun) -> row.Canceled:
    def cancel() -> CancelOutcome:
        return context.api.runs.cancel(ask.run_id, grace_s=ask.grace_s, wait_s=0)

    return row.Canceled(context.reserve.urgently(cancel))


def _log_offset(context: Context, ask: row.LogTime) -> row.Offset:
    return row.Offset(context.api.runs.log_offset(ask.run_id, log=ask.log, at=ask.at))


def _watch(context: Context, ask: row.WatchRun, last: bool) -> RunUpdate | None:
    update = context.api.runs.watch(ask.run_id, log=ask.log, offset=ask.offset, timeout_s=0)
    return update if last or update.log.data or update.run.status.ended else None


HANDLERS: Final = (
    bind(row.CREATE, lambda c, ask: c.api.runs.create(ask.runs)),
    bind(row.GET, lambda c, ask: c.api.runs.get(ask.run_id)),
    bind(row.EVENTS, lambda c, ask: c.api.runs.events(ask.run_id)),
    bind(row.CHANGE, lambda c, ask: c.api.runs.change(ask.run_id, ask.change)),
    bind(row.END, _end),
    bind(row.CANCEL, _cancel),
    bind_waiting(
        row.WATCH,
        _watch,
        topics=lambda ask: [f"run:{ask.run_id}"],
        timeout_s=lambda ask: ask.timeout_s,
        pause_s=_LOG_PAUSE_S,
    ),
    bind(row.LOG_OFFSET, _log_offset),
    bind(row.DELETE, lambda c, ask: c.api.runs.delete(ask.run_ids)),
    bind(row.RESTORE, lambda c, ask: c.api.runs.restore(ask.run_ids)),
    bind(row.LIST, lambda c, ask: c.api.runs.list(ask)),
)
