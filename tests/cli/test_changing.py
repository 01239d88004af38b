"""cancel, wait and tag."""

import signal
import sys
import time

from tests.cli.conftest import Cli

from headway.model import Status

SLOW = "import time; print('up', flush=True); time.sleep(60)"


def started(cli: Cli, code: str = SLOW) -> str:
    """The id of a run whose program has begun."""
    run_id = cli("submit", cli.script(code)).stdout.strip()
    deadline = time.monotonic() + 20
    while cli("logs", run_id).stdout != "up\n":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return run_id


# ---------------------------------------------------------------- cancel


def test_cancel_ends_runs_and_leaves_ended_ones_alone(cli: Cli) -> None:
    first, second = started(cli), started(cli)
    with cli.experiment().start_logging() as done:
        pass
    shown = cli("cancel", first, second, done.id, "--wait", "20").stdout.splitlines()
    assert shown == [
        f"{first}: canceled, no process is left",
        f"{second}: canceled, no process is left",
        f"{done.id}: had ended before (Completed), nothing was done",
    ]
    assert {cli.json("show", one)["status"] for one in (first, second)} == {"Canceled"}
    assert cli.json("cancel", first, done.id) == [
        {"run_id": first, "outcome": "AlreadyEnded"},
        {"run_id": done.id, "outcome": "AlreadyEnded"},
    ]


def test_a_program_that_takes_its_time_is_said_to(cli: Cli) -> None:
    run_id = started(cli, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLOW)
    result = cli("cancel", run_id, "--grace", "4", "--wait", "0.2", code=124)
    assert "still has its grace period" in result.stdout
    assert cli("cancel", run_id, "--wait", "20").stdout.endswith("no process is left\n")


def test_mistakes_about_canceling_are_said(cli: Cli) -> None:
    run_id = started(cli)
    assert "0 or more" in cli.error("cancel", run_id, "--grace", "-1", code=2)
    assert "-1" in cli.error("cancel", run_id, "--wait", "-1", code=2)
    assert "there is no run 'lost'" in cli.error("cancel", run_id, "lost", code=4)
    assert "Missing argument" in cli.error("cancel", code=2)
    assert cli.json("show", run_id)["status"] == "Running"  # nothing was done by halves
    cli("cancel", run_id, "--grace", "0", "--wait", "20")


# ---------------------------------------------------------------- wait


def test_wait_ends_with_0_if_all_completed_and_7_if_not(cli: Cli) -> None:
    good = cli("submit", cli.script("import time; time.sleep(0.3)")).stdout.strip()
    assert cli("wait", good).stdout.startswith(f"{good}: Completed after ")
    bad = cli("submit", cli.script("raise SystemExit(2)")).stdout.strip()
    result = cli("wait", good, bad, code=7)
    assert "Failed after" in result.stdout
    assert "exited with code 2" in result.stdout
    assert [one["id"] for one in cli.json("wait", good, bad, code=7)] == [good, bad]


def test_wait_gives_up_after_its_timeout(cli: Cli) -> None:
    run_id = started(cli)
    result = cli("wait", run_id, "--timeout", "0.1", code=124)
    assert result.stdout == f"{run_id}: still Running, the time is over\n"
    assert cli.json("wait", run_id, "--timeout", "0", code=124)[0]["status"] == "Running"
    cli("cancel", run_id, "--grace", "0", "--wait", "20")


def test_ctrl_c_while_waiting_leaves_the_run_going(cli: Cli) -> None:
    run_id = started(cli)
    # Its first line says that it is waiting: the run that has ended comes first.
    with cli.experiment().start_logging() as done:
        pass
    process = cli.start("wait", done.id, run_id)
    assert process.stdout is not None
    assert done.id.encode() in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"the runs go on" in said
    assert cli.workspace.get_run(run_id).get_status() == Status.RUNNING
    cli("cancel", run_id, "--grace", "0", "--wait", "20")


# ---------------------------------------------------------------- tag


def test_tags_are_set_removed_and_shown(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        pass
    assert f"run {run.id} has no tags" in cli("tag", run.id).stderr
    assert cli("tag", run.id, "a=b=c", "seen").stdout == "a=b=c\nseen\n"
    assert cli.json("tag", run.id, "new=", "--remove", "a", "-d", "absent") == {
        "new": "",
        "seen": None,
    }
    assert run.get_tags() == {"new": "", "seen": None}


def test_mistakes_about_tags_are_said(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        pass
    assert "has no key" in cli.error("tag", run.id, "=x", code=2)
    assert "control character" in cli.error("tag", run.id, "fine", "a=\x07", code=2)
    assert run.get_tags() == {}


def test_the_python_in_use_is_the_one_that_runs_scripts(cli: Cli) -> None:
    run_id = cli("submit", "--wait", cli.script("import sys; print(sys.executable)")).stdout.strip()
    assert cli("logs", run_id).stdout.strip() == sys.executable
