"""Start, monitor and cancel training runs, on a laptop, a team's server or a cluster.

    from headway import Experiment, ScriptRunConfig, Workspace

    ws = Workspace.from_config()
    run = Experiment(ws, "explore").submit(ScriptRunConfig(".", script="train.py"))
    run.wait_for_completion(show_output=True)

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

TYPE_CHECKING = False  # what typing's own constant stands for, without the cost of typing
if TYPE_CHECKING:
    from headway.errors import ConfigurationError as ConfigurationError
    from headway.errors import ConflictError as ConflictError
    from headway.errors import ExperimentNotFoundError as ExperimentNotFoundError
    from headway.errors import FilterError as FilterError
    from headway.errors import HeadwayError as HeadwayError
    from headway.errors import InvalidValueError as InvalidValueError
    from headway.errors import MissingPackageError as MissingPackageError
    from headway.errors import NotFoundError as NotFoundError
    from headway.errors import PropertyConflictError as PropertyConflictError
    from headway.errors import RunContextError as RunContextError
    from headway.errors import RunExistsError as RunExistsError
    from headway.errors import RunFailedError as RunFailedError
    from headway.errors import RunFileExistsError as RunFileExistsError
    from headway.errors import RunFileNotFoundError as RunFileNotFoundError
    from headway.errors import RunNotFoundError as RunNotFoundError
    from headway.errors import RunStateError as RunStateError
    from headway.errors import SnapshotError as SnapshotError
    from headway.errors import StorageBusyError as StorageBusyError
    from headway.errors import StorageCorruptError as StorageCorruptError
    from headway.errors import StorageError as StorageError
    from headway.errors import StorageFullError as StorageFullError
    from headway.errors import StorageVersionError as StorageVersionError
    from headway.errors import SubmissionError as SubmissionError
    from headway.errors import WorkspaceNotFoundError as WorkspaceNotFoundError
    from headway.model import CancelOutcome as CancelOutcome
    from headway.model import Resources as Resources
    from headway.model import Status as Status
    from headway.sdk.conda_dependencies import CondaDependencies as CondaDependencies
    from headway.sdk.configuration import RunConfiguration as RunConfiguration
    from headway.sdk.configuration import ScriptRunConfig as ScriptRunConfig
    from headway.sdk.distributed import MpiConfiguration as MpiConfiguration
    from headway.sdk.distributed import PyTorchConfiguration as PyTorchConfiguration
    from headway.sdk.environment import Environment as Environment
    from headway.sdk.handles import Experiment as Experiment
    from headway.sdk.handles import Run as Run
    from headway.sdk.handles import ScriptRun as ScriptRun
    from headway.sdk.handles import Workspace as Workspace
    from headway.sdk.handles import get_run as get_run

    __version__: str

__all__ = [
    "CancelOutcome",
    "CondaDependencies",
    "ConfigurationError",
    "ConflictError",
    "Environment",
    "Experiment",
    "ExperimentNotFoundError",
    "FilterError",
    "HeadwayError",
    "InvalidValueError",
    "MissingPackageError",
    "MpiConfiguration",
    "NotFoundError",
    "PropertyConflictError",
    "PyTorchConfiguration",
    "Resources",
    "Run",
    "RunConfiguration",
    "RunContextError",
    "RunExistsError",
    "RunFailedError",
    "RunFileExistsError",
    "RunFileNotFoundError",
    "RunNotFoundError",
    "RunStateError",
    "ScriptRun",
    "ScriptRunConfig",
    "SnapshotError",
    "Status",
    "StorageBusyError",
    "StorageCorruptError",
    "StorageError",
    "StorageFullError",
    "StorageVersionError",
    "SubmissionError",
    "Workspace",
    "WorkspaceNotFoundError",
    "__version__",
    "get_run",
]

_MODULES = {
    "CancelOutcome": "headway.model",
    "CondaDependencies": "headway.sdk.conda_dependencies",
    "Environment": "headway.sdk.environment",
    "Experiment": "headway.sdk.handles",
    "MpiConfiguration": "headway.sdk.distributed",
    "PyTorchConfiguration": "headway.sdk.distributed",
    "Resources": "headway.model",
    "Run": "headway.sdk.handles",
    "RunConfiguration": "headway.sdk.configuration",
    "ScriptRun": "headway.sdk.handles",
    "ScriptRunConfig": "headway.sdk.configuration",
    "Status": "headway.model",
    "Workspace": "headway.sdk.handles",
    "get_run": "headway.sdk.handles",
}


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415  (the point of this module)

    if name == "__version__":
        value: object = import_module("importlib.metadata").version("headway")
    elif name in __all__:
        value = getattr(import_module(_MODULES.get(name, "headway.errors")), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
