"""``api.runs``, but for listing and execution."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from headway.api import Api
from headway.errors import (
    InvalidValueError,
    PropertyConflictError,
    RunExistsError,
    RunNotFoundError,
    RunStateError,
)
from headway.model import (
    CancelOutcome,
    MetricQuery,
    NewRun,
    Run,
    RunChange,
    RunError,
    RunQuery,
    Status,
)
from headway.testing.api.requests import (
    LOG,
    new_run,
)


class RunContract:
    """``api.runs``, but for listing and execution."""

    def test_runs_are_numbered_in_the_order_made(self, api: Api, experiment_id: str) -> None:
        made = api.runs.create([new_run(experiment_id) for _ in range(3)])
        assert [run.number for run in made] == [1, 2, 3]
        assert all(run.status is Status.NOT_STARTED for run in made)

    def test_a_repeated_request_makes_one_run(self, api: Api, experiment_id: str) -> None:
        request = new_run(experiment_id, tags={"a": "1"})
        [first] = api.runs.create([request])
        api.runs.change(first.id, RunChange(set_tags={"a": "2"}))
        [second] = api.runs.create([request])
        assert second.id == first.id
        assert second.tags == {"a": "2"}
        assert len(api.runs.list(RunQuery()).runs) == 1

    def test_another_request_with_the_same_id_is_refused(
        self, api: Api, experiment_id: str
    ) -> None:
        request = new_run(experiment_id)
        api.runs.create([request])
        other = NewRun(id=request.id, experiment_id=experiment_id, name="another")
        with pytest.raises(RunExistsError, match=request.id):
            api.runs.create([new_run(experiment_id), other])
        assert len(api.runs.list(RunQuery()).runs) == 1

    @pytest.mark.parametrize(
        "run_id", ["", "../up", "a/b", ".hidden", "x" * 201, "a b", "ä", "a\n"]
    )
    def test_a_bad_run_id_is_refused(self, api: Api, experiment_id: str, run_id: str) -> None:
        with pytest.raises(InvalidValueError, match="run id"):
            api.runs.create([NewRun(id=run_id, experiment_id=experiment_id)])

    def test_a_run_below_an_absent_run_is_refused(self, api: Api, experiment_id: str) -> None:
        with pytest.raises(RunNotFoundError, match="nobody"):
            api.runs.create([new_run(experiment_id, parent_id="nobody")])

    def test_the_timeline_says_who_when_and_why(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        api.runs.end(run.id, Status.COMPLETED, reason="all done")
        events = api.runs.events(run.id)
        assert [event.status for event in events] == [
            Status.NOT_STARTED,
            Status.RUNNING,
            Status.COMPLETED,
        ]
        assert events[-1].reason == "all done"
        assert all(event.actor for event in events)
        assert [event.at for event in events] == sorted(event.at for event in events)

    def test_a_run_ends_when_it_really_ended(self, api: Api, experiment_id: str) -> None:
        """Within its life: clocks of other machines do not make it end before it began."""
        made = api.runs.create([new_run(experiment_id, started=True) for _ in range(3)])
        early, late, told = made
        began = told.started_at or 0
        assert api.runs.end(early.id, Status.COMPLETED, at=1).ended_at == early.started_at
        ended = api.runs.end(late.id, Status.COMPLETED, at=1 << 60)
        assert (ended.ended_at or 0) < 1 << 60
        assert api.runs.end(told.id, Status.FAILED, at=began + 1).ended_at == began + 1
        assert api.runs.end(told.id, Status.FAILED, at=began + 9).ended_at == began + 1
        assert api.runs.events(told.id)[-1].at == began + 1

    def test_an_ended_run_stays_as_it_is(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        failed = api.runs.end(run.id, Status.FAILED, error=RunError(code="X", message="why"))
        assert failed.error == RunError(code="X", message="why")
        assert api.runs.end(run.id, Status.FAILED) == failed
        with pytest.raises(RunStateError, match="has ended"):
            api.runs.end(run.id, Status.COMPLETED)

    def test_a_completed_run_may_be_judged_failed(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        completed = api.runs.end(run.id, Status.COMPLETED)
        failed = api.runs.end(run.id, Status.FAILED, reason="the data was wrong")
        assert failed.status is Status.FAILED
        assert failed.ended_at == completed.ended_at
        assert api.runs.events(run.id)[-1].reason == "the data was wrong"

    def test_a_run_cannot_be_ended_as_something_that_is_no_end(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        with pytest.raises(InvalidValueError, match="Completed, Failed or Canceled"):
            api.runs.end(run.id, Status.QUEUED)

    def test_cancel_after_the_end_is_a_no_op_that_says_so(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        completed = api.runs.end(run.id, Status.COMPLETED)
        assert api.runs.cancel(run.id) is CancelOutcome.ALREADY_ENDED
        assert api.runs.get(run.id) == completed

    def test_one_of_many_who_end_a_run_wins(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        together = threading.Barrier(6)

        def end(status: Status) -> bool:
            together.wait()
            try:
                return api.runs.end(run.id, status).status is status
            except RunStateError:
                return False

        wanted = [Status.CANCELED, Status.FAILED] * 3
        with ThreadPoolExecutor(6) as pool:
            won = {s for s, ok in zip(wanted, pool.map(end, wanted), strict=True) if ok}
        assert won == {api.runs.get(run.id).status}

    def test_who_asks_for_the_same_end_at_one_time_gets_it(
        self, api: Api, experiment_id: str
    ) -> None:
        """As a client does that repeats what was not answered, and is still being done."""
        runs = api.runs.create([new_run(experiment_id, started=True) for _ in range(8)])
        together = threading.Barrier(4)

        def end(_: int) -> list[Run]:
            together.wait()
            return [api.runs.end(run.id, Status.COMPLETED) for run in runs]

        with ThreadPoolExecutor(4) as pool:
            first, *others = pool.map(end, range(4))
        assert all(seen == first for seen in others)
        for run in runs:
            ends = [e for e in api.runs.events(run.id) if e.status is Status.COMPLETED]
            assert len(ends) == 1

    def test_an_absent_run_is_an_error_for_every_verb(self, api: Api) -> None:
        verbs = [
            lambda: api.runs.get("nope"),
            lambda: api.runs.change("nope", RunChange(name="x")),
            lambda: api.runs.end("nope", Status.FAILED),
            lambda: api.runs.cancel("nope"),
            lambda: api.runs.events("nope"),
            lambda: api.runs.watch("nope", log=LOG, offset=0, timeout_s=0),
            lambda: api.metrics.offset("nope", "w"),
            lambda: api.metrics.append("nope", "w", 0, b""),
            lambda: api.metrics.read(MetricQuery("nope")),
            lambda: api.metrics.summarize(MetricQuery("nope")),
            lambda: api.files.list("nope"),
            lambda: api.files.open("nope", "a"),
            lambda: api.files.put("nope", "a", io.BytesIO(b"")),
        ]
        for verb in verbs:
            with pytest.raises(RunNotFoundError, match="nope"):
                verb()

    def test_tags_change_and_properties_do_not(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.runs.change(run.id, RunChange(set_tags={"a": "1"}, add_properties={"p": "1"}))
        api.runs.change(run.id, RunChange(set_tags={"a": None}, add_properties={"p": "1"}))
        with pytest.raises(PropertyConflictError, match=r"'p'.*'1'.*cannot be changed"):
            api.runs.change(run.id, RunChange(set_tags={"z": "1"}, add_properties={"p": "2"}))
        found = api.runs.get(run.id)
        assert (found.tags, found.properties) == ({"a": None}, {"p": "1"})

    @pytest.mark.parametrize(
        "change",
        [
            RunChange(set_tags={"": "x"}),
            RunChange(set_tags={"a\tb": "x"}),
            RunChange(set_tags={"a": "x\ny"}),
            RunChange(add_properties={"\ud800": "x"}),
            RunChange(add_properties={"a" * 251: "x"}),
            RunChange(set_tags={"a": "x" * 8001}),
            RunChange(name=""),
            RunChange(description="\0"),
        ],
        ids=lambda change: repr(change)[:60],
    )
    def test_a_bad_change_changes_nothing(
        self, api: Api, experiment_id: str, change: RunChange
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        with pytest.raises(InvalidValueError):
            api.runs.change(run.id, change)
        assert api.runs.get(run.id) == run

    def test_name_and_description_change(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.runs.change(run.id, RunChange(name="best", description="two\nlines"))
        changed = api.runs.change(run.id, RunChange(description=None))
        assert (changed.name, changed.description) == ("best", None)
