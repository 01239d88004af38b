"""The handlers of all operations."""

from typing import Final

from headway.server.handlers import (
    accounts,
    assets,
    description,
    files,
    metrics,
    runners,
    runs,
    snapshots,
    upkeep,
    workspace,
)
from headway.server.handlers.binding import Handlers

HANDLERS: Final = Handlers(
    workspace.HANDLERS,
    runs.HANDLERS,
    runners.HANDLERS,
    metrics.HANDLERS,
    files.HANDLERS,
    snapshots.HANDLERS,
    assets.HANDLERS,
    upkeep.HANDLERS,
    accounts.HANDLERS,
    description.HANDLERS,
)
