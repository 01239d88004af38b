"""Runs that are executed elsewhere, and the leases of those who execute them."""

from typing import Final

from headway.errors import InvalidValueError
from headway.model import Run
from headway.runners import Admission, LeaseState
from headway.server.context import Context
from headway.server.handlers.binding import bind, bind_waiting
from headway.store import leases
from headway.wire import runners as row
from headway.wire.operation import Done

_PAUSE_S: Final = 10.0


def _admit(context: Context, ask: Admission) -> Run:
    if ask.runner_id is None:
        raise InvalidValueError("runner_id is missing: a server executes no run itself")
    return context.api.runners.admit(ask)


def _wait(context: Context, ask: row.WaitForSignals, last: bool) -> LeaseState | None:
    state = context.api.runners.wait(ask.owner_id, ask.seen, 0)
    return state if last or state.signals != ask.seen else None


def _release(context: Context, ask: row.LeaseRequest) -> Done:
    context.api.runners.release(ask.owner_id)
    return Done()


HANDLERS: Final = (
    bind(row.PREVIEW, lambda c, ask: c.api.runners.preview(ask.new)),
    bind(row.ADMIT, _admit),
    bind(row.ASSIGNED, lambda c, ask: list(c.api.runners.assigned(ask.runner_id))),
    bind(row.REPORT, lambda c, ask: c.api.runners.report(ask.run_id, ask.report)),
    bind(row.BEAT, lambda c, ask: c.api.runners.beat(ask.owner_id, ask.host)),
    bind_waiting(
        row.WAIT,
        _wait,
        topics=lambda ask: [leases.bell(ask.owner_id)],
        timeout_s=lambda ask: ask.timeout_s,
        pause_s=_PAUSE_S,
    ),
    bind(row.RELEASE, _release),
)
