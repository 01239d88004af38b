"""``headway cancel``: cancel runs, with all their processes."""

from typing import Final

import click

from headway.api import CANCEL_WAIT_S, Api
from headway.cli.call import Call, shared_options
from headway.cli.opening import find_run, open_workspace
from headway.cli.output import write, write_json
from headway.model import CancelOutcome, Run

STILL_GOING: Final = 124


@click.command(name="cancel")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option(
    "--grace", "grace_s", type=float, metavar="S", help="Seconds from SIGTERM to SIGKILL."
)
@click.option(
    "--wait", "wait_s", type=click.FloatRange(min=0), metavar="S", help="Seconds to wait for each."
)
@click.option("--experiment", "-e", help="Where @N and latest look.")
@shared_options
@click.pass_obj
def command(
    call: Call,
    runs: tuple[str, ...],
    grace_s: float | None,
    wait_s: float | None,
    experiment: str | None,
) -> int:
    """Cancel each RUN: SIGTERM first, SIGKILL after the grace period, to all its processes.

    Waits up to 2 seconds for each. A run that has ended is left alone. With --wait the exit code
    is 124 where one has not ended in that time.
    """
    api = open_workspace(call).api
    found = [find_run(api, run, experiment) for run in runs]
    patience_s = CANCEL_WAIT_S if wait_s is None else wait_s
    if len(found) > 1:  # so that all have their grace at the same time
        for run in found:
            api.runs.cancel(run.id, grace_s=grace_s, wait_s=0)
    outcomes = [(run, _cancel(api, run, grace_s, patience_s)) for run in found]
    if call.json:
        write_json([{"run_id": run.id, "outcome": str(outcome)} for run, outcome in outcomes])
    else:
        for run, outcome in outcomes:
            write(f"{run.id}: {_words(run, outcome)}")
    late = any(outcome is CancelOutcome.CANCEL_REQUESTED for _, outcome in outcomes)
    return STILL_GOING if late and wait_s is not None else 0


def _cancel(api: Api, run: Run, grace_s: float | None, wait_s: float) -> CancelOutcome:
    outcome = api.runs.cancel(run.id, grace_s=grace_s, wait_s=wait_s)
    if outcome is CancelOutcome.ALREADY_ENDED and not run.status.ended:
        ended = api.runs.get(run.id)  # between our first word and the second
        return CancelOutcome.CANCELED if ended.status == CancelOutcome.CANCELED else outcome
    return outcome


def _words(run: Run, outcome: CancelOutcome) -> str:
    if outcome is CancelOutcome.CANCELED:
        return "canceled, no process is left"
    if outcome is CancelOutcome.CANCEL_REQUESTED:
        return "asked to cancel; the program still has its grace period"
    if run.status.ended:
        return f"had ended before ({run.status}), nothing was done"
    return "ended by itself before it could be canceled"
