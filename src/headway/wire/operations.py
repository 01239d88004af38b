"""The table of operations: all that a server does, each once.

It drives the server's routes and who may use them, the client, the OpenAPI document and the
reference. A test walks it: every row has a handler, a scope and a call of the client.
"""

from typing import Any, Final

from headway.wire import (
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
from headway.wire.operation import Operation

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    *workspace.OPERATIONS,
    *runs.OPERATIONS,
    *runners.OPERATIONS,
    *metrics.OPERATIONS,
    *files.OPERATIONS,
    *snapshots.OPERATIONS,
    *assets.OPERATIONS,
    *upkeep.OPERATIONS,
    *accounts.OPERATIONS,
    *description.OPERATIONS,
)
