"""Headway, in an embedded workspace or, where HEADWAY_WORKSPACE says so, through its server."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import cast

from benchmarks.many_runs import EXPERIMENT, fill
from benchmarks.peers.headway.server import ROOT, TOKEN
from benchmarks.peers.protocol import METRIC, PROJECT, Adapter, Launched, Log, Result, Work
from benchmarks.peers.work import serve

from headway import Experiment, Run, ScriptRunConfig, Workspace
from headway.hosting.layout import Layout
from headway.store.sqlite import SqliteDatabase


class Headway(Adapter):
    """``HEADWAY_HOME`` is set where the process is started. Readers keep their workspace open."""

    _experiment: Experiment | None = None
    _run: Run | None = None

    def run(self, folder: Path, work: Work) -> None:
        run = self._opened(folder).start_logging()

        def one(step: int, value: float) -> object:
            return run.log(METRIC, value, step=step)

        def many(step: int, values: Mapping[str, float]) -> object:
            return run.log_metrics(values, step=step)

        work(Log(one, many))
        run.complete()

    def found(self, folder: Path) -> int:
        runs = self._opened(folder).get_runs()
        return sum(_count(run.get_metrics(METRIC).get(METRIC)) for run in runs)

    def fill(self, folder: Path, values: list[float], limit_s: float) -> Result:
        return self.fill_by_logging(folder, values, limit_s)

    def read(self, folder: Path) -> int:
        return len(self._filled(folder).history(METRIC))

    def reduce(self, folder: Path) -> int:
        return len(self._filled(folder).history(METRIC, points=1000))

    def fill_runs(self, folder: Path, runs: int, limit_s: float) -> Result:
        """Two of five of the runs made so are in the experiment that is searched, and no child."""
        place = self._opened(folder).workspace.folder
        if _is_served():
            place = folder / ROOT / "workspaces" / "default"
        with closing(SqliteDatabase(Layout(place).database)) as database:
            fill(database, runs * 5 // 2)
        return {"runs": runs, "how": "rows inserted into its database"}

    def by_tag(self, folder: Path, group: str) -> int:
        return len(list(self._filled_runs(folder).get_runs(tags={"hundredth": group}, limit=50)))

    def by_metric(self, folder: Path, below: float) -> int:
        condition = f"metrics.{METRIC} < {below}"
        return len(list(self._filled_runs(folder).get_runs(filter=condition, limit=50)))

    def in_order(self, folder: Path, below: float) -> int:
        condition = f"metrics.{METRIC} < {below}"
        found = self._filled_runs(folder).get_runs(
            filter=condition, order_by=f"metrics.{METRIC}", limit=50
        )
        return len(list(found))

    def send(
        self, folder: Path, values: list[float], limit_s: float, go: Callable[[], None]
    ) -> int:
        run = self._opened(folder).start_logging()
        go()
        log = run.log
        for step, value in enumerate(values):
            log(METRIC, value, step=step)
        run.complete()
        return len(values)

    def _filled_runs(self, folder: Path) -> Experiment:
        return Experiment(self._opened(folder).workspace, EXPERIMENT)

    def children(self, folder: Path, count: int, limit_s: float) -> Result:
        with self._opened(folder).start_logging() as parent:
            began = time.perf_counter()
            for child in parent.create_children(count):
                child.log(METRIC, 0.5, step=0)
                child.complete()
            return {"runs": count, "took_s": time.perf_counter() - began}

    def launch(self, folder: Path, source: Path, script: str, argument: str) -> Launched:
        run = self._opened(folder).submit(ScriptRunConfig(str(source), script, [argument]))
        return Launched(run.wait_for_completion, run.cancel)

    def _opened(self, folder: Path) -> Experiment:
        if self._experiment is None:
            if _is_served():
                os.environ["HEADWAY_TOKEN"] = (folder / TOKEN).read_text()
                workspace = Workspace.from_config()
            else:
                workspace = Workspace.create(PROJECT, exist_ok=True)
            self._experiment = Experiment(workspace, PROJECT)
        return self._experiment

    def _filled(self, folder: Path) -> Run:
        if self._run is None:
            self._run = next(iter(self._opened(folder).get_runs()))
        return self._run


def _is_served() -> bool:
    return "HEADWAY_WORKSPACE" in os.environ


def _count(value: object) -> int:
    """How many values ``get_metrics`` gives: a bare one where there is one."""
    return len(cast("list[object]", value)) if isinstance(value, list) else int(value is not None)


if __name__ == "__main__":
    serve(Headway())
