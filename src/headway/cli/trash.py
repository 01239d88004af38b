"""``headway trash``: what was deleted and not yet purged."""

from typing import Final

import click

from headway.cli import times
from headway.cli.call import Call, shared_options
from headway.cli.documents import run_document
from headway.cli.listing import own_name
from headway.cli.opening import open_workspace
from headway.cli.output import say, write_json
from headway.cli.tables import Column, print_table, status_text
from headway.model import Run, RunQuery
from headway.sdk.workspaces.queries import matching

_LIMIT: Final = 50


@click.command(name="trash")
@click.option("--filter", "condition", metavar="EXPR", default="", help="Only where this holds.")
@click.option(
    "--limit", "-n", type=click.IntRange(min=0), default=_LIMIT, help="Most runs; 0 for all."
)
@shared_options
@click.pass_obj
def command(call: Call, condition: str, limit: int) -> int:
    """List the runs in the trash, newest first."""
    api = open_workspace(call).api
    query = RunQuery(deleted=True, include_children=True, filter=condition)
    found = list(matching(api.runs, query, limit + 1 if limit else None))
    more = bool(limit) and len(found) > limit
    found = found[:limit] if limit else found
    if call.json:
        write_json([run_document(run) for run in found])
    elif found:
        _print(found)
    else:
        say("headway: the trash is empty" if not condition else "headway: no run fits")
    if more:
        say(f"headway: these are the first {limit}; --limit 0 shows all")
    return 0


def _print(found: list[Run]) -> None:
    now = times.now()
    columns = [
        Column("RUN"),
        Column("EXPERIMENT", shorten=True, drop=1),
        Column("STATUS"),
        Column("CREATED"),
        Column("DELETED"),
        Column("NAME", shorten=True, drop=2),
    ]
    rows = [
        [
            run.id,
            run.experiment_name,
            status_text(run.status),
            times.age(run.created_at, now),
            times.age(run.deleted_at, now),
            own_name(run),
        ]
        for run in found
    ]
    print_table(columns, rows)
