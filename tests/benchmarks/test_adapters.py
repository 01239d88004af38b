"""The protocol between the benchmark and an adapter, with a peer that is made up."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.comparison import Contest
from benchmarks.contests import crowds, reading, writing
from benchmarks.contests.field import Cells, Field
from benchmarks.harness import Effort
from benchmarks.peers import asking
from benchmarks.peers.asking import AbsentError, Asked, FailedError, Participant, Store, ask, served
from benchmarks.peers.table import Peer
from benchmarks.peers.work import Calls, loss_curve

FAKE = Participant(Peer("fake", "fake"), Path(sys.executable))
QUICK = Effort(quick=True)

ADAPTER = '''
import json, os, sys
from benchmarks.peers.protocol import Adapter, Log
from benchmarks.peers.work import serve

class Fake(Adapter):
    """Half of what was logged last is lost by a crash."""

    def run(self, folder, work):
        print("a peer that talks")
        if (folder / "broken").exists():
            raise ValueError(f"{folder} is broken")
        if (folder / "slow").exists():
            import time; time.sleep(60)
        kept, at = [], folder / f"{len(list(folder.iterdir()))}-{os.getpid()}.json"
        def one(step, value):
            kept.append(value)
            if step % 2:
                at.write_text(json.dumps(kept))
        work(Log(one, lambda step, values: kept.extend(values)))
        at.write_text(json.dumps(kept))

    def found(self, folder):
        return sum(len(json.loads(path.read_text())) for path in folder.glob("*.json"))

    def fill(self, folder, values, limit_s):
        return self.fill_by_logging(folder, values, limit_s)

    def read(self, folder):
        return self.found(folder)

    def children(self, folder, count, limit_s):
        return {"runs": count // 2, "took_s": 0.5}

serve(Fake())
'''


@pytest.fixture(autouse=True)
def fake_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapter stands where a real one would, in a tree that has all else from the real one."""
    root, real = tmp_path / "tree", asking.ROOT
    for package in ("benchmarks", "benchmarks/peers"):
        path = [str(root / package), str(real / package)]
        (root / package).mkdir(parents=True)
        (root / package / "__init__.py").write_text(f"__path__ = {path!r}\n")
    (root / "benchmarks/peers/fake").mkdir()
    (root / "benchmarks/peers/fake/adapter.py").write_text(ADAPTER)
    monkeypatch.setattr(asking, "ROOT", root)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served(FAKE, tmp_path / "store") as made:
        yield made


def test_the_loss_curve_is_the_same_each_time_and_of_float32() -> None:
    curve = loss_curve(1000)
    assert curve == loss_curve(1000)
    assert curve[0] > 1.5 > 0.5 > curve[-1]
    assert len(set(curve)) > 900


def test_calls_stop_once_it_shows_that_they_take_too_long() -> None:
    calls = Calls(glance_s=0.0, limit_s=0.0)
    calls.make(lambda _: None, 1000)
    assert calls.result()["calls"] == 1
    calls = Calls(glance_s=10.0, limit_s=60.0)
    calls.make(lambda _: None, 1000)
    assert calls.result()["calls"] == 1000


def test_an_answer_comes_back_although_the_peer_talks(store: Store) -> None:
    answer = ask(FAKE, store, "log", 20.0, count=50, glance_s=1.0, limit_s=5.0)
    assert answer["calls"] == 50
    assert 0 < float(str(answer["median_s"])) <= float(str(answer["p99_s"]))
    assert ask(FAKE, store, "found", 20.0) == {"points": 50}


def test_what_a_peer_does_not_offer_is_absent(store: Store) -> None:
    with pytest.raises(AbsentError, match="does not start programs"):
        ask(FAKE, store, "submit", 20.0, times=1)


def test_the_end_of_an_adapter_is_told_with_its_last_words(store: Store) -> None:
    (store.folder / "broken").touch()
    with pytest.raises(FailedError, match="ValueError: STORE is broken"):
        ask(FAKE, store, "log", 20.0, count=5, glance_s=1.0, limit_s=5.0)


def test_an_adapter_that_takes_too_long_is_killed(store: Store) -> None:
    (store.folder / "slow").touch()
    with pytest.raises(FailedError, match=r"no answer within 0\.3 s"):
        ask(FAKE, store, "log", 0.3, count=5, glance_s=1.0, limit_s=5.0)


def test_an_adapter_waits_for_the_word(store: Store) -> None:
    with Asked(FAKE, store, "open", 20.0) as asked:
        asked.wait_until_ready()
        assert not list(store.folder.iterdir())
        asked.go()
        assert asked.answer() == {}
    assert list(store.folder.iterdir())


def test_the_environment_holds_nothing_of_ours(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    environment = FAKE.environment(store)
    assert "secret" not in environment.values()
    assert environment["HOME"].startswith(str(store.folder))


def compare(contest: Contest, cells: Cells) -> None:
    with Field([FAKE], QUICK, 5.0, cells) as field:
        contest(field)


def test_a_crash_is_told_from_a_run_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SETTLE_S", 0.0)
    cells: Cells = {}
    compare(writing.crash, cells)
    [cell] = cells["crash.found"].values()
    assert cell.value == 1.0
    assert cell.note == "1,000 of 1,000"


def test_fewer_points_and_runs_are_extrapolated_and_marked() -> None:
    cells: Cells = {}
    compare(crowds.children, cells)
    cell = cells["children.made"]["fake"]
    assert cell.value == 10.0
    assert cell.note == "extrapolated from 50 runs"


def test_what_works_is_kept_where_a_part_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "POINTS", 20_000)
    cells: Cells = {}
    compare(reading.series, cells)
    assert cells["series.read"]["fake"].value
    assert cells["series.reduced"]["fake"].absent == "no reduced read offline"


def test_a_failure_is_shown_in_every_measure_of_the_contest() -> None:
    cells: Cells = {}
    with Field([FAKE], QUICK, 5.0, cells) as field:
        (field.store(FAKE).folder / "broken").touch()
        writing.log(field)
        assert not field.standing
    errors = {key: of_key["fake"].error for key, of_key in cells.items()}
    said = "ValueError: STORE is broken"
    assert errors == dict.fromkeys(("log.median", "log.p99", "log.stored"), said)
