"""One workspace with a hundred to a million runs."""

import time
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.harness import Curve, Effort, percentile
from benchmarks.many_runs import EXPERIMENT, fill
from headway import Experiment, Workspace
from headway.hosting.layout import Layout
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.store.sqlite import SqliteDatabase

SIZES: Final = (100, 1_000, 10_000, 100_000, 1_000_000)
_QUICK: Final = 3
"""How many of the sizes are measured where it has to be quick."""
_PAGES: Final[dict[str, dict[str, object]]] = {
    "the newest 50": {},
    "the newest 50 by a tag of 1 %": {"tags": {"hundredth": "8"}},
    "the newest 50 by a metric of 1 %": {"filter": "metrics.loss < 0.01"},
    "the 50 with the lowest metric": {"order_by": "min(metrics.loss)"},
}
_FLAT: Final = (
    "None up to here: an index leads to the 50 runs. The first wall is what no index leads to, "
    "such as two common tags that no run has together, or the longest of all: such pages grow by "
    "0.05 to 0.7 us a run, 18 to 46 ms at 100,000. A summary by experiment, or an index for the "
    "one pair, would move it."
)


def measure(effort: Effort) -> list[Curve]:
    """Seconds of a page of 50 runs in several orders, and the bytes of the database."""
    sizes: list[int] = list(SIZES[:_QUICK] if effort.quick else SIZES)
    taken: dict[str, list[float]] = {name: [] for name in _PAGES}
    bytes_of: list[float] = []
    for size in sizes:
        name = f"growth-{size}"
        bytes_of.append(_filled_bytes(load_settings().home / "workspaces" / name, size))
        experiment = Experiment(Workspace.create(name, exist_ok=True), EXPERIMENT)
        for name, conditions in _PAGES.items():
            taken[name].append(_median(experiment, conditions))
    return [
        *(Curve(name, "runs", "s", sizes, values, _FLAT) for name, values in taken.items()),
        Curve("the database", "runs", "bytes", sizes, bytes_of, "The disk."),
    ]


def _filled_bytes(folder: Path, size: int) -> float:
    """Fill a new workspace; the bytes of its database, its write-ahead log taken in."""
    open_workspace(folder, load_settings()).close()
    file = Layout(folder).database
    with closing(SqliteDatabase(file)) as database:
        fill(database, size)
    return float(file.stat().st_size)


def _median(experiment: Experiment, conditions: dict[str, object]) -> float:
    samples: list[float] = []
    for _ in range(9):
        started = time.perf_counter()
        list(experiment.get_runs(limit=50, **conditions))  # pyright: ignore[reportArgumentType]  (a table of arguments)
        samples.append(time.perf_counter() - started)
    return percentile(sorted(samples), 0.5)
