"""``headway import``: take in what ``headway export`` wrote."""

from pathlib import Path

import click
import msgspec

from headway.cli.call import Call, shared_options
from headway.cli.counts import counted
from headway.cli.opening import open_workspace
from headway.cli.output import say, write_json
from headway.cli.progress import Progress
from headway.transfer.importing import Imported, import_parcel
from headway.transfer.parcel import Parcel

_MOST_SHOWN = 10


@click.command(name="import")
@click.argument("source", type=click.Path(path_type=Path, file_okay=False))
@shared_options
@click.pass_obj
def command(call: Call, source: Path) -> int:
    """Take the export in the folder SOURCE into the workspace.

    Runs keep their ids, numbers, times and events. What is there already is left alone, so an
    import that was interrupted, or is done twice, adds nothing twice. Every file is checked first.
    """
    parcel = Parcel(source.absolute())
    api = open_workspace(call, make=True).api
    with Progress("importing", "row") as progress:

        def show(what: str, done: int, count: int) -> None:
            progress.verb = f"importing {what}"
            progress.at(done, count)

        imported = import_parcel(api, parcel, show)
    if call.json:
        write_json(msgspec.to_builtins(imported))
    else:
        _tell(imported)
    return 0


def _tell(imported: Imported) -> None:
    say(
        f"headway: took in {counted(imported.runs, 'run')}, {counted(imported.points, 'point')}, "
        f"{counted(imported.files, 'file')}"
    )
    if imported.known:
        say(f"headway: {counted(imported.known, 'run')} there before")
    if imported.not_ended:
        say(f"headway: left out {counted(imported.not_ended, 'run')} not ended when exported")
    if imported.orphans:
        say(f"headway: {counted(imported.orphans, 'run')} without a parent, now at the top")
    for conflict in imported.conflicts[:_MOST_SHOWN]:
        say(f"headway: left alone: {conflict}")
    if imported.conflicts[_MOST_SHOWN:]:
        say(f"headway: and {len(imported.conflicts) - _MOST_SHOWN} more")
