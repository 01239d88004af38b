"""An embedded workspace put together: a folder with a database, journals and the runs' files."""

import errno
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from headway.checks import check_labels
from headway.engines.queueing import QueuedLocalEngine, local_compute
from headway.errors import StorageError, StorageFullError
from headway.files.local import LocalFiles
from headway.model import WorkspaceChange, WorkspaceInfo
from headway.service.assets import AssetService
from headway.service.creation import Identity, RunMaker
from headway.service.environments import EnvironmentService
from headway.service.experiments import ExperimentService
from headway.service.files import FileService
from headway.service.layout import Layout
from headway.service.leases import FileLease
from headway.service.liveness import Liveness
from headway.service.metrics import MetricService
from headway.service.runs import RunService
from headway.service.snapshots import SnapshotService
from headway.service.submission import Submitter
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
    clock: Callable[[], int] = _now,
    environment: Mapping[str, str] = os.environ,
    say: Callable[[str], None] = _nothing,
) -> "EmbeddedWorkspace":
    """Open the workspace in a folder, making it where there is none.

    Args:
        folder: Its folder.
        settings: The settings that hold for it.
        name: Its name if it is new; empty for the folder's.
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
    database = SqliteDatabase(layout.database, busy_timeout_s=settings.busy_timeout_s)
    info = information.ensure(database, name or layout.root.name, str(layout.root), at=clock())
    return EmbeddedWorkspace(layout, database, info, settings, clock, environment, say)


class EmbeddedWorkspace:
    """Implements ``headway.api.Api`` over a folder."""

    def __init__(
        self,
        layout: Layout,
        database: Database,
        info: WorkspaceInfo,
        settings: Settings,
        clock: Callable[[], int],
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._layout = layout
        self._database = database
        self._info = info
        self._settings = settings
        identity = Identity(user=settings.user, host=os.uname().nodename)
        engine = QueuedLocalEngine(local_compute(settings.home), settings.queue_tick_s)
        maker = RunMaker(settings, identity, clock)
        storage = LocalFiles(layout.runs)
        self._metrics = MetricService(database, layout)
        self._files = FileService(database, layout, storage, settings, clock)
        self._experiments = ExperimentService(database, settings, clock)
        self._snapshots = SnapshotService(database, layout, settings)
        self._assets = AssetService(
            database,
            layout.assets,
            self._files,
            storage,
            settings,
            identity,
            clock,
        )
        submitter = Submitter(
            database,
            layout,
            engine,
            maker,
            settings,
            identity,
            clock,
            snapshots=self._snapshots,
            environments=EnvironmentService(
                settings.home / "environments", settings.uv, environment, say
            ),
            environment=environment,
            workspace_name=info.name,
        )
        liveness = Liveness(database, layout, engine, self._metrics, clock)
        self._runs = RunService(
            database=database,
            layout=layout,
            engine=engine,
            files=self._files,
            metrics=self._metrics,
            liveness=liveness,
            maker=maker,
            submitter=submitter,
            identity=identity,
            clock=clock,
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
    def assets(self) -> AssetService:
        """Registered models, environments, datasets and datastores."""
        return self._assets

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

    def hold_lease(self, owner_id: str) -> FileLease:
        """Claim that this process is alive, under an id made for it alone."""
        return FileLease(self._layout.owners / owner_id)

    def close(self) -> None:
        """Release what is held."""
        self._database.close()
