"""What the agent of a spool does beside its runs: it sees to what dead processes left."""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from headway.client.left import Sender
from headway.client.outbox import Outbox
from headway.client.spool import Spool
from headway.client.workspace import RemoteWorkspace
from headway.engines import agency
from headway.errors import HeadwayError
from headway.hosting import owners
from headway.hosting.layout import Layout

_LOOK_S: Final = 1.0
_SEND_S: Final = 5.0
_DEAD_S: Final = 3.0
"""So long a process must be gone: the run around it may just be ending."""
_KEPT_S: Final = 7 * 86400.0
"""So long the folder of a run stays after all of it was told."""


class SpoolUpkeep:
    """Sends what nobody else sends any more, and tells of processes that are gone.

    Args:
        workspace: Where to.
        spool: What is looked at.
        say: Told in a line what is wrong.
    """

    def __init__(
        self, workspace: RemoteWorkspace, spool: Spool, say: Callable[[str], None]
    ) -> None:
        self._workspace = workspace
        self._spool = spool
        self._outbox = Outbox(spool.outbox)
        self._sender = Sender(workspace, spool)
        self._say = say
        self._told = ""
        self._look_at = 0.0
        self._send_at = 0.0
        self._dead: dict[Path, float] = {}
        self._pool = ThreadPoolExecutor(1, "upkeep")
        self._doing: Future[None] | None = None

    def is_due(self) -> bool:
        """Whether the last look is long enough ago."""
        return time.monotonic() >= self._look_at

    def begin(self, *, finishing: bool) -> None:
        """Do what there is to do, in a thread.

        Args:
            finishing: Whether a run has just ended here that the server does not know of yet:
                then its children must wait, which end as it does.
        """
        self._look_at = time.monotonic() + _LOOK_S
        if self._doing is None or self._doing.done():
            self._doing = self._pool.submit(self._look, finishing)

    def close(self) -> None:
        """Let what is being done finish."""
        self._pool.shutdown()

    def _look(self, finishing: bool) -> None:
        now = time.monotonic()
        try:
            if now >= self._send_at:
                self._send_at = now + _SEND_S
                self._send()
            for path in [] if finishing else self._gone(now):
                self._workspace.runners.release(path.name)
                path.unlink(missing_ok=True)
        except (HeadwayError, OSError) as error:
            if str(error) != self._told:
                self._told = str(error)
                self._say(self._told)

    def _send(self) -> None:
        self._sender.send_journals()
        self._sender.send_logs()
        with self._outbox.turn(wait=False) as held:
            if held:
                self._sender.send_parcels()

    def _gone(self, now: float) -> list[Path]:
        """Lock files of processes that have been gone for a while."""
        found = [path for path in self._spool.layout.owners.iterdir() if not owners.is_alive(path)]
        self._dead = {path: self._dead.get(path, now) for path in found}
        return [path for path, since in self._dead.items() if now - since > _DEAD_S]


def remove_old(layout: Layout, now: float) -> None:
    """Remove the folders of runs of which everything was told some days ago."""
    for folder in layout.runs.iterdir():
        try:
            told_at = (folder / agency.DELIVERED).stat().st_mtime
        except OSError:
            continue
        if now - told_at > _KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)
