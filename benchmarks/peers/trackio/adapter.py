"""trackio, local."""
# trackio is installed where this runs, not where types are checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import contextlib
import time
import uuid
from pathlib import Path

import trackio
from benchmarks.peers.protocol import METRIC, PROJECT, Adapter, Log, Result, Work
from benchmarks.peers.work import serve
from trackio.sqlite_storage import SQLiteStorage


class Trackio(Adapter):
    """Its folder is chosen by ``TRACKIO_DIR``, which is set where the process is started."""

    def run(self, folder: Path, work: Work) -> None:
        with contextlib.redirect_stdout(None):
            trackio.init(
                PROJECT, name=uuid.uuid4().hex, embed=False, auto_log_gpu=False, auto_log_cpu=False
            )
        work(
            Log(
                lambda step, value: trackio.log({METRIC: value}, step=step),
                lambda step, values: trackio.log(values, step=step),
            )
        )
        trackio.finish()

    def found(self, folder: Path) -> int:
        if PROJECT not in SQLiteStorage.get_projects():
            return 0  # not even the project was stored
        return sum(
            METRIC in one
            for run in trackio.Api().runs(PROJECT)
            for one in SQLiteStorage.get_logs(PROJECT, run.name, run_id=run.id)
        )

    def fill(self, folder: Path, values: list[float], limit_s: float) -> Result:
        return self.fill_by_logging(folder, values, limit_s)

    def read(self, folder: Path) -> int:
        return self.found(folder)

    def reduce(self, folder: Path) -> int:
        """What its page asks for."""
        [run] = trackio.Api().runs(PROJECT)
        return len(SQLiteStorage.get_logs(PROJECT, run.name, max_points=2000, run_id=run.id))

    def children(self, folder: Path, count: int, limit_s: float) -> Result:
        """Runs of one group: it has no children."""
        began = time.perf_counter()
        made = 0
        while made < count and time.perf_counter() - began < limit_s:
            trackio.init(
                PROJECT,
                name=f"child {made}",
                group="parent",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
            trackio.log({METRIC: 0.5}, step=0)
            trackio.finish()
            made += 1
        took_s = time.perf_counter() - began
        return {"runs": made, "took_s": took_s, "how": "runs of one group"}


if __name__ == "__main__":
    serve(Trackio())
