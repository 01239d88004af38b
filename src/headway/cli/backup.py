"""``headway backup``: copy a workspace while it is used, or check such copies."""

from contextlib import closing
from pathlib import Path
from typing import Final

import click

from headway.cli import times
from headway.cli.call import Call, shared_options
from headway.cli.counts import counted
from headway.cli.opening import embedded_folder, settings_of
from headway.cli.output import say, write, write_json
from headway.cli.progress import Progress
from headway.hosting.layout import Layout
from headway.service.workspace import open_workspace
from headway.store.sqlite import SqliteDatabase
from headway.transfer.backup import Report, back_up
from headway.transfer.vault import Vault

_DAMAGED: Final = 8
_KEEP: Final = 3
_MOST_SHOWN: Final = 10


@click.command(name="backup")
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--keep",
    metavar="N",
    type=click.IntRange(min=1),
    default=_KEEP,
    show_default=True,
    help="Newest backups that stay in TARGET.",
)
@click.option("--check", is_flag=True, help="Write none; read the newest one and verify it.")
@shared_options
@click.pass_obj
def command(call: Call, target: Path, keep: int, check: bool) -> int:
    """Write a backup of the workspace to the folder TARGET, while it goes on being used.

    TARGET can hold many backups: what did not change is kept once and not copied again. Killed in
    the middle, it leaves those of before. 'headway restore-backup' makes a workspace of one.
    """
    vault = Vault(target.absolute())
    if check:
        return _check(call, vault)
    settings = settings_of(call)
    folder = embedded_folder(call)
    with (
        closing(open_workspace(folder, settings)) as api,
        closing(SqliteDatabase(Layout(folder).database)) as database,
        Progress("backing up", "file") as progress,
    ):
        report = back_up(
            Layout(folder),
            database,
            vault,
            drain=api.metrics.drain_all,
            clock=times.now,
            keep=keep,
            progress=progress.at,
        )
    _tell(call, vault, report)
    return 0


def _tell(call: Call, vault: Vault, report: Report) -> None:
    manifest = report.manifest
    if call.json:
        write_json(
            {
                "backup": report.name.removesuffix(".json"),
                "folder": str(vault.folder),
                "files": len(manifest.entries),
                "size_bytes": manifest.size_bytes,
                "copied_files": report.copied,
                "copied_bytes": report.copied_bytes,
                "runs": manifest.rows["runs"],
                "missing": manifest.missing,
                "removed": [name.removesuffix(".json") for name in report.removed],
            }
        )
    else:
        write(report.name.removesuffix(".json"))
        say(
            f"headway: {counted(manifest.rows['runs'], 'run')}, "
            f"{counted(len(manifest.entries), 'file')} of {times.size(manifest.size_bytes)}; new, "
            f"besides the database: {counted(report.copied, 'file')} of "
            f"{times.size(report.copied_bytes)}"
        )
        for name in report.removed:
            say(f"headway: removed the older backup {name.removesuffix('.json')}")
    for path in manifest.missing[:_MOST_SHOWN]:
        say(f"headway: warning: {path} was not there, although the database names it")
    if manifest.missing[_MOST_SHOWN:]:
        say(f"headway: warning: and {len(manifest.missing) - _MOST_SHOWN} more files")


def _check(call: Call, vault: Vault) -> int:
    manifest = vault.load()
    with Progress("checking", "file") as progress:
        damages = list(vault.damages(manifest, progress.at))
    if call.json:
        write_json({"files": len(manifest.entries), "damages": damages})
    else:
        for damage in damages:
            write(damage)
        say(
            f"headway: the backup of {times.moment(manifest.created_at)}: "
            f"{counted(len(manifest.entries), 'file')} of {times.size(manifest.size_bytes)}, "
            + (f"{len(damages)} of them damaged" if damages else "all as they were put there")
        )
    return _DAMAGED if damages else 0
