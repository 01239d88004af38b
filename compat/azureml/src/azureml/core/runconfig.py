"""How programs are run."""

from typing import Final

from azureml.core._absent import Absent
from headway import CondaDependencies as CondaDependencies
from headway import Environment as EnvironmentDefinition
from headway import MpiConfiguration as MpiConfiguration
from headway import PyTorchConfiguration as PyTorchConfiguration
from headway import RunConfiguration as RunConfiguration
from headway.sdk.data.data_reference import DataReferenceConfiguration as DataReferenceConfiguration
from headway.sdk.environments.docker_configuration import DockerConfiguration as DockerConfiguration
from headway.sdk.environments.environment import DockerSection as DockerSection
from headway.sdk.environments.environment import PythonSection as PythonSection
from headway.sdk.submission.run_config_sections import HistoryConfiguration as HistoryConfiguration

DEFAULT_CPU_IMAGE: Final = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"
DEFAULT_GPU_IMAGE: Final = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.6-cudnn8-ubuntu20.04"
"""Names of images: accepted where an image is, and ignored."""

ParallelTaskConfiguration = Absent("ParallelTaskConfiguration")
TensorflowConfiguration = Absent("TensorflowConfiguration")

__all__ = [
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "CondaDependencies",
    "DataReferenceConfiguration",
    "DockerConfiguration",
    "DockerSection",
    "EnvironmentDefinition",
    "HistoryConfiguration",
    "MpiConfiguration",
    "ParallelTaskConfiguration",
    "PyTorchConfiguration",
    "PythonSection",
    "RunConfiguration",
    "TensorflowConfiguration",
]
