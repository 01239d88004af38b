"""The workspace itself and its experiments."""

from typing import Final

from msgspec.structs import replace

from headway.model import Experiment, WorkspaceInfo
from headway.server.context import Context
from headway.server.handlers.binding import bind
from headway.wire import workspace as row
from headway.wire.operation import Done

_ARCHIVED: Final[dict[row.WhichExperiments, bool | None]] = {
    "active": False,
    "archived": True,
    "all": None,
}


def _placeless(info: WorkspaceInfo) -> WorkspaceInfo:
    """Where the server keeps it is nobody's business; a client knows by which URL it asked."""
    return replace(info, location=info.name)


def _list(context: Context, ask: row.ListExperiments) -> list[Experiment]:
    return context.api.experiments.list(name=ask.name, archived=_ARCHIVED[ask.which])


def _delete(context: Context, ask: row.ExperimentRequest) -> Done:
    context.api.experiments.delete(ask.experiment_id)
    return Done()


HANDLERS: Final = (
    bind(row.INFO, lambda c, _: _placeless(c.api.info())),
    bind(row.CHANGE, lambda c, ask: _placeless(c.api.change(ask.change))),
    bind(row.ENSURE, lambda c, ask: c.api.experiments.ensure(ask.name)),
    bind(row.GET_EXPERIMENT, lambda c, ask: c.api.experiments.get(ask.experiment_id)),
    bind(row.LIST_EXPERIMENTS, _list),
    bind(
        row.CHANGE_EXPERIMENT,
        lambda c, ask: c.api.experiments.change(ask.experiment_id, ask.change),
    ),
    bind(row.DELETE_EXPERIMENT, _delete),
)
