"""``headway submit``: start a script as a run."""

import shlex
from pathlib import Path
from typing import Final, NamedTuple

import click
import msgspec
from msgspec.structs import replace

from headway.cli.call import Call, shared_options
from headway.cli.documents import run_document
from headway.cli.opening import labels, open_workspace, settings_of
from headway.cli.output import say, write, write_bytes, write_json
from headway.cli.streaming import exit_code, follow, ignore, say_end, say_left
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec, NewRun, Resources, Run, Submission
from headway.sdk.environments.environment import Environment
from headway.sdk.handles import Experiment, ScriptRun, Workspace
from headway.sdk.runs import run_ids
from headway.sdk.submission.configuration import RunConfiguration, ScriptRunConfig, submission
from headway.settings import Settings

DEFAULT_EXPERIMENT: Final = "default"


class Order(NamedTuple):
    """What to submit."""

    script: str
    arguments: tuple[str, ...]
    source_dir: str | None
    env: tuple[str, ...]
    grace_s: float | None
    environment: str | None
    python: str | None
    resources: Resources
    priority: int


@click.command(
    name="submit",
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False},
)
@click.argument("script")
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--experiment", "-e", default=DEFAULT_EXPERIMENT, help="Where the run belongs.")
@click.option(
    "--source-dir",
    metavar="DIR",
    help="What is kept and run in. Default: this folder if SCRIPT is in it, else SCRIPT's.",
)
@click.option("--name", help="Display name of the run.")
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="Tag; may be repeated.")
@click.option(
    "--env",
    multiple=True,
    metavar="NAME=VALUE",
    help="Environment variable of the script; may be repeated.",
)
@click.option(
    "--environment",
    metavar="FILE",
    help="Packages to run with, made once: a requirements.txt, or a conda environment .yml.",
)
@click.option(
    "--python",
    metavar="PATH",
    help="The Python to run with, as it is; with --environment, to build upon.",
)
@click.option("--cpus", type=int, default=1, help="CPU slots that it needs, where there are any.")
@click.option("--gpus", type=int, default=0, help="GPU slots that it needs.")
@click.option("--priority", type=int, default=0, help="Higher ones come first in the queue.")
@click.option(
    "--grace", "grace_s", type=float, metavar="S", help="Seconds between SIGTERM and SIGKILL."
)
@click.option("--follow", "-f", "follow_it", is_flag=True, help="Show its log until it has ended.")
@click.option("--wait", "wait_for_it", is_flag=True, help="Wait until it has ended.")
@click.option("--dry-run", is_flag=True, help="Show what would be executed, and start nothing.")
@shared_options
@click.pass_obj
def command(
    call: Call,
    script: str,
    arguments: tuple[str, ...],
    experiment: str,
    source_dir: str | None,
    name: str | None,
    tags: tuple[str, ...],
    env: tuple[str, ...],
    environment: str | None,
    python: str | None,
    cpus: int,
    gpus: int,
    priority: int,
    grace_s: float | None,
    follow_it: bool,
    wait_for_it: bool,
    dry_run: bool,
) -> int:
    """Start SCRIPT as a run, with ARGS, and return; the run goes on.

    The source folder is kept with the run, and the script runs in a copy of it. Options of headway
    stand before SCRIPT; what stands behind it is the script's. The run's id goes to standard
    output. With --wait or --follow the exit code is 0 if the run completed and 7 if it failed or
    was canceled; Ctrl-C leaves it running.
    """
    if call.json and follow_it:
        raise click.UsageError("--json and --follow do not go together: use --wait")
    settings = settings_of(call)
    resources = Resources(cpus=cpus, gpus=gpus)
    order = Order(
        script, arguments, source_dir, env, grace_s, environment, python, resources, priority
    )
    what = _submission(order, settings)
    if dry_run:
        _print_plan(call, what, experiment)
        return 0
    _note_misplaced(arguments)
    workspace = open_workspace(call, make=True)
    run = _start(workspace, what, experiment, name, labels("tag", tags))
    say(f"headway: submitted run {run.number} of experiment {run.experiment_name!r}: {run.id}")
    if follow_it or wait_for_it:
        return _attend(call, workspace, run, show=follow_it)
    if call.json:
        write_json(run_document(run))
    else:
        write(run.id)
        say(f"headway: follow it with 'headway logs -f {run.id}'")
    return 0


def _start(
    workspace: Workspace,
    what: Submission,
    experiment: str,
    name: str | None,
    tags: dict[str, str | None],
) -> Run:
    home = Experiment(workspace, experiment)
    new = NewRun(
        id=run_ids.submitted_run_id(experiment),
        experiment_id=home.id,
        name=name,
        type=ScriptRun.RUN_TYPE,
        target=what.target,
        tags=tags,
    )
    return workspace.api.runs.submit(new, what)


def _attend(call: Call, workspace: Workspace, run: Run, *, show: bool) -> int:
    try:
        ended = follow(workspace.api, run.id, write_bytes if show else ignore)
    except KeyboardInterrupt:
        return say_left(run.id)
    if call.json:
        write_json(run_document(ended))
    elif not show:
        write(ended.id)
    say_end(ended)
    return exit_code(ended)


def _submission(order: Order, settings: Settings) -> Submission:
    folder, script = _source(order)
    run_config = RunConfiguration()
    run_config.environment_variables = _variables(order.env)
    run_config.resources = order.resources
    run_config.priority = order.priority
    if order.environment is not None:
        run_config.environment = _environment(Path(order.environment))
    elif order.python is not None:
        run_config.environment.python.user_managed_dependencies = True
        run_config.environment.python.interpreter_path = order.python
    config = ScriptRunConfig(folder, script, list(order.arguments), run_config)
    what = submission(config, settings, say=_note)
    if what.environment is not None and order.environment is not None:
        what = replace(what, environment=replace(what.environment, interpreter=order.python))
    if order.grace_s is None:
        return what
    if not 0 <= order.grace_s < float("inf"):
        raise InvalidValueError(f"--grace was given as {order.grace_s}: give seconds, 0 or more")
    return replace(what, grace_s=order.grace_s)


def _environment(file: Path) -> Environment:
    """What a file asks for, by the way that it is written."""
    if file.suffix.lower() in {".yml", ".yaml"}:
        return Environment.from_conda_specification(file.stem, file)
    return Environment.from_pip_requirements(file.stem, file)


def _note(what: str) -> None:
    say(f"headway: note: {what}")


def _source(order: Order) -> tuple[str, str]:
    """The source folder, and the script as seen from there."""
    script = Path(order.script).expanduser()
    if order.source_dir is None:
        inside = script.absolute().is_relative_to(Path.cwd()) and ".." not in script.parts
        folder = Path.cwd() if inside else script.absolute().parent
        return str(folder), str(script.absolute())
    folder = Path(order.source_dir).expanduser().absolute()
    from_here = script.absolute()
    if not (folder / script).is_file() and from_here.is_relative_to(folder):
        return str(folder), str(from_here)
    return str(folder), str(script)


def _variables(given: tuple[str, ...]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise InvalidValueError(f"--env {one!r} is not accepted: give NAME=VALUE")
        variables[name] = value
    return variables


def _note_misplaced(arguments: tuple[str, ...]) -> None:
    """An option of ours behind the script is the script's, which may not be what was meant."""
    ours = {name for one in command.params if isinstance(one, click.Option) for name in one.opts}
    for argument in arguments:
        if argument.partition("=")[0] in ours:
            say(
                f"headway: note: {argument} stands behind the script, so the script gets it; "
                "options of headway stand before it"
            )


def _print_plan(call: Call, what: Submission, experiment: str) -> None:
    if call.json:
        write_json({"experiment": experiment, **msgspec.to_builtins(what)})
        return
    lines = {
        "experiment": experiment,
        "source": what.source_directory,
        "command": shlex.join(what.command),
        "target": what.target,
        "grace": f"{what.grace_s:g} s",
    }
    if what.environment is not None:
        lines["environment"] = _words(what.environment)
    for name, value in what.environment_variables.items():
        lines[f"env {name}"] = value
    longest = max(map(len, lines))
    for name, value in lines.items():
        write(f"{name:<{longest}}  {value}")


def _words(environment: EnvironmentSpec) -> str:
    """An environment in a line, without options: an address may hold a password."""
    if environment.user_managed:
        return environment.interpreter or "the Python of the submitter"
    python = environment.interpreter or f"Python {environment.python or 'of the submitter'}"
    packages = len(environment.pip_requirements) + len(environment.conda_dependencies)
    return f"{environment.name!r}: {packages} packages asked for, {python}"
