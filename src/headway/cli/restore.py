"""``headway restore``: take runs out of the trash."""

import click

from headway.cli.call import Call, shared_options
from headway.cli.opening import find_deleted_run, open_workspace
from headway.cli.output import say, write, write_json


@click.command(name="restore")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@shared_options
@click.pass_obj
def command(call: Call, runs: tuple[str, ...]) -> int:
    """Take each RUN out of the trash, with the runs that went there with it.

    RUN is an id or the beginning of one; 'headway trash' shows them.
    """
    api = open_workspace(call).api
    back = api.runs.restore([find_deleted_run(api, run).id for run in runs])
    if call.json:
        write_json({"restored": back})
        return 0
    for run_id in back:
        write(f"{run_id}: restored")
    if not back:
        say("headway: nothing to restore: none of them is in the trash")
    return 0
