"""Rows put straight into mlflow's SQLite database, where its API would take minutes to hours."""

import sqlite3
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.peers.protocol import METRIC, TAG, group_of, loss_of

HOW = "rows inserted into its database"
_INTO_METRICS = (
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"
)
_INTO_LATEST = (
    "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)"
    " VALUES (?, ?, ?, ?, 0, ?)"
)
_INTO_TAGS = "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)"
_INTO_RUNS = """
INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,
    start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)
SELECT ?, name, source_type, source_name, entry_point_name, user_id, 'FINISHED', start_time + ?,
    start_time + ? + 1, source_version, lifecycle_stage, artifact_uri, experiment_id
FROM runs WHERE run_uuid = ?
"""


def insert_series(folder: Path, run_id: str, values: Sequence[float]) -> None:
    """One series of a run that exists, 20 ms from point to point."""
    now = time.time_ns() // 1_000_000
    with _database(folder) as database:
        rows = ((METRIC, value, now + 20 * i, run_id, i) for i, value in enumerate(values))
        database.executemany(_INTO_METRICS, rows)
        end = len(values) - 1
        database.execute(_INTO_LATEST, (METRIC, values[-1], now + 20 * end, end, run_id))


def insert_runs(folder: Path, pattern: str, count: int) -> None:
    """Ended runs like one that exists, each with one tag and one metric."""
    now = time.time_ns() // 1_000_000
    ids = [uuid.uuid4().hex for _ in range(count)]
    with _database(folder) as database:
        numbered = list(enumerate(ids))
        database.executemany(_INTO_RUNS, ((one, i, i, pattern) for i, one in numbered))
        database.executemany(_INTO_TAGS, ((TAG, group_of(i), one) for i, one in numbered))
        database.executemany(
            _INTO_METRICS, ((METRIC, loss_of(i), now, one, 0) for i, one in numbered)
        )
        database.executemany(
            _INTO_LATEST, ((METRIC, loss_of(i), now, 0, one) for i, one in numbered)
        )


@contextmanager
def _database(folder: Path) -> Generator[sqlite3.Connection, None, None]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        yield database
