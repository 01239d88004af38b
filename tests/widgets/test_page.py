"""A run as HTML and as text."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway import Experiment, InvalidValueError, StorageBusyError, StorageError, Workspace
from headway.model import Status
from headway.sdk.interactive.process import close_sessions
from headway.widgets import RunDetails
from headway.widgets.page import duration_text, html_of, spark, text_of
from headway.widgets.run_details import LONGEST_PAUSE_S, follow
from headway.widgets.view import ChildView, MetricView, RunView, view_of

NASTY = "<script>alert('x')</script>\"&"


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Experiment]:
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "workspace"))
    yield Experiment(Workspace.from_config(), "explore")
    close_sessions()


def view(status: Status = Status.RUNNING, **given: object) -> RunView:
    fields = {"id": "id", "name": "name", "experiment": "e", "status": status, "duration_s": 1.0}
    return RunView(**{**fields, **given})  # pyright: ignore[reportArgumentType]


class Tags(HTMLParser):
    """The tags of a page, and whether they are closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_nothing_of_a_run_becomes_markup() -> None:
    nasty = view(
        id=NASTY,
        name=NASTY,
        experiment=NASTY,
        error=NASTY,
        metrics=[MetricView(NASTY, NASTY, 2, [0.0, 1.0], [1.0, 2.0], [0.0, 1.0])],
        children=[ChildView(NASTY, NASTY, Status.FAILED)],
        log=[NASTY, "</pre>"],
    )
    tags = Tags(html_of(nasty))
    assert tags.open == []
    assert tags.seen <= {*["div", "span", "b", "pre", "table", "tr", "td", "svg", "polygon"]}


@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)), min_size=2, max_size=20
    )
)
def test_a_small_chart_stays_in_its_frame(pairs: list[tuple[float, float]]) -> None:
    finite = [(min(a, b), max(a, b)) for a, b in pairs if abs(a) < 1e308 and abs(b) < 1e308]
    if len(finite) < 2:
        return
    low, high = ([pair[i] for pair in finite] for i in (0, 1))
    at = [i / (len(finite) - 1) for i in range(len(finite))]
    drawn = spark(MetricView("x", 0, len(finite), low, high, at))
    points = re.search(r'points="([^"]*)"', drawn)
    if points is None:
        assert drawn == ""
        return
    for x, y in (map(float, pair.split(",")) for pair in points[1].split()):
        assert 0 <= x <= 160
        assert 0 <= y <= 32


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "not started"), (0.4, "0 s"), (59.9, "59 s"), (185, "3 min 5 s"), (7640, "2 h 7 min")],
)
def test_a_duration_is_written_for_people(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_run_is_seen_with_all_that_it_has(experiment: Experiment) -> None:
    run = experiment.start_logging(display_name="mine")
    for i in range(1000):
        run.log("loss", 1000 - i)
    run.log("loss", float("nan"))
    run.log("note", "text")
    run.log_row("table", a=1, b=2)
    run.child_run("child").complete()
    run.fail("it broke")
    seen = view_of(run, lambda: 0.0)
    assert (seen.name, seen.status, seen.error) == ("mine", Status.FAILED, "it broke")
    assert [one.title for one in seen.metrics] == ["loss", "note", "table.a", "table.b"]
    loss = seen.metrics[0]
    assert (loss.count, min(loss.low), max(loss.high)) == (1001, 1.0, 1000.0)
    assert [child.name for child in seen.children] == ["mine>child"]
    assert RunDetails(run).get_widget_data()["name"] == "mine"
    assert "it broke" in text_of(seen)


def test_outside_of_a_notebook_a_run_is_printed_once(
    experiment: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    with experiment.start_logging(display_name="mine") as run:
        run.log("loss", 0.5)
        RunDetails(run).show()
    said = capsys.readouterr().out
    assert "Run mine" in said
    assert "loss: 0.5" in said
    assert "Running" in said


def test_something_else_than_a_run_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="give a Run"):
        RunDetails("run")  # pyright: ignore[reportArgumentType]


# ---------------------------------------------------------------- following


class Page:
    def __init__(self) -> None:
        self.shown: list[object] = []

    def update(self, obj: object) -> None:
        self.shown.append(obj)


def test_a_run_is_shown_again_where_it_has_changed_until_it_has_ended() -> None:
    views = iter([view(), view(), view(name="new"), view(Status.COMPLETED), view()])
    page, pauses = Page(), list[float]()

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    follow(lambda: next(views), page, wait)
    assert len(page.shown) == 3
    assert pauses == sorted(pauses)
    assert len(pauses) == 4


def test_following_ends_when_it_is_told_to() -> None:
    pauses = list[float]()

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) > 60

    follow(view, page := Page(), wait)
    assert len(page.shown) == 1
    assert pauses[-1] == LONGEST_PAUSE_S


def test_a_busy_database_is_waited_for_and_a_closed_one_is_not() -> None:
    answers: list[RunView | Exception] = [
        StorageBusyError("busy"),
        view(),
        StorageError("closed"),
        view(Status.COMPLETED),
    ]

    def look() -> RunView:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    follow(look, page := Page(), lambda _: False)
    assert len(page.shown) == 1
    assert len(answers) == 1
