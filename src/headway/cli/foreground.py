"""``headway run``: any command as a run, in the foreground, as if it had been called directly."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import click

from headway.api import Api
from headway.cli.call import Call, shared_options
from headway.cli.documents import run_document
from headway.cli.opening import labels, open_workspace
from headway.cli.output import say, write_bytes, write_json
from headway.cli.streaming import FAILED, INTERRUPTED, ending, ignore, say_after_interrupt
from headway.cli.submit import DEFAULT_EXPERIMENT
from headway.model import NewRun, Run, Status, Submission
from headway.sdk.handles import Experiment, ScriptRun
from headway.sdk.runs import run_ids
from headway.sdk.runs.following import LOG_NAME

_LOOK_S: Final = 0.2
"""Seconds between two looks for a signal."""
_CANNOT_START: Final = 127
_SIGNALED: Final = 128


@click.command(name="run", context_settings={"allow_interspersed_args": False})
@click.argument("cmd", metavar="[--] CMD...", nargs=-1, type=click.UNPROCESSED, required=True)
@click.option("--experiment", "-e", default=DEFAULT_EXPERIMENT, help="Where the run belongs.")
@click.option("--name", help="Display name of the run.")
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="Tag; may be repeated.")
@shared_options
@click.pass_obj
def command(
    call: Call, cmd: tuple[str, ...], experiment: str, name: str | None, tags: tuple[str, ...]
) -> int:
    """Run CMD here and now as a run, and end with its exit code.

    It runs in the current folder, of which no copy is kept, with no input. What it writes to
    standard output and standard error is kept as the run's log and passed on unchanged to standard
    output. A signal that ends it gives the exit code 128 plus its number.

    Ctrl-C cancels the run and waits for its end; a second Ctrl-C leaves at once. If this command is
    killed, the run goes on.
    """
    workspace = open_workspace(call, make=True)
    home = Experiment(workspace, experiment)
    new = NewRun(
        id=run_ids.submitted_run_id(experiment),
        experiment_id=home.id,
        name=name,
        type=ScriptRun.RUN_TYPE,
        target="local",
        tags=labels("tag", tags),
    )
    what = Submission(
        command=list(cmd),
        source_directory=str(Path.cwd()),
        grace_s=workspace.session.settings.cancel_grace_s,
        in_place=True,
    )
    return _Foreground(call, workspace.api).execute(new, what)


class _Foreground:
    """One run that this process stands for."""

    def __init__(self, call: Call, api: Api) -> None:
        self._call = call
        self._api = api
        self._signal = 0
        """The first signal that asked for the end."""
        self._impatient = False
        self._canceling = False
        """Whether the request to cancel is on record, so that it is safe to leave."""

    def execute(self, new: NewRun, what: Submission) -> int:
        """Run it to its end, whoever brings that about."""
        with self._signals():
            run = self._api.runs.submit(new, what)
            try:
                ended = self._follow(run.id)
            except KeyboardInterrupt:
                say_after_interrupt(
                    f"headway: left run {run.id} while it is being canceled: 'headway show "
                    f"{run.id}' says what became of it"
                )
                return INTERRUPTED
            except BrokenPipeError:
                # Who ran this without headway would have had it end of SIGPIPE.
                self._api.runs.cancel(run.id, wait_s=what.grace_s)
                raise
        return self._report(ended)

    def _follow(self, run_id: str) -> Run:
        offset = 0
        write = ignore if self._call.json else write_bytes
        while True:
            update = self._api.runs.watch(run_id, log=LOG_NAME, offset=offset, timeout_s=_LOOK_S)
            if update.log.data:
                write(update.log.data)
            offset = update.log.next_offset
            if update.run.status.ended and not update.log.data:
                return update.run
            if self._signal and not self._canceling:
                self._cancel(run_id)

    def _cancel(self, run_id: str) -> None:
        self._api.runs.cancel(run_id, wait_s=0)
        self._canceling = True
        if self._impatient:
            raise KeyboardInterrupt
        say_after_interrupt(f"headway: canceling run {run_id}; Ctrl-C again to leave at once")

    def _report(self, run: Run) -> int:
        if self._call.json:
            write_json(run_document(run))
        if run.status is not Status.COMPLETED:
            say(f"headway: run {run.id}: {ending(run)}")
        return _exit_code(run, self._signal)

    @contextmanager
    def _signals(self) -> Generator[None]:
        """Take note of the first signal; let the second one interrupt."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self._canceling:
            raise KeyboardInterrupt
        self._impatient = self._signal != 0
        self._signal = self._signal or number


def _exit_code(run: Run, received: int) -> int:
    """What the shell would have shown for the program itself."""
    if run.status is Status.COMPLETED:
        return 0
    if run.status is Status.CANCELED:
        return _SIGNALED + (received or signal.SIGTERM)
    error = run.error
    if error is None:
        return FAILED
    if error.code == "CannotStart":
        return _CANNOT_START
    if error.signal is not None:
        return _SIGNALED + error.signal
    return error.exit_code or FAILED
