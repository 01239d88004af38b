"""Where the time of each hot path goes: a profile of the calling thread, and what bounds it."""

import cProfile
import pstats
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.harness import Effort, Part, Profile
from benchmarks.peers.work import loss_curve
from headway import Experiment, Run, Workspace

SHOWN: Final = 6
_LOG: Final = (
    "The interpreter: a call with a keyword argument, the packing of 40 bytes and their checksum "
    "(80 ns) are four fifths of it. Only a log function in C would be faster."
)
_FLUSH: Final = (
    "pcodec, on one core, and one commit with its fsync; the profile shows the wait for the thread "
    "that does it. Coarser compression would be faster and larger."
)
_HISTORY: Final = (
    "Decompression, on one core, and the memory that the arrays are written to. Chunks are "
    "independent, so a second core would halve it."
)
_REDUCED: Final = (
    "The overviews of 3,900 units, and the two chunks at the ends, which are read whole."
)
_CHILDREN: Final = (
    "Nine statements a run inside SQLite, in one transaction. Statements of many rows would move "
    "that."
)
_NEWEST: Final = "SQLite's look-ups of 50 rows and their labels, through one index."


def measure(effort: Effort) -> list[Profile]:
    """The hot paths, each once without and once under the profiler."""
    points = 100_000 if effort.quick else 1_000_000
    experiment = Experiment(Workspace.create("profiles", exist_ok=True), "profiles")
    curve = loss_curve(points)
    run = experiment.start_logging()
    written = [
        profile_of(f"run.log, {points:,} calls", _LOG, lambda: _log(run, curve)),
        profile_of(
            f"flush: what is left to drain after {points:,} calls",
            _FLUSH,
            run.flush,
            lambda: _log(run, curve),
        ),
    ]
    run.complete()
    return [
        *written,
        profile_of(f"history of {points:,} points", _HISTORY, lambda: run.history("loss")),
        profile_of(
            f"history of {points:,} points, reduced to 1,000",
            _REDUCED,
            lambda: run.history("loss", points=1000),
        ),
        profile_of("create_children(1000)", _CHILDREN, lambda: _children(experiment)),
        profile_of("get_runs: newest 50", _NEWEST, lambda: list(experiment.get_runs(limit=50))),
    ]


def _log(run: Run, curve: list[float]) -> None:
    log = run.log
    for step, value in enumerate(curve):
        log("loss", value, step=step)


def _children(experiment: Experiment) -> None:
    with experiment.start_logging() as parent:
        parent.create_children(1000)


def profile_of(
    what: str, bound: str, act: Callable[[], object], prepare: Callable[[], object] = lambda: None
) -> Profile:
    """Act three times: the first warms up, the second is counted, the third is looked into.

    Args:
        what: Its title.
        bound: What bounds it, as was found.
        act: It.
        prepare: Done before, and not measured.
    """
    prepare()
    act()
    prepare()
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    act()
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    prepare()
    profiler = cProfile.Profile()
    profiler.runcall(act)
    return Profile(
        what,
        wall_s,
        after.ru_utime - before.ru_utime,
        after.ru_stime - before.ru_stime,
        after.ru_nvcsw - before.ru_nvcsw,
        after.ru_minflt - before.ru_minflt,
        _parts(pstats.Stats(profiler)),
        bound,
    )


def _parts(stats: pstats.Stats) -> list[Part]:
    profile = stats.get_stats_profile()
    total_s = profile.total_tt or 1.0
    functions = sorted(profile.func_profiles.items(), key=lambda one: -one[1].tottime)[:SHOWN]
    return [
        Part(
            f"{Path(one.file_name).name}:{name}" if one.line_number else name,
            one.tottime / total_s,
            int(str(one.ncalls).partition("/")[0]),
        )
        for name, one in functions
    ]
