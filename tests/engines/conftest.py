"""Real runs of real programs, in a folder each, of which nothing is left after the test."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.engines import processes
from headway.engines.base import Engine
from headway.engines.folder import Asked, Intent, RunFolder, RunSpec, ShimRecord
from headway.engines.local import LocalEngine
from headway.engines.processes import Process

PROGRAMS = Path(__file__).parent / "programs"
PATIENCE_S = 10.0


def wait_until(condition: Callable[[], object], what: str = "a condition") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.005)


class OneRun:
    """A run that was or will be submitted."""

    def __init__(self, folder: RunFolder, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine

    @property
    def record(self) -> ShimRecord:
        record = self.folder.read_state()
        assert record is not None
        return record

    @property
    def shim(self) -> Process:
        return self.record.shim

    def start(self) -> str:
        fd = self.folder.hold()
        try:
            return self.engine.start(self.folder, fd)
        finally:
            os.close(fd)

    def wait(self) -> ShimRecord:
        """Until nobody holds the run; then what it says."""
        wait_until(lambda: not self.folder.alive(), f"the end of {self.folder}")
        assert self.left() == [], "processes are left behind"
        return self.record

    def wait_until_running(self) -> None:
        wait_until(lambda: self.record.phase == "Running", "the program to begin")

    def log(self) -> str:
        return self.folder.log_file.read_text(encoding="utf-8")

    def wait_for_log(self, text: str) -> None:
        wait_until(lambda: text in self.log(), f"{text!r} in the log")

    def ask(self, outcome: Asked = "Canceled", **fields: Any) -> bool:
        intent = Intent(outcome=outcome, at=time.time_ns() // 1000, by="someone@here", **fields)
        won = self.folder.write_intent(intent)
        self.engine.cancel(self.folder)
        return won

    def cancel(self, grace_s: float | None = None) -> ShimRecord:
        self.ask(grace_s=grace_s)
        return self.wait()

    def kill_shim(self) -> None:
        assert processes.send_signal(self.shim, signal.SIGKILL)
        wait_until(lambda: not self.folder.alive(), "the death of the shim")

    def left(self) -> list[Process]:
        """Living processes that name this run's folder, found in a way of the test's own.

        Programs are started with a path in the folder as argument, which forks inherit.
        """
        return named_in_arguments(str(self.folder.path))


def named_in_arguments(text: str) -> list[Process]:
    found: list[Process] = []
    for status in processes.all_processes():
        arguments = " ".join(processes.arguments_of(status.process.pid))
        if text in arguments and status.process.pid != os.getpid() and not status.dead:
            found.append(status.process)
    return found


class Harness:
    """Makes runs below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.engine: Engine = LocalEngine()
        self._count = 0

    @staticmethod
    def wait_until(condition: Callable[[], object], what: str = "a condition") -> None:
        """Until it holds; an assertion fails where that takes too long."""
        wait_until(condition, what)

    def make(
        self, program: str | None = None, *, command: list[str] | None = None, **spec: Any
    ) -> OneRun:
        """A run of a Python program given as text, or of a command, not yet started."""
        self._count += 1
        run_id = spec.pop("run_id", f"{self.root.name}-{self._count}")
        folder = RunFolder(self.root / "runs" / run_id)
        if program is not None:
            folder.work_dir.mkdir(parents=True)
            script = folder.work_dir / "program.py"
            script.write_text(program, encoding="utf-8")
            command = [sys.executable, str(script)]
        assert command is not None
        command = [word.replace("{folder}", str(folder.path)) for word in command]
        spec.setdefault("cwd", str(folder.work_dir))
        folder.create(RunSpec(run_id=run_id, command=command, **spec))
        return OneRun(folder, self.engine)

    def submit(self, program: str | None = None, **spec: Any) -> OneRun:
        run = self.make(program, **spec)
        run.start()
        return run

    def submit_hostile(self, **spec: Any) -> OneRun:
        script = str(PROGRAMS / "hostile.py")
        run = self.submit(command=[sys.executable, script, "{folder}"], **spec)
        names = ("main", "child", "session", "daemon", "nameless")
        for name in names:
            wait_until((run.folder.path / f"up-{name}").exists, f"process {name}")
        assert len(run.left()) == len(names) + 1  # and the shim
        return run

    def submit_chain(self, pause_s: float, **spec: Any) -> OneRun:
        """A run of which one process, always another one, is hard to catch."""
        script = str(PROGRAMS / "chain.py")
        run = self.submit(command=[sys.executable, script, "{folder}", str(pause_s)], **spec)
        beats = run.folder.path / "beats"
        wait_until(lambda: beats.exists() and beats.stat().st_size > 20, "the chain to run")
        return run

    def wait_until_none_left(self) -> None:
        """Shims and the dispatcher end a moment after what they did can be seen."""
        wait_until(lambda: not named_in_arguments(str(self.root)), "all processes to end")

    def assert_chain_has_ended(self, run: OneRun) -> None:
        """A look at the processes can miss it; what it writes cannot."""
        beats = run.folder.path / "beats"
        size = beats.stat().st_size
        time.sleep(0.1)
        assert beats.stat().st_size == size, "the chain goes on"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    yield Harness(tmp_path)
    left = named_in_arguments(str(tmp_path))
    for process in left:
        processes.send_signal(process, signal.SIGKILL)
    assert left == [], "the test left processes behind"


@pytest.fixture(params=[True, False], ids=["cgroup", "no cgroup"])
def use_cgroup(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)
