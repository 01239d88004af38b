"""aim, in a local repository."""
# aim is installed where this runs, not where types are checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import itertools
import time
from pathlib import Path

import aim
from aim.sdk.index_manager import RepoIndexManager
from benchmarks.peers.protocol import (
    METRIC,
    PROJECT,
    TAG,
    Adapter,
    Log,
    Result,
    Work,
    group_of,
    loss_of,
)
from benchmarks.peers.work import serve


class Aim(Adapter):
    """Without its system metrics and its capture of the terminal."""

    _repo = None

    def run(self, folder: Path, work: Work) -> None:
        run = _begin(folder)
        work(
            Log(
                lambda step, value: run.track(value, name=METRIC, step=step),
                lambda step, values: run.track(values, step=step),
            )
        )
        run.close()

    def found(self, folder: Path) -> int:
        return self.read(folder)

    def fill(self, folder: Path, values: list[float], limit_s: float) -> Result:
        return self.fill_by_logging(folder, values, limit_s)

    def read(self, folder: Path) -> int:
        return sum(len(one.data.view(["val"]).numpy()[0]) for one in self._series(folder))

    def reduce(self, folder: Path) -> int:
        return sum(
            len(one.data.view(["val"]).sample(1000).numpy()[0]) for one in self._series(folder)
        )

    def fill_runs(self, folder: Path, runs: int, limit_s: float) -> Result:
        deadline = time.monotonic() + limit_s
        made = 0
        while made < runs and time.monotonic() < deadline:
            run = _begin(folder)
            run[TAG] = group_of(made)
            run.track(loss_of(made), name=METRIC, step=0)
            run.close()
            made += 1
        return {"runs": made}

    def by_tag(self, folder: Path, group: str) -> int:
        return self._newest(folder, f"run.{TAG} == '{group}'")

    def by_metric(self, folder: Path, below: float) -> int:
        return self._newest(folder, f"run.metrics['{METRIC}', {{}}].last < {below}")

    def _series(self, folder: Path):  # noqa: ANN202
        return self._opened(folder).query_metrics(f"metric.name == '{METRIC}'", report_mode=0)

    def _newest(self, folder: Path, query: str) -> int:
        found = self._opened(folder).query_runs(query, report_mode=0).iter_runs()
        return len(list(itertools.islice(found, 50)))

    def _opened(self, folder: Path):  # noqa: ANN202
        """Runs are found once they are indexed, which ``aim up`` does beside its page."""
        if self._repo is None:
            self._repo = aim.Repo.from_path(str(folder))
            index = RepoIndexManager.get_index_manager(self._repo)
            for run in self._repo.list_all_runs():
                index.index(run)
        return self._repo


def _begin(folder: Path):  # noqa: ANN202
    return aim.Run(
        repo=str(folder),
        experiment=PROJECT,
        system_tracking_interval=None,
        capture_terminal_logs=False,
        log_system_params=False,
    )


if __name__ == "__main__":
    serve(Aim())
