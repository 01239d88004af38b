"""What to run: ``ScriptRunConfig`` and ``RunConfiguration``, and the submission they come to."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar, Final, cast

from headway.errors import InvalidValueError, SubmissionError
from headway.model import EnvironmentSpec, Resources, Submission
from headway.sdk.environments.environment import DEFAULT_NAME, Environment, specification
from headway.sdk.submission import distributed, run_config_files
from headway.sdk.submission.distributed import MpiConfiguration, PyTorchConfiguration
from headway.sdk.submission.run_config_sections import Sections
from headway.sdk.warned import warn
from headway.settings import Settings

if TYPE_CHECKING:
    from headway.sdk.environments.conda_dependencies import CondaDependencies

_HERE: Final = "local"
"""The compute target that is always there: this machine."""

_MAX_DURATION_S: Final = 2592000


class RunConfiguration(Sections):
    """How a program is run, apart from which program it is.

    Attributes:
        script: The program, relative to the source directory.
        command: A shell command instead of a script; empty for none.
        arguments: What the script is given.
        framework: ``PyTorch`` for several processes, with a communicator ``Nccl`` or ``Gloo``.
        communicator: ``IntelMpi`` or ``OpenMpi`` for several processes as MPI numbers them.
        mpi: How many, in that case.
        pytorch: How many, in the other.
        max_run_duration_seconds: When the run is ended as Failed; None for the default.
        node_count: Machines to run on: 1.
        resources: CPU and GPU slots that the run needs, where its compute target has slots:
            ``Resources(cpus=1, gpus=0)``, or a dict with these keys.
        priority: Of runs that wait for the same slots, the one of highest priority comes first;
            None for 0.
        data_references: References to datastores by name, as ``datastore.path(...)`` makes them.
        data: Datasets as inputs by name, as ``dataset.as_named_input(...)`` makes them.
    """

    def __init__(
        self,
        script: str | None = None,
        arguments: Sequence[object] | None = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: "CondaDependencies | None" = None,
        _history_enabled: bool | None = None,
        _path: str | None = None,
        _name: str | None = None,
        command: str | list[str] | None = None,
    ) -> None:
        super().__init__()
        self.script = script
        self.command = command or ""
        self.arguments = arguments or []
        self.framework = framework or "Python"
        self.communicator = communicator or "None"
        self.max_run_duration_seconds: int | None = None
        self.node_count = 1
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.resources: Resources | Mapping[str, int] = Resources()
        self.priority: int | None = None
        self.data_references: dict[str, object] = {}
        self.data: dict[str, object] = {}
        self._target = _HERE
        self._environment_variables: dict[str, str] = {}
        self._unasked = Environment(DEFAULT_NAME)
        self._environment = self._unasked
        if conda_dependencies is not None:
            self._environment.python.conda_dependencies = conda_dependencies

    # ------------------------------------------------------------ files

    @staticmethod
    def load(path: str | PurePath, name: str | None = None) -> "RunConfiguration":
        """The run configuration that ``save`` wrote, or that the matched SDK wrote.

        Args:
            path: The folder that has ``.azureml``, or the file.
            name: What it was saved as.

        Raises:
            NotFoundError: There is none of that name.
            InvalidValueError: It cannot be read.
        """
        config = RunConfiguration()
        run_config_files.read_into(config, path, name)
        return config

    def save(
        self,
        path: str | PurePath | None = None,
        name: str | None = None,
        separate_environment_yaml: bool = False,
    ) -> None:
        """Write it to ``.azureml/<name>.runconfig``.

        Args:
            path: The folder to write ``.azureml`` in; None for the current one.
            name: What to call it; None for ``run_config``.
            separate_environment_yaml: Whether conda packages get a file of their own.
        """
        run_config_files.write(
            self,
            path,
            name,
            with_environment=self.environment_specification(_unheard) is not None,
            separate=separate_environment_yaml,
        )

    @staticmethod
    def delete(path: str | PurePath, name: str) -> None:
        """Remove what ``save`` wrote.

        Raises:
            NotFoundError: There is none of that name.
        """
        run_config_files.delete(path, name)

    # ------------------------------------------------------------

    @property
    def environment(self) -> Environment:
        """The Python and the packages that the program runs with.

        As long as nothing is changed in it, that is the Python that submits, as it is.
        """
        return self._environment

    @environment.setter
    def environment(self, environment: Environment | None) -> None:
        self._environment = self._unasked if environment is None else environment

    def environment_specification(self, say: Callable[[str], None]) -> EnvironmentSpec | None:
        """What its environment asks for; None for the Python that submits, as it is.

        For Headway's own use.
        """
        unasked = self._environment is self._unasked
        return specification(self._environment, say, unasked=unasked)

    @property
    def target(self) -> str:
        """The compute target's name; may be set to a name or to an object that has one."""
        return self._target

    @target.setter
    def target(self, target: object) -> None:
        self._target = target_name(target)

    @property
    def environment_variables(self) -> dict[str, str]:
        """Variables set for the program, beside those of the submitter."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, value: dict[str, str] | None) -> None:
        self._environment_variables = {} if value is None else value

    def __repr__(self) -> str:
        return (
            f"RunConfiguration(script={self.script!r}, command={self.command!r}, "
            f"arguments={self.arguments!r}, target={self.target!r}, "
            f"environment_variables={sorted(self.environment_variables)!r})"
        )


class ScriptRunConfig:
    """A program and its source directory, ready to be submitted.

    Args:
        source_directory: The folder that the program runs in.
        script: The program, relative to the source directory.
        arguments: What it is given; numbers are written as text.
        run_config: How it is run; ``compute_target`` and ``max_run_duration_seconds`` are then
            taken from it, while script, arguments and command given here win over its own.
        compute_target: Where it is run, by name or as an object: ``"local"``, the default, or a
            name that ``ComputeTarget.create`` lets stand for this machine.
        max_run_duration_seconds: When the run is ended as Failed.
        command: A shell command instead of a script; a list is joined with spaces.
        environment: What it runs with; None for the Python that submits, as it is. Taken from
            ``run_config`` where that is given.
        docker_runtime_config: Ignored: the program runs on the machine itself.
        distributed_job_config: Several processes: ``PyTorchConfiguration`` or
            ``MpiConfiguration``.
        resume_from: Refused.
        _telemetry_values: Ignored.
    """

    MAX_DURATION_SECONDS_DEFAULT: ClassVar[int] = _MAX_DURATION_S

    def __init__(
        self,
        source_directory: str | PurePath | None,
        script: str | PurePath | None = None,
        arguments: Sequence[object] | None = None,
        run_config: RunConfiguration | None = None,
        _telemetry_values: object = None,
        compute_target: object = None,
        environment: Environment | None = None,
        distributed_job_config: object = None,
        resume_from: object = None,
        max_run_duration_seconds: int | None = _MAX_DURATION_S,
        command: str | list[str] | None = None,
        docker_runtime_config: object = None,
    ) -> None:
        if resume_from is not None:
            raise InvalidValueError(
                f"resume_from was given as {resume_from!r}: a run is not continued by another; "
                "leave it out"
            )
        if docker_runtime_config is not None:
            _warn_ignored("docker_runtime_config", "the program runs on this machine itself")
        if run_config is None:
            run_config = RunConfiguration()
            run_config.target = compute_target
            run_config.max_run_duration_seconds = max_run_duration_seconds
            run_config.environment = environment
            if distributed_job_config is not None:
                distributed.apply(distributed_job_config, run_config)
        else:
            _check_run_config(run_config)
            for name, given in (
                ("compute_target", compute_target is not None),
                ("environment", environment is not None),
                ("distributed_job_config", distributed_job_config is not None),
                ("max_run_duration_seconds", max_run_duration_seconds != _MAX_DURATION_S),
            ):
                if given:
                    _warn_ignored(name, "run_config was given, which has its own")
        self.source_directory = source_directory
        self.script = script if script is not None else run_config.script
        self.command = command if command is not None else run_config.command or None
        self.arguments = arguments if arguments is not None else run_config.arguments
        self.run_config = run_config

    def __repr__(self) -> str:
        what = f"script={str(self.script)!r}" if self.script else f"command={self.command!r}"
        return (
            f"ScriptRunConfig(source_directory={str(self.source_directory)!r}, {what}, "
            f"arguments={self.arguments!r}, target={self.run_config.target!r})"
        )


def submission(
    config: ScriptRunConfig,
    settings: Settings,
    executable: str = "",
    say: Callable[[str], None] = warn,
) -> Submission:
    """What a configuration comes to, with everything checked that can be.

    Args:
        config: What to run.
        settings: The settings that hold.
        executable: The Python that runs a script; empty for this one.
        say: Told in a line what is left aside.

    Raises:
        InvalidValueError: The configuration does not make sense.
        SubmissionError: The script or its folder cannot be found.
    """
    folder = _source_directory(config.source_directory)
    arguments = _argument_texts(config.arguments)
    if config.script and config.command:
        raise InvalidValueError(
            f"script {str(config.script)!r} and command {config.command!r} were both given: "
            "give one"
        )
    if config.script:
        script = _script_path(folder, config.script)
        command = [executable or sys.executable, script, *arguments]
    elif config.command:
        script = None
        command = _shell_command(config.command, arguments)
    else:
        raise InvalidValueError("neither a script nor a command was given: give one of them")
    run_config = config.run_config
    return Submission(
        command=command,
        source_directory=str(folder),
        script=script,
        arguments=arguments,
        target=target_name(run_config.target),
        processes=distributed.processes_of(run_config),
        environment_variables=_variable_texts(run_config.environment_variables),
        environment=run_config.environment_specification(say),
        max_run_duration_s=_duration_s(run_config.max_run_duration_seconds),
        grace_s=settings.cancel_grace_s,
        resources=_resources(run_config.resources),
        priority=0 if run_config.priority is None else _whole(run_config.priority, "priority"),
    )


def target_name(target: object) -> str:
    """The name of a compute target given by name or as an object; None means the local one."""
    if target is None:
        return _HERE
    name: object = target if isinstance(target, str) else getattr(target, "name", None)
    if isinstance(name, str) and name:
        return name
    raise InvalidValueError(
        f"compute_target was given as {type(target).__name__} {target!r}: give the name of a "
        f"compute target, such as {_HERE!r}, or one of workspace.compute_targets"
    )


def _source_directory(given: object) -> Path:
    if given is None:
        given = "."
    if not isinstance(given, str | PurePath) or not str(given) or "\0" in str(given):
        raise InvalidValueError(
            f"source_directory was given as {type(given).__name__} {given!r}: give a folder"
        )
    folder = Path(given).expanduser().absolute()
    if not folder.is_dir():
        raise SubmissionError(
            f"source directory {folder} doesn't exist or is no folder: give the folder that holds "
            "the script"
        )
    return Path(os.path.normpath(folder))


def _script_path(folder: Path, given: object) -> str:
    """The script, relative to its source directory."""
    if not isinstance(given, str | PurePath) or "\0" in str(given):
        raise InvalidValueError(
            f"script was given as {type(given).__name__} {given!r}: give a path relative to the "
            "source directory"
        )
    path = Path(os.path.normpath(folder / given))
    if not path.is_file():
        raise SubmissionError(
            f"{path} script path doesn't exist. The script should be inside the project folder"
        )
    if not path.is_relative_to(folder):
        raise SubmissionError(
            f"{path} is outside the source directory {folder}. The script should be inside the "
            "project folder"
        )
    return str(path.relative_to(folder))


def _shell_command(given: object, arguments: list[str]) -> list[str]:
    parts: object = [given] if isinstance(given, str) else given
    if not isinstance(parts, list | tuple):
        raise InvalidValueError(
            f"command was given as {type(given).__name__} {given!r}: give a string or a list"
        )
    if arguments:
        raise InvalidValueError(
            f"arguments {arguments!r} go with a script: write them into the command"
        )
    text = " ".join(_argument_texts(cast("object", parts), "command"))
    return ["/bin/sh", "-c", text]


def _argument_texts(given: object, kind: str = "arguments") -> list[str]:
    if given is None:
        return []
    if not isinstance(given, list | tuple):
        raise InvalidValueError(
            f"{kind} were given as {type(given).__name__} {given!r}: give a list, such as "
            "['--lr', 0.1]"
        )
    return [_argument_text(kind, one) for one in cast("Iterable[object]", given)]


def _argument_text(kind: str, one: object) -> str:
    text = str(one)
    if one is None or isinstance(one, list | tuple | dict | set | bytes) or "\0" in text:
        raise InvalidValueError(
            f"{kind} hold {one!r}: give strings, numbers or paths, each an item of the list"
        )
    return text


def _variable_texts(given: object) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise InvalidValueError(
            f"environment_variables were given as {type(given).__name__} {given!r}: give a dict"
        )
    texts: dict[str, str] = {}
    for name, value in cast("Mapping[object, object]", given).items():
        if not isinstance(name, str) or not name or "=" in name or "\0" in name:
            raise InvalidValueError(
                f"environment variable {name!r} is not accepted: give a name without '='"
            )
        texts[name] = _argument_text(f"the value of environment variable {name}", value)
    return texts


def _duration_s(given: object) -> float:
    if given is None:
        return float(_MAX_DURATION_S)
    if isinstance(given, int | float) and not isinstance(given, bool) and given > 0:
        return float(given)
    raise InvalidValueError(
        f"max_run_duration_seconds was given as {given!r}: give a number of seconds above 0"
    )


def _resources(given: object) -> Resources:
    if isinstance(given, Resources):
        fields: Mapping[object, object] = {"cpus": given.cpus, "gpus": given.gpus}
    elif isinstance(given, Mapping):
        fields = cast("Mapping[object, object]", given)
    else:
        fields = {None: given}
    if not fields.keys() <= {"cpus", "gpus"}:
        raise InvalidValueError(
            f"resources were given as {given!r}: give Resources(cpus=1, gpus=0), or a dict with "
            "these keys"
        )
    return Resources(
        cpus=_whole(fields.get("cpus", 1), "resources: cpus"),
        gpus=_whole(fields.get("gpus", 0), "resources: gpus"),
    )


def _whole(given: object, name: str) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise InvalidValueError(f"{name} was given as {given!r}: give a whole number")


def _check_run_config(given: object) -> None:
    if not isinstance(given, RunConfiguration):
        raise InvalidValueError(
            f"run_config was given as {type(given).__name__} {given!r}: give a RunConfiguration"
        )


def _unheard(_: str) -> None:
    """What an environment leaves aside is said when it is submitted."""


def _warn_ignored(name: str, why: str) -> None:
    warn(f"{name} is ignored: {why}")
