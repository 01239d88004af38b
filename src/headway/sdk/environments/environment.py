"""``Environment``: the Python and the packages that a program is to run with."""

import copy
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Final, NoReturn, cast

from msgspec.structs import replace

from headway.assets import Asset
from headway.checks import check_name
from headway.errors import ConflictError, InvalidValueError, NotFoundError
from headway.model import EnvironmentSpec, Submission
from headway.sdk.environments import registry
from headway.sdk.environments.conda_dependencies import CONDA_FILE, CondaDependencies
from headway.sdk.environments.images import Images
from headway.sdk.interactive.process import say
from headway.sdk.workspaces.workspace import WorkspaceBase

DEFAULT_NAME: Final = "default-environment"
"""Of the environment that a run configuration has unasked."""
DEFINITION_FILE: Final = "azureml_environment.json"

_PYTHON: Final = "python"
_FILE_KEY: Final = "condaDependenciesFile"
_MAX_NAME_CHARS: Final = 255
_REPLACED: Final = "azureml-"
"""Packages of the SDK that Headway takes the place of begin so."""


class PythonSection:
    """The Python of an environment.

    Attributes:
        user_managed_dependencies: Use an interpreter as it is, and install nothing.
        interpreter_path: That interpreter; ``python`` for the one that submits.
        conda_dependencies: What is installed otherwise.
        conda_dependencies_file: A conda environment file that says so instead.
        base_conda_environment: Not used.
    """

    def __init__(self) -> None:
        self.user_managed_dependencies = False
        self.interpreter_path: str | Path = _PYTHON
        self.conda_dependencies: CondaDependencies | None = CondaDependencies()
        self.conda_dependencies_file: str | Path | None = None
        self.base_conda_environment: str | None = None


class DockerSection:
    """Kept as given, and not used: programs run on the machine itself.

    Attributes:
        enabled: Not used.
        base_image: Not used.
        base_dockerfile: Not used.
        arguments: Not used.
        shm_size: Not used.
        shared_volumes: Not used.
        gpu_support: Not used.
        base_image_registry: Not used.
    """

    def __init__(self) -> None:
        self.enabled = False
        self.base_image: str | None = None
        self.base_dockerfile: str | None = None
        self.arguments: list[str] = []
        self.shm_size: str | None = None
        self.shared_volumes = True
        self.gpu_support = False
        self.base_image_registry = SimpleNamespace(address=None, username=None, password=None)


class Environment(Images):
    """The Python and the packages that a program is to run with.

    It is made by uv when it is first needed, once for all runs that ask for the same.

    Args:
        name: Its name.
        **kwargs: Accepted and ignored.

    Attributes:
        name: Its name.
        version: Its version where it is registered.
        python: Which Python, and which packages.
        docker: Accepted and ignored.
        inferencing_stack_version: Accepted and ignored.
    """

    def __init__(self, name: str, **kwargs: object) -> None:
        self.name = check_name("environment name", name, _MAX_NAME_CHARS)
        self.version: str | None = None
        self.python = PythonSection()
        self.docker = DockerSection()
        self.inferencing_stack_version: str | None = None
        self._variables: dict[str, str] = {}

    @property
    def environment_variables(self) -> dict[str, str]:
        """Variables set for the program; those of the run configuration go before them."""
        return self._variables

    @environment_variables.setter
    def environment_variables(self, value: dict[str, str] | None) -> None:
        self._variables = {} if value is None else value

    # ------------------------------------------------------------ from files

    @staticmethod
    def from_pip_requirements(
        name: str, file_path: str | Path, pip_version: str | None = None
    ) -> "Environment":
        """The packages of a requirements file, in the Python version of whoever submits.

        Args:
            name: The environment's name.
            file_path: The requirements file.
            pip_version: Accepted and ignored: uv installs the packages.

        Raises:
            InvalidValueError: It cannot be read; the message names the line.
        """
        from headway.environments import pip_file  # noqa: PLC0415  (most runs need no reader)

        return environment_of(pip_file.pip_requirements_file(Path(file_path)), name)

    @staticmethod
    def from_conda_specification(name: str, file_path: str | Path) -> "Environment":
        """The packages of a conda environment file.

        Raises:
            InvalidValueError: It cannot be read; the message names the line.
        """
        from headway.environments import conda_file  # noqa: PLC0415  (brings YAML)

        return environment_of(conda_file.conda_specification_file(Path(file_path)), name)

    @staticmethod
    def from_existing_conda_environment(name: str, conda_environment_name: str) -> NoReturn:
        """Not supported.

        Raises:
            InvalidValueError: Always; the message names the way to do it.
        """
        raise InvalidValueError(
            f"the conda environment {conda_environment_name!r} is not copied: use it as it is, "
            "with env.python.user_managed_dependencies = True and env.python.interpreter_path = "
            "the path of its bin/python; or write it down with 'conda env export --from-history' "
            "and give that file to Environment.from_conda_specification"
        )

    @staticmethod
    def load_from_directory(path: str | Path) -> "Environment":
        """The environment that ``save_to_directory`` wrote.

        Raises:
            NotFoundError: There is none in that folder.
            InvalidValueError: A file of it cannot be read.
        """
        file = Path(path, DEFINITION_FILE)
        try:
            definition: object = json.loads(file.read_bytes())
        except OSError as error:
            raise NotFoundError(
                f"{str(file)!r} cannot be read: {error.strerror}; give a folder that "
                "save_to_directory wrote"
            ) from error
        except ValueError as error:
            raise InvalidValueError(f"{str(file)!r} is no JSON: {error}; save it again") from error
        environment = defined(_mapping(definition), str(file))
        packages = Path(path, CONDA_FILE)
        if packages.is_file():
            environment.python.conda_dependencies = CondaDependencies(packages)
        return environment

    def save_to_directory(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the definition into a folder, in files that a person can read and edit.

        Args:
            path: The folder; made where there is none.
            overwrite: Whether the folder may exist.

        Raises:
            ConflictError: It exists.
        """
        folder = Path(path)
        packages = self.python.conda_dependencies
        text = None if packages is None else packages.serialize_to_string()
        try:
            folder.mkdir(parents=True, exist_ok=overwrite)
        except FileExistsError as error:
            raise ConflictError(
                f"{str(folder)!r} exists: give another folder, or overwrite=True"
            ) from error
        definition = self._definition()
        del definition["python"]["condaDependencies"]
        written = json.dumps(definition, indent=4) + "\n"
        (folder / DEFINITION_FILE).write_text(written, encoding="utf-8")
        if text is not None:
            (folder / CONDA_FILE).write_text(text, encoding="utf-8")

    def clone(self, new_name: str) -> "Environment":
        """A copy under another name."""
        twin = copy.deepcopy(self)
        twin.name = check_name("environment name", new_name, _MAX_NAME_CHARS)
        twin.version = None
        return twin

    @staticmethod
    def add_private_pip_wheel(
        workspace: WorkspaceBase, file_path: str | Path, exist_ok: bool = False
    ) -> str:
        """Keep a wheel in the workspace, and return what to add as a pip package: its path there.

        Args:
            workspace: The workspace.
            file_path: The wheel.
            exist_ok: Whether another wheel of that name is replaced.

        Raises:
            ConflictError: The workspace has another wheel of that name.
        """
        return str(registry.keep_wheel(workspace, Path(file_path).expanduser(), exist_ok))

    # ------------------------------------------------------------ registered

    def register(self, workspace: WorkspaceBase) -> "Environment":
        """Keep it in the workspace, as the next version of its name, and return that.

        Where the latest version is the same, that one is returned.
        """
        packages = _packages(self.python)
        packages.serialize_to_string()  # refuses what could not be written down
        definition = self._definition()
        python = definition["python"]
        kept: dict[str, object] = {
            **definition,
            "version": None,
            "python": {**python, "condaDependencies": packages.as_dict(), _FILE_KEY: None},
        }
        return _registered(registry.register(workspace, self.name, kept))

    @staticmethod
    def get(
        workspace: WorkspaceBase,
        name: str,
        version: int | str | None = None,
        label: str | None = None,
    ) -> "Environment":
        """A registered environment.

        A name such as ``AzureML-Minimal`` that nobody registered stands for an image of Azure's;
        the Python that submits is used in its place, and a line on standard error says so.

        Args:
            workspace: The workspace.
            name: Its name.
            version: Its version; None for the latest.
            label: What a version was labeled with, or ``latest``, instead.

        Raises:
            AssetNotFoundError: There is none.
        """
        found = registry.find(workspace, name, version, label)
        if found is not None:
            return _registered(found)
        say(
            f"environment {name!r} is an image of Azure's: the Python that submits is used in its "
            "place, with the packages that it has"
        )
        environment = Environment(name)
        environment.python.user_managed_dependencies = True
        return environment

    @staticmethod
    def label(
        workspace: WorkspaceBase, name: str, version: int | str, labels: Sequence[str]
    ) -> None:
        """Label a version; other versions of the name lose these labels."""
        registry.label(workspace, name, version, labels)

    @staticmethod
    def list(workspace: WorkspaceBase) -> "dict[str, Environment]":
        """The latest version of each registered environment, by name."""
        return {one.name: _registered(one) for one in registry.latest(workspace)}

    # ------------------------------------------------------------

    def _definition(self) -> dict[str, dict[str, object]]:
        python = self.python
        packages = python.conda_dependencies
        file = python.conda_dependencies_file
        definition: dict[str, object] = {
            "name": self.name,
            "version": self.version,
            "environmentVariables": dict(self.environment_variables),
            "python": {
                "userManagedDependencies": python.user_managed_dependencies,
                "interpreterPath": str(python.interpreter_path),
                _FILE_KEY: None if file is None else str(file),
                "baseCondaEnvironment": python.base_conda_environment,
                "condaDependencies": None if packages is None else packages.as_dict(),
            },
        }
        return cast("dict[str, dict[str, object]]", definition)

    def __repr__(self) -> str:
        return json.dumps(self._definition(), indent=4)

    def __str__(self) -> str:
        return repr(self)


def specification(
    environment: object, say: Callable[[str], None], *, unasked: bool = False
) -> EnvironmentSpec | None:
    """What an environment asks for.

    Args:
        environment: The environment.
        say: Told in a line what is left aside.
        unasked: Whether nobody gave it: then it stands for the submitter's Python as long as it
            names no packages.

    Raises:
        InvalidValueError: It does not make sense.
    """
    if not isinstance(environment, Environment):
        raise InvalidValueError(
            f"environment was given as {type(environment).__name__} {environment!r}: give an "
            "Environment, such as Environment.from_pip_requirements('mine', 'requirements.txt')"
        )
    if environment.docker.enabled or environment.docker.base_image:
        say("environment.docker is ignored: the program runs on this machine itself")
    variables = dict(environment.environment_variables)
    python = environment.python
    asked = None if python.user_managed_dependencies else _packages(python).specification()
    if python.user_managed_dependencies or (asked is None and unasked):
        interpreter = _interpreter(python) if python.user_managed_dependencies else None
        if unasked and interpreter is None and not variables:
            return None
        return EnvironmentSpec(
            name=environment.name,
            interpreter=interpreter,
            user_managed=True,
            environment_variables=variables,
        )
    asked = _without_replaced(asked or EnvironmentSpec(), environment.name, say)
    return replace(asked, name=environment.name, environment_variables=variables)


def environment_of(spec: EnvironmentSpec, name: str | None = None) -> Environment:
    """The environment that a specification describes."""
    environment = Environment(name or spec.name)
    environment.environment_variables = dict(spec.environment_variables)
    environment.python.user_managed_dependencies = spec.user_managed
    environment.python.interpreter_path = spec.interpreter or _PYTHON
    environment.python.conda_dependencies = CondaDependencies.of(spec)
    return environment


def environment_of_run(definition: Submission) -> Environment:
    """The environment that a run was submitted with."""
    if definition.environment is not None:
        return environment_of(definition.environment)
    script = definition.script is not None
    interpreter = definition.command[0] if script else None
    spec = EnvironmentSpec(name=DEFAULT_NAME, interpreter=interpreter, user_managed=True)
    return environment_of(spec)


def _packages(python: PythonSection) -> CondaDependencies:
    if python.conda_dependencies_file is not None:
        return CondaDependencies(python.conda_dependencies_file)
    packages = python.conda_dependencies
    if packages is not None and not isinstance(packages, CondaDependencies):  # pyright: ignore[reportUnnecessaryIsInstance]  (users assign it)
        raise InvalidValueError(
            f"conda_dependencies was given as {type(packages).__name__} {packages!r}: give "
            "CondaDependencies, such as CondaDependencies.create(pip_packages=['scikit-learn'])"
        )
    return packages or CondaDependencies()


def _interpreter(python: PythonSection) -> str | None:
    path = str(python.interpreter_path)
    if path == _PYTHON:
        return None
    return str(Path(path).expanduser().absolute()) if os.sep in path else path


def _without_replaced(
    spec: EnvironmentSpec, name: str, say: Callable[[str], None]
) -> EnvironmentSpec:
    lists = (spec.pip_requirements, spec.conda_dependencies)
    gone = [line for lines in lists for line in lines if _is_replaced(line)]
    if not gone:
        return spec
    say(
        f"{', '.join(gone)} of environment {name!r} will not be installed: Headway takes the place "
        "of it"
    )
    pip, conda = ([line for line in lines if line not in gone] for lines in lists)
    return replace(spec, pip_requirements=pip, conda_dependencies=conda)


def _is_replaced(line: str) -> bool:
    return line.lower().replace("_", "-").startswith(_REPLACED)


def defined(definition: Mapping[str, object], where: str) -> Environment:
    """The environment of a definition, as its ``repr`` writes it.

    Args:
        definition: The definition.
        where: The file that it stands in, for messages.

    Raises:
        InvalidValueError: It has no name.
    """
    name = definition.get("name")
    if not isinstance(name, str):
        raise InvalidValueError(f"{where!r} has no name: give a file that save_to_directory wrote")
    environment = Environment(name)
    version = definition.get("version")
    environment.version = None if version is None else str(version)
    variables = _mapping(definition.get("environmentVariables"))
    environment.environment_variables = {key: str(value) for key, value in variables.items()}
    section = _mapping(definition.get("python"))
    python = environment.python
    python.user_managed_dependencies = section.get("userManagedDependencies") is True
    python.interpreter_path = str(section.get("interpreterPath") or _PYTHON)
    packages = _mapping(section.get("condaDependencies"))
    if packages:
        python.conda_dependencies = CondaDependencies(_underlying_structure=packages)
    return environment


def _registered(record: Asset) -> Environment:
    environment = defined(record.definition, f"environment {record.name!r}")
    environment.version = str(record.version)
    return environment


def _mapping(given: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", given) if isinstance(given, Mapping) else {}
