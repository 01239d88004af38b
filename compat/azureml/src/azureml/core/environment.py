"""Environments of runs."""

from headway import CondaDependencies as CondaDependencies
from headway import Environment as Environment
from headway.sdk.environment import DockerSection as DockerSection
from headway.sdk.environment import PythonSection as PythonSection
