"""Several processes of one program as one run."""

import dataclasses
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from headway.engines import launching, processes

if TYPE_CHECKING:
    from tests.engines.conftest import Harness, OneRun

    from headway.engines.folder import RunFolder

SHOW = "import json, os; print(json.dumps(dict(os.environ)))"
WAIT = "import time\nprint('up')\ntime.sleep(60)"


def submit(
    harness: "Harness",
    program: str,
    count: int = 3,
    kind: str = "pytorch",
    command: list[str] | None = None,
    **spec: Any,
) -> "OneRun":
    run = harness.make(program, **spec)
    made = run.folder.read_spec()
    command = launching.command(run.folder.path, count, kind, command or made.command)
    run.folder.create(dataclasses.replace(made, command=command))
    run.start()
    return run


def log_of(folder: "RunFolder", rank: int) -> str:
    return (folder.path / "user_logs" / launching.rank_log(rank)).read_text(encoding="utf-8")


def wait_for_all(harness: "Harness", run: "OneRun", text: str = "up", count: int = 3) -> None:
    def all_up() -> bool:
        logs = run.folder.path / "user_logs"
        found = [path for path in logs.glob("std_log_process_*") if text in path.read_text()]
        return len(found) == count

    harness.wait_until(all_up, "every process")


@pytest.mark.parametrize("kind", ["pytorch", "mpi"])
def test_each_process_is_told_its_rank(harness: "Harness", kind: str) -> None:
    run = submit(harness, SHOW, kind=kind)
    assert run.wait().outcome == "Completed"
    seen = [json.loads(log_of(run.folder, rank)) for rank in range(3)]
    assert [one["RANK"] for one in seen] == [one["LOCAL_RANK"] for one in seen] == ["0", "1", "2"]
    assert {(one["WORLD_SIZE"], one["LOCAL_WORLD_SIZE"]) for one in seen} == {("3", "3")}
    assert {(one["NODE_RANK"], one["GROUP_RANK"]) for one in seen} == {("0", "0")}
    assert {one["HEADWAY_RUN_ID"] for one in seen} == {run.folder.read_spec().run_id}
    [(address, port)] = {(one["MASTER_ADDR"], one["MASTER_PORT"]) for one in seen}
    assert address == "127.0.0.1"
    assert 1024 < int(port) < 65536
    mpi = [one.get("OMPI_COMM_WORLD_RANK") for one in seen]
    assert mpi == (["0", "1", "2"] if kind == "mpi" else [None] * 3)


def test_each_process_has_a_log_and_that_of_the_first_is_the_runs(harness: "Harness") -> None:
    run = submit(harness, "import os, sys; print('rank', os.environ['RANK'], file=sys.stderr)")
    run.wait()
    assert [log_of(run.folder, rank) for rank in range(3)] == [f"rank {i}\n" for i in range(3)]
    assert run.log() == "rank 0\n"


@pytest.mark.parametrize("how", ["sys.exit(5)", "os.kill(os.getpid(), 11)"])
def test_the_first_that_fails_ends_the_others_and_is_named(harness: "Harness", how: str) -> None:
    program = (
        "import os, sys, time\nprint('up')\n"
        f"if os.environ['RANK'] == '1': time.sleep(0.2); {how}\n"
        "time.sleep(60)"
    )
    record = submit(harness, program).wait()
    assert record.outcome == "Failed"
    assert record.message.startswith("rank 1 of 3 processes failed first: the program ")
    if "exit" in how:
        assert (record.exit_code, record.error_code) == (5, "ExitCode")
    else:
        assert (record.signal, record.error_code) == (11, "Signal")


def test_what_ignores_sigterm_is_killed_after_the_grace(harness: "Harness") -> None:
    program = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up')\n"
        "while os.environ['RANK'] == '2' and not os.path.exists('../go'): time.sleep(0.01)\n"
        "if os.environ['RANK'] == '2': sys.exit(7)\n"
        "time.sleep(60)"
    )
    run = submit(harness, program, grace_s=0.2)
    wait_for_all(harness, run)
    (run.folder.path / "go").touch()
    assert run.wait().exit_code == 7


def test_a_cancel_reaches_every_process(harness: "Harness") -> None:
    program = (
        "import signal, sys, time\n"
        "def end(*_): print('saved'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up')\ntime.sleep(60)"
    )
    run = submit(harness, program)
    wait_for_all(harness, run)
    record = run.cancel()
    assert (record.outcome, record.clean, record.exit_code) == ("Canceled", True, 0)
    assert [log_of(run.folder, rank) for rank in range(3)] == ["up\nsaved\n"] * 3


def test_nothing_is_left_where_the_launcher_is_killed(harness: "Harness") -> None:
    run = submit(harness, WAIT, linger_s=0.5)
    wait_for_all(harness, run)
    run.wait_until_running()
    main_pid = run.record.main_pid
    assert main_pid is not None
    status = processes.status_of(main_pid)
    assert status is not None
    processes.send_signal(status.process, signal.SIGKILL)
    record = run.wait()
    assert (record.outcome, record.signal, record.clean) == ("Failed", 9, True)


def test_a_program_that_does_not_exist_fails_as_rank_0(harness: "Harness") -> None:
    record = submit(harness, "", command=["no-such-program"]).wait()
    assert record.exit_code == 127
    assert record.message.startswith("rank 0 of 3 processes failed first")


def test_processes_that_end_at_different_times_complete(harness: "Harness") -> None:
    program = "import os, time; time.sleep(0.1 * int(os.environ['RANK']))"
    assert submit(harness, program).wait().outcome == "Completed"


def test_a_damaged_word_of_who_failed_is_none(harness: "Harness") -> None:
    run = harness.make(command=[sys.executable])
    assert launching.read_failed(run.folder.path) is None
    (run.folder.path / "failed_rank.json").write_text("{")
    assert launching.read_failed(run.folder.path) is None
