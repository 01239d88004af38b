"""What a specification came to: an environment that can be made again, exactly."""

import hashlib

import msgspec

from headway.environments.interpreters import Interpreter, platform_tag, wanted_version
from headway.environments.requirement import local_file
from headway.model import EnvironmentSpec


class Recipe(msgspec.Struct, frozen=True):
    """How one environment is made."""

    key: str
    """The name of its folder."""
    python_version: str
    base: str
    """The interpreter that it is made with; empty where conda installs its own."""
    lock: str = ""
    """Pinned requirements, for pip or uv."""
    conda: bool = False
    conda_lock: str = ""
    """Addresses of conda packages, after the first time that they were installed."""


def identity(spec: EnvironmentSpec, mine: Interpreter) -> str:
    """The name of what was asked for, which a recipe is kept under."""
    return _digest(
        [
            *_lists(spec),
            wanted_version(spec, mine),
            spec.interpreter,
            platform_tag(),
            [_stamp(line) for line in sorted(set(spec.pip_requirements))],
        ]
    )


def recipe_key(lock: str, python: Interpreter, spec: EnvironmentSpec) -> str:
    """The name of an environment: the same packages in the same Python are the same one."""
    base = str(python.path) if spec.interpreter else ""
    return _digest([lock, python.version, base, platform_tag()])[:24]


def conda_key(spec_identity: str, nonce: str) -> str:
    """The name of an environment of conda packages, which are known only when it is made."""
    return _digest([spec_identity, nonce])[:24]


def _lists(spec: EnvironmentSpec) -> list[object]:
    requirements = sorted(set(spec.pip_requirements))
    packages = sorted(set(spec.conda_dependencies))
    return [requirements, spec.pip_options, spec.pip_constraints, packages, spec.channels]


def _stamp(requirement: str) -> list[int] | None:
    """What tells that a local archive was made anew since it was locked."""
    path = local_file(requirement)
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _digest(content: list[object]) -> str:
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
