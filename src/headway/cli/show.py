"""``headway show``: all about one run."""

import shlex

import click
from rich.text import Text

from headway.api import Api, pages
from headway.cli import tables, times
from headway.cli.call import Call, shared_options
from headway.cli.documents import (
    event_document,
    file_document,
    run_document,
    summary_document,
)
from headway.cli.listing import own_name
from headway.cli.opening import find_run, open_workspace
from headway.cli.output import printable, write_json
from headway.cli.summaries import own_first, print_summaries
from headway.cli.tables import Column, print_pairs, print_table, print_title
from headway.model import MetricQuery, Run, RunQuery, Status


@click.command(name="show")
@click.argument("run")
@click.option("--experiment", "-e", help="Where @N and latest look.")
@shared_options
@click.pass_obj
def command(call: Call, run: str, experiment: str | None) -> int:
    """Show all about RUN: where it stands, tags, properties, metrics, files, what happened."""
    workspace = open_workspace(call)
    found = find_run(workspace.api, run, experiment)
    children = _children(workspace.api, found)
    if call.json:
        write_json(_document(workspace.api, found, children))
    else:
        _print(workspace.api, found, children)
    return 0


def _children(api: Api, run: Run) -> dict[Status, int]:
    """The direct children by status."""
    counts: dict[Status, int] = {}
    for page in pages(api.runs, RunQuery(parent_id=run.id, include_children=True, limit=5000)):
        for child in page.runs:
            counts[child.status] = counts.get(child.status, 0) + 1
    return counts


def _document(api: Api, run: Run, children: dict[Status, int]) -> dict[str, object]:
    summaries = own_first(api.metrics.summarize(MetricQuery(run_id=run.id)))
    return {
        **run_document(run),
        "metrics": [summary_document(one) for one in summaries],
        "files": [file_document(one) for one in api.files.list(run.id)],
        "events": [event_document(one) for one in api.runs.events(run.id)],
        "children": {str(status): count for status, count in children.items()},
    }


def _print(api: Api, run: Run, children: dict[Status, int]) -> None:
    print_pairs(_facts(run, children))
    if run.error is not None and run.error.debug_stack_trace:
        print_title("Error")
        tables.console().print(Text(printable(run.error.debug_stack_trace.rstrip())))
    _print_labels("Tags", run.tags)
    _print_labels("Properties", run.properties)
    summaries = own_first(api.metrics.summarize(MetricQuery(run_id=run.id)))
    if summaries:
        print_title("Metrics")
        print_summaries(summaries, indent=2)
    files = api.files.list(run.id)
    if files:
        print_title("Files")
        rows = [[entry.path, times.size(entry.size_bytes)] for entry in files]
        print_table([Column("NAME"), Column("SIZE", right=True)], rows, indent=2)
    print_title("Events")
    _print_events(api, run)


def _facts(run: Run, children: dict[Status, int]) -> list[tuple[str, str | Text]]:
    now = times.now()
    status = tables.status_text(run.status)
    if run.error is not None:
        status.append(f": {printable(run.error.message)}", style="default")
        status.append(f" ({run.error.code})")
    facts: list[tuple[str, str | Text | None]] = [
        ("Run", run.id),
        ("Name", own_name(run) or None),
        ("Status", status),
        ("Experiment", f"{run.experiment_name} @{run.number}"),
        ("Description", run.description),
        ("Parent", run.parent_id),
        ("Children", _counts(run, children) if children else None),
        ("Created", f"{times.age(run.created_at, now)} ({times.moment(run.created_at)})"),
        ("By", run.created_by or None),
        ("Took", times.took(run, now) if run.started_at is not None else None),
        ("Target", f"{run.target} on {run.host}" if run.host else run.target),
    ]
    if run.deleted_at is not None:
        since = times.age(run.deleted_at, now)
        facts.insert(1, ("In the trash", f"since {since}: headway restore {run.id}"))
    if run.definition is not None:
        facts.append(("Command", shlex.join(run.definition.command)))
        facts.append(("Source", run.definition.source_directory))
    if run.points_lost:
        facts.append(("Lost", f"{run.points_lost} metric points could not be kept"))
    return [(name, value) for name, value in facts if value is not None]


def _counts(run: Run, children: dict[Status, int]) -> str:
    each = ", ".join(f"{count} {status}" for status, count in sorted(children.items()))
    return f"{sum(children.values())} ({each}): headway list --parent {run.id}"


def _print_labels(title: str, given: dict[str, str | None]) -> None:
    if given:
        print_title(title)
        print_pairs([(key, value or "") for key, value in given.items()], indent=2)


def _print_events(api: Api, run: Run) -> None:
    rows = [
        [times.moment(event.at), tables.status_text(event.status), event.actor, event.reason]
        for event in api.runs.events(run.id)
    ]
    columns = [Column("WHEN"), Column("STATUS"), Column("BY"), Column("WHY", shorten=True)]
    print_table(columns, rows, indent=2)
