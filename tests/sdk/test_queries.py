from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from headway.errors import FilterError, InvalidValueError
from headway.model import RunQuery, Status
from headway.sdk.workspaces.queries import Listing, run_query


def test_nothing_asked_for_is_the_default_query() -> None:
    assert run_query(Listing(), experiment_id="e") == RunQuery(experiment_id="e")


def test_a_key_must_be_there_and_pairs_must_be_equal() -> None:
    query = run_query(Listing(tags="worth another look", properties={"author": "me", "x": None}))
    assert (query.has_tags, query.tags) == (["worth another look"], {})
    assert (query.has_properties, query.properties) == ([], {"author": "me", "x": None})


def test_values_of_pairs_are_compared_as_texts() -> None:
    pairs: Any = {"epoch": 3}
    assert run_query(Listing(tags=pairs)).tags == {"epoch": "3"}


@pytest.mark.parametrize("wrong", [["quality"], 3, ("a", "b")])
def test_another_filter_type_is_refused_with_its_name(wrong: Any) -> None:
    with pytest.raises(ValueError, match=f"Unknown filter type for run tags: {type(wrong)}"):
        run_query(Listing(tags=wrong))
    with pytest.raises(InvalidValueError, match="Unknown filter type for run properties"):
        run_query(Listing(properties=wrong))


@pytest.mark.parametrize("given", ["Failed", "failed", ["Failed"], Status.FAILED])
def test_a_status_is_given_alone_or_in_a_list(given: Any) -> None:
    assert run_query(Listing(status=given)).statuses == [Status.FAILED]


@pytest.mark.parametrize("wrong", ["Done", ["Completed", "Done"], 3, [None]])
def test_an_unknown_status_is_refused_with_those_there_are(wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"NotStarted.*Completed"):
        run_query(Listing(status=wrong))


NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        NOON,
        NOON.astimezone(timezone(timedelta(hours=2))),
        NOON.astimezone().replace(tzinfo=None),
        "2026-07-01T12:00:00Z",
        "2026-07-01T12:00:00",
        "2026-07-01T14:00:00+02:00",
        1782907200_000000,
    ],
)
def test_a_time_is_given_in_any_form(given: Any) -> None:
    assert run_query(Listing(since=given)).since == 1782907200_000000


def test_a_time_keeps_its_microseconds() -> None:
    assert run_query(Listing(since=NOON + timedelta(microseconds=1))).since == 1782907200_000001


@pytest.mark.parametrize("wrong", ["yesterday-ish", 3.5, True, []])
def test_what_is_no_time_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match="since was given as"):
        run_query(Listing(since=wrong))


@pytest.mark.parametrize("wrong", [0, -1, 2.0, True, "5"])
def test_a_limit_is_a_number_from_one_on(wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match="limit was given as"):
        run_query(Listing(limit=wrong))


def test_a_page_is_no_larger_than_the_limit() -> None:
    assert run_query(Listing(limit=7)).limit == 7
    assert run_query(Listing(limit=7000)).limit == 500


def test_include_children_is_a_truth_value() -> None:
    wrong: Any = "yes"
    with pytest.raises(InvalidValueError, match="include_children"):
        run_query(Listing(include_children=wrong))


def test_children_are_looked_for_below_a_run() -> None:
    assert run_query(Listing(), parent_id="p").include_children
    assert run_query(Listing(), ancestor_id="p").include_children


@pytest.mark.parametrize("wrong", ["status ==", "metrics.", "loss"])
def test_a_filter_that_cannot_be_read_is_refused_at_once(wrong: str) -> None:
    with pytest.raises(FilterError):
        run_query(Listing(filter=wrong))


def test_an_order_that_cannot_be_read_is_refused_at_once() -> None:
    with pytest.raises(FilterError):
        run_query(Listing(order_by="loss upwards"))


@pytest.mark.parametrize("field", ["type", "filter", "order_by"])
def test_texts_are_strings(field: str) -> None:
    given: dict[str, Any] = {field: 3}
    with pytest.raises(InvalidValueError, match=f"{field} was given as int 3"):
        run_query(Listing(**given))
