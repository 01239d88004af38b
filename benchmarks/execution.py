"""Programs that are submitted: how soon they begin, how soon they are gone."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import Act, Effort, Line, interleave, timing_of
from headway import Experiment, ScriptRunConfig, Workspace

PATIENCE_S = 30.0
BEGIN = """\
import time
began = time.time_ns()
import sys
from pathlib import Path
Path(sys.argv[1]).write_text(str(began))
"""
SLEEP = """\
import os, sys, time
from pathlib import Path
at = Path(sys.argv[1])
at.with_suffix(".new").write_text(str(os.getpid()))
at.with_suffix(".new").rename(at)
time.sleep(600)
"""


def begin(effort: Effort) -> list[Line]:
    """From ``submit`` to the first line of the script, beside the script started directly."""
    with TemporaryDirectory() as folder:
        source = _source(folder, begin=BEGIN)
        answer = Path(folder, "began")
        returned: list[float] = []
        submitted, direct = interleave(
            effort.rounds(12, 3),
            _submit_and_begin(_experiment("begin"), source, answer, returned),
            _start_and_begin(source, answer),
        )
    return [
        Line(
            "submit to the script's first line",
            submitted,
            "python script.py",
            direct,
            "120 ms above it",
        ),
        Line("submit() returns", timing_of(returned[1:]), "python script.py", direct),
    ]


def cancel(effort: Effort) -> list[Line]:
    """From ``cancel`` until it has returned and the script's process is gone."""
    with TemporaryDirectory() as folder:
        source = _source(folder, sleep=SLEEP)
        canceled, terminated = interleave(
            effort.rounds(12, 3),
            _submit_and_cancel(_experiment("cancel"), source, Path(folder)),
            _start_and_terminate(source, Path(folder)),
        )
    return [Line("cancel a sleeping script", canceled, "SIGTERM and wait", terminated, "150 ms")]


def _experiment(name: str) -> Experiment:
    return Experiment(Workspace.create("execution", exist_ok=True), name)


def _source(folder: str, **scripts: str) -> Path:
    source = Path(folder, "source")
    source.mkdir()
    for name, text in scripts.items():
        source.joinpath(f"{name}.py").write_text(text)
    return source


# ---------------------------------------------------------------- begin


def _submit_and_begin(
    experiment: Experiment, source: Path, answer: Path, returned: list[float]
) -> Act:
    def act() -> float:
        started = time.time_ns()
        run = experiment.submit(ScriptRunConfig(str(source), "begin.py", [str(answer)]))
        returned.append((time.time_ns() - started) / 1e9)
        run.wait_for_completion()
        return _took(answer, started)

    return act


def _start_and_begin(source: Path, answer: Path) -> Act:
    def act() -> float:
        started = time.time_ns()
        subprocess.run([sys.executable, source / "begin.py", answer], check=True)
        return _took(answer, started)

    return act


def _took(answer: Path, started: int) -> float:
    began = int(answer.read_text())
    answer.unlink()
    return (began - started) / 1e9


# ---------------------------------------------------------------- cancel


def _submit_and_cancel(experiment: Experiment, source: Path, folder: Path) -> Act:
    at = folder / "sleeping"

    def act() -> float:
        run = experiment.submit(ScriptRunConfig(str(source), "sleep.py", [str(at)]))
        return _until_gone(_sleeping(at), run.cancel)

    return act


def _start_and_terminate(source: Path, folder: Path) -> Act:
    at = folder / "sleeping"

    def act() -> float:
        with subprocess.Popen([sys.executable, source / "sleep.py", at]) as process:

            def end() -> None:
                process.terminate()
                process.wait()

            return _until_gone(_sleeping(at), end)

    return act


def _sleeping(at: Path) -> int:
    """The script's pid, once it says so."""
    deadline = time.monotonic() + PATIENCE_S
    while not at.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the script did not begin within {PATIENCE_S:g} s")
        time.sleep(0.005)
    pid = int(at.read_text())
    at.unlink()
    return pid


def _until_gone(pid: int, end: Callable[[], object]) -> float:
    """How long it takes to end a process: until the call has returned and the process is gone."""
    handle = os.pidfd_open(pid)
    try:
        gone = select.poll()
        gone.register(handle, select.POLLIN)
        started = time.perf_counter()
        end()
        if not gone.poll(PATIENCE_S * 1000):
            raise TimeoutError(f"process {pid} is still there after {PATIENCE_S:g} s")
        return time.perf_counter() - started
    finally:
        os.close(handle)
