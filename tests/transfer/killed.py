"""A program that does one thing to a workspace, and is killed at a step of it.

    python -m tests.transfer.killed STEP OPERATION ARGUMENT...

A step is what the interpreter does to a file, or a statement of a database. It kills itself with
SIGKILL at that step; for step 0 it writes how many there were.
"""

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from headway.hosting.layout import Layout
from headway.model import RunQuery
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.store.sqlite import SqliteDatabase, SqliteTransaction
from headway.transfer.backup import back_up
from headway.transfer.exporting import Wanted, export
from headway.transfer.importing import import_parcel
from headway.transfer.moving import move
from headway.transfer.parcel import Parcel
from headway.transfer.restoring import restore
from headway.transfer.vault import Vault
from headway.upkeep import PurgeOrder

EVENTS = {"open", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.utime"}


class Steps:
    """Counts steps, and kills this process at one of them."""

    def __init__(self, fatal: int) -> None:
        self.count = 0
        self.counting = False
        self._fatal = fatal
        sys.addaudithook(lambda event, _: self.one() if event in EVENTS else None)
        for name in ("run", "all", "many"):
            setattr(SqliteTransaction, name, self._counted(getattr(SqliteTransaction, name)))

    def one(self) -> None:
        if self.counting:
            self.count += 1
            if self.count == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def _counted(self, method: "object") -> "object":
        def counted(*arguments: object) -> object:
            self.one()
            return method(*arguments)  # pyright: ignore[reportCallIssue, reportUnknownVariableType]

        return counted


def opened(folder: str) -> EmbeddedWorkspace:
    return open_workspace(Path(folder), load_settings())


def purge(steps: Steps, folder: str) -> None:
    api = opened(folder)
    steps.counting = True
    api.upkeep.purge(PurgeOrder())


def backup(steps: Steps, folder: str, target: str) -> None:
    api = opened(folder)
    with closing(SqliteDatabase(Layout(Path(folder)).database)) as database:
        steps.counting = True
        back_up(
            Layout(Path(folder)),
            database,
            Vault(Path(target)),
            drain=api.metrics.drain_all,
            clock=lambda: 2,
            keep=1,
            progress=lambda done, count: None,
        )


def restored(steps: Steps, source: str, folder: str) -> None:
    vault = Vault(Path(source))
    manifest = vault.load()
    steps.counting = True
    restore(vault, manifest, Path(folder), clock=lambda: 5, progress=lambda done, count: None)


def exported(steps: Steps, folder: str, target: str) -> None:
    api = opened(folder)
    wanted = Wanted(RunQuery(), "csv", files=True)
    steps.counting = True
    export(api, wanted, Path(target), clock=lambda: 1, progress=lambda done, count: None)


def imported(steps: Steps, source: str, folder: str) -> None:
    api = opened(folder)
    steps.counting = True
    import_parcel(api, Parcel(Path(source)), lambda what, done, count: None)


def moved(steps: Steps, source: str, target: str) -> None:
    with (
        closing(SqliteDatabase(Path(source))) as origin,
        closing(SqliteDatabase(Path(target))) as destination,
    ):
        steps.counting = True
        move(origin, destination, lambda table, done, count: None)


OPERATIONS = {
    "purge": purge,
    "backup": backup,
    "restore": restored,
    "export": exported,
    "import": imported,
    "move": moved,
}


def main() -> None:
    steps = Steps(int(sys.argv[1]))
    OPERATIONS[sys.argv[2]](steps, *sys.argv[3:])
    sys.stdout.write(f"{steps.count}\n")


if __name__ == "__main__":
    main()
