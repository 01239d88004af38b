"""``headway gc``: apply the retention rules, and remove what nobody needs."""

from typing import Final

import click
import msgspec

from headway.cli import times
from headway.cli.call import Call, shared_options
from headway.cli.opening import open_workspace
from headway.cli.output import say, write_json
from headway.cli.tables import Column, print_table

_MEANINGS: Final = {
    "retention": "runs that the rules send to the trash",
    "purged runs": "files of runs whose purge was interrupted",
    "run folders": "folders of submissions that were interrupted",
    "uploads": "files that were interrupted on their way in",
    "assets": "files that no model or dataset has",
    "snapshots": "source code that no run has",
    "journals": "metrics of runs that are not there",
    "journal names": "names in journals of runs that ended long ago",
    "owner locks": "lock files of processes that are gone",
}


@click.command(name="gc")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@shared_options
@click.pass_obj
def command(call: Call, dry_run: bool) -> int:
    """Apply the retention rules, and remove what no run and no model needs any more.

    What is younger than a day stays, so this is safe while others write. Runs go to the trash
    only: 'headway purge' removes them for good.
    """
    found = open_workspace(call).api.upkeep.collect(dry_run=dry_run)
    if call.json:
        write_json({"dry_run": dry_run, "garbage": [msgspec.to_builtins(one) for one in found]})
        return 0
    if found:
        columns = [
            Column("KIND"),
            Column("COUNT", right=True),
            Column("SIZE", right=True),
            Column("WHAT", shorten=True, drop=1),
            Column("FIRST", shorten=True, drop=2),
        ]
        rows = [
            [
                one.kind,
                str(one.count),
                times.size(one.size_bytes),
                _MEANINGS.get(one.kind, ""),
                ", ".join(one.examples[:1]),
            ]
            for one in found
        ]
        print_table(columns, rows)
    if not found:
        say("headway: nothing to collect")
    elif dry_run:
        say("headway: nothing was changed; without --dry-run this goes")
    return 0
