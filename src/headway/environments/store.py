"""Environments in a folder, each made once and shared by all runs that ask for the same.

<folder>/asked/<identity>.json   what a specification came to the first time: its recipe
<folder>/asked/<identity>.guard  held by whoever finds that out
<folder>/<key>/                  an environment; its file .ready says that it is whole, and by its
                                 time stamp when it was last asked for
<folder>/<key>.guard             held alone to make or remove it, together with others to use it
<folder>/described/              what interpreters have installed
"""

import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from headway.environments.building import (
    compile_lock,
    make_with_conda,
    make_with_uv,
    python_of,
)
from headway.environments.conda_names import by_pip
from headway.environments.description import EnvironmentRecord, describe
from headway.environments.guard import exclusive, exclusive_if_free, shared
from headway.environments.interpreters import (
    Interpreter,
    find_interpreter,
    given_interpreter,
    running,
    wanted_version,
)
from headway.environments.lock import pins
from headway.environments.programs import Programs, Task
from headway.environments.recipe import Recipe, conda_key, identity, recipe_key
from headway.environments.requirement import masked
from headway.environments.spec import check_spec
from headway.environments.writing import storage_errors, write_whole
from headway.errors import NotFoundError
from headway.model import EnvironmentSpec

_READY: Final = ".ready"
_ABANDONED_S: Final = 86_400


class BuiltEnvironment(msgspec.Struct, frozen=True):
    """An environment that programs can run in."""

    python: Path
    key: str = ""
    """Its name in the store; empty for one that the user manages."""
    lock: str = ""
    """The requirements as they were pinned, with hashes."""
    built: bool = False
    """Whether it was made just now."""

    @property
    def packages(self) -> list[str]:
        """The pip packages of the lock, as ``name==version``."""
        return [masked(pin.requirement) for pin in pins(self.lock)]

    @property
    def guard(self) -> Path | None:
        """The file that is locked, together with others, by whoever uses the environment."""
        return self.python.parents[2] / f"{self.key}.guard" if self.key else None

    def variables(self, path: str) -> dict[str, str]:
        """Variables with which a program finds the environment's own programs first.

        Args:
            path: The ``PATH`` so far.
        """
        folder = self.python.parent
        found = {"PATH": f"{folder}{os.pathsep}{path}" if path else str(folder)}
        if (folder.parent / "pyvenv.cfg").exists():
            found["VIRTUAL_ENV"] = str(folder.parent)
        return found


class EnvironmentStore:
    """Makes environments and keeps them.

    Any thread and any number of processes may use one folder at once: of those who want the same
    environment one makes it, the others wait.

    Args:
        folder: Where; made when it is needed, and not to be moved.
        uv: The uv to use; None or empty for the one installed beside Headway, or else on the PATH.
        environment: Variables for uv, conda and interpreters; None for those of this process.
        clock: The time, in seconds since 1970.
        interpreter: The Python that is used where none is asked for.
    """

    def __init__(
        self,
        folder: Path,
        *,
        uv: str | Path | None = None,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        interpreter: Interpreter | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._asked = self._folder / "asked"
        self._environment = os.environ if environment is None else environment
        self._programs = Programs(uv, self._environment)
        self._clock = clock
        self._mine = interpreter or running()

    def ensure(
        self,
        spec: EnvironmentSpec,
        *,
        progress: Callable[[str], None] | None = None,
        refresh: bool = False,
    ) -> BuiltEnvironment:
        """The environment for a specification, made where there is none yet.

        What a specification comes to is found out once; later the same packages are used, made
        again from the lock where they were removed.

        Args:
            spec: What is wanted.
            progress: Told in a line what takes time.
            refresh: Find out anew what the specification comes to.

        Raises:
            InvalidValueError: The specification makes no sense.
            ConfigurationError: uv is missing.
            SubmissionError: It cannot be made: no such package, no network ...
            StorageError: The folder cannot be written, or is full.
        """
        check_spec(spec)
        if spec.user_managed:
            given = spec.interpreter
            path = self._mine.path if given is None else self._given(given)
            return BuiltEnvironment(python=path)
        progress = progress or _nothing
        with storage_errors(self._folder):
            asked = identity(spec, self._mine)
            recipe = None if refresh else self._recipe(asked)
            if recipe is not None and (found := self._ready(recipe)):
                return found
            self._asked.mkdir(parents=True, exist_ok=True)
            known = recipe is not None and bool(recipe.lock or recipe.conda_lock)
            recipe = recipe or self._resolve(spec, asked, progress, refresh=refresh)
            return self._make(spec, asked, recipe, progress, known=known)

    def hold(
        self,
        spec: EnvironmentSpec,
        *,
        progress: Callable[[str], None] | None = None,
        refresh: bool = False,
    ) -> tuple[BuiltEnvironment, int | None]:
        """Like ``ensure``, and pin it.

        Returns the environment and the descriptor that keeps it from being removed: whoever
        inherits that descriptor keeps it as well. There is none for what the user manages.
        """
        while True:
            built = self.ensure(spec, progress=progress, refresh=refresh)
            if not built.key:
                return built, None
            with suppress(NotFoundError):  # removed since, as it happens: made again
                return built, self.pin(built.key)

    def pin(self, key: str) -> int:
        """A descriptor that keeps an environment from being removed while it is open anywhere.

        Raises:
            NotFoundError: There is no such environment, or it was removed.
        """
        with storage_errors(self._folder):
            if (self._folder / key / _READY).is_file():
                fd = shared(self._guard(key))
                if self._touch(key):
                    return fd
                os.close(fd)
        raise NotFoundError(
            f"there is no environment {key!r} in {self._folder}: submit again, which makes it"
        )

    def prune(self, max_age_s: float) -> list[str]:
        """Remove what no run holds and nobody asked for in so many seconds; says what.

        What a killed builder left is removed too. A removed environment is made again from its
        lock when it is asked for.
        """
        with storage_errors(self._folder):
            if not self._folder.is_dir():
                return []
            for left in self._folder.glob(".asked-*"):
                if self._clock() - left.stat().st_mtime > _ABANDONED_S:
                    shutil.rmtree(left, ignore_errors=True)
            keys = [path.stem for path in self._folder.glob("*.guard")]
            return [key for key in sorted(keys) if self._prune_one(key, max_age_s)]

    def describe(self, built: BuiltEnvironment) -> EnvironmentRecord:
        """What an environment holds, as it is kept with a run.

        Raises:
            SubmissionError: Its interpreter cannot be run.
        """
        return describe(built.python, self._folder / "described", self._environment)

    # ------------------------------------------------------------ what is there

    def _recipe(self, asked: str) -> Recipe | None:
        try:
            content = (self._asked / f"{asked}.json").read_bytes()
            return msgspec.json.decode(content, type=Recipe)
        except (FileNotFoundError, msgspec.DecodeError):
            return None  # a damaged one is found out again

    def _ready(self, recipe: Recipe, *, built: bool = False) -> BuiltEnvironment | None:
        python = python_of(self._folder / recipe.key)
        # Its interpreter is a link to another that may have been uninstalled.
        if not os.access(python, os.X_OK) or not self._touch(recipe.key):
            return None
        return BuiltEnvironment(python=python, key=recipe.key, lock=recipe.lock, built=built)

    def _touch(self, key: str) -> bool:
        now = self._clock()
        try:
            os.utime(self._folder / key / _READY, (now, now))
        except FileNotFoundError:
            return False
        return True

    def _given(self, interpreter: str) -> Path:
        return given_interpreter(interpreter, self._environment.get("PATH"))

    def _guard(self, key: str) -> Path:
        return self._folder / f"{key}.guard"

    # ------------------------------------------------------------ making

    def _resolve(
        self, spec: EnvironmentSpec, asked: str, progress: Callable[[str], None], *, refresh: bool
    ) -> Recipe:
        """Find out what a specification comes to, and keep that."""

        def waiting() -> None:
            progress(f"Waiting for another process that resolves environment {spec.name!r}")

        with exclusive(self._asked / f"{asked}.guard", waiting) as fd:
            recipe = None if refresh else self._recipe(asked)
            if recipe is None:
                task = Task(f"make environment {spec.name!r}", self._folder, fd)
                recipe = self._find_recipe(spec, asked, task, progress)
                self._keep(asked, recipe)
        return recipe

    def _find_recipe(
        self, spec: EnvironmentSpec, asked: str, task: Task, progress: Callable[[str], None]
    ) -> Recipe:
        if spec.conda_dependencies and self._programs.find_conda():
            version = wanted_version(spec, self._mine)
            key = conda_key(asked, secrets.token_hex(8))
            return Recipe(key=key, python_version=version, base="", conda=True)
        if spec.conda_dependencies:
            spec = by_pip(spec)
            progress(
                f"The conda packages of environment {spec.name!r} are taken from pip's index, "
                "under the names that they have there: no conda is on the PATH"
            )
        python = find_interpreter(spec, self._mine, self._programs, task, progress)
        progress(f"Resolving environment {spec.name!r} for Python {python.version}")
        lock = compile_lock(spec, python.path, self._programs, task)
        key = recipe_key(lock, python, spec)
        return Recipe(key=key, python_version=python.version, base=str(python.path), lock=lock)

    def _make(
        self,
        spec: EnvironmentSpec,
        asked: str,
        recipe: Recipe,
        progress: Callable[[str], None],
        *,
        known: bool,
    ) -> BuiltEnvironment:
        def waiting() -> None:
            progress(f"Waiting for another process that makes environment {spec.name!r}")

        with exclusive(self._guard(recipe.key), waiting) as fd:
            # Another may have made it meanwhile, and kept what conda packages it came to.
            if (kept := self._recipe(asked)) and kept.key == recipe.key:
                recipe = kept
            if found := self._ready(recipe):
                return found
            progress(f"Making environment {spec.name!r} ({recipe.key}), once for all runs")
            task = Task(f"make environment {spec.name!r}", self._folder, fd)
            folder = self._folder / recipe.key
            _remove(folder)
            try:
                if recipe.conda:
                    recipe = make_with_conda(spec, recipe, folder, self._programs, task)
                    self._keep(asked, recipe)
                else:
                    recipe = self._with_base(recipe, spec, task, progress)
                    make_with_uv(recipe, folder, self._programs, task, known=known)
                write_whole(folder / _READY, msgspec.json.encode(recipe))
            except BaseException:
                _remove(folder)
                raise
            return BuiltEnvironment(
                python=python_of(folder), key=recipe.key, lock=recipe.lock, built=True
            )

    def _with_base(
        self, recipe: Recipe, spec: EnvironmentSpec, task: Task, progress: Callable[[str], None]
    ) -> Recipe:
        """The recipe with an interpreter that exists, of the same version as before."""
        if Path(recipe.base).is_file():
            return recipe
        wanted = msgspec.structs.replace(spec, python=recipe.python_version, interpreter=None)
        python = find_interpreter(wanted, self._mine, self._programs, task, progress)
        return msgspec.structs.replace(recipe, base=str(python.path))

    def _keep(self, asked: str, recipe: Recipe) -> None:
        write_whole(self._asked / f"{asked}.json", msgspec.json.encode(recipe))

    # ------------------------------------------------------------ removing

    def _prune_one(self, key: str, max_age_s: float) -> bool:
        folder = self._folder / key
        with exclusive_if_free(self._guard(key)) as held:
            if not held or not folder.exists():
                return False
            with suppress(FileNotFoundError):
                if self._clock() - (folder / _READY).stat().st_mtime < max_age_s:
                    return False
            _remove(folder)
        return True


def _remove(folder: Path) -> None:
    """Remove an environment; its mark goes first, so that the rest never counts as whole."""
    with suppress(FileNotFoundError):
        (folder / _READY).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _nothing(_: str) -> None:
    """Progress that nobody wants to hear about."""
