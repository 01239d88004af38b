"""Experiments of a workspace on a server."""

import sys
from typing import Final

from headway.checks import check_name
from headway.client.connection import Connection
from headway.model import Experiment, ExperimentChange
from headway.wire import workspace as row

_WHICH: Final[dict[bool | None, row.WhichExperiments]] = {
    False: "active",
    True: "archived",
    None: "all",
}


class RemoteExperiments:
    """Implements ``headway.api.Experiments``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ensure(self, name: str) -> Experiment:
        """The active experiment of this name, made now if there is none."""
        check_name("experiment name", name, sys.maxsize)  # how long it may be, the server says
        return self._connection.call(row.ENSURE, row.EnsureExperiment(name))

    def get(self, experiment_id: str) -> Experiment:
        """One experiment, archived or not."""
        return self._connection.call(row.GET_EXPERIMENT, row.ExperimentRequest(experiment_id))

    def change(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Apply a change as a whole and return the experiment after it."""
        ask = row.ChangeExperiment(experiment_id, change)
        return self._connection.call(row.CHANGE_EXPERIMENT, ask)

    def delete(self, experiment_id: str) -> None:
        """Remove an experiment that has no runs."""
        self._connection.call(row.DELETE_EXPERIMENT, row.ExperimentRequest(experiment_id))

    def list(  # the last of the class: its name is that of the type
        self, *, name: str | None = None, archived: bool | None = False
    ) -> list[Experiment]:
        """Experiments by name, ascending."""
        ask = row.ListExperiments(name, _WHICH[archived])
        return self._connection.call(row.LIST_EXPERIMENTS, ask)
