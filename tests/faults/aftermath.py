"""What one fresh reader finds after ``random_kills.py``, held against the diaries."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from headway.api import pages
from headway.engines import processes
from headway.engines.processes import Process
from headway.model import Event, MetricQuery, Run, RunQuery, Series
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings

HEADWAY: Final = (sys.executable, "-c", "from headway.cli import main; main()")
LOG: Final = "user_logs/std_log.txt"
REASONS: Final[dict[str, set[str]]] = {
    "program": {"Signal"},
    "shim": {"ShimLost"},
    "submitter": {"SubmissionInterrupted"},
    "notebook": {"ProcessLost"},
    "reporter": set(),
}
"""The error that the death of each part may lead to; the program may also fail by itself."""


@dataclass
class Findings:
    """Figures, and what is wrong."""

    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    problems: list[str] = field(default_factory=list[str])
    counts: Counter[str] = field(default_factory=Counter[str])

    def count(self, name: str, amount: int, problem: str = "") -> None:
        """Add to a figure; where it should be 0 and is not, that is a problem."""
        self.counts[name] += amount
        if amount and problem:
            self.problems.append(f"{name}: {problem}")


def look(workspace: Path, diary: Path, victims: Mapping[str, str]) -> Findings:
    """Read everything once, and compare."""
    found = Findings()
    api = open_workspace(workspace, load_settings())
    with closing(api):
        query = RunQuery(include_children=True, limit=1000)
        runs = [run for page in pages(api.runs, query) for run in page.runs]
        found.figures["runs"] = len(runs)
        ends = Counter(run.error.code if run.error else str(run.status) for run in runs)
        found.figures["ends"] = dict(sorted(ends.items()))
        for run in runs:
            _check_end(found, run, victims.get(run.id), api.runs.events(run.id))
            series = {one.summary.name: one for one in api.metrics.read(MetricQuery(run.id))}
            _check_points(found, run, diary, series)
            _check_lines(found, run, diary, api)
    _check_missing(found, diary, {run.id for run in runs})
    _check_processes(found, workspace, diary)
    _check_doctor(found)
    _check_folders(found, workspace, {run.id for run in runs})
    found.figures |= dict(sorted(found.counts.items()))
    return found


def _check_end(found: Findings, run: Run, victim: str | None, events: list[Event]) -> None:
    what = f"{run.id} ({victim} killed)"
    found.count("not ended", not run.status.ended, f"{what} is {run.status}")
    failed = run.status == "Failed"
    silent = failed and (run.error is None or not run.error.code or not run.error.message)
    found.count("failed without a reason", silent, what)
    code = run.error.code if run.error else None
    if victim is not None:
        accepted = {None, "ExitCode", *REASONS[victim]}
        found.count("wrong reason", code not in accepted, f"{what} says {run.error}")
    unexplained = [event for event in events if not (event.at and event.actor and event.reason)]
    times = [event.at for event in events]
    found.count("events out of order", times != sorted(times), f"{what}: {events}")
    found.count("events without reason", len(unexplained), f"{what}: {unexplained}")
    found.count("points lost by count", run.points_lost)


def _check_points(found: Findings, run: Run, diary: Path, series: Mapping[str, Series]) -> None:
    for path in diary.glob(f"{run.id}.*.points"):
        writer = path.name.removeprefix(f"{run.id}.").removesuffix(".points")
        noted = len(path.read_bytes().splitlines())
        stored = series[writer].values if writer in series else []
        whole = list(range(len(stored)))
        found.count("points acknowledged", noted)
        lost = len(set(range(noted)) - set(stored))
        found.count("acknowledged points lost", lost, f"{path.name}: {lost} of {noted}")
        wrong = sum(a != b for a, b in zip(stored, whole, strict=True))
        found.count("points doubled or in disorder", wrong, f"{path.name}: {stored}")
        # The one that was just being logged may be there; nothing may be made up.
        invented = max(0, len(stored) - noted - 1)
        found.count("points invented", invented, f"{path.name}: {len(stored)} of {noted}")


def _check_lines(found: Findings, run: Run, diary: Path, api: EmbeddedWorkspace) -> None:
    if run.definition is None:
        return
    with api.files.open(run.id, LOG) as log:
        lines = Counter(log.read().decode().splitlines())
    for path in diary.glob(f"{run.id}.*.lines"):
        writer = path.name.removeprefix(f"{run.id}.").removesuffix(".lines")
        noted = len(path.read_bytes().splitlines())
        found.count("lines acknowledged", noted)
        wrong = [i for i in range(noted) if lines[f"{writer} {i}"] != 1]
        found.count("acknowledged lines lost", len(wrong), f"{path.name}: {wrong[:5]} of {noted}")


def _check_missing(found: Findings, diary: Path, known: set[str]) -> None:
    """A program that ran belongs to a run."""
    ran = {path.name.partition(".")[0] for path in diary.iterdir()}
    found.count("programs of no run", len(ran - known), f"{ran - known}")


def _check_processes(found: Findings, workspace: Path, diary: Path) -> None:
    orphans = {process for _, process in _of_workspace(workspace)}
    for path in diary.glob("*.processes"):
        for line in path.read_text().splitlines():
            process = Process(*map(int, line.split()))
            if processes.alive(process):
                orphans.add(process)
    what = [f"{orphan.pid} {processes.arguments_of(orphan.pid)}" for orphan in orphans]
    found.count("orphan processes", len(orphans), f"{what}")
    for orphan in orphans:
        processes.send_signal(orphan, signal.SIGKILL)


def _of_workspace(workspace: Path) -> Iterator[tuple[str, Process]]:
    """Living processes that carry the mark of a run of a workspace."""
    mark = f"\0HEADWAY_RUN_FOLDER={workspace.resolve()}/".encode()
    for status in processes.all_processes():
        try:
            environment = b"\0" + Path(f"/proc/{status.process.pid}/environ").read_bytes()
        except OSError:
            continue
        if mark in environment and not status.dead and status.process.pid != os.getpid():
            yield environment.partition(mark)[2].partition(b"\0")[0].decode(), status.process


def _check_folders(found: Findings, workspace: Path, known: set[str]) -> None:
    journals = [path.name for path in (workspace / "journals").iterdir()]
    found.count("journals left", len(journals), f"{journals}")
    strays = {path.name for path in (workspace / "runs").iterdir()} - known
    found.count("folders of no run", len(strays), f"{strays}")


def _check_doctor(found: Findings) -> None:
    """Nothing is wrong but what is left of submitters and owners; mended, nothing at all."""
    for arguments, accepted in (((), {"run folders", "owner locks"}), (("--fix",), set[str]())):
        command = [*HEADWAY, "doctor", "--json", *arguments]
        said = subprocess.run(command, capture_output=True, text=True)
        bad = [one for one in json.loads(said.stdout) if one["state"] != "ok"]
        found.figures[" ".join(["doctor", *arguments, "warns of"])] = [one["text"] for one in bad]
        bad = [one for one in bad if one["name"] not in accepted]
        found.count("doctor says otherwise", len(bad), f"{bad}")


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    lines: list[str] = []
    for name, value in figures.items():
        if isinstance(value, dict):
            lines.append(name)
            parts = cast("dict[str, int]", value)
            lines += [f"    {key:<28} {one:>8}" for key, one in parts.items()]
        elif isinstance(value, list):
            texts = cast("list[str]", value)
            lines += [f"{name:<32} {len(texts):>8}", *(f"    {one}" for one in texts)]
        else:
            lines.append(f"{name:<32} {value:>8}")
    return "\n".join(lines)
