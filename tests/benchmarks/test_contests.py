"""Contests with the peers that need no installation: the floor, and one that cannot be asked."""

import sys
from pathlib import Path

import pytest
from benchmarks.comparison import Comparison, Contest
from benchmarks.contests import crowds, starting, writing
from benchmarks.contests.field import Cells, Field
from benchmarks.harness import Effort
from benchmarks.peers.asking import Participant
from benchmarks.peers.installing import PeerMissingError
from benchmarks.peers.table import BY_NAME, Peer

from benchmarks import comparison

PLAIN = Participant(BY_NAME["plain"], Path(sys.executable))


def compare(contest: Contest, limit_s: float = 5.0) -> Cells:
    cells: Cells = {}
    with Field([PLAIN], Effort(quick=True), limit_s, cells) as field:
        contest(field)
    return cells


def test_a_script_is_started_and_ended() -> None:
    began = compare(starting.submit)["submit.begins"]["plain"]
    gone = compare(starting.cancel)["cancel.gone"]["plain"]
    assert len(began.samples) == len(gone.samples) == 5
    assert min(*began.samples, *gone.samples) > 0


def test_processes_wait_for_each_other() -> None:
    assert compare(crowds.open_together)["open.worked"]["plain"].value == 8


def test_an_import_is_measured_above_bare_python() -> None:
    cell = compare(starting.imports)["import.above"]["plain"]
    assert len(cell.samples) == 3
    assert all(sample >= 0 for sample in cell.samples)


def test_no_round_begins_when_the_time_is_up_but_the_first() -> None:
    with Field([PLAIN], Effort(), 0.0, {}) as field:
        assert list(field.rounds(3, 1)) == [0]
    with Field([PLAIN], Effort(), 60.0, {}) as field:
        assert list(field.rounds(3, 1)) == [0, 1, 2]


def test_nothing_is_left_of_a_store() -> None:
    with Field([PLAIN], Effort(quick=True), 5.0, {}) as field:
        writing.several(field)
        folder = field.store(PLAIN).folder
        assert list(folder.iterdir())
    assert not folder.parent.exists()


def test_a_peer_that_cannot_be_installed_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(peer: Peer, cache: Path) -> Path:
        if peer.package:
            raise PeerMissingError("uv pip: no such package")
        return Path(sys.executable)

    said: list[str] = []
    monkeypatch.setattr(comparison, "python_of", refuse)
    monkeypatch.setitem(comparison.CONTESTS, "several", (lambda _: None, 1.0))
    cells = Comparison(["plain", "aim"], said.append).measure("several", Effort(quick=True))
    assert said == ["aim: uv pip: no such package"]
    assert cells["several.median"]["aim"].error == "not installed: uv pip: no such package"
