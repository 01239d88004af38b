"""Finding runs among many by tag, by metric and in order."""

import time
from contextlib import closing
from typing import Final

from benchmarks.harness import Act, Effort, Line, interleave, timed
from benchmarks.many_runs import EXPERIMENT, fill
from headway import Experiment, Status, Workspace
from headway.hosting.layout import Layout
from headway.sdk.workspaces.queries import LabelFilter
from headway.service import transitions
from headway.store import runs
from headway.store.sqlite import SqliteDatabase

SIZES: Final = (10_000, 100_000)
PAGE: Final = 50
LIVE: Final = 1_000
AIM: Final = "10 ms"
_BASELINE: Final = "scan of dicts in a list"


def measure(effort: Effort) -> list[Line]:
    """Pages of 50 of many ended runs, while this process has a live one."""
    return [line for size in SIZES for line in _measure(effort, size * effort.scale)]


def _measure(effort: Effort, count: int) -> list[Line]:
    workspace = Workspace.create(f"listing-{count}", exist_ok=True)
    with closing(SqliteDatabase(Layout(workspace.folder).database)) as database:
        fill(database, count)
    experiment = Experiment(workspace, EXPERIMENT)
    in_memory = [{"half": i % 2, "hundredth": i // 8 % 100} for i in range(count)]

    def scan() -> None:
        assert [one for one in in_memory if one["hundredth"] == 7 and one["half"] == 0]

    def page(
        tags: LabelFilter = None, condition: str | None = None, order_by: str | None = None
    ) -> Act:
        def list_runs() -> None:
            list(experiment.get_runs(tags=tags, filter=condition, order_by=order_by, limit=PAGE))

        return timed(list_runs)

    old = "metrics.age < 0.2"
    acts = {
        "the newest": page(),
        "tags of 50 % and 1 %": page({"half": "0", "hundredth": "8"}),
        "tags that no run has both": page({"half": "1"}),
        "metric, 50 %": page(None, "metrics.loss < 0.5"),
        "metric, the oldest 20 %": page(None, old),
        "tag 50 %, metric 1 %": page({"half": "0"}, "metrics.loss < 0.01"),
        "tag 1 %, metric of the oldest 20 %": page({"hundredth": "8"}, old),
        "lowest min of a metric": page(None, None, "min(metrics.loss)"),
        "longest": page(None, None, "duration desc"),
    }
    with experiment.start_logging() as run:
        *pages, base = interleave(effort.rounds(30, 7), *acts.values(), timed(scan))
        timings = dict(zip(acts, pages, strict=True))
        run.create_children(LIVE)
        [timings[f"the newest, {LIVE:,} live"]] = interleave(effort.rounds(10, 5), page())
        _end_live_runs(workspace)
    return [
        Line(f"{PAGE} of {count:,} runs: {name}", one, _BASELINE, base, AIM)
        for name, one in timings.items()
    ]


def _end_live_runs(workspace: Workspace) -> None:
    """End them in one transaction: through the Api it would be one commit a run."""
    with (
        closing(SqliteDatabase(Layout(workspace.folder).database)) as database,
        database.write() as tx,
    ):
        now = time.time_ns() // 1000
        for run_id, _ in runs.live(tx):
            if (stored := runs.by_id(tx, run_id)) is not None:
                transitions.move(tx, stored, Status.COMPLETED, at=now, actor="benchmarks")
