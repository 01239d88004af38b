"""``azureml.core`` on Headway: workspaces, experiments, runs.

Names are loaded when they are first used, so that importing the package costs next to nothing.
``VERSION`` is that of the API which is matched, followed by Headway's own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from azureml.core._original import refuse_the_original

if TYPE_CHECKING:
    from azureml.core._absent import Absent
    from headway import ComputeTarget as ComputeTarget
    from headway import Dataset as Dataset
    from headway import Datastore as Datastore
    from headway import Environment as Environment
    from headway import Experiment as Experiment
    from headway import Keyvault as Keyvault
    from headway import Model as Model
    from headway import Run as Run
    from headway import RunConfiguration as RunConfiguration
    from headway import ScriptRun as ScriptRun
    from headway import ScriptRunConfig as ScriptRunConfig
    from headway import Workspace as Workspace
    from headway import get_run as get_run

    VERSION: str
    __version__: str
    ContainerRegistry: Absent
    Image: Absent
    LinkedService: Absent
    PrivateEndPoint: Absent
    PrivateEndPointConfig: Absent
    SynapseWorkspaceLinkedServiceConfiguration: Absent
    Webservice: Absent
    attach_legacy_compute_target: Absent
    diagnostic_log: Absent
    is_compute_target_prepared: Absent
    prepare_compute_target: Absent
    remove_legacy_compute_target: Absent

__all__ = [
    "VERSION",
    "ComputeTarget",
    "ContainerRegistry",
    "Dataset",
    "Datastore",
    "Environment",
    "Experiment",
    "Image",
    "Keyvault",
    "LinkedService",
    "Model",
    "PrivateEndPoint",
    "PrivateEndPointConfig",
    "Run",
    "RunConfiguration",
    "ScriptRun",
    "ScriptRunConfig",
    "SynapseWorkspaceLinkedServiceConfiguration",
    "Webservice",
    "Workspace",
    "__version__",
    "attach_legacy_compute_target",
    "diagnostic_log",
    "get_run",
    "is_compute_target_prepared",
    "prepare_compute_target",
    "remove_legacy_compute_target",
]

_MATCHED: Final = "1.61.0"
"""The version of the original whose API this is."""
_PRESENT: Final = frozenset(
    {
        "ComputeTarget",
        "Dataset",
        "Datastore",
        "Environment",
        "Experiment",
        "Keyvault",
        "Model",
        "Run",
        "RunConfiguration",
        "ScriptRun",
        "ScriptRunConfig",
        "Workspace",
        "get_run",
    }
)

refuse_the_original()


def __getattr__(name: str) -> object:
    headway = import_module("headway")
    if name in {"VERSION", "__version__"}:
        value: object = f"{_MATCHED}+headway.{headway.__version__}"
    elif name in _PRESENT:
        value = getattr(headway, name)
    elif name in __all__:
        value = import_module("azureml.core._absent").Absent(name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
