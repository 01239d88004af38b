"""``headway delete``: put runs into the trash."""

from collections.abc import Iterator, Sequence
from itertools import islice

import click

from headway.api import Api, pages
from headway.cli.call import Call, shared_options
from headway.cli.opening import find_experiment, find_run, open_workspace
from headway.cli.output import say, write, write_json
from headway.model import Run, RunQuery

_AT_ONCE = 100


@click.command(name="delete")
@click.argument("runs", metavar="RUN...", nargs=-1)
@click.option("--filter", "condition", metavar="EXPR", help="Every ended run where this holds.")
@click.option("--experiment", "-e", help="Where @N and latest look, and --filter.")
@click.option("--dry-run", is_flag=True, help="Only say which runs would go.")
@shared_options
@click.pass_obj
def command(
    call: Call,
    runs: tuple[str, ...],
    condition: str | None,
    experiment: str | None,
    dry_run: bool,
) -> int:
    """Put each RUN into the trash, with all runs below it.

    Lists leave it out from then on; it is still found by its id. 'headway restore' brings it back,
    'headway purge' removes it for good and frees its space. A run that has not ended is refused.

    \b
    headway delete --experiment trials --filter "status = 'Failed' and created < '30 days ago'"
    """  # noqa: D301  (the mark is for click)
    if bool(runs) == (condition is not None):
        raise click.UsageError("give runs or --filter, one of them")
    api = open_workspace(call).api
    if condition is None:
        wanted = [find_run(api, run, experiment) for run in runs]
        going, living = wanted, list[Run]()
    else:
        wanted = _matching(api, condition, experiment)
        going = [run for run in wanted if run.status.ended]
        living = [run for run in wanted if not run.status.ended]
    gone = [run.id for run in going] if dry_run else _delete(api, [run.id for run in going])
    _tell(call, gone, living, dry_run=dry_run)
    return 0


def _matching(api: Api, condition: str, experiment: str | None) -> list[Run]:
    group = find_experiment(api, experiment).id if experiment else None
    query = RunQuery(experiment_id=group, filter=condition, limit=1000)
    return [run for page in pages(api.runs, query) for run in page.runs]


def _delete(api: Api, run_ids: Sequence[str]) -> list[str]:
    return [run_id for part in batches(run_ids, _AT_ONCE) for run_id in api.runs.delete(part)]


def batches(run_ids: Sequence[str], size: int) -> Iterator[list[str]]:
    """So many at a time."""
    rest = iter(run_ids)
    while part := list(islice(rest, size)):
        yield part


def _tell(call: Call, gone: list[str], living: list[Run], *, dry_run: bool) -> None:
    if call.json:
        write_json({"deleted": gone, "kept": [run.id for run in living], "dry_run": dry_run})
    else:
        for run_id in gone:
            write(f"{run_id}: {'would go to the trash' if dry_run else 'in the trash'}")
    if living:
        say(f"headway: {len(living)} that have not ended stay")
    if not gone:
        say("headway: nothing to delete: no ended run fits, or all are in the trash")
    elif not dry_run:
        say("headway: 'headway restore RUN' brings back, 'headway purge' frees the space")
