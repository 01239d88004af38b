"""Runs that hang on a process."""

import time
import uuid
from pathlib import Path

import pytest

from headway.api import Api
from headway.errors import (
    ComputeTargetNotFoundError,
    InvalidValueError,
    NotFoundError,
    RunStateError,
    StorageError,
    SubmissionError,
)
from headway.model import (
    CancelOutcome,
    RunError,
    RunQuery,
    Status,
    Submission,
)
from headway.testing.api.requests import LOG, PATIENCE_S, follow, new_run, submit


class ExecutionContract:
    """Runs that hang on a process."""

    def test_a_program_runs_to_its_end_and_its_log_is_whole(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "hello.py").write_text("print('hello'); print('world', end='')")
        run = submit(api, experiment_id, tmp_path, "hello.py")
        assert not run.status.ended
        ended, text = follow(api, run.id)
        assert text == b"hello\nworld"
        assert ended.status is Status.COMPLETED
        assert ended.started_at is not None
        assert [event.status for event in api.runs.events(run.id)][-2:] == [
            Status.RUNNING,
            Status.COMPLETED,
        ]
        assert LOG in [entry.path for entry in api.files.list(run.id)]
        with api.files.open(run.id, LOG) as file:
            assert file.read() == text

    def test_a_place_in_a_log_is_found_by_its_time(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "hello.py").write_text("print('hello')")
        ended, text = follow(api, submit(api, experiment_id, tmp_path, "hello.py").id)
        assert ended.ended_at is not None
        assert api.runs.log_offset(ended.id, log=LOG, at=0) == 0
        assert api.runs.log_offset(ended.id, log=LOG, at=ended.ended_at) == len(text)
        with pytest.raises(NotFoundError):
            api.runs.log_offset("nope", log=LOG, at=0)

    def test_an_exit_code_fails_the_run_and_is_kept(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "fail.py").write_text("raise SystemExit(7)")
        ended, _ = follow(api, submit(api, experiment_id, tmp_path, "fail.py").id)
        assert ended.status is Status.FAILED
        assert ended.error is not None
        assert (ended.error.code, ended.error.exit_code) == ("ExitCode", 7)

    def test_cancel_returns_when_the_run_is_canceled(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "sleep.py").write_text("import time; print('up'); time.sleep(600)")
        run = submit(api, experiment_id, tmp_path, "sleep.py")
        api.runs.watch(run.id, log=LOG, offset=0, timeout_s=PATIENCE_S)
        assert api.runs.cancel(run.id) is CancelOutcome.CANCELED
        assert api.runs.get(run.id).status is Status.CANCELED
        assert api.runs.cancel(run.id) is CancelOutcome.ALREADY_ENDED

    def test_fail_ends_a_run_that_is_being_executed(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "sleep.py").write_text("import time; time.sleep(600)")
        run = submit(api, experiment_id, tmp_path, "sleep.py")
        with pytest.raises(RunStateError, match="being executed"):
            api.runs.end(run.id, Status.COMPLETED)
        error = RunError(code="Diverged", message="loss is nan")
        failed = api.runs.end(run.id, Status.FAILED, error=error)
        assert failed.status is Status.FAILED
        assert failed.error is not None
        assert (failed.error.code, failed.error.message) == ("Diverged", "loss is nan")

    def test_a_stubborn_program_is_canceled_after_its_grace(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "stay.py").write_text(
            "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(600)"
        )
        run = submit(api, experiment_id, tmp_path, "stay.py")
        api.runs.watch(run.id, log=LOG, offset=0, timeout_s=PATIENCE_S)
        assert api.runs.cancel(run.id, grace_s=0.5, wait_s=0.1) is CancelOutcome.CANCEL_REQUESTED
        assert api.runs.get(run.id).status is Status.CANCEL_REQUESTED
        ended, _ = follow(api, run.id)
        assert ended.status is Status.CANCELED

    @pytest.mark.parametrize(
        ("submission", "error"),
        [
            (Submission(command=["x"], source_directory="", script="absent.py"), SubmissionError),
            (Submission(command=[], source_directory=""), InvalidValueError),
            (Submission(command=["a\0b"], source_directory=""), InvalidValueError),
            (
                Submission(command=["a"], source_directory="", target="mars"),
                ComputeTargetNotFoundError,
            ),
        ],
        ids=["script", "empty", "nul", "target"],
    )
    def test_a_bad_submission_leaves_no_run(
        self,
        api: Api,
        experiment_id: str,
        tmp_path: Path,
        submission: Submission,
        error: type[Exception],
    ) -> None:
        bad = Submission(
            command=submission.command,
            source_directory=str(tmp_path),
            script=submission.script,
            target=submission.target,
        )
        with pytest.raises(error):
            api.runs.submit(new_run(experiment_id), bad)
        assert api.runs.list(RunQuery()).runs == []

    def test_a_program_that_cannot_be_started_fails_with_the_reason(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        submission = Submission(command=["./absent-program"], source_directory=str(tmp_path))
        run = api.runs.submit(new_run(experiment_id), submission)
        ended, _ = follow(api, run.id)
        assert ended.status is Status.FAILED
        assert ended.error is not None
        assert ended.error.code == "CannotStart"
        assert "absent-program" in ended.error.message

    def test_an_interactive_run_is_canceled_by_its_process(
        self, api: Api, experiment_id: str
    ) -> None:
        owner = uuid.uuid4().hex
        lease = api.hold_lease(owner)
        [run] = api.runs.create([new_run(experiment_id, owner_id=owner, started=True)])
        assert not lease.cancel_requested()
        assert api.runs.cancel(run.id, wait_s=0) is CancelOutcome.CANCEL_REQUESTED
        deadline = time.monotonic() + PATIENCE_S
        while not lease.cancel_requested():
            assert time.monotonic() < deadline, "the process does not hear of the request"
            time.sleep(0.005)
        assert api.runs.end(run.id, Status.CANCELED).status is Status.CANCELED
        lease.close()

    def test_a_run_whose_process_is_gone_is_failed_by_the_next_reader(
        self, api: Api, experiment_id: str
    ) -> None:
        owner = uuid.uuid4().hex
        lease = api.hold_lease(owner)
        [run] = api.runs.create([new_run(experiment_id, owner_id=owner, started=True)])
        assert api.runs.get(run.id).status is Status.RUNNING
        lease.close()
        [found] = api.runs.list(RunQuery()).runs
        assert found.status is Status.FAILED
        assert found.error is not None
        assert found.error.code == "ProcessLost"

    def test_after_close_every_call_is_refused(self, api: Api) -> None:
        api.close()
        api.close()
        with pytest.raises(StorageError, match="closed"):
            api.runs.list(RunQuery())
