"""One metric growing from ten thousand to a hundred million points."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.harness import Curve, Effort, percentile
from headway.api import Api
from headway.metrics.columns import decode_points
from headway.model import ChartQuery, NewRun, PointQuery
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.testing.records import float_records, name_records

SIZES: Final = (10**4, 10**5, 10**6, 10**7, 10**8)
_QUICK: Final = 3
"""How many of the sizes are measured where it has to be quick."""
_READ_UP_TO: Final = 10**7
"""Reading all needs about 40 bytes of memory a point."""
_STRETCH: Final = 1 << 17
"""Points taken in at once, as a drain does: 4 MiB of records."""
_NAME: Final = "loss"


def measure(effort: Effort) -> list[Curve]:
    """Seconds and bytes of taking points in, reading them, and drawing a chart of them."""
    sizes = SIZES[:_QUICK] if effort.quick else SIZES
    folder = load_settings().home / "growth"
    api = open_workspace(folder, load_settings())
    run_id = _make_run(api)
    api.close()
    empty = _bytes(folder)
    offset, count, spent_s = 0, 0, 0.0
    found: dict[str, list[float]] = {}
    for size in sizes:
        api = open_workspace(folder, load_settings())
        offset, took_s = _fill(api, run_id, offset, count, size)
        count, spent_s = size, spent_s + took_s
        found.setdefault("drain", []).append(spent_s)
        for what, seconds in _reading(api, run_id, size).items():
            found.setdefault(what, []).append(seconds)
        api.close()  # which carries the write-ahead log into the file
        found.setdefault("bytes", []).append(_bytes(folder) - empty)
    return [
        _curve("taking in points of one metric", "s", sizes, found["drain"], _DRAIN),
        _curve("the database, beyond an empty one", "bytes", sizes, found["bytes"], _BYTES),
        _curve("reading all points into NumPy", "s", sizes, found["read"], _READ),
        _curve("a chart of 1,000 buckets", "s", sizes, found["chart"], _CHART),
        _curve("1,000 of the points", "s", sizes, found["points"], _CHART),
    ]


_DRAIN: Final = (
    "One core: compressing takes two thirds of the time and checking the records most of the rest. "
    "Stretches of one database follow each other, so a second core would help only if compression "
    "moved out of the transaction."
)
_BYTES: Final = (
    "The disk. Points take what pcodec needs for them, overviews 3.6 % of that; values of float32 "
    "noise cannot be told in less."
)
_READ: Final = "Memory: a point is 24 bytes as arrays, and its blocks are held beside them."
_CHART: Final = (
    "Nothing up to here; then the overviews, read whole: a billion points have 61,000 units. A "
    "coarser level would move that."
)


def _reading(api: Api, run_id: str, size: int) -> dict[str, float]:
    """Seconds, by what is read."""
    every = PointQuery(run_id, _NAME)
    some = PointQuery(run_id, _NAME, points=1000)
    query = ChartQuery([run_id], [_NAME], 1000)
    found = {
        "chart": _median(lambda: api.metrics.chart(query)),
        "points": _median(lambda: api.metrics.points(some)),
    }
    if size <= _READ_UP_TO:
        found["read"] = _median(lambda: decode_points(api.metrics.points(every).blocks))
    return found


def _make_run(api: Api) -> str:
    experiment = api.experiments.ensure("growth")
    [run] = api.runs.create([NewRun(id=str(uuid.uuid4()), experiment_id=experiment.id)])
    return run.id


def _fill(api: Api, run_id: str, offset: int, count: int, size: int) -> tuple[int, float]:
    """Take in the points from one count to another; the offset after it, and the seconds."""
    spent_s = 0.0
    for begin in range(count, size, _STRETCH):
        records = _records(begin, min(size, begin + _STRETCH))
        if not offset:
            records = name_records(_NAME) + records
        started = time.perf_counter()
        offset = api.metrics.append(run_id, "writer", offset, records)
        spent_s += time.perf_counter() - started
    return offset, spent_s


def _records(begin: int, end: int) -> bytes:
    """A loss as training gives it: float32, noise of a few per cent, times that jitter."""
    random = np.random.default_rng(begin)
    steps = np.arange(begin, end)
    loss = np.exp(-steps / 500_000) + random.normal(0, 0.02, len(steps))
    times = 1_700_000_000_000_000 + steps * 10_000 + random.integers(-300, 300, len(steps))
    return float_records(steps, times, loss.astype(np.float32).astype(np.float64))


def _median(act: Callable[[], object]) -> float:
    samples: list[float] = []
    for _ in range(5):
        started = time.perf_counter()
        act()
        samples.append(time.perf_counter() - started)
    return percentile(sorted(samples), 0.5)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("headway.db*"))


def _curve(what: str, unit: str, sizes: tuple[int, ...], values: list[float], wall: str) -> Curve:
    return Curve(what, "points", unit, list(sizes[: len(values)]), values, wall)
