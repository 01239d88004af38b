"""``headway diff``: what code changed between two runs."""

import click

from headway.cli.call import Call, shared_options
from headway.cli.opening import find_run, open_workspace
from headway.cli.output import say, write, write_json
from headway.errors import NotFoundError
from headway.model import Run


@click.command(name="diff")
@click.argument("before", metavar="RUN")
@click.argument("after", metavar="RUN")
@click.option("--experiment", "-e", help="Where @N and latest look.")
@shared_options
@click.pass_obj
def command(call: Call, before: str, after: str, experiment: str | None) -> int:
    """Show what changed in the source from the first RUN to the second.

    The output is a patch that git can read; nothing where the sources are the same.
    """
    api = open_workspace(call).api
    old, new = (_snapshot_of(find_run(api, run, experiment)) for run in (before, after))
    lines = list(api.snapshots.diff(old, new))
    if call.json:
        write_json({"before": old, "after": new, "same": old == new, "patch": lines})
    elif not lines:
        say("headway: both runs were made from the same source")
    else:
        for line in lines:
            write(line)
    return 0


def _snapshot_of(run: Run) -> str:
    if run.snapshot_id is None:
        raise NotFoundError(
            f"run {run.id} has no snapshot of its source: submitted scripts have one, other runs "
            "where take_snapshot() was called"
        )
    return run.snapshot_id
