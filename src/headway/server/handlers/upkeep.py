"""What frees space, and what brings runs in from elsewhere."""

from typing import Final

from headway.server.context import Context
from headway.server.handlers.binding import bind
from headway.wire import upkeep as row
from headway.wire.operation import Done


def _set_rule(context: Context, ask: row.SetRule) -> Done:
    context.api.upkeep.set_rule(ask.rule)
    return Done()


def _remove_rule(context: Context, ask: row.RemoveRule) -> Done:
    context.api.upkeep.remove_rule(ask.experiment)
    return Done()


HANDLERS: Final = (
    bind(row.PURGE, lambda c, ask: c.api.upkeep.purge(ask)),
    bind(row.COLLECT, lambda c, ask: c.api.upkeep.collect(dry_run=ask.dry_run)),
    bind(row.RULES, lambda c, _: c.api.upkeep.rules()),
    bind(row.SET_RULE, _set_rule),
    bind(row.REMOVE_RULE, _remove_rule),
    bind(row.ADOPT, lambda c, ask: c.api.upkeep.adopt(ask.records)),
)
