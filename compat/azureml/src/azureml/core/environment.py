"""Environments of runs."""

from azureml.core.runconfig import DEFAULT_CPU_IMAGE as DEFAULT_CPU_IMAGE
from azureml.core.runconfig import DEFAULT_GPU_IMAGE as DEFAULT_GPU_IMAGE
from headway import CondaDependencies as CondaDependencies
from headway import Environment as Environment
from headway.sdk.environments.environment import DockerSection as DockerSection
from headway.sdk.environments.environment import PythonSection as PythonSection
