"""The programs that make environments: where they are, and how they are run."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from headway.environments.failures import failure
from headway.environments.requirement import expanded
from headway.errors import ConfigurationError, SubmissionError

try:
    from uv import find_uv_bin
except ImportError:  # a bare installation, with a uv of the machine's own on the PATH
    find_uv_bin = None

CONDA_PROGRAMS: Final = ("micromamba", "mamba", "conda")

# They would lead uv to another environment than the one that is being made.
_STEERING: Final = {
    "CONDA_PREFIX",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_NO_VERIFY_HASHES",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_REQUIRE_HASHES",
    "UV_SYSTEM_PYTHON",
    "UV_VENV_CLEAR",
    "UV_VENV_SEED",
    "UV_WORKING_DIR",
    "VIRTUAL_ENV",
}


class Task(NamedTuple):
    """What programs are run for."""

    doing: str
    """As in "resolve the requirements of environment 'x'"."""
    folder: Path
    """Where they are run."""
    guard_fd: int
    """A lock that they hold for as long as they live."""


class Programs:
    """Finds uv and conda, and runs them.

    Args:
        uv: The uv to use; None or empty for the one installed beside Headway, or else on the PATH.
        environment: The variables for them.
    """

    def __init__(self, uv: str | Path | None, environment: Mapping[str, str]) -> None:
        self._uv = uv
        self.path = environment.get("PATH", os.defpath)
        """Where programs are looked for by name."""
        self._environment = {
            name: value for name, value in environment.items() if name not in _STEERING
        } | {"NO_COLOR": "1", "GIT_TERMINAL_PROMPT": "0"}

    def uv(self, task: Task, *arguments: str | Path) -> str:
        """What uv prints."""
        return self.run(task, [self.find_uv(), "--quiet", *arguments])

    def run(self, task: Task, command: Sequence[str | Path]) -> str:
        """What a program prints.

        Raises:
            SubmissionError: It failed, or could not be started.
            StorageFullError: It failed because the disk is full.
        """
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                cwd=task.folder,
                env=self._environment,
                pass_fds=[task.guard_fd],
                check=False,
            )
        except OSError as error:
            raise SubmissionError(
                f"cannot {task.doing}: {str(command[0])!r} cannot be started: {error.strerror}; "
                "install it again, or name another"
            ) from error
        if done.returncode != 0:
            said = f"{done.stdout}\n{done.stderr}" if not done.stderr.strip() else done.stderr
            if done.returncode < 0:
                said += f"\nended by signal {-done.returncode}"
            raise failure(task.doing, said, str(task.folder))
        return done.stdout

    def find_uv(self) -> Path:
        """Where uv is.

        Raises:
            ConfigurationError: Nowhere.
        """
        if self._uv:
            found = shutil.which(str(expanded(str(self._uv))), path=self.path)
            if found is None:
                raise ConfigurationError(
                    f"the setting uv names {str(self._uv)!r}, which is no program: give the path "
                    "of uv, or remove the setting"
                )
            return Path(found)
        if find_uv_bin is not None:
            try:
                return Path(find_uv_bin())
            except FileNotFoundError:
                pass  # its program was removed or is for another system; the PATH may have one
        found = shutil.which("uv", path=self.path)
        if found is None:
            raise ConfigurationError(
                "environments are made by uv, which is not installed: run 'pip install uv', or "
                "give its path as the setting uv"
            )
        return Path(found)

    def find_conda(self) -> Path | None:
        """Where a program is that installs conda packages; None for nowhere."""
        found = (shutil.which(name, path=self.path) for name in CONDA_PROGRAMS)
        program = next(filter(None, found), None)
        return None if program is None else Path(program)
