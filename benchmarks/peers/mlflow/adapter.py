"""mlflow, on SQLite or through its server: ``MLFLOW_TRACKING_URI`` says which."""
# mlflow is installed where this runs, not where types are checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import sys
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
from benchmarks.peers.mlflow.filling import HOW, insert_runs, insert_series
from benchmarks.peers.protocol import METRIC, PROJECT, TAG, Adapter, Launched, Log, Result, Work
from benchmarks.peers.work import serve
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient


class Mlflow(Adapter):
    """The store is where the environment says; a server's too."""

    def run(self, folder: Path, work: Work) -> None:
        mlflow.set_experiment(PROJECT)
        with mlflow.start_run():
            work(
                Log(
                    lambda step, value: mlflow.log_metric(METRIC, value, step=step),
                    lambda step, values: mlflow.log_metrics(values, step=step),
                )
            )

    def found(self, folder: Path) -> int:
        return sum(len(MlflowClient().get_metric_history(run, METRIC)) for run in _run_ids())

    def fill(self, folder: Path, values: list[float], limit_s: float) -> Result:
        """A million points through ``log_batch`` take minutes: rows are inserted instead."""
        if mlflow.get_tracking_uri().startswith("http"):  # its pages take ten minutes for all
            values = values[: len(values) // 20]
        insert_series(folder, _one_run(), values)
        return {"points": len(values), "how": HOW}

    def read(self, folder: Path) -> int:
        [run] = _run_ids()
        return len(MlflowClient().get_metric_history(run, METRIC))

    def reduce(self, folder: Path) -> int:
        """What its page asks for."""
        store = MlflowClient()._tracking_client.store
        [run] = _run_ids()
        return len(
            store.get_metric_history_bulk_interval(
                run_ids=[run],
                metric_key=METRIC,
                max_results=320,
                start_step=None,
                end_step=None,
            )
        )

    def fill_runs(self, folder: Path, runs: int, limit_s: float) -> Result:
        """A thousand runs through its API take a minute: rows are inserted instead."""
        insert_runs(folder, _one_run(), runs)
        return {"runs": runs, "how": HOW}

    def by_tag(self, folder: Path, group: str) -> int:
        return self._newest(f"tags.{TAG} = '{group}'")

    def by_metric(self, folder: Path, below: float) -> int:
        return self._newest(f"metrics.{METRIC} < {below}")

    def send(
        self, folder: Path, values: list[float], limit_s: float, go: Callable[[], None]
    ) -> int:
        """``log_batch`` of 1,000 points each, the most that it takes."""
        run, client, sent = _one_run(), MlflowClient(), 0
        go()
        deadline = time.monotonic() + limit_s
        while sent < len(values) and time.monotonic() < deadline:
            now = time.time_ns() // 1_000_000
            part = values[sent : sent + 1000]
            client.log_batch(run, [Metric(METRIC, v, now, sent + i) for i, v in enumerate(part)])
            sent += len(part)
        return sent

    def in_order(self, folder: Path, below: float) -> int:
        found = MlflowClient().search_runs(
            [_experiment_id()],
            f"metrics.{METRIC} < {below}",
            max_results=50,
            order_by=[f"metrics.{METRIC} ASC"],
        )
        return len(found)

    def children(self, folder: Path, count: int, limit_s: float) -> Result:
        mlflow.set_experiment(PROJECT)
        made = 0
        with mlflow.start_run():
            began = time.perf_counter()
            while made < count and time.perf_counter() - began < limit_s:
                with mlflow.start_run(nested=True):
                    mlflow.log_metric(METRIC, 0.5, step=0)
                made += 1
            return {"runs": made, "took_s": time.perf_counter() - began}

    def launch(self, folder: Path, source: Path, script: str, argument: str) -> Launched:
        """An MLflow project, without an environment of its own."""
        project = f'entry_points: {{main: {{command: "{sys.executable} {script} {argument}"}}}}\n'
        (source / "MLproject").write_text(project)
        submitted = mlflow.projects.run(
            str(source),
            parameters={},
            env_manager="local",
            synchronous=False,
            experiment_name=PROJECT,
        )
        return Launched(submitted.wait, submitted.cancel)

    def _newest(self, query: str) -> int:
        client = MlflowClient()
        found = client.search_runs(
            [_experiment_id()], query, max_results=50, order_by=["attributes.start_time DESC"]
        )
        return len(found)


def _one_run() -> str:
    """A run with nothing in it."""
    mlflow.set_experiment(PROJECT)
    with mlflow.start_run() as run:
        return run.info.run_id


def _run_ids() -> list[str]:
    client, token, found = MlflowClient(), None, []
    while token != "":
        page = client.search_runs([_experiment_id()], max_results=1000, page_token=token)
        found += [run.info.run_id for run in page]
        token = page.token or ""
    return found


def _experiment_id() -> str:
    return MlflowClient().get_experiment_by_name(PROJECT).experiment_id


if __name__ == "__main__":
    serve(Mlflow())
