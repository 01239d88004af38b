"""Operations about the workspace itself and its experiments."""

from typing import Final, Literal

import msgspec

from headway.accounts import Scope
from headway.model import Experiment, ExperimentChange, WorkspaceChange, WorkspaceInfo
from headway.wire.operation import Done, Operation

WhichExperiments = Literal["active", "archived", "all"]


class Nothing(msgspec.Struct, frozen=True):
    """A request without fields."""


class ChangeWorkspace(msgspec.Struct, frozen=True):
    """What to change of the workspace."""

    change: WorkspaceChange


class EnsureExperiment(msgspec.Struct, frozen=True):
    """The active experiment of a name, made where there is none."""

    name: str


class ExperimentRequest(msgspec.Struct, frozen=True):
    """One experiment."""

    experiment_id: str


class ListExperiments(msgspec.Struct, frozen=True):
    """Experiments by name."""

    name: str | None = None
    """Only those with exactly this name."""
    which: WhichExperiments = "active"


class ChangeExperiment(msgspec.Struct, frozen=True):
    """What to change of an experiment."""

    experiment_id: str
    change: ExperimentChange


INFO: Final = Operation(
    name="info",
    method="GET",
    path="",
    request=Nothing,
    answer=WorkspaceInfo,
    scope=Scope.READ,
    help="What this workspace is.",
)
CHANGE: Final = Operation(
    name="change",
    method="PATCH",
    path="",
    request=ChangeWorkspace,
    answer=WorkspaceInfo,
    scope=Scope.WRITE,
    help="Apply a change as a whole and return the workspace after it.",
)
ENSURE: Final = Operation(
    name="experiments.ensure",
    method="POST",
    path="/experiments",
    request=EnsureExperiment,
    answer=Experiment,
    scope=Scope.WRITE,
    help="The active experiment of this name, made now if there is none.",
)
GET_EXPERIMENT: Final = Operation(
    name="experiments.get",
    method="GET",
    path="/experiments/{experiment_id}",
    request=ExperimentRequest,
    answer=Experiment,
    scope=Scope.READ,
    help="One experiment, archived or not.",
)
LIST_EXPERIMENTS: Final = Operation(
    name="experiments.list",
    method="GET",
    path="/experiments",
    request=ListExperiments,
    answer=list[Experiment],
    scope=Scope.READ,
    help="Experiments by name, ascending.",
)
CHANGE_EXPERIMENT: Final = Operation(
    name="experiments.change",
    method="PATCH",
    path="/experiments/{experiment_id}",
    request=ChangeExperiment,
    answer=Experiment,
    scope=Scope.WRITE,
    help="Apply a change as a whole and return the experiment after it.",
)
DELETE_EXPERIMENT: Final = Operation(
    name="experiments.delete",
    method="DELETE",
    path="/experiments/{experiment_id}",
    request=ExperimentRequest,
    answer=Done,
    scope=Scope.WRITE,
    removes=True,
    help="Remove an experiment that has no runs.",
)

OPERATIONS: Final = (
    INFO,
    CHANGE,
    ENSURE,
    GET_EXPERIMENT,
    LIST_EXPERIMENTS,
    CHANGE_EXPERIMENT,
    DELETE_EXPERIMENT,
)
