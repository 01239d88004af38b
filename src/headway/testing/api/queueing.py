"""Runs that stand in line for a slot."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest
from msgspec.structs import replace

from headway.api import Api
from headway.errors import InvalidValueError
from headway.model import CancelOutcome, Resources, Run, RunError, RunQuery, Status, Submission
from headway.testing.api.requests import LOG, PATIENCE_S, follow, new_run

LimitCpus = Callable[[int], None]
_SLEEP = Submission(command=["sleep", "600"], source_directory="", in_place=True)


class QueueContract:
    """Runs that stand in line for a slot."""

    @pytest.fixture
    def limit_cpus(self, api: Api) -> LimitCpus:
        """What sets the CPU slots of the compute target ``local``."""
        raise NotImplementedError("give a fixture 'limit_cpus' that sets the CPU slots of 'local'")

    def test_a_run_waits_in_its_place_until_a_slot_is_free(
        self, api: Api, experiment_id: str, tmp_path: Path, limit_cpus: LimitCpus
    ) -> None:
        limit_cpus(1)
        first = _submit(api, experiment_id, tmp_path, _SLEEP)
        _wait_for(api, first, Status.RUNNING)
        second, third = (
            _submit(api, experiment_id, tmp_path, replace(_SLEEP, command=["true"]))
            for _ in range(2)
        )
        assert (second.status, third.status) == (Status.QUEUED, Status.QUEUED)
        assert [run.status for run in api.runs.list(RunQuery(order_by="number asc")).runs] == [
            Status.RUNNING,
            Status.QUEUED,
            Status.QUEUED,
        ]
        _wait_for_reason(api, third, "place 2 of 2 in the queue; waits for 1 CPU of 1 CPU slot")
        api.runs.cancel(first.id, grace_s=0, wait_s=PATIENCE_S)
        ended = [follow(api, run.id)[0] for run in (second, third)]
        assert [run.status for run in ended] == [Status.COMPLETED, Status.COMPLETED]
        assert (ended[0].started_at or 0) < (ended[1].started_at or 0)
        events = api.runs.events(third.id)
        assert [event.status for event in events][:2] == [Status.NOT_STARTED, Status.QUEUED]
        assert events[1].reason == "submitted; waits for 1 CPU"

    def test_priority_comes_before_the_order_of_submission(
        self, api: Api, experiment_id: str, tmp_path: Path, limit_cpus: LimitCpus
    ) -> None:
        limit_cpus(1)
        first = _submit(api, experiment_id, tmp_path, _SLEEP)
        _wait_for(api, first, Status.RUNNING)
        true = replace(_SLEEP, command=["true"])
        low = _submit(api, experiment_id, tmp_path, true)
        high = _submit(api, experiment_id, tmp_path, replace(true, priority=1))
        api.runs.cancel(first.id, grace_s=0, wait_s=PATIENCE_S)
        low, high = (follow(api, run.id)[0] for run in (low, high))
        assert (high.started_at or 0) < (low.started_at or 0)

    def test_a_queued_run_is_canceled_at_once_and_never_starts(
        self, api: Api, experiment_id: str, tmp_path: Path, limit_cpus: LimitCpus
    ) -> None:
        limit_cpus(1)
        first = _submit(api, experiment_id, tmp_path, _SLEEP)
        touch = replace(_SLEEP, command=["touch", str(tmp_path / "started")])
        second, third = (_submit(api, experiment_id, tmp_path, touch) for _ in range(2))
        assert api.runs.cancel(second.id, wait_s=0) is CancelOutcome.CANCELED
        canceled = api.runs.get(second.id)
        assert (canceled.status, canceled.started_at) == (Status.CANCELED, None)
        failed = api.runs.end(third.id, Status.FAILED, error=RunError("Unwanted", "not needed"))
        assert failed.status is Status.FAILED
        assert failed.error is not None
        assert (failed.error.code, failed.error.message) == ("Unwanted", "not needed")
        api.runs.cancel(first.id, grace_s=0, wait_s=PATIENCE_S)
        assert not (tmp_path / "started").exists()

    @pytest.mark.parametrize(
        ("submission", "message"),
        [
            (replace(_SLEEP, resources=Resources(cpus=3)), "asks for 3 CPUs.* has 2 CPU slots"),
            (replace(_SLEEP, resources=Resources(cpus=-1)), "cpus was given as -1"),
            (replace(_SLEEP, resources=Resources(gpus=-1)), "gpus was given as -1"),
            (replace(_SLEEP, priority=10**9), "priority was given as 1000000000"),
        ],
        ids=["too many", "cpus", "gpus", "priority"],
    )
    def test_what_can_never_be_met_is_refused_and_leaves_no_run(
        self,
        api: Api,
        experiment_id: str,
        tmp_path: Path,
        limit_cpus: LimitCpus,
        submission: Submission,
        message: str,
    ) -> None:
        limit_cpus(2)
        with pytest.raises(InvalidValueError, match=message):
            _submit(api, experiment_id, tmp_path, submission)
        assert api.runs.list(RunQuery()).runs == []


def _submit(api: Api, experiment_id: str, source: Path, submission: Submission) -> Run:
    return api.runs.submit(
        new_run(experiment_id), replace(submission, source_directory=str(source))
    )


def _wait_for(api: Api, run: Run, status: Status) -> None:
    deadline = monotonic() + PATIENCE_S
    while (found := api.runs.get(run.id).status) is not status:
        assert monotonic() < deadline, f"run {run.id} is {found}, not {status}"
        api.runs.watch(run.id, log=LOG, offset=0, timeout_s=0.02)


def _wait_for_reason(api: Api, run: Run, reason: str) -> None:
    """A run may be counted for a moment after it has begun."""
    deadline = monotonic() + PATIENCE_S
    while (found := api.runs.events(run.id)[-1].reason) != reason:
        assert monotonic() < deadline, f"run {run.id}: {found!r}, not {reason!r}"
        sleep(0.01)
