"""Finding runs among many by tag and property."""

import time
import uuid
from contextlib import closing

from benchmarks.harness import Act, Effort, Line, interleave, timed
from headway import Experiment, Status, Workspace
from headway.model import NewRun
from headway.service import transitions
from headway.service.layout import Layout
from headway.store import runs
from headway.store.sqlite import SqliteDatabase

RUNS = 10_000
PAGE = 50
LIVE = 1_000
AIM = "10 ms"

Labels = dict[str, str | None] | None


def measure(effort: Effort) -> list[Line]:
    """Pages of 50 of 10,000 ended runs, while this process has a live one."""
    count = RUNS * effort.scale
    workspace = Workspace.create("listing", exist_ok=True)
    experiment = Experiment(workspace, "listing")
    _make_ended_runs(workspace, experiment, count)
    in_memory = [_labels(i) for i in range(count)]

    def scan() -> None:
        found = [one for one in in_memory if one["hundredth"] == "7" and one["half"] == "0"]
        assert found

    def page(tags: Labels = None, properties: Labels = None) -> Act:
        return timed(
            lambda: list(experiment.get_runs(tags=tags, properties=properties, limit=PAGE))
        )

    with experiment.start_logging() as run:
        *pages, base = interleave(
            effort.rounds(50, 15),
            page({"half": "0"}, {"hundredth": "7"}),
            page({"half": "0"}, {"quarter": "0"}),
            page({"half": "0"}, {"other half": "1"}),
            page(),
            timed(scan),
        )
        run.create_children(LIVE)
        [beside_live] = interleave(effort.rounds(10, 5), page())
        _end_live_runs(workspace)
    names = (
        "tag 50 %, property 1 %",
        "tag 50 %, property 25 %",
        "tag 50 %, property 50 %, never both",
        "the newest",
    )
    timings = [*zip(names, pages, strict=True), (f"the newest, {LIVE:,} live", beside_live)]
    return [
        Line(f"{PAGE} of {count:,} runs: {name}", one, "scan of dicts in a list", base, AIM)
        for name, one in timings
    ]


def _labels(number: int) -> dict[str, str]:
    """What tells run ``number`` apart; the values are independent but for the two halves."""
    half = str(number % 2)
    return {
        "half": half,
        "other half": half,
        "quarter": str(number // 2 % 4),
        "hundredth": str(number // 8 % 100),
    }


def _make_ended_runs(workspace: Workspace, experiment: Experiment, count: int) -> None:
    for start in range(0, count, 1000):
        new = [_new_run(experiment, i) for i in range(start, min(start + 1000, count))]
        workspace.api.runs.create(new)
    _end_live_runs(workspace)


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


def _new_run(experiment: Experiment, number: int) -> NewRun:
    labels: dict[str, str | None] = {**_labels(number)}
    tags = {"half": labels.pop("half")}
    run_id = str(uuid.uuid4())
    return NewRun(
        id=run_id, experiment_id=experiment.id, started=True, tags=tags, properties=labels
    )
