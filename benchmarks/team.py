"""What a team does at once: pages of many runs on both databases, and 64 that log."""

import os
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Final

from benchmarks.harness import Act, Effort, Line, interleave, timed
from benchmarks.many_runs import EXPERIMENT, fill
from benchmarks.served import Served, server
from headway import Experiment, Workspace
from headway.hosting.layout import Layout
from headway.sdk.interactive.process import close_sessions
from headway.store.base import Database
from headway.store.postgres import PostgresServer
from headway.store.sqlite import SqliteDatabase
from headway.testing.postgres_cluster import PostgresCluster, find_programs

RUNS: Final = 100_000
PAGE: Final = 50
WRITERS: Final = 64
POINTS: Final = 1_000
"""Of each writer."""
AIM: Final = "10 ms"
_PAGES: Final = {
    "the newest": (None, None),
    "tag of 1 %, the newest": ("tags.hundredth = '8'", None),
    "metric, in its order": ("metrics.loss < 0.3", "metrics.loss"),
    "metric, in its order downwards": ("metrics.loss < 0.3", "metrics.loss desc"),
    "tag and metric and status": (
        "tags.half = '0' and metrics.loss < 0.3 and status = 'Completed'",
        "metrics.loss",
    ),
    "by the end": ("ended is not null", "ended desc"),
}


def measure(effort: Effort) -> list[Line]:
    """All of it; what needs PostgreSQL is left out where there is none."""
    count = (RUNS // 10 if effort.quick else RUNS) * effort.scale
    with server() as served, _using(served) as workspace:
        with closing(SqliteDatabase(Layout(served.default_workspace).database)) as database:
            fill(database, count)
        on_sqlite = _pages(workspace)
        writers = _writers(workspace)
        if (programs := find_programs()) is not None:
            with _postgres(PostgresCluster(programs), count) as on_postgres:
                return [writers, *_both(effort, count, on_sqlite, on_postgres)]
        timings = interleave(effort.rounds(30, 7), *on_sqlite.values())
    return [
        writers,
        *(
            Line(_title(count, name, "SQLite"), timing, aim=AIM)
            for name, timing in zip(on_sqlite, timings, strict=True)
        ),
    ]


def _both(
    effort: Effort, count: int, on_sqlite: dict[str, Act], on_postgres: dict[str, Act]
) -> list[Line]:
    lines: list[Line] = []
    for name in _PAGES:
        first, second = interleave(effort.rounds(30, 7), on_sqlite[name], on_postgres[name])
        lines.append(Line(_title(count, name, "SQLite"), first, aim=AIM))
        lines.append(Line(_title(count, name, "PostgreSQL"), second, "on SQLite", first, AIM))
    return lines


@contextmanager
def _postgres(cluster: PostgresCluster, count: int) -> Generator[dict[str, Act], None, None]:
    try:
        with server(cluster.url) as served, _using(served) as workspace:
            with closing(PostgresServer(cluster.url, patience_s=60.0)) as databases:
                database = databases.database("ws_default")
                fill(database, count)
                _analyze(database)
            yield _pages(workspace)
    finally:
        cluster.remove()


def _analyze(database: Database) -> None:
    """What its own vacuum would do, which the tests' cluster has not."""
    with database.write() as tx:
        tx.run("analyze")


@contextmanager
def _using(served: Served) -> Generator[Workspace, None, None]:
    os.environ["HEADWAY_TOKEN"] = served.token()
    os.environ["HEADWAY_WORKSPACE"] = served.url
    try:
        yield Workspace.from_config()
    finally:
        close_sessions()


def _pages(workspace: Workspace) -> dict[str, Act]:
    experiment = Experiment(workspace, EXPERIMENT)

    def page(condition: str | None, order_by: str | None) -> Act:
        def list_runs() -> None:
            found = experiment.get_runs(filter=condition, order_by=order_by, limit=PAGE)
            assert list(found)

        return timed(list_runs)

    return {name: page(*asked) for name, asked in _PAGES.items()}


def _title(count: int, name: str, database: str) -> str:
    return f"{PAGE} of {count:,} runs through a server: {name}, {database}"


def _writers(workspace: Workspace) -> Line:
    """Each begins a run, logs and ends it; any error fails the topic."""
    experiment = Experiment(workspace, "writers")

    def write(_: int) -> float:
        began = time.perf_counter()
        with experiment.start_logging() as run:
            for step in range(POINTS):
                run.log("loss", step * 0.5, step=step)
        return time.perf_counter() - began

    def together() -> None:
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write, range(WRITERS)))

    def in_turn() -> None:
        for number in range(WRITERS):
            write(number)

    at_once, one_by_one = interleave(3, timed(together), timed(in_turn))
    found = sum(len(run.history("loss")) for run in experiment.get_runs(limit=2 * WRITERS * 4))
    assert found == 2 * 4 * WRITERS * POINTS, f"{found} points are there"
    return Line(
        f"{WRITERS} runs of {POINTS:,} points at once through one server, each point found",
        at_once,
        "one after another",
        one_by_one,
    )
