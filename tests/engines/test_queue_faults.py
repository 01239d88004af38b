"""The queue under load and fire: nothing is lost, nothing doubled, no slot given to two at once."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.engines import processes, tickets
from headway.engines.folder import RunFolder
from headway.engines.processes import Process
from headway.engines.queueing import QueuedLocalEngine
from headway.engines.slots import Capacity, Slots

PATIENCE_S = 25.0
MANY_PATIENCE_S = 75.0

# Holds what no two programs may hold at a time, and says that it began; both in one shared folder.
PROGRAM = """
import fcntl, os, sys, time
shared, seconds = sys.argv[1], float(sys.argv[2])
for gpu in os.environ["CUDA_VISIBLE_DEVICES"].split(","):
    held = os.open(f"{shared}/gpu-{gpu}", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(held, True)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        open(f"{shared}/overlaps", "a").write(f"{gpu} ")
with open(f"{shared}/began", "a") as began:
    began.write(os.environ["HEADWAY_RUN_ID"] + "\\n")
time.sleep(seconds)
"""

SUBMITTER = """
import sys
from pathlib import Path
from headway.engines.folder import RunFolder, RunSpec
from headway.engines.queueing import QueuedLocalEngine
import os
root, name, count, *command = sys.argv[1:]
engine = QueuedLocalEngine(Path(root) / "compute", 0.02)
for number in range(int(count)):
    folder = RunFolder(Path(root) / "runs" / f"{name}-{number}")
    spec = RunSpec(run_id=folder.path.name, command=command, cwd="/", gpus=1, cpus=0)
    folder.create(spec)
    fd = folder.hold()
    engine.start(folder, fd)
    os.close(fd)
"""


class Site:
    """A queue for two GPUs, and what is known of all runs in it."""

    def __init__(self, harness: Any, root: Path) -> None:
        self.harness = harness
        self.root = root
        self.shared = root / "shared"
        self.shared.mkdir()
        self.script = root / "program.py"
        self.script.write_text(PROGRAM)
        self.engine = QueuedLocalEngine(root / "compute", tick_s=0.02)
        harness.engine = self.engine
        Slots(root / "compute").write(Capacity(gpus=("0", "1")))

    def command(self, seconds: float = 0.0) -> list[str]:
        python = [sys.executable, "-I", "-S", str(self.script)]
        return [*python, str(self.shared), str(seconds), str(self.root)]

    def submit(self, seconds: float = 0.0, **spec: Any) -> RunFolder:
        spec = {"cpus": 0, "gpus": 1, "cwd": "/", **spec}
        run = self.harness.submit(command=self.command(seconds), **spec)
        folder: RunFolder = run.folder
        return folder

    def submitter(self, name: str, count: int) -> "subprocess.Popen[bytes]":
        arguments = [str(self.root), name, str(count), *self.command()]
        return subprocess.Popen([sys.executable, "-c", SUBMITTER, *arguments])

    def outcomes(self, folders: list[RunFolder], patience_s: float = PATIENCE_S) -> list[str]:
        """How runs ended, as whoever reads would find out, once they all have."""
        deadline = time.monotonic() + patience_s
        while not all(self.ended(folder) for folder in folders):
            assert time.monotonic() < deadline, self.unended(folders)
            time.sleep(0.02)
        records = [folder.read_state() for folder in folders]
        return [record.outcome or "" for record in records if record is not None]

    def ended(self, folder: RunFolder) -> bool:
        [seen] = self.engine.poll([folder])
        record = self.engine.recover(folder) if seen.abandoned else seen.record
        return record is not None and record.ended

    def unended(self, folders: list[RunFolder]) -> str:
        left = [folder for folder in folders if not self.ended(folder)]
        seen = [(f.path.name, self.engine.poll([f]), tickets.of_run(f)) for f in left]
        log = self.root / "compute" / "dispatcher.log"
        return f"{seen}\n{log.read_text() if log.exists() else ''}"

    def began(self) -> list[str]:
        return (self.shared / "began").read_text().split()

    def assert_exclusive(self) -> None:
        overlaps = self.shared / "overlaps"
        assert not overlaps.exists(), f"two programs had GPU {overlaps.read_text()} at a time"

    def dispatcher(self) -> Process | None:
        try:
            words = (self.root / "compute" / "dispatcher").read_text().split()
        except FileNotFoundError:
            return None
        return Process(*map(int, words)) if len(words) == 2 else None


@pytest.fixture
def site(harness: Any, tmp_path: Path) -> Iterator[Site]:
    yield Site(harness, tmp_path)
    harness.wait_until_none_left()


@pytest.mark.slow  # a hundred runs, two at a time
@pytest.mark.timeout(90)
def test_a_hundred_runs_on_two_slots_all_end_and_never_more_than_two_at_once(site: Site) -> None:
    folders = [site.submit() for _ in range(100)]
    assert site.outcomes(folders, MANY_PATIENCE_S) == ["Completed"] * 100
    places = {folder.path.name: place for place, folder in enumerate(folders)}
    began = [places[name] for name in site.began()]
    assert sorted(began) == list(range(100))
    # In line, as they are started; one that is slow to say so lets some pass in the other slot.
    assert max(abs(place - at) for at, place in enumerate(began)) <= 10
    site.assert_exclusive()


def test_several_processes_submit_at_once(site: Site) -> None:
    submitters = [site.submitter(name, 6) for name in ("a", "b", "c", "d")]
    assert [submitter.wait(PATIENCE_S) for submitter in submitters] == [0] * 4
    folders = [RunFolder(path) for path in (site.root / "runs").iterdir()]
    assert site.outcomes(folders) == ["Completed"] * 24
    began = site.began()
    assert len(set(began)) == len(began) == 24
    for name in "abcd":  # each in the order in which it submitted
        assert [b for b in began if b[0] == name] == [f"{name}-{number}" for number in range(6)]
    site.assert_exclusive()


def test_a_dispatcher_killed_again_and_again_loses_and_doubles_nothing(site: Site) -> None:
    choice = random.Random()
    folders = [site.submit(choice.choice((0, 0.05))) for _ in range(12)]
    kills = 0
    deadline = time.monotonic() + PATIENCE_S
    while not all(site.ended(folder) for folder in folders):
        assert time.monotonic() < deadline
        time.sleep(choice.random() * 0.08)
        found = site.dispatcher()
        kills += found is not None and processes.send_signal(found, signal.SIGKILL)
    assert kills > 1
    assert site.outcomes(folders) == ["Completed"] * 12
    assert sorted(site.began()) == sorted(folder.path.name for folder in folders)
    site.assert_exclusive()


def test_shims_programs_and_dispatchers_killed_at_random_give_no_slot_to_two(site: Site) -> None:
    choice = random.Random()
    folders = [site.submit(0.1) for _ in range(16)]
    deadline = time.monotonic() + PATIENCE_S
    while not all(site.ended(folder) for folder in folders):
        assert time.monotonic() < deadline
        time.sleep(choice.random() * 0.05)
        for victim in choice.sample(_victims(site, folders), k=1):
            processes.send_signal(victim, signal.SIGKILL)
    assert set(site.outcomes(folders)) <= {"Completed", "Failed"}
    began = site.began()
    assert len(set(began)) == len(began)
    site.assert_exclusive()


def _victims(site: Site, folders: list[RunFolder]) -> list[Process]:
    found = [Process(0, 0)]  # sometimes nobody is killed
    if (dispatcher := site.dispatcher()) is not None:
        found.append(dispatcher)
    for folder in folders:
        record = folder.read_state()
        if record is None or record.ended:
            continue
        found.append(record.shim)
        if record.main_pid is not None and record.main_start is not None:
            found.append(Process(record.main_pid, record.main_start))
    return [one for one in found if one.pid == 0 or processes.alive(one)]


def test_canceling_while_runs_start_ends_each_as_canceled_or_lets_it_complete(
    site: Site,
) -> None:
    choice = random.Random()
    runs = [site.harness.make(command=site.command(), cwd="/", cpus=0, gpus=1) for _ in range(20)]
    for run in runs:
        run.start()
    for run in choice.sample(runs, k=len(runs)):
        time.sleep(choice.random() * 0.02)
        run.ask(grace_s=0)
    folders = [run.folder for run in runs]
    outcomes = site.outcomes(folders)
    assert set(outcomes) <= {"Completed", "Canceled"}
    began = site.began() if (site.shared / "began").exists() else []
    for folder, outcome in zip(folders, outcomes, strict=True):
        record = folder.read_state()
        assert record is not None
        assert (
            outcome == "Completed" or record.started_at is not None or folder.path.name not in began
        )
    site.assert_exclusive()
