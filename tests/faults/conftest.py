"""Real processes around one workspace, of which nothing is left after a test, even a failed one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.engines import processes
from headway.engines.folder import RunFolder, ShimRecord
from headway.engines.processes import Process
from headway.model import Run, Submission
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.testing.api.requests import new_run

PROGRAMS = Path(__file__).parent / "programs"
PATIENCE_S = 15.0


class Site:
    """A workspace, what is submitted to it, and the other processes that use it."""

    programs = PROGRAMS

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.workspace = folder / "workspace"
        self.api: EmbeddedWorkspace = open_workspace(self.workspace, load_settings({}))
        self.experiment_id = self.api.experiments.ensure("faults").id
        self._started: list[subprocess.Popen[str]] = []

    @staticmethod
    def wait_until(condition: Callable[[], object], what: str = "a condition") -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
            time.sleep(0.005)

    # ------------------------------------------------------------ runs

    def submit(self, *command: str, program: str | None = None, **fields: Any) -> Run:
        """A command, or a Python program given as text."""
        if program is not None:
            source = self.root / "source"
            source.mkdir(exist_ok=True)
            (source / "program.py").write_text(program)
            command = (sys.executable, "program.py")
            fields.setdefault("source_directory", str(source))
        fields = {"source_directory": str(self.root), "in_place": program is None, **fields}
        submission = Submission(command=list(command), **fields)
        return self.api.runs.submit(new_run(self.experiment_id), submission)

    def folder(self, run: Run) -> RunFolder:
        return RunFolder(self.workspace / "runs" / run.id)

    def record(self, run: Run) -> ShimRecord:
        record = self.folder(run).read_state()
        assert record is not None
        return record

    def log(self, run: Run) -> str:
        return self.folder(run).log_file.read_text()

    def wait_for_log(self, run: Run, text: str = "up") -> None:
        self.wait_until(lambda: text in self.log(run), f"{text!r} in the log")

    def wait_for_end(self, run: Run) -> Run:
        """The run after its end, which a reader sees."""
        self.wait_until(lambda: self.api.runs.get(run.id).status.ended, "the end of the run")
        return self.api.runs.get(run.id)

    def left_of(self, run: Run) -> list[Process]:
        return list(processes.marked(self.folder(run).mark))

    # ------------------------------------------------------------ other processes

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """A process of its own, killed at the end of the test."""
        options = {"env": {**os.environ, "HEADWAY_WORKSPACE": str(self.workspace)}, **options}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, **options
        )
        self._started.append(process)
        return process

    def python(self, script: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        """One of the programs beside this file."""
        words = [str(argument) for argument in arguments]
        return self.start(sys.executable, str(PROGRAMS / script), *words, **options)

    def close(self) -> list[str]:
        """End everything, and say what should have ended before."""
        folders = [RunFolder(path) for path in (self.workspace / "runs").iterdir()]
        deadline = time.monotonic() + 5
        while any(folder.alive() for folder in folders) and time.monotonic() < deadline:
            time.sleep(0.01)  # a shim that has written its last record is about to exit
        left = [f"{p.pid} {processes.arguments_of(p.pid)}" for p in self._kill_all()]
        for process in self._started:
            process.kill()
            process.communicate()
        self.api.close()
        return left

    def _kill_all(self) -> list[Process]:
        """Whatever carries the mark of a run in this folder; the first pass is what is told."""
        told: list[Process] = []
        for attempt in range(50):
            found = list(marked_below(self.root))
            if attempt == 0:
                told = found
            if not found:
                break
            for process in found:
                processes.send_signal(process, signal.SIGSTOP)
            for process in found:
                processes.send_signal(process, signal.SIGKILL)
        return told


def marked_below(folder: Path) -> Iterator[Process]:
    """Living processes whose environment names a run's folder below a folder."""
    mark = f"\0HEADWAY_RUN_FOLDER={folder.resolve()}/".encode()
    for status in processes.all_processes():
        try:
            environment = b"\0" + Path(f"/proc/{status.process.pid}/environ").read_bytes()
        except OSError:
            continue
        if mark in environment and not status.dead and status.process.pid != os.getpid():
            yield status.process


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    assert made.close() == [], "the test left processes behind"
