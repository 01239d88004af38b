"""Stretches of journals that arrive at the same moment."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import pytest

from headway.errors import InvalidValueError, StorageError
from headway.model import JournalStretch
from headway.server.intake import Intakes

if TYPE_CHECKING:
    from headway.api import Metrics


class Workspace:
    """Takes stretches in once it is let; refuses those of the writer ``bad``."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.entered = threading.Event()
        self.go = threading.Event()

    def append_many(self, stretches: Sequence[JournalStretch]) -> list[int]:
        self.calls.append([one.writer_id for one in stretches])
        self.entered.set()
        assert self.go.wait(10)
        if any(one.writer_id == "bad" for one in stretches):
            raise InvalidValueError("bad")
        if any(one.writer_id == "bug" for one in stretches):
            raise LookupError("unforeseen")
        return [one.offset + len(one.records) for one in stretches]


class Crowd:
    """Those who send while the first of them is being worked on."""

    def __init__(self, workspace: Workspace) -> None:
        self._metrics = cast("Metrics", cast("Any", workspace))
        self._workspace = workspace
        self._intakes = Intakes()

    def send(self, *writers: str) -> "list[list[int] | Exception]":
        with ThreadPoolExecutor(len(writers)) as pool:
            first = pool.submit(self._take, writers[0])
            assert self._workspace.entered.wait(10)
            others = [pool.submit(self._take, writer) for writer in writers[1:]]
            while self._intakes.waiting(self._metrics) < len(others):
                time.sleep(0.001)
            self._workspace.go.set()
            return [one.exception(10) or one.result() for one in (first, *others)]  # pyright: ignore[reportReturnType]

    def _take(self, writer: str) -> list[int]:
        return self._intakes.take(self._metrics, [JournalStretch("r", writer, 5, b"x" * 32)])


def test_those_who_wait_are_taken_in_together() -> None:
    workspace = Workspace()
    answers = Crowd(workspace).send("a", "b", "c", "d")
    assert answers == [[37]] * 4
    assert [sorted(call) for call in workspace.calls] == [["a"], ["b", "c", "d"]]


def test_two_stretches_of_one_journal_are_taken_in_one_after_the_other() -> None:
    workspace = Workspace()
    assert Crowd(workspace).send("a", "b", "b") == [[37]] * 3
    assert workspace.calls == [["a"], ["b"], ["b"]]


def test_what_is_wrong_with_one_is_not_the_fault_of_the_others() -> None:
    workspace = Workspace()
    answers = Crowd(workspace).send("a", "b", "bad", "c")
    assert answers[:2] == [[37], [37]]
    assert isinstance(answers[2], InvalidValueError)
    assert answers[3] == [37]


def test_whoever_waits_beside_something_unforeseen_is_told_to_try_again() -> None:
    answers = Crowd(Workspace()).send("a", "b", "bug")
    kinds = {type(one) for one in answers[1:]}
    assert kinds <= {LookupError, StorageError}
    assert LookupError in kinds


@pytest.mark.parametrize("count", [1, 40])
def test_each_gets_its_own_offsets(count: int) -> None:
    workspace = Workspace()
    workspace.go.set()
    intakes, metrics = Intakes(), cast("Metrics", cast("Any", workspace))

    def take(number: int) -> list[int]:
        stretches = [JournalStretch("r", f"{number}-{i}", number, b"x" * i) for i in range(3)]
        return intakes.take(metrics, stretches)

    with ThreadPoolExecutor(count) as pool:
        assert list(pool.map(take, range(count))) == [[n, n + 1, n + 2] for n in range(count)]
