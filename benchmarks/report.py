"""The figures for people and for programs."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.harness import Line, Timing


class Report(msgspec.Struct, frozen=True):
    """What ``--json`` writes; times in seconds."""

    machine: str
    python: str
    headway: str
    lines: dict[str, list[Line]]
    """By topic."""


def report_of(lines: dict[str, list[Line]]) -> Report:
    """The figures with what they were measured on."""
    return Report(machine(), platform.python_version(), version("headway"), lines)


def machine() -> str:
    """This machine in one line, and how busy it is."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {cores} cores, load {load:.1f}; "
        f"{platform.system()} {platform.release()}; /tmp is {_filesystem('/tmp')}"
    )


def table(lines: list[Line]) -> Table:
    """One row a line."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("", overflow="fold")
    for name in ("median", "p99", "min - max"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("baseline", overflow="fold")
    for name in ("median", "ratio", "above"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("aim")
    for line in lines:
        made.add_row(*_cells(line))
    return made


def console() -> Console:
    """Standard output, wide enough for the table where nobody has a say in it."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=150)


def _cells(line: Line) -> list[str]:
    timing, base, ratio, above_s = line.timing, line.base, line.ratio, line.above_s
    return [
        line.what,
        duration(timing.median_s),
        duration(timing.p99_s) if _has_tail(timing) else "",
        f"{duration(timing.low_s)} - {duration(timing.high_s)}",
        line.baseline,
        duration(base.median_s) if base else "",
        f"{ratio:.3g}" if ratio is not None else "",
        duration(above_s) if above_s is not None else "",
        line.aim,
    ]


def _has_tail(timing: Timing) -> bool:
    """Whether there are enough measurements for a 99th percentile that is not the maximum."""
    return timing.count > 100


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _filesystem(folder: str) -> str:
    """The type of the file system that a folder is on."""
    found = ("", "unknown")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, at, kind, *_ = line.split(" ")
        if Path(folder).is_relative_to(at) and len(at) >= len(found[0]):
            found = (at, kind)
    return found[1]
