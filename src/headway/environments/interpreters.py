"""The Python that an environment is made with."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from headway.environments.programs import Programs, Task
from headway.environments.requirement import expanded
from headway.errors import InvalidValueError, SubmissionError
from headway.model import EnvironmentSpec

_PRINT_VERSION: Final = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
_PATIENCE_S: Final = 30.0


class Interpreter(NamedTuple):
    """A Python, and which it is."""

    path: Path
    version: str


def running() -> Interpreter:
    """The one that executes this."""
    return Interpreter(Path(sys.executable), "{}.{}.{}".format(*sys.version_info[:3]))


def platform_tag() -> str:
    """What compiled packages depend upon, apart from Python."""
    libc = ""
    if "CS_GNU_LIBC_VERSION" in os.confstr_names:
        libc = (os.confstr("CS_GNU_LIBC_VERSION") or "").replace(" ", "")
    return f"{sys.platform}-{os.uname().machine}-{libc}"


def wanted_version(spec: EnvironmentSpec, mine: Interpreter) -> str:
    """Which Python is asked for; where nothing is, the minor version of the submitter's."""
    return spec.python or mine.version.rpartition(".")[0]


def given_interpreter(path: str, search: str | None) -> Path:
    """An interpreter that the user named; links are kept, for they tell virtual environments.

    Args:
        path: Its path, or its name where it is on the ``PATH``.
        search: That ``PATH``.

    Raises:
        InvalidValueError: It is no program.
    """
    named = None if os.sep in path else shutil.which(path, path=search)
    found = expanded(named or path).absolute()
    if not (found.is_file() and os.access(found, os.X_OK)):
        raise InvalidValueError(
            f"the interpreter {path!r} is no program that may be started: give the path of a "
            "python, such as 'venv/bin/python'"
        )
    return found


def find_interpreter(
    spec: EnvironmentSpec,
    mine: Interpreter,
    programs: Programs,
    task: Task,
    progress: Callable[[str], None],
) -> Interpreter:
    """The interpreter for a specification, fetched by uv where this machine has none.

    Raises:
        InvalidValueError: The interpreter named is no program.
        SubmissionError: None can be had.
    """
    if spec.interpreter is not None:
        path = given_interpreter(spec.interpreter, programs.path)
        return Interpreter(path, _version_of(path))
    wanted = wanted_version(spec, mine)
    if f"{mine.version}.".startswith(f"{wanted}.") and mine.path.is_file():
        # Beyond a virtual environment's link: that one may be gone when this is used again.
        return mine._replace(path=mine.path.resolve())
    task = task._replace(doing=f"find Python {wanted} for environment {spec.name!r}")
    try:
        found = programs.uv(task, "python", "find", "--system", wanted)
    except SubmissionError:
        progress(f"Fetching Python {wanted}")
        # Not quietly: uv would then keep to itself why it could not.
        install = ["--no-progress", "python", "install", "--no-bin", wanted]
        programs.run(task, [programs.find_uv(), *install])
        found = programs.uv(task, "python", "find", "--managed-python", wanted)
    path = Path(found.strip())
    return Interpreter(path, _version_of(path))


def _version_of(python: Path) -> str:
    try:
        done = subprocess.run(
            [python, "-I", "-S", "-c", _PRINT_VERSION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SubmissionError(
            f"the interpreter {python} cannot be run: {error}; give one that works"
        ) from error
    return done.stdout.strip()
