"""An embedded workspace put together: a folder with a database, journals and the runs' files."""

import errno
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from headway.checks import check_labels
from headway.engines.queueing import QueuedLocalEngine, local_compute
from headway.errors import StorageError, StorageFullError
from headway.hosting.environments import EnvironmentService
from headway.hosting.layout import Layout
from headway.hosting.owners import FileLease
from headway.hosting.submission import Site, Submitter
from headway.model import WorkspaceChange, WorkspaceInfo
from headway.service.asset_files import AssetFiles
from headway.service.assets import AssetService
from headway.service.creation import Identity, RunMaker
from headway.service.experiments import ExperimentService
from headway.service.files import FileService
from headway.service.leases import Leases
from headway.service.liveness import Liveness
from headway.service.metrics import MetricService
from headway.service.monitoring import GUARD, FencedDatabase, Monitor
from headway.service.runners import RunnerService
from headway.service.runs import RunService
from headway.service.snapshots import SnapshotService
from headway.service.stopping import Stopper
from headway.service.storage import Storage, folder_storage
from headway.service.upkeep.service import UpkeepService, upkeep_of
from headway.service.upkeep.trash import Trash
from headway.service.uploads import UploadService
from headway.settings import Settings
from headway.store import information
from headway.store.base import Database
from headway.store.sqlite import SqliteDatabase


def _now() -> int:
    return time.time_ns() // 1000


def _nothing(_: str) -> None:
    """Progress that nobody wants to hear about."""


def open_workspace(
    folder: Path,
    settings: Settings,
    *,
    name: str = "",
    database: Database | None = None,
    storage: Storage | None = None,
    identity: Identity | None = None,
    clock: Callable[[], int] = _now,
    environment: Mapping[str, str] = os.environ,
    say: Callable[[str], None] = _nothing,
) -> "EmbeddedWorkspace":
    """Open the workspace in a folder, making it where there is none.

    Args:
        folder: Its folder.
        settings: The settings that hold for it.
        name: Its name if it is new; empty for the folder's.
        database: Where its rows are, closed with it; None for an SQLite file in the folder.
        storage: Where its bytes are; None for the folder.
        identity: Who acts; None for the user of the settings, on this machine.
        clock: The time now, in microseconds since the epoch.
        environment: Where a build system says which commit is built, in place of git; also for
            the programs that make environments.
        say: Told in a line what takes time.

    Raises:
        StorageError: The folder cannot be used.
    """
    layout = Layout(folder.resolve())
    try:
        layout.create()
    except OSError as error:
        kind = StorageFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StorageError
        raise kind(
            f"the workspace folder {layout.root} cannot be made: {error.strerror}; choose another "
            "one with HEADWAY_WORKSPACE or HEADWAY_HOME"
        ) from error
    if database is None:
        database = SqliteDatabase(layout.database, busy_timeout_s=settings.busy_timeout_s)
    info = information.ensure(database, name or layout.root.name, str(layout.root), at=clock())
    identity = identity or Identity(settings.user, os.uname().nodename)
    return EmbeddedWorkspace(
        layout,
        database,
        storage or folder_storage(layout),
        info,
        settings,
        identity,
        clock,
        environment,
        say,
    )


class EmbeddedWorkspace:
    """Implements ``headway.api.Api`` over a folder."""

    def __init__(
        self,
        layout: Layout,
        database: Database,
        storage: Storage,
        info: WorkspaceInfo,
        settings: Settings,
        identity: Identity,
        clock: Callable[[], int],
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._layout = layout
        self._database = database
        self._info = info
        self._settings = settings
        self._clock = clock
        engine = QueuedLocalEngine(local_compute(settings.home), settings.queue_tick_s)
        self._engine = engine
        maker = RunMaker(settings, identity, clock)
        self._metrics = MetricService(database, layout)
        self._files = FileService(database, layout, storage.files, storage.logs, settings, clock)
        self._experiments = ExperimentService(database, settings, clock)
        self._snapshots = SnapshotService(database, layout, storage.snapshots, settings)
        self._uploads = UploadService(
            storage.uploads, self._files, storage.files, storage.snapshots, settings
        )
        kept = AssetFiles(storage, self._files, self._uploads)
        self._assets = AssetService(
            database, layout.assets / "lock", kept, settings, identity, clock
        )
        liveness = Liveness(database, layout, engine, self._metrics, clock)
        held = Leases(database, liveness, settings, clock)
        self._runners = RunnerService(database, maker, liveness, held, identity, clock)
        site = Site(layout, str(layout.root), info.name, identity.host)
        made = EnvironmentService(settings.home / "environments", settings.uv, environment, say)
        submitter = Submitter(
            site, self._runners, self._snapshots, made, engine, settings, environment
        )
        trash = Trash(database, liveness, identity, clock)
        self._upkeep = upkeep_of(
            database, layout, storage, self._assets, self._uploads, trash, maker, clock
        )
        self._runs = RunService(
            database=database,
            layout=layout,
            engine=engine,
            files=self._files,
            metrics=self._metrics,
            liveness=liveness,
            maker=maker,
            submitter=submitter,
            stopper=Stopper(database, layout, engine, identity, clock),
            identity=identity,
            clock=clock,
            trash=trash,
        )

    @property
    def experiments(self) -> ExperimentService:
        """Named groups of runs."""
        return self._experiments

    @property
    def runs(self) -> RunService:
        """Runs: made, found, changed, ended."""
        return self._runs

    @property
    def metrics(self) -> MetricService:
        """Series of points, and the journals that they come from."""
        return self._metrics

    @property
    def files(self) -> FileService:
        """Files that belong to a run."""
        return self._files

    @property
    def snapshots(self) -> SnapshotService:
        """Kept source directories."""
        return self._snapshots

    @property
    def uploads(self) -> UploadService:
        """Files brought in by parts."""
        return self._uploads

    @property
    def assets(self) -> AssetService:
        """Registered models, environments, datasets and datastores."""
        return self._assets

    @property
    def runners(self) -> RunnerService:
        """Runs that are executed elsewhere."""
        return self._runners

    @property
    def upkeep(self) -> UpkeepService:
        """What frees space, and what brings runs in from elsewhere."""
        return self._upkeep

    def info(self) -> WorkspaceInfo:
        """What this workspace is."""
        return information.read(self._database, self._info.location)

    def change(self, change: WorkspaceChange) -> WorkspaceInfo:
        """Apply a change as a whole and return the workspace after it."""
        check_labels(
            "tag",
            change.tags or {},
            key_limit=self._settings.max_label_key_chars,
            value_limit=self._settings.max_label_value_chars,
        )
        return information.change(self._database, self._info.location, change)

    def monitor(self, holder: str) -> Monitor:
        """What looks after all runs, where several processes serve the workspace.

        Args:
            holder: The name of this process, which no other has.
        """
        fenced = FencedDatabase(self._database, GUARD, holder)
        metrics = MetricService(fenced, self._layout)
        liveness = Liveness(fenced, self._layout, self._engine, metrics, self._clock)
        held = Leases(fenced, liveness, self._settings, self._clock)
        return Monitor(self._database, fenced, held, liveness, holder, self._settings, self._clock)

    def hold_lease(self, owner_id: str) -> FileLease:
        """Claim that this process is alive, under an id made for it alone."""
        return FileLease(self._layout.owners / owner_id)

    def close(self) -> None:
        """Release what is held."""
        self._database.close()
