"""Python environments for runs: what was asked for, made once with uv, and what it holds.

``pip_file`` and ``conda_file`` read what users write into an ``EnvironmentSpec``,
``EnvironmentStore.hold`` makes it or finds it made, and ``describe`` says what an interpreter has
installed. The readers are not imported here: a run that is submitted needs no YAML.
"""

from headway.environments.description import EnvironmentRecord, describe
from headway.environments.spec import EnvironmentSpec
from headway.environments.store import BuiltEnvironment, EnvironmentStore

__all__ = [
    "BuiltEnvironment",
    "EnvironmentRecord",
    "EnvironmentSpec",
    "EnvironmentStore",
    "describe",
]
