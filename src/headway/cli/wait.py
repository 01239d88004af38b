"""``headway wait``: wait until runs have ended."""

import time
from typing import Final

import click

from headway.api import Api
from headway.cli.call import Call, shared_options
from headway.cli.cancel import STILL_GOING
from headway.cli.documents import run_document
from headway.cli.opening import find_run, open_workspace
from headway.cli.output import write, write_json
from headway.cli.streaming import INTERRUPTED, WATCH_S, ending, exit_code, say_after_interrupt
from headway.model import Run
from headway.sdk.runs.following import LOG_NAME

_FAR: Final = 1 << 62
"""An offset that no log reaches: only the end of the run is waited for."""


@click.command(name="wait")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0), metavar="S", help="Longest wait."
)
@click.option("--experiment", "-e", help="Where @N and latest look.")
@shared_options
@click.pass_obj
def command(
    call: Call, runs: tuple[str, ...], timeout_s: float | None, experiment: str | None
) -> int:
    """Wait until every RUN has ended.

    The exit code is 0 if all completed, 7 if one failed or was canceled, 124 if the time was over
    before. Ctrl-C leaves the runs alone.
    """
    api = open_workspace(call).api
    found = [find_run(api, run, experiment) for run in runs]
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    ended: list[Run] = []
    try:
        for run in found:
            ended.append(_wait(api, run, deadline))
            if not call.json:
                write(f"{run.id}: {_words(ended[-1])}")
    except KeyboardInterrupt:
        say_after_interrupt("headway: stopped waiting; the runs go on")
        return INTERRUPTED
    if call.json:
        write_json([run_document(run) for run in ended])
    if not all(run.status.ended for run in ended):
        return STILL_GOING
    return max(exit_code(run) for run in ended)


def _wait(api: Api, run: Run, deadline: float | None) -> Run:
    while not run.status.ended:
        left_s = WATCH_S if deadline is None else max(0.0, deadline - time.monotonic())
        timeout_s = min(WATCH_S, left_s)
        run = api.runs.watch(run.id, log=LOG_NAME, offset=_FAR, timeout_s=timeout_s).run
        if not left_s:
            break
    return run


def _words(run: Run) -> str:
    return ending(run) if run.status.ended else f"still {run.status}, the time is over"
