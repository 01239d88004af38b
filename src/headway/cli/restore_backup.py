"""``headway restore-backup``: make a workspace of a backup."""

from pathlib import Path

import click
import msgspec

from headway.cli import times
from headway.cli.call import Call, shared_options
from headway.cli.counts import counted
from headway.cli.output import say, write, write_json
from headway.cli.progress import Progress
from headway.transfer.restoring import restore
from headway.transfer.vault import Vault


@click.command(name="restore-backup")
@click.argument("backup", type=click.Path(path_type=Path, file_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--at", "name", metavar="NAME", help="Which backup; its beginning. Default: newest.")
@shared_options
@click.pass_obj
def command(call: Call, backup: Path, folder: Path, name: str | None) -> int:
    """Make a workspace in FOLDER, which must be empty, of what 'headway backup' wrote to BACKUP.

    Every file is checked. Runs that were going on when the backup was made are Failed here.
    """
    vault = Vault(backup.absolute())
    manifest = vault.load(name)
    with Progress("restoring", "file") as progress:
        restored = restore(
            vault, manifest, folder.absolute(), clock=times.now, progress=progress.at
        )
    if call.json:
        write_json({"folder": str(folder.absolute()), **msgspec.to_builtins(restored)})
        return 0
    write(str(folder.absolute()))
    say(
        f"headway: {counted(restored.runs, 'run')} and {counted(restored.files, 'file')} of "
        f"{times.size(restored.size_bytes)}, as they were on {times.moment(manifest.created_at)}"
    )
    if restored.ended:
        say(f"headway: now Failed: {counted(len(restored.ended), 'run')} going on then")
    return 0
