"""``headway list``: which runs there are."""

from typing import Final

import click
from rich.text import Text

from headway.cli import times
from headway.cli.call import Call, shared_options
from headway.cli.documents import run_document
from headway.cli.opening import find_experiment, find_run, labels, open_workspace
from headway.cli.output import say, write_json
from headway.cli.tables import Column, print_table, status_text
from headway.model import Run, RunQuery
from headway.sdk.workspaces.queries import Listing, matching, run_query

_LIMIT: Final = 50


@click.command(name="list")
@click.option("--experiment", "-e", help="Only runs of this experiment.")
@click.option(
    "--status", "-s", "statuses", multiple=True, help="Only runs with this status; may be repeated."
)
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="Only with this tag.")
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="KEY[=VALUE]",
    help="Only with this property.",
)
@click.option("--filter", "condition", metavar="EXPR", help="Only where this holds.")
@click.option("--order-by", metavar="FIELD [desc]", help="Default: newest first.")
@click.option("--parent", metavar="RUN", help="Only the children of this run.")
@click.option("--all", "with_children", is_flag=True, help="Children of other runs too.")
@click.option(
    "--limit", "-n", type=click.IntRange(min=0), default=_LIMIT, help="Most runs; 0 for all."
)
@shared_options
@click.pass_obj
def command(
    call: Call,
    experiment: str | None,
    statuses: tuple[str, ...],
    tags: tuple[str, ...],
    properties: tuple[str, ...],
    condition: str | None,
    order_by: str | None,
    parent: str | None,
    with_children: bool,
    limit: int,
) -> int:
    """List runs, newest first, 50 at most unless --limit says otherwise.

    \b
    headway list --status failed --status canceled
    headway list --filter "metrics.loss < 0.1 and created > '2 days ago'"
    headway list --order-by "min(metrics.loss)" --limit 5
    """  # noqa: D301  (the mark is for click)
    api = open_workspace(call).api
    listing = Listing(
        status=list(statuses) or None,
        include_children=with_children,
        filter=condition,
        order_by=order_by,
        limit=limit + 1 if limit else None,
    )
    query = run_query(
        listing,
        experiment_id=find_experiment(api, experiment).id if experiment else None,
        parent_id=find_run(api, parent, experiment).id if parent else None,
    )
    query = _with_labels(query, tags, properties)
    found = list(matching(api.runs, query, limit + 1 if limit else None))
    more = bool(limit) and len(found) > limit
    found = found[:limit] if limit else found
    if call.json:
        write_json([run_document(run) for run in found])
    elif found:
        _print(found, experiment)
    else:
        say(_nothing_found(query))
    if more:
        say(f"headway: these are the first {limit}; --limit 0 shows all")
    return 0


def _with_labels(query: RunQuery, tags: tuple[str, ...], properties: tuple[str, ...]) -> RunQuery:
    from_tags, from_properties = labels("tag", tags), labels("property", properties)
    return RunQuery(
        experiment_id=query.experiment_id,
        parent_id=query.parent_id,
        include_children=query.include_children,
        statuses=query.statuses,
        filter=query.filter,
        order_by=query.order_by,
        limit=query.limit,
        tags={key: value for key, value in from_tags.items() if value is not None},
        has_tags=[key for key, value in from_tags.items() if value is None],
        properties={key: value for key, value in from_properties.items() if value is not None},
        has_properties=[key for key, value in from_properties.items() if value is None],
    )


def _nothing_found(query: RunQuery) -> str:
    if query == RunQuery(limit=query.limit):
        return "headway: no runs yet: start one with 'headway submit', or see 'headway demo'"
    return "headway: no run fits"


def _print(found: list[Run], experiment: str | None) -> None:
    now = times.now()
    columns = [
        Column("RUN"),
        Column("EXPERIMENT", shorten=True, drop=2),
        Column("#", right=True, drop=4),
        Column("STATUS"),
        Column("CREATED"),
        Column("TOOK", right=True),
        Column("NAME", shorten=True, drop=3),
        Column("TAGS", shorten=True, drop=1),
    ]
    rows = [_row(run, now) for run in found]
    empty = {
        index
        for index in range(len(columns))
        if not any(map(str, (row[index] for row in rows))) or (index == 1 and experiment)
    }
    print_table(
        [column for index, column in enumerate(columns) if index not in empty],
        [[cell for index, cell in enumerate(row) if index not in empty] for row in rows],
    )


def _row(run: Run, now: int) -> list[str | Text]:
    return [
        run.id,
        run.experiment_name,
        str(run.number),
        status_text(run.status),
        times.age(run.created_at, now),
        times.took(run, now),
        own_name(run),
        ", ".join(key if value is None else f"{key}={value}" for key, value in run.tags.items()),
    ]


def own_name(run: Run) -> str:
    """The run's display name, if somebody gave it one."""
    return "" if run.name == f"run_{run.id}" else run.name
