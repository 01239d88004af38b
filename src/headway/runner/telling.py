"""Telling a server of runs as they change, each by itself: none waits for another's files."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from headway.client.execution import runner_id_of
from headway.client.leases import Bounded, Heart
from headway.engines import agency, document
from headway.engines.folder import RunFolder
from headway.errors import AccessError, HeadwayError, StorageError
from headway.hosting import observing
from headway.hosting.courier import Courier, Delivery, undelivered
from headway.hosting.layout import Layout
from headway.runner.glances import Glances
from headway.runners import Assignment, Runners

_THREADS: Final = 8
_LOOK_S: Final = 1.0
"""A run is looked at this often even where nothing changes in its folder: its shim may be dead."""
_SHORTEST_S: Final = 0.05
"""Between two deliveries of one run, whose log may grow all the time."""
_SCAN_S: Final = 1.0
_HEED_S: Final = 15.0
"""So often it is asked what is wanted of the runs, although no signal came."""
_UNKNOWN_S: Final = 60.0
"""So long a run may be unknown to the server that is just being submitted."""
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 10.0


class _Telling(msgspec.Struct):
    """How it stands with one run."""

    due_at: float = 0.0
    """When it is looked at whatever its folder says."""
    not_before: float = 0.0
    pause_s: float = _FIRST_PAUSE_S
    busy: bool = False
    doubtful: bool = False
    """Whether the server seems not to have it among the runs that live."""


class Teller:
    """Brings the runs of a spool to a server as they change.

    Args:
        runners: The server.
        layout: The spool.
        courier: What brings them.
        host: The name of this machine.
        bounded: Gives up what is asked of the server within a block after so many seconds.
        say: Told in a line what is wrong.
    """

    def __init__(
        self,
        runners: Runners,
        layout: Layout,
        courier: Courier,
        host: str,
        bounded: Bounded,
        say: Callable[[str], None],
    ) -> None:
        self._runners = runners
        self._layout = layout
        self._courier = courier
        self._host = host
        self._bounded = bounded
        self._say = say
        self._told = ""
        self._runner_id = runner_id_of(layout)
        self._glances = Glances()
        self._pool = ThreadPoolExecutor(_THREADS, "tell")
        self._heart: Heart | None = None
        self._asked = threading.Event()
        self._heeding = threading.Lock()
        self._scan_at = 0.0
        self._heed_at = 0.0
        self._heed_again_at = 0.0
        self.refused = False
        """Whether the server has said that it accepts nothing from whoever this is."""
        self.runs: dict[str, _Telling] = {}
        """The runs of which something is left to be told."""
        self._asked.set()

    def ended(self) -> list[str]:
        """Those of the runs that have ended here, which the server may not know yet."""
        return [run_id for run_id in list(self.runs) if _has_ended(self._layout.run(run_id))]

    def look_for_runs(self) -> None:
        """Take up runs that are new."""
        self._scan_at = time.monotonic() + _SCAN_S
        found = undelivered(self._layout)
        for run_id in found:
            self.runs.setdefault(run_id, _Telling())

    def tell(self) -> bool:
        """Begin to bring over what has changed, if anything has, and to heed what is wanted."""
        now = time.monotonic()
        if now >= self._scan_at:
            self.look_for_runs()
        wanted = self._asked.is_set() or now >= self._heed_again_at
        if self.runs and wanted and now >= self._heed_at:
            self._heed_again_at = now + _HEED_S
            self._pool.submit(self._heed)
        found = False
        for run_id, run in list(self.runs.items()):
            if run.busy or now < run.not_before:
                continue
            changed = self._glances.changed(self._layout.run(run_id))
            found = found or changed
            if changed or now >= run.due_at:
                run.busy = True
                self._pool.submit(self._deliver, run_id, run)
        return found

    def close(self) -> None:
        """Let what runs finish, and give the lease up where nothing is left."""
        self._pool.shutdown(cancel_futures=True)
        if self._heart is None:
            return
        self._heart.stop()
        if not self.runs:
            try:
                self._runners.release(self._runner_id)
            except HeadwayError as error:
                self._tell_problem(error)

    # ------------------------------------------------------------ in threads

    def _deliver(self, run_id: str, run: _Telling) -> None:
        try:
            anew, run.doubtful = run.doubtful, False
            delivery = self._courier.deliver(run_id, anew=anew)
        except (HeadwayError, OSError) as error:
            self._tell_problem(error)
            self._glances.forget(run_id)
            run.not_before = time.monotonic() + run.pause_s
            run.pause_s = min(2 * run.pause_s, _LONGEST_PAUSE_S)
        else:
            now = time.monotonic()
            run.not_before, run.due_at = now + _SHORTEST_S, now + _LOOK_S
            run.pause_s = _FIRST_PAUSE_S
            self._conclude(run_id, delivery)
        finally:
            run.busy = False

    def _conclude(self, run_id: str, delivery: Delivery) -> None:
        if delivery is Delivery.DONE:
            self.runs.pop(run_id, None)
            self._glances.forget(run_id)
        elif delivery is Delivery.BUSY:
            self._glances.forget(run_id)

        elif delivery is Delivery.UNKNOWN:
            self._put_aside(run_id)

    def _put_aside(self, run_id: str) -> None:
        """A run that the server does not know: its submission failed, or it was purged."""
        folder = RunFolder(self._layout.run(run_id))
        if not folder.alive() and time.time() - folder.path.stat().st_mtime > _UNKNOWN_S:
            self._say(f"the server knows no run {run_id}: its folder is left alone from now on")
            document.replace(folder.path / agency.DELIVERED, {}, durable=False)
            self.runs.pop(run_id, None)
        else:
            self.runs[run_id].not_before = time.monotonic() + _LOOK_S

    def _heed(self) -> None:
        """Have runs end that are wanted to, after signals came and at the beginning."""
        if not self._heeding.acquire(blocking=False):
            return
        try:
            self._asked.clear()
            if self._heart is None:
                self._heart = Heart(
                    self._runners, self._runner_id, self._host, self._ask, self._bounded
                )
            assigned = self._runners.assigned(self._runner_id)
            for assignment in assigned:
                self._heed_one(assignment)
            for run_id in self.runs.keys() - {assignment.run_id for assignment in assigned}:
                self._doubt(run_id)
        except (HeadwayError, OSError) as error:
            self._asked.set()
            self._heed_at = time.monotonic() + _FIRST_PAUSE_S
            self._tell_problem(error)
        finally:
            self._heeding.release()

    def _doubt(self, run_id: str) -> None:
        """It has ended for the server: given up, while this host was cut off, or just now."""
        run = self.runs.get(run_id)
        if run is not None:
            run.doubtful = True
            self._glances.forget(run_id)

    def _heed_one(self, assignment: Assignment) -> None:
        folder = RunFolder(self._layout.run(assignment.run_id))
        if folder.path.exists():
            self._courier.heed(folder, assignment)
            self._glances.forget(assignment.run_id)
        else:
            lost = replace(observing.FOLDER_LOST, sequence=assignment.sequence + 1)
            self._runners.report(assignment.run_id, lost)

    def _ask(self) -> None:
        self._asked.set()
        agency.ring(self._layout.root)

    def _tell_problem(self, error: Exception) -> None:
        if isinstance(error, AccessError):
            self.refused = True
        if str(error) != self._told:
            self._told = str(error)
            self._say(self._told)


def _has_ended(folder: Path) -> bool:
    try:
        record = RunFolder(folder).read_state()
    except StorageError:
        return False
    return record is not None and record.ended
