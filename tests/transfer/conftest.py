"""Workspaces with a bit of everything in them."""

import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headway.metrics.journal import JournalWriter
from headway.model import NewRun, RunError, Status
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.testing.api.requests import log

Make = Callable[[], EmbeddedWorkspace]

ODD = (0.5, float("nan"), float("inf"), -float("inf"), -0.0, 5e-324, 7, -(1 << 63), 1 << 200)
TEXTS = ("", "\\N", "a\nb", 'say "no", thanks\r\n', "\0", "ä€😀", "x" * 3000, True, None, False)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Opens workspaces in folders of their own."""
    opened: list[EmbeddedWorkspace] = []
    numbers = itertools.count()

    def make() -> EmbeddedWorkspace:
        opened.append(open_workspace(tmp_path / f"ws-{next(numbers)}", load_settings({})))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def filled(make: Make) -> EmbeddedWorkspace:
    """Runs with children, labels, odd values, tables and files; one of them lives."""
    api = make()
    fill(api)
    return api


def fill(api: EmbeddedWorkspace) -> None:
    """Make the runs ``parent``, ``child``, ``failed`` and ``living``."""
    explore, other = api.experiments.ensure("explore").id, api.experiments.ensure("other").id
    api.runs.create(
        [
            NewRun(
                "parent",
                explore,
                name="the best",
                description="two\nlines",
                started=True,
                tags={"a": "1", "none": None, "empty": "", "slash": "\\x"},
                properties={"p": "x,y"},
            ),
            NewRun("child", explore, parent_id="parent", started=True),
            NewRun("failed", other, started=True),
            NewRun("living", other, started=True),
        ]
    )
    log(api, "parent", lambda writer: writer.log_values("odd", [*ODD, *TEXTS]))
    log(api, "parent", lambda writer: writer.log_values("empty", []))
    log(api, "parent", lambda writer: writer.log_row("table", {"a": 1, "b": "y"}, 0))
    log(api, "child", _count_down)
    api.files.put("parent", "outputs/model.bin", io.BytesIO(b"model" * 100))
    api.files.put("child", "same.bin", io.BytesIO(b"model" * 100))
    api.runs.end("child", Status.COMPLETED)
    api.runs.end("parent", Status.COMPLETED)
    api.runs.end("failed", Status.FAILED, error=RunError(code="X", message="why"))


def _count_down(writer: JournalWriter) -> None:
    for i in range(2000):
        writer.log("x", i, step=-i)
