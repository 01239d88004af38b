"""Run configurations in files: ``.azureml/<name>.runconfig``, as YAML."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from headway.errors import InvalidValueError, NotFoundError
from headway.model import Resources
from headway.sdk.environments.conda_dependencies import CondaDependencies
from headway.sdk.environments.environment import Environment, defined
from headway.sdk.submission.distributed import MpiConfiguration, PyTorchConfiguration

if TYPE_CHECKING:
    from headway.sdk.submission.run_config_sections import HistoryConfiguration

_FOLDERS: Final = (".azureml", "aml_config")
_SUFFIX: Final = ".runconfig"
_DEFAULT_NAME: Final = "run_config"
_CONDA_FILE: Final = "conda_dependencies.yml"
_PLAIN: Final = {
    "script": "script",
    "command": "command",
    "arguments": "arguments",
    "framework": "framework",
    "communicator": "communicator",
    "nodeCount": "node_count",
    "priority": "priority",
    "maxRunDurationSeconds": "max_run_duration_seconds",
}
"""Keys in the file, and the attributes that they stand for."""


class Configured(Protocol):
    """What is saved of a run configuration."""

    mpi: MpiConfiguration
    pytorch: PyTorchConfiguration
    history: "HistoryConfiguration"
    resources: Resources | Mapping[str, int]

    @property
    def target(self) -> str:
        """Where it is run."""
        ...

    @target.setter
    def target(self, target: object) -> None: ...
    @property
    def environment_variables(self) -> dict[str, str]:
        """Variables set for the program."""
        ...

    @environment_variables.setter
    def environment_variables(self, value: dict[str, str] | None) -> None: ...
    @property
    def environment(self) -> Environment:
        """What it runs with."""
        ...

    @environment.setter
    def environment(self, environment: Environment | None) -> None: ...


def write(
    config: Configured, path: object, name: object, *, with_environment: bool, separate: bool
) -> Path:
    """Save a run configuration.

    Args:
        config: The configuration.
        path: The folder in which ``.azureml`` is, or will be; None for the current one.
        name: What the file is called; None for ``run_config``.
        with_environment: Whether it names an environment.
        separate: Whether its conda packages get a file of their own.

    Returns:
        The file.
    """
    from headway.environments.yaml_document import document_text  # noqa: PLC0415  (brings YAML)

    root = Path(_text("path", path)) if path is not None else Path()
    folder = next((root / sub for sub in _FOLDERS if (root / sub).is_dir()), root / _FOLDERS[0])
    folder.mkdir(parents=True, exist_ok=True)
    given = _text("name", name) if name is not None else _DEFAULT_NAME
    file = folder / (given if given.endswith(_SUFFIX) else given + _SUFFIX)
    document = _document(config)
    if with_environment:
        environment = cast("dict[str, dict[str, object]]", json.loads(repr(config.environment)))
        packages = config.environment.python.conda_dependencies
        if separate and packages is not None:
            packages.save(folder / _CONDA_FILE)
            environment["python"]["condaDependencies"] = None
            environment["python"]["condaDependenciesFile"] = f"{folder.name}/{_CONDA_FILE}"
        document["environment"] = environment
    file.write_text(document_text(document), encoding="utf-8")
    return file


def read_into(config: Configured, path: object, name: object) -> None:
    """Set what a file says on a run configuration.

    Raises:
        NotFoundError: There is no such file.
        InvalidValueError: It cannot be read.
    """
    from headway.environments.yaml_document import read_document  # noqa: PLC0415  (brings YAML)

    file = _find(path, name)
    where = str(file)
    document = read_document(file.read_text(encoding="utf-8"), where)
    for key, attribute in _PLAIN.items():
        if document.get(key) is not None:
            setattr(config, attribute, document[key])
    config.target = document.get("target") or "local"
    _read_processes(config, document, where)
    variables = dict(_part(document, "environmentVariables", where))
    environment = _part(document, "environment", where)
    if environment:
        variables = {**_part(environment, "environmentVariables", where), **variables}
        config.environment = _environment(environment, file.parent.parent, where)
    config.environment_variables = {key: str(value) for key, value in variables.items()}


def delete(path: object, name: object) -> None:
    """Remove a saved run configuration.

    Raises:
        NotFoundError: There is no such file.
    """
    _find(path, name).unlink()


def _document(config: Configured) -> dict[str, object]:
    history, resources = config.history, config.resources
    if isinstance(resources, Resources):
        resources = {"cpus": resources.cpus, "gpus": resources.gpus}
    plain = {key: getattr(config, attribute) for key, attribute in _PLAIN.items()}
    arguments = [a if isinstance(a, int | float) else str(a) for a in plain["arguments"]]
    return {
        **plain,
        "script": None if plain["script"] is None else str(plain["script"]),
        "arguments": arguments,
        "target": config.target,
        "environmentVariables": dict(config.environment_variables),
        "mpi": {
            "processCountPerNode": config.mpi.process_count_per_node,
            "nodeCount": config.mpi.node_count,
        },
        "pytorch": {
            "communicationBackend": config.pytorch.communication_backend,
            "processCount": config.pytorch.process_count,
            "nodeCount": config.pytorch.node_count,
        },
        "history": {
            "outputCollection": history.output_collection,
            "snapshotProject": history.snapshot_project,
            "directoriesToWatch": list(history.directories_to_watch),
        },
        "resources": dict(resources),
    }


def _read_processes(config: Configured, document: Mapping[str, object], where: str) -> None:
    mpi = _part(document, "mpi", where)
    if mpi:
        config.mpi = MpiConfiguration(
            _whole(mpi, "processCountPerNode", 1), _whole(mpi, "nodeCount", 1)
        )
    pytorch = _part(document, "pytorch", where)
    if pytorch:
        backend = str(pytorch.get("communicationBackend") or "Nccl")
        nodes = _whole(pytorch, "nodeCount", 1)
        config.pytorch = PyTorchConfiguration(
            backend, _whole(pytorch, "processCount", nodes), nodes
        )
    resources = _part(document, "resources", where)
    if resources:
        config.resources = Resources(_whole(resources, "cpus", 1), _whole(resources, "gpus", 0))


def _environment(definition: Mapping[str, object], root: Path, where: str) -> Environment:
    environment = defined({"name": "environment", **definition}, where)
    file = _part(definition, "python", where).get("condaDependenciesFile")
    if isinstance(file, str):
        environment.python.conda_dependencies = CondaDependencies(root / file)
    return environment


def _find(path: object, name: object) -> Path:
    root = Path(_text("path", path))
    if root.is_file() and name is None:
        return root
    given = _text("name", name) if name is not None else _DEFAULT_NAME
    folders = [*(root / sub for sub in _FOLDERS), root]
    for folder in folders:
        for file in (folder / given, folder / f"{given}{_SUFFIX}"):
            if file.is_file():
                return file
    raise NotFoundError(
        f"there is no run configuration {given!r} in {root / _FOLDERS[0]} (looked for {given} and "
        f"{given}{_SUFFIX}, in {' and '.join(_FOLDERS)} too): save one with "
        "RunConfiguration.save(path, name)"
    )


def _part(document: Mapping[str, object], key: str, where: str) -> Mapping[str, object]:
    part = document.get(key)
    if part is None:
        return {}
    if not isinstance(part, Mapping):
        raise InvalidValueError(f"{where}: {key} is {part!r}: give a mapping")
    return cast("Mapping[str, object]", part)


def _whole(part: Mapping[str, object], key: str, default: int) -> int:
    value = part.get(key)
    return value if isinstance(value, int) else default


def _text(kind: str, given: object) -> str:
    if isinstance(given, str | Path) and str(given):
        return str(given)
    raise InvalidValueError(f"{kind} was given as {type(given).__name__} {given!r}: give a text")
