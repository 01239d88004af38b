"""The steps of making an environment, each by running uv or conda."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import msgspec

from headway.environments.conda_names import needs_conda
from headway.environments.lock import every_file_hashed, make_lock, pins
from headway.environments.programs import Programs, Task
from headway.environments.recipe import Recipe
from headway.errors import InvalidValueError, SubmissionError
from headway.model import EnvironmentSpec

_COMPILE: Final = ("pip", "compile", "--generate-hashes", "--no-header", "--no-annotate")


class _Listed(msgspec.Struct):
    """A package as ``uv pip list`` has it."""

    name: str
    version: str


def python_of(environment: Path) -> Path:
    """The interpreter of an environment."""
    return environment / "bin" / "python"


def compile_lock(
    spec: EnvironmentSpec,
    python: Path,
    programs: Programs,
    task: Task,
    installed: Sequence[str] = (),
) -> str:
    """Every package that the pip requirements come to, pinned.

    Args:
        spec: What is asked for.
        python: The interpreter that it is for.
        programs: Run to find out.
        task: What for.
        installed: What is there already and is to stay, as ``name==version``.

    Raises:
        SubmissionError: They cannot be had together.
    """
    if not spec.pip_requirements:
        return ""
    task = task._replace(doing=f"resolve the requirements of environment {spec.name!r}")
    # In files: what is on a command line can be read by every user of the machine.
    with tempfile.TemporaryDirectory(prefix=".asked-", dir=task.folder) as folder:
        asked = Path(folder, "requirements.txt")
        asked.write_text(_lines(spec.pip_options, spec.pip_requirements), encoding="utf-8")
        constraints = Path(folder, "constraints.txt")
        constraints.write_text(_lines(spec.pip_constraints, installed), encoding="utf-8")
        choices = ["--prerelease", "allow"] if "--pre" in spec.pip_options else []
        compiled = programs.uv(
            task, *_COMPILE, *choices, "--python", python, "--constraints", constraints, asked
        )
    return make_lock(compiled, spec.pip_options, spec.pip_requirements, installed)


def make_with_uv(
    recipe: Recipe, environment: Path, programs: Programs, task: Task, *, known: bool
) -> None:
    """Make an environment in its folder.

    Args:
        recipe: What it is to hold.
        environment: Where; nothing may be there.
        programs: Run to make it.
        task: What for.
        known: Whether it was made before: then its packages are likely in the cache, and no
            network is needed.
    """
    programs.uv(task, "venv", "--no-project", "--python", recipe.base, environment)
    _install(recipe.lock, environment, programs, task, known=known)


def make_with_conda(
    spec: EnvironmentSpec, recipe: Recipe, environment: Path, programs: Programs, task: Task
) -> Recipe:
    """Make an environment of conda and pip packages in its folder; says what it came to."""
    conda = programs.find_conda()
    if conda is None:  # there was one when the recipe was written
        raise InvalidValueError(needs_conda(spec.conda_dependencies))
    create = [conda, "create", "--yes", "--quiet", "--prefix", environment]
    if recipe.conda_lock:
        with tempfile.TemporaryDirectory(prefix=".asked-", dir=task.folder) as folder:
            explicit = Path(folder, "explicit.txt")
            explicit.write_text(recipe.conda_lock, encoding="utf-8")
            programs.run(task, [*create, "--file", explicit])
    else:
        channels = [word for name in spec.channels for word in ("--channel", name)]
        override = ["--override-channels"] if channels else []
        packages = [_python_package(recipe.python_version), *spec.conda_dependencies]
        programs.run(task, [*create, *override, *channels, *packages])
    python = python_of(environment)
    if not python.exists():
        raise SubmissionError(
            f"cannot {task.doing}: {conda} installed no Python in {environment}; name a version of "
            "Python beside the conda packages"
        )
    known = bool(recipe.conda_lock)
    lock = recipe.lock
    if not known:
        installed = _installed(python, programs, task)
        lock = compile_lock(spec, python, programs, task, installed)
    _install(lock, environment, programs, task, known=known)
    return msgspec.structs.replace(recipe, lock=lock, conda_lock=_conda_lock(environment))


def _install(lock: str, environment: Path, programs: Programs, task: Task, *, known: bool) -> None:
    if not pins(lock):
        return
    path = environment / ".requirements.txt"
    path.touch(0o600)
    path.write_text(lock, encoding="utf-8")
    command: list[str | Path] = ["pip", "install", "--no-deps", "--python", python_of(environment)]
    if every_file_hashed(lock):
        command.append("--require-hashes")
    command += ["--requirements", path]
    if known:
        try:
            programs.uv(task, *command, "--offline")
        except SubmissionError:
            pass  # the cache was cleaned since
        else:
            return
    programs.uv(task, *command)


def _installed(python: Path, programs: Programs, task: Task) -> list[str]:
    listed = programs.uv(task, "pip", "list", "--format", "json", "--python", python)
    packages = msgspec.json.decode(listed, type=list[_Listed])
    return [f"{package.name}=={package.version}" for package in packages]


def _conda_lock(environment: Path) -> str:
    """The addresses of all conda packages, as conda's own explicit list has them."""
    addresses: list[str] = []
    for path in sorted((environment / "conda-meta").glob("*.json")):
        # Packages that hold Python code only can be put in place once Python is there.
        record = cast("dict[str, object]", json.loads(path.read_bytes()))
        address = f"{record.get('url', '')}#{record.get('md5', '')}".rstrip("#")
        first = record.get("name") == "python"
        addresses.insert(0 if first else len(addresses), address)
    return "@EXPLICIT\n" + "".join(f"{address}\n" for address in addresses)


def _python_package(version: str) -> str:
    return f"python{version}" if version[0] in "<>=!~" else f"python={version}"


def _lines(*lists: Sequence[str]) -> str:
    return "".join(f"{line}\n" for lines in lists for line in lines)
