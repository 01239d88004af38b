"""A workspace on a server put together."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec.structs import replace

from headway.api import Lease
from headway.client.assets import RemoteAssets
from headway.client.backlog import Backlog
from headway.client.connection import Connection
from headway.client.credentials import Credentials
from headway.client.execution import Execution
from headway.client.experiments import RemoteExperiments
from headway.client.files import RemoteFiles
from headway.client.leases import RemoteLease
from headway.client.metrics import RemoteMetrics
from headway.client.runners import RemoteRunners
from headway.client.runs import RemoteRuns
from headway.client.snapshots import RemoteSnapshots
from headway.client.spool import Spool, Target
from headway.client.upkeep import RemoteUpkeep
from headway.client.uploads import RemoteUploads
from headway.model import WorkspaceChange, WorkspaceInfo
from headway.settings import Settings
from headway.wire import workspace as row


def _now() -> int:
    return time.time_ns() // 1000


def _nothing(_: str) -> None:
    """Progress that nobody wants to hear about."""


def open_remote(
    url: str,
    name: str,
    folder: Path,
    settings: Settings,
    *,
    say: Callable[[str], None] = _nothing,
) -> "RemoteWorkspace":
    """Open a workspace on a server. Nothing is sent yet.

    Args:
        url: Of the server.
        name: Of the workspace.
        folder: This machine's part of it: journals, runs that are executed here.
        settings: The settings that hold for it.
        say: Told in a line what takes time.

    Raises:
        StorageError: The folder cannot be made.
    """
    spool = Spool(folder)
    spool.create(Target(url, name))
    token = Credentials().token(url)
    connection = Connection(
        url,
        name,
        token=token,
        timeout_s=settings.server_timeout_s,
        host=os.uname().nodename,
        say=say,
    )
    return RemoteWorkspace(connection, spool, settings, say)


class RemoteWorkspace:
    """Implements ``headway.api.Api`` over HTTP."""

    def __init__(
        self,
        connection: Connection,
        spool: Spool,
        settings: Settings,
        say: Callable[[str], None] = _nothing,
    ) -> None:
        self._connection = connection
        self._say = say
        self._spool = spool
        self._settings = settings
        self._experiments = RemoteExperiments(connection)
        self._metrics = RemoteMetrics(connection, spool.journals)
        self._runs = RemoteRuns(connection, self._metrics, self._execution)
        self._runners = RemoteRunners(connection)
        self._uploads = RemoteUploads(connection)
        self._files = RemoteFiles(connection, self._uploads, spool.layout)
        self._snapshots = RemoteSnapshots(
            connection, self._uploads, spool.layout.snapshots, settings
        )
        self._assets = RemoteAssets(connection, self._uploads)
        self._upkeep = RemoteUpkeep(connection, self._metrics)

    @property
    def experiments(self) -> RemoteExperiments:
        """Named groups of runs."""
        return self._experiments

    @property
    def runs(self) -> RemoteRuns:
        """Runs: made, found, changed, ended."""
        return self._runs

    @property
    def runners(self) -> RemoteRunners:
        """Runs that are executed elsewhere, and what is wanted of them."""
        return self._runners

    @property
    def metrics(self) -> RemoteMetrics:
        """Series of points, and the journals that they come from."""
        return self._metrics

    @property
    def files(self) -> RemoteFiles:
        """Files that belong to a run."""
        return self._files

    @property
    def snapshots(self) -> RemoteSnapshots:
        """Kept source directories."""
        return self._snapshots

    @property
    def uploads(self) -> RemoteUploads:
        """Files brought in by parts."""
        return self._uploads

    @property
    def assets(self) -> RemoteAssets:
        """Registered models, environments, datasets and datastores."""
        return self._assets

    @property
    def upkeep(self) -> RemoteUpkeep:
        """What frees space, and what brings runs in from elsewhere."""
        return self._upkeep

    def info(self) -> WorkspaceInfo:
        """What this workspace is."""
        return self._placed(self._connection.call(row.INFO, row.Nothing()))

    def change(self, change: WorkspaceChange) -> WorkspaceInfo:
        """Apply a change as a whole and return the workspace after it."""
        return self._placed(self._connection.call(row.CHANGE, row.ChangeWorkspace(change)))

    def hold_lease(self, owner_id: str) -> Lease:
        """Claim that this process is alive, under an id made for it alone."""
        owners = self._spool.layout.owners
        host, bounded = os.uname().nodename, self.bounded
        return RemoteLease(self._runners, owner_id, host, owners, bounded)

    def bounded(self, seconds: float) -> AbstractContextManager[None]:
        """Gives up what is asked of the server within the block after so many seconds."""
        return self._connection.bounded(seconds)

    def backlog(self) -> Backlog:
        """What this machine has and the server has not got yet."""
        return Backlog(
            self,
            self._metrics,
            self._spool,
            bounded=self._connection.bounded,
            once=self._connection.once,
            end_wait_s=self._settings.server_end_wait_s,
            clock=_now,
        )

    def close(self) -> None:
        """Release what is held."""
        self._connection.close()

    def _execution(self) -> Execution:
        target = self._spool.target()
        return Execution(
            self,
            self._snapshots,
            self._metrics,
            self._spool.layout,
            location=target.location,
            workspace_name=target.workspace,
            host=os.uname().nodename,
            settings=self._settings,
            environment=os.environ,
            clock=_now,
            say=self._say,
        )

    def _placed(self, info: WorkspaceInfo) -> WorkspaceInfo:
        return replace(info, location=f"{self._connection.url}/{info.name}")
