"""What goes over the wire comes back equal, and what is none of it is refused."""

import math
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.assets import NewAsset
from headway.errors import InvalidValueError
from headway.model import JournalStretch, NewRun, RunChange, RunQuery, Submission
from headway.runners import Admission
from headway.server.routing import Routes
from headway.wire import assets, files, metrics, runners, runs, workspace
from headway.wire.forms import WORKSPACE, form_of
from headway.wire.operation import Operation
from headway.wire.operations import OPERATIONS

TEXTS = st.text(max_size=30)  # without halves of surrogate pairs
LABELS = st.dictionaries(TEXTS, st.none() | TEXTS, max_size=3)
ROUTES = Routes(OPERATIONS)
RUN_IDS = TEXTS


def travelled(operation: Operation[Any, Any], request: msgspec.Struct) -> object:
    """A request as the server has it, by way of a URL and a body."""
    form = form_of(operation)
    sent = form.send(request, "w")
    url = urlsplit(f"http://host{sent.path}?{urlencode(sent.query)}")
    found = ROUTES.find(url.path.encode())
    assert found is not None
    route, values = found
    assert route.methods[operation.method] is operation
    assert values.pop(WORKSPACE) == "w"
    query = parse_qsl(url.query, keep_blank_values=True)
    return form.receive(values, query, sent.body or b"")


@given(RUN_IDS, LABELS, LABELS, st.none() | TEXTS, st.none() | TEXTS | st.just(msgspec.UNSET))
def test_a_change_of_a_run(
    run_id: str,
    tags: dict[str, str | None],
    properties: dict[str, str | None],
    name: str | None,
    description: str | None,
) -> None:
    change = RunChange(
        set_tags=tags,
        remove_tags=[*properties],
        add_properties=properties,
        name=name,
        description=description,
    )
    ask = runs.ChangeRun(run_id, change)
    assert travelled(runs.CHANGE, ask) == ask


@given(st.lists(st.builds(NewRun, id=TEXTS, experiment_id=TEXTS, tags=LABELS), max_size=3))
def test_runs_to_be_made(new: list[NewRun]) -> None:
    ask = runs.CreateRuns(new)
    assert travelled(runs.CREATE, ask) == ask


@given(st.builds(RunQuery, filter=TEXTS, since=st.none() | st.integers(), tags=LABELS))
def test_a_query(query: RunQuery) -> None:
    assert travelled(runs.LIST, query) == query


@given(RUN_IDS, TEXTS, st.integers(), st.floats(allow_nan=False, allow_infinity=False))
def test_what_a_follower_waits_for(run_id: str, log: str, offset: int, timeout_s: float) -> None:
    ask = runs.WatchRun(run_id, log, offset, timeout_s)
    assert travelled(runs.WATCH, ask) == ask


@given(RUN_IDS, TEXTS, st.integers(), st.binary(), st.booleans())
def test_a_stretch_of_a_journal(
    run_id: str, writer_id: str, offset: int, data: bytes, torn: bool
) -> None:
    ask = metrics.AppendJournal(run_id, writer_id, offset, data, torn)
    assert travelled(metrics.APPEND, ask) == ask


@given(st.lists(st.builds(JournalStretch, offset=st.integers(0, 2**63)), max_size=3))
def test_stretches_of_journals(stretches: list[JournalStretch]) -> None:
    ask = metrics.AppendJournals(stretches)
    assert travelled(metrics.APPEND_MANY, ask) == ask


@given(TEXTS, TEXTS, TEXTS, st.binary(), st.booleans())
def test_a_file(run_id: str, path: str, upload_id: str, data: bytes, overwrite: bool) -> None:
    ask = files.PutFile(run_id, path, upload_id, data, overwrite)
    assert travelled(files.PUT, ask) == ask


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(TEXTS, st.dictionaries(TEXTS, JSON, max_size=3))
def test_an_asset_with_any_definition(name: str, definition: dict[str, object]) -> None:
    ask = assets.RegisterAsset(NewAsset("id", "dataset", name, definition=definition))
    assert travelled(assets.REGISTER, ask) == ask


@pytest.mark.parametrize("name", [None, "", "x", "null", "a b", "a/b", "ä", "a&b=c", "%2e", "+"])
@pytest.mark.parametrize("which", ["active", "archived", "all"])
def test_a_query_by_name(name: str | None, which: workspace.WhichExperiments) -> None:
    ask = workspace.ListExperiments(name, which)
    assert travelled(workspace.LIST_EXPERIMENTS, ask) == ask


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_lacks_is_refused_before_it_is_sent(number: float) -> None:
    submission = Submission(["x"], "/", grace_s=number)
    ask = Admission(NewRun("id", "e"), submission)
    with pytest.raises(InvalidValueError, match="not finite"):
        form_of(runners.ADMIT).send(ask, "w")


def test_half_a_character_is_refused_before_it_is_sent() -> None:
    with pytest.raises(InvalidValueError, match="surrogate"):
        form_of(runs.GET).send(runs.RunRequest("\ud800"), "w")
    with pytest.raises(InvalidValueError, match="surrogate"):
        form_of(runs.LIST).send(RunQuery(filter="\udfff"), "w")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"limit": "5"}', "Expected `int`, got `str`"),
        (b'{"limit": 5', "truncated"),
        (b'{"lmit": 5}', "unknown field `lmit`"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"limit": NaN}', "malformed"),
        (b'{"filter": "\\ud800"}', "runs.list"),
        (b'{"filter": "\xff"}', "runs.list"),
        (b"[" * 100_000, "runs.list"),
    ],
)
def test_a_body_that_cannot_be_read_says_why(body: bytes, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        form_of(runs.LIST).receive({}, [], body)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ([("log", "l"), ("offset", "0")], "missing required field `timeout_s`"),
        ([("log", "l"), ("offset", "x"), ("timeout_s", "1")], "Expected `int`"),
        ([("log", "l"), ("log", "m"), ("offset", "0"), ("timeout_s", "1")], "given twice"),
        ([("log", "l"), ("offset", "0"), ("timeout_s", "1"), ("x", "1")], "unknown field `x`"),
    ],
)
def test_a_query_that_cannot_be_read_says_why(query: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        form_of(runs.WATCH).receive({"run_id": "r"}, query, b"")


def test_a_number_that_json_lacks_is_found_in_a_definition_too() -> None:
    ask = assets.RegisterAsset(NewAsset("id", "dataset", "n", definition={"a": [math.nan]}))
    with pytest.raises(InvalidValueError, match="not finite"):
        form_of(assets.REGISTER).send(ask, "w")
