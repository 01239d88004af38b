"""``CondaDependencies``: the packages of an environment, as a list that can be changed."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Final, cast

from msgspec.structs import replace

from headway.checks import check_name
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec

CONDA_FILE: Final = "conda_dependencies.yml"
DEFAULT_NAME: Final = "project_environment"

_MAX_CHARS: Final = 10_000
_NAMED: Final = re.compile(r"(?:[\w./:-]+::)?([A-Za-z0-9][\w.-]*)\s*(.*)", re.DOTALL)
_CPU: Final = "cpu"


class _Pip:
    """The part of ``CondaDependencies`` about what pip installs."""

    _pip: list[str]
    _options: list[str]
    _constraints: list[str]

    @property
    def pip_packages(self) -> list[str]:
        """The packages, as lines of a requirements file."""
        return list(self._pip)

    @property
    def pip_options(self) -> list[str]:
        """Options, as lines of a requirements file: ``--extra-index-url ...``."""
        return list(self._options)

    def add_pip_package(self, pip_package: str) -> None:
        """Add a package, such as ``scikit-learn==1.5``, in the place of another version of it."""
        _put(self._pip, _line(pip_package, "pip_package"))

    def add_tensorflow_pip_package(self, core_type: str = _CPU, version: str | None = None) -> None:
        """Add TensorFlow: ``core_type`` is cpu or gpu."""
        self.add_pip_package(_tensorflow(core_type, version, "=="))

    def remove_pip_package(self, pip_package: str) -> None:
        """Remove a package by its name; one that is not there is no error."""
        _remove(self._pip, pip_package)

    def set_pip_index_url(self, index_url: str) -> None:
        """Have packages come from here."""
        self._options = [
            one for one in self._options if one.split()[0] not in {"-i", "--index-url"}
        ]
        self.set_pip_option(index_url if index_url.startswith("-") else f"--index-url {index_url}")

    def set_pip_option(self, pip_option: str) -> None:
        """Add an option, as a line of a requirements file."""
        option = _line(pip_option, "pip_option")
        if option not in self._options:
            self._options.append(option)

    def remove_pip_option(self, pip_option: str) -> None:
        """Remove an option, given as a whole or by its name."""
        gone = {pip_option, *(one for one in self._options if one.split()[0] == pip_option)}
        self._options = [one for one in self._options if one not in gone]

    def set_pip_requirements(self, pip_requirements: Iterable[str]) -> None:
        """Replace all packages and options by the lines of a requirements file."""
        lines = [_line(one, "pip_requirements") for one in _texts(pip_requirements)]
        self._options = [line for line in lines if line.startswith("-")]
        self._pip = [line for line in lines if not line.startswith("-")]
        self._constraints = []

    @staticmethod
    def merge_requirements(requirements: Iterable[str]) -> list[str]:
        """Requirements with those of one package put together: ``a>=1`` and ``a<2`` is one."""
        merged: dict[str, tuple[str, list[str]]] = {}
        for requirement in _texts(requirements):
            found = _NAMED.fullmatch(requirement.strip())
            name, version = (found[1], found[2]) if found else (requirement, "")
            parts = merged.setdefault(_key(requirement), (name, []))[1]
            parts += [part for part in [version.strip()] if part and part not in parts]
        return [name + ",".join(parts) for name, parts in merged.values()]


class _Conda:
    """The part of ``CondaDependencies`` about what conda installs, and about Python."""

    _conda: list[str]
    _channels: list[str]

    @property
    def conda_packages(self) -> list[str]:
        """The packages, Python apart."""
        return [one for one in self._conda if _key(one) != "python"]

    @property
    def conda_channels(self) -> list[str]:
        """Where conda looks for packages."""
        return list(self._channels)

    def add_conda_package(self, conda_package: str) -> None:
        """Add a package, such as ``numpy=1.26``, in the place of another version of it."""
        _put(self._conda, _line(conda_package, "conda_package"))

    def add_tensorflow_conda_package(
        self, core_type: str = _CPU, version: str | None = None
    ) -> None:
        """Add TensorFlow: ``core_type`` is cpu or gpu."""
        self.add_conda_package(_tensorflow(core_type, version, "="))

    def add_cntk_package(self, core_type: str = _CPU) -> None:
        """Not supported: that project ended in 2019.

        Raises:
            InvalidValueError: Always.
        """
        raise InvalidValueError(
            "CNTK has no packages for the Pythons of today: move to another library, or use an "
            "interpreter that has it with env.python.user_managed_dependencies = True"
        )

    def remove_conda_package(self, conda_package: str) -> None:
        """Remove a package by its name; one that is not there is no error."""
        _remove(self._conda, conda_package)

    def add_channel(self, channel: str) -> None:
        """Have conda look here too."""
        channel = _line(channel, "channel")
        if channel not in self._channels:
            self._channels.append(channel)

    def remove_channel(self, channel: str) -> None:
        """Have conda not look here; a channel that is not there is no error."""
        self._channels = [one for one in self._channels if one != channel]

    def get_python_version(self) -> str | None:
        """The version or range of Python; None for that of whoever submits."""
        for one in self._conda:
            if _key(one) == "python":
                version = one.partition("python")[2].strip()
                return re.sub(r"^==?(?=\d)", "", version) or None
        return None

    def set_python_version(self, version: str | None) -> None:
        """Ask for a version of Python, such as ``3.11``, or a range; None: the submitter's."""
        self.remove_conda_package("python")
        if version is not None:
            text = _line(version, "version")
            self._conda.insert(0, f"python={text}" if text[0].isdigit() else f"python{text}")


class CondaDependencies(_Pip, _Conda):
    """Packages for pip and conda, and the version of Python.

    Python and pip packages are installed by uv, other packages by conda or micromamba; where there
    is neither, those that pip has too are taken from pip's index.

    Args:
        conda_dependencies_file_path: A conda environment file to begin with.
        _underlying_structure: Its content instead.

    Raises:
        InvalidValueError: The file cannot be read; the message names the line.
    """

    DEFAULT_NUMBER_OF_CONDA_PACKAGES: ClassVar[int] = 0
    DEFAULT_NUMBER_OF_PIP_PACKAGES: ClassVar[int] = 0

    def __init__(
        self,
        conda_dependencies_file_path: str | Path | None = None,
        _underlying_structure: Mapping[str, object] | None = None,
    ) -> None:
        self._name = DEFAULT_NAME
        self._pip = []
        self._options = []
        self._constraints = []
        self._conda = []
        self._channels = []
        if conda_dependencies_file_path is None and _underlying_structure is None:
            return
        from headway.environments import conda_file  # noqa: PLC0415  (brings YAML)

        if conda_dependencies_file_path is not None:
            self._take(conda_file.conda_specification_file(Path(conda_dependencies_file_path)))
        elif _underlying_structure is not None:
            text = conda_file.conda_specification_text(_underlying_structure)
            self._take(conda_file.from_conda_specification(text))

    @staticmethod
    def create(
        pip_indexurl: str | None = None,
        pip_packages: Iterable[str] | None = None,
        conda_packages: Iterable[str] | None = None,
        python_version: str | None = None,
        pin_sdk_version: bool = True,
    ) -> "CondaDependencies":
        """Packages given as lists.

        Args:
            pip_indexurl: Where pip packages come from; None for wherever pip looks.
            pip_packages: As lines of a requirements file.
            conda_packages: As conda takes them.
            python_version: A version or range; None for that of whoever submits.
            pin_sdk_version: Accepted and ignored.
        """
        made = CondaDependencies()
        if pip_indexurl is not None:
            made.set_pip_index_url(pip_indexurl)
        for package in _texts(pip_packages or []):
            made.add_pip_package(package)
        for package in _texts(conda_packages or []):
            made.add_conda_package(package)
        if python_version is not None:
            made.set_python_version(python_version)
        return made

    @classmethod
    def of(cls, spec: EnvironmentSpec) -> "CondaDependencies":
        """The packages of a specification. For Headway's own use."""
        made = cls()
        made._take(spec)
        return made

    def as_dict(self) -> dict[str, object]:
        """The content of a conda environment file."""
        pip = [*self._options, *self._pip]
        return {
            "name": self._name,
            "channels": self.conda_channels,
            "dependencies": [*self._conda, *([{"pip": pip}] if pip else [])],
        }

    def serialize_to_string(self) -> str:
        """The text of a conda environment file.

        Raises:
            InvalidValueError: There are constraints, for which it has no place.
        """
        if self._constraints:
            raise InvalidValueError(
                f"the constraints {', '.join(self._constraints[:5])} cannot stand in a conda "
                "environment file: write them as requirements, or use "
                "Environment.from_pip_requirements with the file that names them"
            )
        from headway.environments import conda_file  # noqa: PLC0415  (brings YAML)

        return conda_file.conda_specification_text(self.as_dict())

    def save(self, path: str | Path | None = None) -> str:
        """Write a conda environment file, and return its path.

        Args:
            path: The file; None for ``conda_dependencies.yml`` in the current folder.
        """
        target = Path(CONDA_FILE if path is None else path)
        if target.is_dir():
            raise InvalidValueError(f"path was given as {str(path)!r}, a folder: name a file")
        target.write_text(self.serialize_to_string(), encoding="utf-8")
        return str(target)

    def save_to_file(
        self, base_directory: str | Path, conda_file_path: str | Path | None = None
    ) -> str:
        """Write a conda environment file in a folder, and return its path there."""
        name = CONDA_FILE if conda_file_path is None else str(conda_file_path)
        self.save(Path(base_directory, name))
        return name

    def get_default_number_of_packages(self) -> int:
        """How many packages are there unasked: none."""
        return 0

    @staticmethod
    def sdk_origin_url() -> str:
        """Empty: Headway comes from wherever pip looks."""
        return ""

    def specification(self) -> EnvironmentSpec | None:
        """What is asked for, checked; None where nothing is. For Headway's own use.

        Raises:
            InvalidValueError: A line is not accepted.
        """
        if not (self._pip or self._conda or self._options or self._constraints):
            return None
        from headway.environments import conda_file  # noqa: PLC0415  (brings YAML)

        text = conda_file.conda_specification_text(self.as_dict())
        spec = conda_file.from_conda_specification(text)
        return replace(spec, pip_constraints=list(self._constraints))

    def _take(self, spec: EnvironmentSpec) -> None:
        self._pip = list(spec.pip_requirements)
        self._options = list(spec.pip_options)
        self._constraints = list(spec.pip_constraints)
        self._conda = list(spec.conda_dependencies)
        self._channels = list(spec.channels)
        self.set_python_version(spec.python)


def _key(package: str) -> str:
    """What tells packages apart: the name as pip compares names, or all of a path or URL."""
    found = _NAMED.fullmatch(package.strip())
    if found is None or found[2].startswith((":", "/", "+")):
        return package.strip()
    return re.sub(r"[-_.]+", "-", found[1]).lower()


def _put(packages: list[str], package: str) -> None:
    for place, known in enumerate(packages):
        if _key(known) == _key(package):
            packages[place] = package
            return
    packages.append(package)


def _remove(packages: list[str], package: str) -> None:
    packages[:] = [one for one in packages if _key(one) != _key(package)]


def _tensorflow(core_type: str, version: str | None, equals: str) -> str:
    if core_type not in {"cpu", "gpu"}:
        raise InvalidValueError(f"core_type was given as {core_type!r}: accepted are cpu and gpu")
    # From 2 on one package serves both.
    name = (
        "tensorflow-gpu"
        if core_type == "gpu" and (version or "").startswith("1.")
        else "tensorflow"
    )
    return name if version is None else f"{name}{equals}{version}"


def _line(given: object, what: str) -> str:
    return check_name(what, given.strip() if isinstance(given, str) else given, _MAX_CHARS)


def _texts(given: object) -> list[str]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidValueError(
            f"packages were given as {type(given).__name__} {given!r}: give a list of texts"
        )
    return [_line(one, "package") for one in cast("Iterable[object]", given)]
