"""``headway purge``: remove runs of the trash for good."""

import sys
from typing import Final

import click
import msgspec
from msgspec.structs import replace

from headway.api import Api
from headway.cli import times
from headway.cli.ages import Age
from headway.cli.call import Call, shared_options
from headway.cli.counts import counted
from headway.cli.opening import find_deleted_run, open_workspace
from headway.cli.output import say, write, write_json
from headway.cli.progress import Progress
from headway.upkeep import Purged, PurgeOrder

_AT_ONCE: Final = 20
_ALL: Final = 1_000_000_000


@click.command(name="purge")
@click.argument("runs", metavar="RUN...", nargs=-1)
@click.option(
    "--older-than", "older_than_s", type=Age(), help="Only what has been in the trash so long."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask on a terminal.")
@click.option(
    "--compact", is_flag=True, help="Make the database file smaller too; writers wait meanwhile."
)
@shared_options
@click.pass_obj
def command(
    call: Call,
    runs: tuple[str, ...],
    older_than_s: float | None,
    dry_run: bool,
    yes: bool,
    compact: bool,
) -> int:
    """Remove runs of the trash for good, all of them or each RUN, and say what that freed.

    Their points, files, logs and working directories go, and what no other run has of their
    source. A run that some process still writes to stays. Room in the database is used again by
    what comes next; --compact gives it back to the disk.
    """
    if runs and older_than_s is not None:
        raise click.UsageError("give runs or --older-than, not both")
    api = open_workspace(call).api
    order = PurgeOrder(
        run_ids=[find_deleted_run(api, run).id for run in runs],
        older_than_s=older_than_s or 0.0,
        limit=_AT_ONCE,
        dry_run=dry_run,
        compact=compact,
    )
    if not (dry_run or yes) and sys.stdin.isatty() and _is_declined(api, order):
        say("headway: nothing was removed")
        return 0
    purged = _purge(api, replace(order, limit=_ALL) if dry_run else order)
    if call.json:
        write_json({**msgspec.to_builtins(purged), "dry_run": dry_run})
    else:
        _print(purged, dry_run=dry_run)
    return 0


def _is_declined(api: Api, order: PurgeOrder) -> bool:
    planned = api.upkeep.purge(replace(order, dry_run=True, limit=_ALL))
    question = f"Remove {counted(len(planned.run_ids), 'run')} for good ({_freed(planned)})?"
    return bool(planned.run_ids) and not click.confirm(question, err=True)


def _purge(api: Api, order: PurgeOrder) -> Purged:
    """Call after call, so that none takes long."""
    total = Purged([])
    with Progress("purging", "run") as progress:
        while True:
            part = api.upkeep.purge(order)
            total = _sum(total, part)
            progress.at(len(total.run_ids), None)
            if not part.left:
                return total
            if order.run_ids:
                gone = {*total.run_ids}  # children that were named went with their parent
                rest = [one for one in order.run_ids[order.limit :] if one not in gone]
                if not rest:
                    return total
                order = replace(order, run_ids=rest)
            elif part.kept:  # they stay at the front of the queue: look beyond them
                order = replace(order, limit=order.limit + len(part.kept))


def _sum(one: Purged, other: Purged) -> Purged:
    return Purged(
        run_ids=[*one.run_ids, *other.run_ids],
        rows=one.rows + other.rows,
        database_bytes=one.database_bytes + other.database_bytes,
        file_bytes=one.file_bytes + other.file_bytes,
        snapshots=one.snapshots + other.snapshots,
        snapshot_bytes=one.snapshot_bytes + other.snapshot_bytes,
        compacted_bytes=one.compacted_bytes + other.compacted_bytes,
        kept=list(dict.fromkeys([*one.kept, *other.kept])),
    )


def _print(purged: Purged, *, dry_run: bool) -> None:
    if not purged.run_ids and not purged.kept:
        say("headway: nothing to purge: no such run is in the trash")
    else:
        verb = "would remove" if dry_run else "removed"
        write(f"{verb} {counted(len(purged.run_ids), 'run')}: {_freed(purged)}")
    if purged.snapshots:
        write(f"source code of no other run: {times.size(purged.snapshot_bytes)}")
    if purged.compacted_bytes:
        write(f"the database file is smaller by {times.size(purged.compacted_bytes)}")
    for run_id in purged.kept:
        say(f"headway: {run_id} stays: a process still writes to it")


def _freed(purged: Purged) -> str:
    return (
        f"{times.size(purged.file_bytes)} of files, {counted(purged.rows, 'row')} with "
        f"{times.size(purged.database_bytes)} in the database"
    )
