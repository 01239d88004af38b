"""What becomes of a program that is started on this host."""

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from headway.engines import processes
from headway.engines.folder import RunSpec
from headway.engines.local import LocalEngine
from headway.errors import RunStateError, SubmissionError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines.conftest import Harness


def test_a_program_that_exits_with_0_is_completed(harness: "Harness") -> None:
    record = harness.submit("print('hello')").wait()
    assert (record.outcome, record.exit_code, record.error_code) == ("Completed", 0, None)
    assert record.clean
    assert record.started_at is not None
    assert record.ended_at is not None
    assert record.started_at <= record.ended_at


def test_the_exit_code_is_kept(harness: "Harness") -> None:
    record = harness.submit("raise SystemExit(3)").wait()
    assert (record.outcome, record.exit_code, record.error_code) == ("Failed", 3, "ExitCode")
    assert record.message == "the program exited with code 3"


def test_the_signal_that_ended_the_program_is_named(harness: "Harness") -> None:
    record = harness.submit("import os; os.kill(os.getpid(), 11)").wait()
    assert (record.outcome, record.signal, record.exit_code) == ("Failed", 11, None)
    assert record.error_code == "Signal"
    assert "SIGSEGV" in record.message


def test_output_and_errors_are_in_the_log_byte_for_byte(harness: "Harness") -> None:
    run = harness.submit(
        "import sys\n"
        "for i in range(20000): print('line', i)\n"
        "sys.stderr.write('an error\\n')\n"
        "sys.stdout.buffer.write(bytes(range(256)))\n"
    )
    run.wait()
    expected = "".join(f"line {i}\n" for i in range(20000)).encode() + b"an error\n"
    assert run.folder.log_file.read_bytes() == expected + bytes(range(256))


def test_output_appears_while_the_program_runs(harness: "Harness") -> None:
    run = harness.submit("import time\nprint('first')\ntime.sleep(60)")
    run.wait_for_log("first\n")
    run.cancel()


def test_the_environment_is_the_submitters_with_what_the_run_adds(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    added = {"SPACES": " a  b ", "UNICODE": "größe ☃", "LINES": "one\ntwo", "EMPTY": ""}
    monkeypatch.setenv("FROM_SUBMITTER", "kept")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    program = "import json, os\nprint(json.dumps(dict(os.environ)))"
    run = harness.submit(program, env=added)
    assert run.wait().outcome == "Completed"
    seen = json.loads(run.log())
    assert {name: seen[name] for name in added} == added
    assert seen["FROM_SUBMITTER"] == "kept"
    assert seen["PYTHONUNBUFFERED"] == "1"
    assert seen["HEADWAY_RUN_ID"] == run.folder.read_spec().run_id
    assert "PYTHONDONTWRITEBYTECODE" not in seen


def test_arguments_arrive_unchanged(harness: "Harness") -> None:
    words = ["", " ", "a'b\"c", "$HOME", "*", "ä\n☃", "--", "-c"]
    script = "import sys; sys.exit(sys.argv[1:] != " + repr(words) + ")"
    assert harness.submit(command=[sys.executable, "-c", script, *words]).wait().exit_code == 0


def test_the_program_leads_a_session_and_inherits_nothing_of_the_runner(
    harness: "Harness",
) -> None:
    run = harness.submit(
        "import os, signal\n"
        "print(os.getsid(0) == os.getpid(), sorted(os.listdir('/proc/self/fd'))[:4])\n"
        "print(os.path.samefile('/proc/self/fd/0', '/dev/null'), os.getcwd())\n"
        "print(signal.getsignal(signal.SIGPIPE), signal.pthread_sigmask(0, ()))\n"
    )
    run.wait()
    lines = run.log().splitlines()
    assert lines[0] == "True ['0', '1', '2', '3']"  # 3 is that of listdir
    assert lines[1] == f"True {run.folder.work_dir}"
    assert lines[2].endswith("set()")


def test_a_command_that_does_not_exist_is_reported_by_the_run(harness: "Harness") -> None:
    record = harness.submit(command=["no-such-program", "x"]).wait()
    assert (record.outcome, record.error_code) == ("Failed", "CannotStart")
    assert record.message == "cannot start 'no-such-program': No such file or directory"
    assert record.started_at is None


@pytest.mark.parametrize(
    ("command", "cwd", "message"),
    [
        ([], "/", "cannot start an empty command: "),
        (["a\0b"], "/", "cannot start 'a\\x00b': execve: embedded null"),
        (["true"], "/no/such", "cannot enter the working directory '/no/such': No such file"),
        (["/etc/passwd"], "/", "cannot start '/etc/passwd': Permission denied"),
    ],
)
def test_what_cannot_be_started_says_why(
    harness: "Harness", command: list[str], cwd: str, message: str
) -> None:
    record = harness.submit(command=command, cwd=cwd).wait()
    assert record.error_code == "CannotStart"
    assert record.message.startswith(message)


def test_the_run_goes_on_when_its_submitter_and_its_group_are_killed(harness: "Harness") -> None:
    run = harness.make("import time\nprint('up')\ntime.sleep(0.5)\nprint('done')")
    submitter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from pathlib import Path\n"
            "from headway.engines.folder import RunFolder\n"
            "from headway.engines.local import LocalEngine\n"
            "folder = RunFolder(Path(sys.argv[1]))\n"
            "LocalEngine().start(folder, folder.hold())\n"
            "time.sleep(60)\n",
            str(run.folder.path),
        ],
        start_new_session=True,
    )
    run.wait_for_log("up")
    os.killpg(submitter.pid, signal.SIGKILL)
    submitter.wait()
    assert run.folder.alive()
    assert run.wait().outcome == "Completed"
    assert run.log() == "up\ndone\n"


def test_a_starting_run_is_held_at_every_moment(harness: "Harness") -> None:
    run = harness.make("pass")
    fd = run.folder.hold()
    assert run.folder.alive()
    harness.engine.start(run.folder, fd)
    os.close(fd)
    assert run.folder.alive() or run.record.ended
    run.wait()


def test_a_run_cannot_be_started_twice(harness: "Harness", monkeypatch: pytest.MonkeyPatch) -> None:
    run = harness.submit("import time\ntime.sleep(60)")
    monkeypatch.setattr("headway.engines.folder._HOLD_PATIENCE_S", 0.05)
    with pytest.raises(RunStateError, match="started already"):
        run.start()
    run.cancel()


def test_the_submitter_has_no_child_left(harness: "Harness") -> None:
    run = harness.submit("import time\ntime.sleep(60)")
    assert processes.status_of(run.shim.pid) is not None
    parent = processes.status_of(run.shim.pid)
    assert parent is not None
    assert parent.parent_pid != os.getpid()
    run.cancel()


def test_a_shim_that_dies_at_once_is_an_error_with_its_last_words(harness: "Harness") -> None:
    run = harness.make("print('never')")
    run.engine = LocalEngine(shim=run.folder.path / "missing.py")
    with pytest.raises(SubmissionError, match="No such file"):
        run.start()
    record = harness.engine.recover(run.folder)
    assert record is not None
    assert (record.outcome, record.error_code) == ("Failed", "CannotStart")
    assert run.log() == ""


def test_a_shim_that_is_too_slow_is_an_error_and_starts_nothing_later(
    harness: "Harness", tmp_path: "Path"
) -> None:
    run = harness.make("print('never')")
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(60)")
    run.engine = LocalEngine(shim=slow, start_patience_s=0.2)
    with pytest.raises(SubmissionError, match=r"within 0\.2 s"):
        run.start()
    harness.engine = LocalEngine()
    run.engine = harness.engine
    run.start()
    assert run.wait().error_code == "CannotStart"
    assert run.log() == ""


def test_a_damaged_specification_is_an_error_that_names_the_file(harness: "Harness") -> None:
    run = harness.make("pass")
    run.folder.spec_file.write_text("{")
    with pytest.raises(SubmissionError, match=r"spec\.json is damaged"):
        run.start()


def test_a_missing_interpreter_is_an_error(harness: "Harness") -> None:
    run = harness.make("pass")
    run.engine = LocalEngine(python="/no/such/python")
    with pytest.raises(SubmissionError, match="/no/such/python"):
        run.start()


def test_daemons_left_by_a_program_that_succeeds_are_ended(
    harness: "Harness", use_cgroup: bool
) -> None:
    program = (
        "import os, signal, time\n"
        "for ignores in (True, False):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if ignores: signal.signal(15, signal.SIG_IGN)\n"
        "        if os.fork(): os._exit(0)\n"
        "        time.sleep(60)\n"
        "    os.wait()\n"
    )
    record = harness.submit(program, linger_s=0.2, use_cgroup=use_cgroup).wait()
    assert (record.outcome, record.exit_code, record.clean) == ("Completed", 0, True)


def test_a_run_that_is_too_long_is_ended_as_failed(harness: "Harness") -> None:
    run = harness.submit("import time\ntime.sleep(60)", max_run_duration_s=0.2)
    record = run.wait()
    assert (record.outcome, record.error_code, record.signal) == ("Failed", "TimeLimit", 15)
    assert "0.2 s" in record.message


def test_a_run_submitted_by_a_run_outlives_it(harness: "Harness", use_cgroup: bool) -> None:
    program = "import os, time\nprint('in')\nwhile not os.path.exists('go'): time.sleep(0.01)"
    inner = harness.make(program, use_cgroup=use_cgroup)
    outer = harness.submit(
        "from pathlib import Path\n"
        "from headway.engines.folder import RunFolder\n"
        "from headway.engines.local import LocalEngine\n"
        f"folder = RunFolder(Path({str(inner.folder.path)!r}))\n"
        "LocalEngine().start(folder, folder.hold())\n",
        use_cgroup=use_cgroup,
    )
    assert outer.wait().outcome == "Completed"
    assert inner.folder.alive()
    (inner.folder.work_dir / "go").touch()
    assert inner.wait().outcome == "Completed"
    assert inner.log() == "in\n"


def test_many_runs_at_once(harness: "Harness") -> None:
    runs = [harness.submit(f"raise SystemExit({i})") for i in range(8)]
    assert [run.wait().exit_code for run in runs] == list(range(8))
    observed = harness.engine.poll([run.folder for run in runs])
    assert [o.record.exit_code for o in observed if o.record] == list(range(8))
    assert not any(o.alive or o.abandoned for o in observed)


def test_the_plan_is_a_line_for_a_shell(tmp_path: "Path") -> None:
    command = ["sh", "-c", 'echo "$A"; pwd']
    spec = RunSpec(run_id="r", command=command, cwd=str(tmp_path), env={"A": "x  y"})
    done = subprocess.run(
        ["sh", "-c", LocalEngine().plan(spec)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"x  y\n{tmp_path}\n"
