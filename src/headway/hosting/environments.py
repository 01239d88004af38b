"""The environment of a run: made or found, pinned, described, and led to by variables."""

import os
import shutil
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from headway.environments.description import EnvironmentRecord, describe
from headway.environments.requirement import masked
from headway.environments.writing import storage_errors
from headway.errors import SubmissionError
from headway.hosting.live_files import RECORDS
from headway.model import EnvironmentSpec, Submission

if TYPE_CHECKING:
    from headway.environments.store import BuiltEnvironment

PACKAGES_FILE: Final = f"{RECORDS}/environment.txt"
LOCK_FILE: Final = f"{RECORDS}/environment.lock.txt"


class Prepared(msgspec.Struct, frozen=True):
    """What a run is started with, on account of its environment."""

    submission: Submission
    """As it is kept: with the interpreter in the command, without passwords."""
    variables: dict[str, str]
    """Everything that the submission sets, and what leads to the environment."""
    files: dict[str, str]
    """Kept with the run, by their names."""
    holds: list[str] = []
    """Files locked as long as the run lives."""

    def keep(self, folder: Path) -> None:
        """Write the files into the folder of the run.

        Raises:
            StorageError: They cannot be written.
        """
        with storage_errors(folder):
            (folder / RECORDS).mkdir(exist_ok=True)
            for name, text in self.files.items():
                (folder / name).write_text(text, encoding="utf-8")


class EnvironmentService:
    """Prepares environments, which all workspaces of a user have in common.

    Args:
        folder: Where they are.
        uv: The uv to use; empty for the one beside Headway, or else on the PATH.
        environment: The variables of this process, which programs inherit.
        say: Told in a line what takes time.
    """

    def __init__(
        self, folder: Path, uv: str, environment: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._uv = uv
        self._environment = environment
        self._say = say

    @contextmanager
    def prepared(self, submission: Submission) -> Generator[Prepared]:
        """What a submission is started with; its environment is not removed meanwhile.

        Raises:
            InvalidValueError: The environment asked for makes no sense.
            ConfigurationError: uv is missing.
            SubmissionError: It cannot be made.
        """
        spec = submission.environment
        if spec is None:
            yield self._as_it_is(submission)
            return
        from headway.environments.store import EnvironmentStore  # noqa: PLC0415  (brings uv)

        store = EnvironmentStore(self._folder, uv=self._uv, environment=self._environment)
        built, pin = store.hold(spec, progress=self._say)
        try:
            yield self._in(submission, spec, built, store.describe(built))
        finally:
            if pin is not None:
                os.close(pin)

    def _as_it_is(self, submission: Submission) -> Prepared:
        """For the Python of the submitter, or whichever a command of the shell finds."""
        search = {**self._environment, **submission.environment_variables}.get("PATH")
        found = shutil.which("python", path=search)
        python = sys.executable if sys.executable in submission.command else found
        return Prepared(
            submission=submission,
            variables=dict(submission.environment_variables),
            files={} if python is None else {PACKAGES_FILE: self._described(Path(python))},
        )

    def _described(self, python: Path) -> str:
        try:
            record = describe(python, self._folder / "described", self._environment)
        except SubmissionError as error:  # whether the program needs it is not known here
            return "".join(f"# {line}\n" for line in error.message.splitlines())
        return _packages_text(record)

    def _in(
        self,
        submission: Submission,
        spec: EnvironmentSpec,
        built: "BuiltEnvironment",
        record: EnvironmentRecord,
    ) -> Prepared:
        command = _in_its_python(submission, built.python)
        kept = replace(submission, command=command, environment=_without_passwords(spec))
        files = {PACKAGES_FILE: _packages_text(record, spec.name, built.key)}
        if built.lock:
            files[LOCK_FILE] = masked(built.lock)
        return Prepared(
            submission=kept,
            variables=self._variables(submission, spec, built, record),
            files=files,
            holds=[] if built.guard is None else [str(built.guard)],
        )

    def _variables(
        self,
        submission: Submission,
        spec: EnvironmentSpec,
        built: "BuiltEnvironment",
        record: EnvironmentRecord,
    ) -> dict[str, str]:
        given = {**spec.environment_variables, **submission.environment_variables}
        inherited = {**self._environment, **given}
        found = built.variables(inherited.get("PATH", ""))
        if not _has_headway(record):
            self._note_another_python(spec, record)
            from headway.environments.visible import way_to_headway  # noqa: PLC0415  (seldom)

            way = str(way_to_headway(self._folder / "visible"))
            before = inherited.get("PYTHONPATH")
            found["PYTHONPATH"] = f"{before}{os.pathsep}{way}" if before else way
        return {**given, **found}

    def _note_another_python(self, spec: EnvironmentSpec, record: EnvironmentRecord) -> None:
        own = "{}.{}".format(*sys.version_info[:2])
        if f"{record.python_version}.".startswith(f"{own}."):
            return
        self._say(
            f"note: environment {spec.name!r} has Python {record.python_version}: for headway to "
            f"be importable in it, ask for Python {own}, or add headway to its requirements"
        )


def _in_its_python(submission: Submission, python: Path) -> list[str]:
    """The command with the interpreter of the submitter replaced by that of the environment."""
    command = list(submission.command)
    if submission.script not in command:
        return command  # a shell's, which finds the interpreter on the PATH
    before = command.index(submission.script)
    return [
        str(python) if word == sys.executable and place < before else word
        for place, word in enumerate(command)
    ]


def _without_passwords(spec: EnvironmentSpec) -> EnvironmentSpec:
    return replace(
        spec,
        pip_requirements=[masked(line) for line in spec.pip_requirements],
        pip_options=[masked(line) for line in spec.pip_options],
        pip_constraints=[masked(line) for line in spec.pip_constraints],
        channels=[masked(line) for line in spec.channels],
    )


def _has_headway(record: EnvironmentRecord) -> bool:
    return any(line.lower().startswith("headway==") for line in record.packages)


def _packages_text(record: EnvironmentRecord, name: str = "", key: str = "") -> str:
    """What a program ran in, as a requirements file."""
    lines = [f"# {record.implementation} {record.python_version} on {record.platform}"]
    lines.append(f"# {record.python}")
    if key:
        lines.append(f"# environment {name!r}, made by Headway as {key}")
    return "".join(f"{line}\n" for line in lines) + record.packages_text
