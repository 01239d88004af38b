"""Start, monitor and cancel training runs, on a laptop, a team's server or a cluster.

    from headway import Experiment, ScriptRunConfig, Workspace

    ws = Workspace.from_config()
    run = Experiment(ws, "explore").submit(ScriptRunConfig(".", script="train.py"))
    run.wait_for_completion(show_output=True)

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

TYPE_CHECKING = False  # what typing's own constant stands for, without the cost of typing
if TYPE_CHECKING:
    from headway.errors import AccessError as AccessError
    from headway.errors import AssetNotFoundError as AssetNotFoundError
    from headway.errors import ComputeTargetNotFoundError as ComputeTargetNotFoundError
    from headway.errors import ConfigurationError as ConfigurationError
    from headway.errors import ConflictError as ConflictError
    from headway.errors import ExperimentNotFoundError as ExperimentNotFoundError
    from headway.errors import FilterError as FilterError
    from headway.errors import ForbiddenError as ForbiddenError
    from headway.errors import HeadwayError as HeadwayError
    from headway.errors import InvalidValueError as InvalidValueError
    from headway.errors import MetricNotFoundError as MetricNotFoundError
    from headway.errors import MissingPackageError as MissingPackageError
    from headway.errors import ModelNotFoundError as ModelNotFoundError
    from headway.errors import ModelPathNotFoundError as ModelPathNotFoundError
    from headway.errors import NotFoundError as NotFoundError
    from headway.errors import PropertyConflictError as PropertyConflictError
    from headway.errors import RunContextError as RunContextError
    from headway.errors import RunExistsError as RunExistsError
    from headway.errors import RunFailedError as RunFailedError
    from headway.errors import RunFileExistsError as RunFileExistsError
    from headway.errors import RunFileNotFoundError as RunFileNotFoundError
    from headway.errors import RunNotFoundError as RunNotFoundError
    from headway.errors import RunStateError as RunStateError
    from headway.errors import ServerUnavailableError as ServerUnavailableError
    from headway.errors import SnapshotError as SnapshotError
    from headway.errors import StorageBusyError as StorageBusyError
    from headway.errors import StorageCorruptError as StorageCorruptError
    from headway.errors import StorageError as StorageError
    from headway.errors import StorageFullError as StorageFullError
    from headway.errors import StorageVersionError as StorageVersionError
    from headway.errors import SubmissionError as SubmissionError
    from headway.errors import TooLargeError as TooLargeError
    from headway.errors import TooManyAttemptsError as TooManyAttemptsError
    from headway.errors import UnauthorizedError as UnauthorizedError
    from headway.errors import UnsupportedError as UnsupportedError
    from headway.errors import UserError as UserError
    from headway.errors import WorkspaceNotFoundError as WorkspaceNotFoundError
    from headway.model import CancelOutcome as CancelOutcome
    from headway.model import Resources as Resources
    from headway.model import Status as Status
    from headway.sdk.data.data_reference import DataReference as DataReference
    from headway.sdk.data.dataset import Dataset as Dataset
    from headway.sdk.data.dataset_inputs import DatasetConsumptionConfig as DatasetConsumptionConfig
    from headway.sdk.data.datastore import Datastore as Datastore
    from headway.sdk.data.file_dataset import FileDataset as FileDataset
    from headway.sdk.data.output_dataset import OutputFileDatasetConfig as OutputFileDatasetConfig
    from headway.sdk.data.tabular_dataset import DataType as DataType
    from headway.sdk.data.tabular_dataset import TabularDataset as TabularDataset
    from headway.sdk.environments.conda_dependencies import CondaDependencies as CondaDependencies
    from headway.sdk.environments.environment import Environment as Environment
    from headway.sdk.handles import Experiment as Experiment
    from headway.sdk.handles import Run as Run
    from headway.sdk.handles import ScriptRun as ScriptRun
    from headway.sdk.handles import Workspace as Workspace
    from headway.sdk.handles import get_run as get_run
    from headway.sdk.models.model import Model as Model
    from headway.sdk.runs.history import chart as chart
    from headway.sdk.submission.compute_targets import ComputeTarget as ComputeTarget
    from headway.sdk.submission.configuration import RunConfiguration as RunConfiguration
    from headway.sdk.submission.configuration import ScriptRunConfig as ScriptRunConfig
    from headway.sdk.submission.distributed import MpiConfiguration as MpiConfiguration
    from headway.sdk.submission.distributed import PyTorchConfiguration as PyTorchConfiguration
    from headway.sdk.workspaces.secrets import Keyvault as Keyvault

    __version__: str

__all__ = [
    "AccessError",
    "AssetNotFoundError",
    "CancelOutcome",
    "ComputeTarget",
    "ComputeTargetNotFoundError",
    "CondaDependencies",
    "ConfigurationError",
    "ConflictError",
    "DataReference",
    "DataType",
    "Dataset",
    "DatasetConsumptionConfig",
    "Datastore",
    "Environment",
    "Experiment",
    "ExperimentNotFoundError",
    "FileDataset",
    "FilterError",
    "ForbiddenError",
    "HeadwayError",
    "InvalidValueError",
    "Keyvault",
    "MetricNotFoundError",
    "MissingPackageError",
    "Model",
    "ModelNotFoundError",
    "ModelPathNotFoundError",
    "MpiConfiguration",
    "NotFoundError",
    "OutputFileDatasetConfig",
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
    "ServerUnavailableError",
    "SnapshotError",
    "Status",
    "StorageBusyError",
    "StorageCorruptError",
    "StorageError",
    "StorageFullError",
    "StorageVersionError",
    "SubmissionError",
    "TabularDataset",
    "TooLargeError",
    "TooManyAttemptsError",
    "UnauthorizedError",
    "UnsupportedError",
    "UserError",
    "Workspace",
    "WorkspaceNotFoundError",
    "__version__",
    "chart",
    "get_run",
]

_MODULES = {
    "CancelOutcome": "headway.model",
    "ComputeTarget": "headway.sdk.submission.compute_targets",
    "CondaDependencies": "headway.sdk.environments.conda_dependencies",
    "DataReference": "headway.sdk.data.data_reference",
    "DataType": "headway.sdk.data.tabular_dataset",
    "Dataset": "headway.sdk.data.dataset",
    "DatasetConsumptionConfig": "headway.sdk.data.dataset_inputs",
    "Datastore": "headway.sdk.data.datastore",
    "Environment": "headway.sdk.environments.environment",
    "Experiment": "headway.sdk.handles",
    "FileDataset": "headway.sdk.data.file_dataset",
    "Keyvault": "headway.sdk.workspaces.secrets",
    "Model": "headway.sdk.models.model",
    "MpiConfiguration": "headway.sdk.submission.distributed",
    "OutputFileDatasetConfig": "headway.sdk.data.output_dataset",
    "PyTorchConfiguration": "headway.sdk.submission.distributed",
    "Resources": "headway.model",
    "Run": "headway.sdk.handles",
    "RunConfiguration": "headway.sdk.submission.configuration",
    "ScriptRun": "headway.sdk.handles",
    "ScriptRunConfig": "headway.sdk.submission.configuration",
    "Status": "headway.model",
    "TabularDataset": "headway.sdk.data.tabular_dataset",
    "Workspace": "headway.sdk.handles",
    "chart": "headway.sdk.runs.history",
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
