"""What a status may become, and what the values promise."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headway.model import (
    ENDED,
    TRANSITIONS,
    NewRun,
    Run,
    RunChange,
    Status,
    Submission,
)

NEVER_ENTERED = {Status.UNAPPROVED, Status.PAUSING, Status.PAUSED}
LIVE = set(Status) - ENDED - NEVER_ENTERED


class RunLife(RuleBasedStateMachine):
    """Any walk along the table, from the start."""

    def __init__(self) -> None:
        super().__init__()
        self.history = [Status.NOT_STARTED]

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        allowed = sorted(TRANSITIONS[self.history[-1]])
        if allowed:
            self.history.append(data.draw(st.sampled_from(allowed)))

    @invariant()
    def an_end_is_left_only_from_completed_to_failed(self) -> None:
        for before, after in zip(self.history, self.history[1:], strict=False):
            if before.ended:
                assert (before, after) == (Status.COMPLETED, Status.FAILED)

    @invariant()
    def a_run_never_returns_to_the_line_once_it_ran(self) -> None:
        ran = {Status.RUNNING, Status.FINALIZING, Status.CANCEL_REQUESTED}
        for before, after in zip(self.history, self.history[1:], strict=False):
            if before in ran:
                assert after in ran | ENDED | {Status.NOT_RESPONDING}

    @invariant()
    def a_cancel_is_not_forgotten_by_running_again(self) -> None:
        for before, after in zip(self.history, self.history[1:], strict=False):
            if before is Status.CANCEL_REQUESTED:
                assert after is not Status.RUNNING

    @invariant()
    def no_status_follows_itself(self) -> None:
        assert all(a != b for a, b in zip(self.history, self.history[1:], strict=False))


TestRunLife = RunLife.TestCase


def test_every_status_has_a_row() -> None:
    assert set(TRANSITIONS) == set(Status)


@pytest.mark.parametrize("status", sorted(LIVE))
@pytest.mark.parametrize("end", sorted(ENDED))
def test_every_live_status_can_reach_every_end_at_once(status: Status, end: Status) -> None:
    assert end in TRANSITIONS[status]


@pytest.mark.parametrize(
    "status", sorted(LIVE - {Status.NOT_RESPONDING, Status.FINALIZING, Status.CANCEL_REQUESTED})
)
def test_a_run_that_stopped_responding_can_return_to_where_it_was(status: Status) -> None:
    assert Status.NOT_RESPONDING in TRANSITIONS[status]
    assert status in TRANSITIONS[Status.NOT_RESPONDING]


@pytest.mark.parametrize("status", sorted(LIVE - {Status.CANCEL_REQUESTED}))
def test_every_live_run_can_be_canceled(status: Status) -> None:
    assert Status.CANCEL_REQUESTED in TRANSITIONS[status]


@pytest.mark.parametrize("status", sorted(NEVER_ENTERED))
def test_some_statuses_exist_for_filters_only(status: Status) -> None:
    assert not TRANSITIONS[status]
    assert not any(status in following for following in TRANSITIONS.values())


def test_only_three_statuses_are_ends() -> None:
    assert {status for status in Status if status.ended} == ENDED
    assert sorted(ENDED) == ["Canceled", "Completed", "Failed"]


def test_a_status_is_written_as_its_word() -> None:
    assert f"{Status.CANCEL_REQUESTED}" == "CancelRequested"
    assert msgspec.json.encode(Status.NOT_STARTED) == b'"NotStarted"'


def test_values_cannot_be_changed() -> None:
    new = NewRun(id="a", experiment_id="b")
    with pytest.raises(AttributeError, match="immutable"):
        new.id = "c"  # pyright: ignore[reportAttributeAccessIssue]  # the error is the point


def test_values_do_not_share_what_was_left_out() -> None:
    NewRun(id="a", experiment_id="b").tags["k"] = "v"
    assert NewRun(id="c", experiment_id="b").tags == {}


labels = st.dictionaries(st.text(max_size=20), st.none() | st.text(max_size=20), max_size=3)


@given(labels, labels)
def test_a_run_reads_back_from_json_as_it_was_written(
    tags: dict[str, str | None], properties: dict[str, str | None]
) -> None:
    run = Run(
        id="r",
        experiment_id="e",
        experiment_name="name",
        number=1,
        name="n",
        status=Status.QUEUED,
        created_at=0,
        tags=tags,
        properties=properties,
        definition=Submission(command=["python", "train.py"], source_directory="/src"),
    )
    assert msgspec.json.decode(msgspec.json.encode(run), type=Run) == run


def test_a_description_left_out_is_not_a_description_removed() -> None:
    left_out = msgspec.json.encode(RunChange(name="new"))
    removed = msgspec.json.encode(RunChange(description=None))
    assert msgspec.json.decode(left_out, type=RunChange).description is msgspec.UNSET
    assert msgspec.json.decode(removed, type=RunChange).description is None
