"""``headway move``: copy a workspace's database to another kind."""

import re
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import click
import msgspec

from headway.cli.call import Call, shared_options
from headway.cli.counts import counted
from headway.cli.opening import settings_of
from headway.cli.output import say, write_json
from headway.cli.progress import Progress
from headway.errors import InvalidValueError, WorkspaceNotFoundError
from headway.hosting.layout import Layout
from headway.service.workspace import open_workspace
from headway.settings import Settings
from headway.store.base import Database
from headway.store.sqlite import SqliteDatabase
from headway.transfer.moving import Moved, move

_URL: Final = re.compile(r"postgres(?:ql)?://.*")
_PREFIX: Final = "ws_"


@click.command(name="move")
@click.argument("source")
@click.argument("target")
@click.option(
    "--name",
    default="default",
    show_default=True,
    help="The workspace's name within a PostgreSQL database.",
)
@shared_options
@click.pass_obj
def command(call: Call, source: str, target: str, name: str) -> int:
    """Copy the database of the workspace SOURCE to TARGET, and compare every row.

    Each is a folder (SQLite) or postgresql://USER@HOST/DATABASE. TARGET must have nothing of the
    kind yet; it gets all or nothing, and SOURCE is not changed. Files stay where they are: give
    the server the same folder for them, or copy it.

    \b
    headway move ~/team postgresql://headway@db/headway --name team
    """  # noqa: D301  (the mark is for click)
    settings = settings_of(call)
    for given in (source, target):
        if "://" in given and _URL.fullmatch(given) is None:
            raise InvalidValueError(f"{given!r} is not accepted: give a folder or postgresql://...")
    if _URL.fullmatch(source) is None:
        _take_in_journals(Path(source), settings)
    with (
        _opened(source, name, must_exist=True) as origin,
        _opened(target, name, must_exist=False) as destination,
        Progress("moving", "row") as progress,
    ):

        def show(table: str, done: int, count: int) -> None:
            progress.verb = f"moving {table}"
            progress.at(done, count)

        moved = move(origin, destination, show)
    _tell(call, moved)
    return 0


def _take_in_journals(folder: Path, settings: Settings) -> None:
    """What was logged and stands in no database yet."""
    _check_folder(folder)
    with closing(open_workspace(folder, settings)) as api:
        api.metrics.drain_all()


@contextmanager
def _opened(where: str, name: str, *, must_exist: bool) -> Generator[Database]:
    if _URL.fullmatch(where) is not None:
        # psycopg is of an extra, and only asked for here.
        from headway.store.postgres import PostgresServer  # noqa: PLC0415

        server = PostgresServer(where)
        with closing(server), closing(server.database(f"{_PREFIX}{name}")) as database:
            yield database
        return
    layout = Layout(Path(where).absolute())
    if must_exist:
        _check_folder(layout.root)
    else:
        layout.create()
    with closing(SqliteDatabase(layout.database)) as database:
        yield database


def _check_folder(folder: Path) -> None:
    if not Layout(folder.absolute()).database.exists():
        raise WorkspaceNotFoundError(f"there is no workspace at {folder}: check the path")


def _tell(call: Call, moved: Moved) -> None:
    if call.json:
        write_json(msgspec.to_builtins(moved))
        return
    rows = sum(moved.rows.values())
    say(
        f"headway: {counted(moved.rows['runs'], 'run')}, {counted(rows, 'row')} in all, each "
        "read back as it was"
    )
