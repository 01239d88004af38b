"""``headway export``: runs in files of an open format."""

from pathlib import Path

import click
import msgspec

from headway.cli import times
from headway.cli.call import Call, shared_options
from headway.cli.counts import counted
from headway.cli.opening import find_experiment, open_workspace
from headway.cli.output import say, write, write_json
from headway.cli.progress import Progress
from headway.model import RunQuery
from headway.transfer.exporting import Wanted, export
from headway.transfer.formats import FORMATS, Format
from headway.transfer.tables import TABLES


@click.command(name="export")
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option("--format", "form", type=click.Choice(FORMATS), default="parquet", show_default=True)
@click.option("--filter", "condition", metavar="EXPR", default="", help="Only where this holds.")
@click.option("--experiment", "-e", help="Only runs of this experiment.")
@click.option("--metrics/--no-metrics", default=True, help="Points too. Default: yes.")
@click.option("--files/--no-files", default=False, help="The runs' files too. Default: no.")
@shared_options
@click.pass_obj
def command(
    call: Call,
    target: Path,
    form: Format,
    condition: str,
    experiment: str | None,
    metrics: bool,
    files: bool,
) -> int:
    """Write runs, with tags, properties, events and metrics, to the new folder TARGET.

    Children of other runs are among them. 'headway import' takes an export into a workspace.

    \b
    headway export best --filter "metrics.loss < 0.1" --format csv
    """  # noqa: D301  (the mark is for click)
    api = open_workspace(call).api
    group = find_experiment(api, experiment).id if experiment else None
    wanted = Wanted(RunQuery(experiment_id=group, filter=condition), form, metrics, files)
    with Progress("exporting", "run") as progress:
        manifest = export(api, wanted, target.absolute(), clock=times.now, progress=progress.at)
    counts = {name: manifest.rows(table) for name, table in TABLES.items()}
    if call.json:
        left_out = msgspec.to_builtins(manifest.left_out)
        write_json({"folder": str(target.absolute()), "rows": counts, "left_out": left_out})
        return 0
    write(str(target.absolute()))
    size = sum(part.size_bytes for parts in manifest.tables.values() for part in parts)
    text = ", ".join(counted(counts[f"{one}s"], one) for one in ("run", "point", "file"))
    say(f"headway: {text}; tables of {times.size(size)}")
    for what in manifest.left_out:
        say(f"headway: left out {what}")
    return 0
