"""Programs that are submitted: how soon they begin, how soon they are gone."""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import Act, Effort, Line, interleave, timing_of
from benchmarks.peers.launching import BEGIN, SLEEP, content, until_gone
from headway import Experiment, ScriptRunConfig, Workspace


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
    return (int(content(answer)) - started) / 1e9


# ---------------------------------------------------------------- cancel


def _submit_and_cancel(experiment: Experiment, source: Path, folder: Path) -> Act:
    at = folder / "sleeping"

    def act() -> float:
        run = experiment.submit(ScriptRunConfig(str(source), "sleep.py", [str(at)]))
        return until_gone(int(content(at)), run.cancel)

    return act


def _start_and_terminate(source: Path, folder: Path) -> Act:
    at = folder / "sleeping"

    def act() -> float:
        with subprocess.Popen([sys.executable, source / "sleep.py", at]) as process:

            def end() -> None:
                process.terminate()
                process.wait()

            return until_gone(int(content(at)), end)

    return act
