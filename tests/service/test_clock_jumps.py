"""The clock is set while a run goes on: nothing ends early, nothing hangs, order stays.

libfaketime gives every process concerned (the one that submits and looks, the shim, the program)
a clock that a file sets. The monotonic clock stays true, as it does where a real clock is set.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

PROGRAM = """
import time
print("up", flush=True)
time.sleep({sleep})
"""

SCENARIO = """
import json, os, sys, time
from pathlib import Path
from headway.model import NewRun, Status, Submission
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.testing.api.requests import LOG

root, source, rate = Path(sys.argv[1]), sys.argv[2], Path(os.environ["FAKETIME_TIMESTAMP_FILE"])
limit, asked = json.loads(sys.argv[3]), sys.argv[4]
workspace = open_workspace(root, load_settings({"HEADWAY_SYSTEM_METRICS_INTERVAL_S": "0.2"}))
experiment = workspace.experiments.ensure("explore")
submission = Submission(
    command=[sys.executable, "program.py"], source_directory=source,
    max_run_duration_s=limit, grace_s=5.0,
)
run = workspace.runs.submit(NewRun("run", experiment.id), submission)
child = NewRun("child", experiment.id, owner_id="owner", started=True)
lease = workspace.hold_lease("owner")
workspace.runs.create([child])
workspace.runs.watch(run.id, log=LOG, offset=0, timeout_s=10)

began = time.monotonic()
statuses, shown = set(), set()
jumps = ["+3600s", "-7200s", "+365d", "+0s"]
while not (seen := workspace.runs.get("run")).status.ended and time.monotonic() - began < 12:
    statuses.add(str(seen.status))
    shown.add(str(workspace.runs.get("child").status))
    if jumps and time.monotonic() - began > 0.2 * (5 - len(jumps)):
        rate.write_text(jumps.pop(0))
    if asked == "cancel" and not jumps:
        asked = ""
        rate.write_text("-7200s")
        workspace.runs.cancel("run", wait_s=0)
        rate.write_text("+3600s")
    time.sleep(0.02)
ended = workspace.runs.get("run")
events = workspace.runs.events("run")
print(json.dumps({
    "status": ended.status, "error": ended.error and ended.error.code, "seen": sorted(statuses),
    "child": sorted(shown), "took_s": time.monotonic() - began, "left": len(jumps),
    "sequences": [event.sequence for event in events],
    "events": [event.status for event in events],
    "times": [event.at for event in events],
}))
lease.close()
workspace.close()
"""

Run = Callable[..., dict[str, object]]


def find_library(faketime: str) -> Path:
    command = [faketime, "-f", "+0s", "cat", "/proc/self/maps"]
    maps = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Path(next(word for word in maps.split() if word.endswith("/libfaketime.so.1")))


def without_its_sleep(library: Path) -> bytes:
    """libfaketime under which a sleep is the kernel's.

    That of libfaketime 0.9.10 fails for a time on the monotonic clock where that is not faked. It
    is found by its name, so under another one it is not found.
    """
    return library.read_bytes().replace(b"\0clock_nanosleep\0", b"\0xlock_nanosleep\0")


@pytest.fixture
def under_a_clock_that_jumps(tmp_path: Path, require_program: Callable[[str], str]) -> Run:
    """Runs the scenario and returns what it saw."""
    library = tmp_path / "libfaketime.so"
    library.write_bytes(without_its_sleep(find_library(require_program("faketime"))))

    def run(*, sleep: float, limit: float | None = None, ask: str = "") -> dict[str, object]:
        source = tmp_path / "source"
        source.mkdir()
        (source / "program.py").write_text(PROGRAM.format(sleep=sleep))
        rate = tmp_path / "clock"
        rate.write_text("+0s")
        environment = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(rate),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        scenario = [sys.executable, "-c", SCENARIO, str(tmp_path / "ws"), str(source)]
        done = subprocess.run(
            [*scenario, json.dumps(limit), ask],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=25,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        assert found["left"] == 0, "the clock was not set as often as it should be"
        return found

    return run


def in_order(found: dict[str, object]) -> bool:
    sequences = cast("list[int]", found["sequences"])
    times = cast("list[int]", found["times"])
    return sequences == list(range(1, len(sequences) + 1)) and times != sorted(times)


def test_no_time_limit_is_reached_by_setting_the_clock(under_a_clock_that_jumps: Run) -> None:
    found = under_a_clock_that_jumps(sleep=1.5, limit=30)
    assert (found["status"], found["error"]) == ("Completed", None)
    assert found["seen"] == ["Running"]
    assert found["child"] == ["Running"]


def test_a_time_limit_is_kept_although_the_clock_is_set(under_a_clock_that_jumps: Run) -> None:
    found = under_a_clock_that_jumps(sleep=60, limit=1.5)
    assert (found["status"], found["error"]) == ("Failed", "TimeLimit")
    took_s = found["took_s"]
    assert isinstance(took_s, float)
    assert 1.0 < took_s < 4.0


def test_a_cancel_ends_a_run_although_the_clock_is_set(under_a_clock_that_jumps: Run) -> None:
    found = under_a_clock_that_jumps(sleep=60, ask="cancel")
    assert found["status"] == "Canceled"
    took_s = found["took_s"]
    assert isinstance(took_s, float)
    assert took_s < 4.0
    assert in_order(found), "the times of the events were to go back while their order stays"
