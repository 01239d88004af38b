"""Waiting for a run: what is shown, what is raised."""

import io
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from headway import Experiment, RunFailedError, ScriptRunConfig, SubmissionError
from headway.model import FileEntry, LogPart, Run, RunError, RunUpdate, Status
from headway.sdk.runs import following

RUNNING = Run("r", "e", "exp", 1, "run_r", Status.RUNNING, 0)
COMPLETED = Run("r", "e", "exp", 1, "run_r", Status.COMPLETED, 0)
FAILED = Run("r", "e", "exp", 1, "run_r", Status.FAILED, 0, error=RunError("UserError", "no data"))


class Script:
    """A workspace whose one run does what it is told, step by step."""

    def __init__(self, *steps: tuple[Run, bytes]) -> None:
        self.steps = list(steps)
        self.log = b""
        self.runs: Any = self
        self.files: Any = self

    def watch(self, run_id: str, *, log: str, offset: int, timeout_s: float) -> RunUpdate:
        assert (run_id, log) == ("r", following.LOG_NAME)
        if timeout_s and self.steps:
            run, more = self.steps.pop(0)
            self.log += more
        else:
            run = COMPLETED
        part = self.log[offset:]
        return RunUpdate(run, LogPart(part, offset + len(part)))

    def list(self, run_id: str, prefix: str = "") -> "list[FileEntry]":
        return [FileEntry(following.LOG_NAME, len(self.log), "", 0)]


def test_the_log_is_shown_as_it_comes() -> None:
    shown = io.StringIO()
    letter = "ö".encode()
    script = Script(
        (RUNNING, b"one\n"), (RUNNING, letter[:1]), (COMPLETED, letter[1:]), (COMPLETED, b"")
    )
    assert following.wait(script, "r", url="file:///w", show=shown) is COMPLETED
    assert shown.getvalue() == (
        "RunId: r\nWeb View: file:///w\n"
        "\nStreaming user_logs/std_log.txt\n===============================\n\n"
        "one\nö"
        "\nExecution Summary\n=================\nRunId: r\nWeb View: file:///w\n\n"
    )


def test_a_run_without_output_has_no_heading() -> None:
    shown = io.StringIO()
    following.wait(Script((COMPLETED, b"")), "r", show=shown)
    assert "Streaming" not in shown.getvalue()


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    shown = io.StringIO()
    following.wait(Script((COMPLETED, b"\xff\xfe\n\xc3"), (COMPLETED, b"")), "r", show=shown)
    assert "\n\n��\n�\nExecution" in shown.getvalue()


def test_a_terminal_of_few_characters_is_no_reason_to_stop() -> None:
    buffer = io.BytesIO()
    shown = io.TextIOWrapper(buffer, encoding="ascii")
    following.wait(Script((COMPLETED, "größer\n".encode()), (COMPLETED, b"")), "r", show=shown)
    shown.flush()
    assert b"gr??er\n" in buffer.getvalue()


def test_a_failed_run_is_an_error_with_the_end_of_its_log() -> None:
    log = "".join(f"line {i}\n" for i in range(1000)).encode()
    with pytest.raises(RunFailedError) as caught:
        following.wait(Script((FAILED, log), (FAILED, b"")), "r")
    text = str(caught.value)
    assert "run r failed with UserError: no data" in text
    assert "line 999" in text
    assert "line 980" in text
    assert "line 979\n" not in text
    assert "headway logs r" in text


def test_a_failed_run_is_shown_where_it_is_no_error() -> None:
    shown = io.StringIO()
    run = following.wait(
        Script((FAILED, b""), (FAILED, b"")), "r", show=shown, raise_on_error=False
    )
    assert run is FAILED
    assert '"message": "no data"' in shown.getvalue()


def test_ctrl_c_says_that_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script()

    def interrupted(*args: object, **kwargs: object) -> RunUpdate:
        raise KeyboardInterrupt

    monkeypatch.setattr(script, "watch", interrupted)
    with pytest.raises(SubmissionError, match=r"still executing.*headway logs -f r"):
        following.wait(script, "r")


def test_a_canceled_run_is_no_error(experiment: Experiment, programs: Path) -> None:
    run = experiment.submit(ScriptRunConfig(".", "hello_with_delay.py"))
    run.cancel()
    assert run.wait_for_completion(wait_post_processing=True)["status"] == "Canceled"


def test_an_interactive_run_can_be_waited_for(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.complete()
    assert run.wait_for_completion(show_output=True)["status"] == "Completed"


def test_ctrl_c_while_waiting_leaves_the_run_running(
    python: Callable[..., Popen[str]], experiment: Experiment, programs: Path
) -> None:
    program = """
ws = Workspace.from_config()
run = Experiment(ws, "explore-runs").submit(ScriptRunConfig(".", "hello_with_delay.py"))
try:
    run.wait_for_completion(show_output=True)
except SubmissionError as error:
    print(error, flush=True)
"""
    process = python(program)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Hello"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "is still executing" in out
    run = next(experiment.get_runs())
    assert run.id in out
    assert run.get_status() == "Running"
    assert run.cancel() == "Canceled"
