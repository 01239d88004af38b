import os
import signal
import sys
import time
from subprocess import Popen

import pytest
from tests.cli.conftest import Cli

from headway.examples.processes import processes_of
from headway.model import Status
from headway.sdk.handles import Run

SLOW = "import sys, time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLOW


def start_python(cli: Cli, code: str) -> Popen[bytes]:
    """A foreground run that has said ``up``."""
    process = cli.start("run", "--", sys.executable, "-c", code)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def newest(cli: Cli) -> Run:
    return next(cli.experiment("default").get_runs())


def test_output_is_passed_on_byte_for_byte(cli: Cli) -> None:
    result = cli("run", "--", "sh", "-c", r"printf '\001\377\0\r\n x'; printf err >&2")
    assert result.stdout_bytes == b"\x01\xff\0\r\n xerr"
    assert result.stderr == f"headway: new workspace at {cli.workspace_folder}\n"


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (["true"], 0, ""),
        (["sh", "-c", "exit 3"], 3, "exited with code 3"),
        (["sh", "-c", "exit 255"], 255, "exited with code 255"),
        (["sh", "-c", "kill -KILL $$"], 137, "signal 9"),
        (["no-such-program"], 127, "cannot start 'no-such-program'"),
    ],
)
def test_the_exit_code_is_that_of_the_command(
    cli: Cli, command: list[str], code: int, says: str
) -> None:
    assert says in cli("run", "--", *command, code=code).stderr


def test_it_runs_in_the_current_folder_and_keeps_no_copy(cli: Cli) -> None:
    document = cli.json("run", "-e", "here", "--name", "n", "--tag", "a=b", "--", "touch", "made")
    assert (cli.folder / "made").exists()
    assert document["snapshot_id"] is None
    assert document["status"] == "Completed"
    assert (document["experiment"], document["name"], document["tags"]) == ("here", "n", {"a": "b"})


def test_options_behind_the_command_are_the_commands(cli: Cli) -> None:
    assert cli("run", "echo", "--json", "--workspace", "x").stdout == "--json --workspace x\n"


def test_no_command_is_a_usage_error(cli: Cli) -> None:
    assert "Missing argument" in cli.error("run", code=2)


def test_ctrl_c_cancels_the_run_and_waits_for_its_end(cli: Cli) -> None:
    process = start_python(cli, SLOW)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"canceling run" in said
    assert newest(cli).get_status() == Status.CANCELED


def test_sigterm_cancels_too(cli: Cli) -> None:
    process = start_python(cli, SLOW)
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert newest(cli).get_status() == Status.CANCELED


def test_a_second_ctrl_c_leaves_at_once_and_says_so(cli: Cli) -> None:
    process = start_python(cli, STUBBORN)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while b"canceling run" not in process.stderr.readline():
        pass
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - begun < 8  # well below the grace period
    assert process.returncode == 130
    run = newest(cli)
    assert f"left run {run.id} while it is being canceled" in said.decode()
    assert run.get_status() == Status.CANCEL_REQUESTED
    _kill(cli, run.id)


def _kill(cli: Cli, run_id: str) -> None:
    """End what would otherwise go on for its grace period."""
    for pid in processes_of(run_id):
        os.kill(pid, signal.SIGKILL)
    cli("wait", run_id, "--timeout", "15", code=7)


def test_a_run_canceled_from_elsewhere_ends_like_one_that_was_terminated(cli: Cli) -> None:
    process = start_python(cli, SLOW)
    cli("cancel", "latest", "--wait", "20")
    _, said = process.communicate(timeout=20)
    assert process.returncode == 143
    assert b"Canceled after" in said


def test_killing_the_command_leaves_the_run_going(cli: Cli) -> None:
    process = start_python(cli, SLOW)
    process.kill()
    process.communicate(timeout=20)
    run = newest(cli)
    assert run.get_status() == Status.RUNNING
    cli("cancel", run.id, "--wait", "20")


def test_a_reader_that_goes_away_ends_the_run_silently(cli: Cli) -> None:
    cli("run", "--", "true")
    process = cli.start("run", "--", "yes")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"y\n"
    process.stdout.close()
    assert process.wait(timeout=20) == 141
    assert process.stderr.read() == b""
    process.stderr.close()
    assert newest(cli).get_status() == Status.CANCELED
