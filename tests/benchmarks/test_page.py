"""The record and the page that is made of it."""

import re
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import main
from benchmarks.contests.field import Cell
from benchmarks.harness import Curve, Line, Part, Profile, timing_of
from benchmarks.page import page, write_page
from benchmarks.peers.installing import version_of
from benchmarks.peers.table import HERE, PEERS, Peer
from benchmarks.record import Record, Topic, merged, read, record_of, write

ROOT = HERE.parent.parent


def topic(**peers: Cell) -> Topic:
    return Topic("2026-11-23", "a machine", cells={"log.median": peers})


def recorded() -> Record:
    found = [
        Line("run.log: float", timing_of([1e-6]), "write()", timing_of([4e-6]), "2 us"),
        Curve(
            "chart", "points", "s", [10_000, 100_000], [0.01, 0.01], wall="memory: shorter units"
        ),
        Profile("history", 0.02, 0.01, 0.01, 3, 4, [Part("decode", 0.62, 24)]),
    ]
    compared = topic(
        headway=Cell([1e-6]),
        sacred=Cell([0.5e-6]),
        mlflow=Cell([4e-3], note="extrapolated from 250 calls"),
        aim=Cell(error="it | *crashed*"),
    )
    failed = Topic("2026-11-23", "a machine", failure="stream: no figures within 300 s")
    return record_of(
        {"stream": failed, "log": compared, "growth": Topic("2026-11-23", "a machine", found=found)}
    )


def test_the_page_says_where_a_peer_is_ahead_and_what_failed() -> None:
    text = page(recorded())
    assert "* log one scalar, median: 1.00 us; sacred 500 ns." in text
    assert "**0.500x**" in text
    assert "~4,000x" in text
    assert "`stream` failed. stream: no figures within 300 s" in text
    assert "aim: it / \\*crashed\\*" in text


def test_the_page_has_growth_profiles_and_versions(tmp_path: Path) -> None:
    write_page(recorded(), tmp_path)
    text = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert "(images/growth-points-s.svg)" in text
    assert "memory: shorter units" in text
    assert "`decode` 62%" in text
    assert (
        "mlflow, SQLite " + version_of(next(one for one in PEERS if one.name == "mlflow")) in text
    )
    drawn = (tmp_path / "images/growth-points-s.svg").read_bytes()
    write_page(recorded(), tmp_path)
    assert (tmp_path / "images/growth-points-s.svg").read_bytes() == drawn


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "record.json", recorded())
    assert read(tmp_path / "record.json") == recorded()


def test_what_is_measured_again_replaces_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write(path, record_of({"log": topic(headway=Cell([1.0]), aim=Cell([2.0])), "size": topic()}))
    after = merged(path, {"log": topic(headway=Cell([3.0]))})
    assert after.topics["log"].cells["log.median"] == {"headway": Cell([3.0]), "aim": Cell([2.0])}
    assert "size" in after.topics


def test_the_page_in_the_documentation_is_made_of_the_record() -> None:
    record = ROOT / "benchmarks" / "record.json"
    if not record.exists():
        pytest.skip("nothing is recorded yet: make bench")
    written = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    assert page(read(record)) == written, f"run: python -m benchmarks --render {record}"


@pytest.mark.parametrize("peer", [one for one in PEERS if one.package], ids=lambda one: one.name)
def test_a_peer_is_pinned_with_hashes_and_has_an_adapter(peer: Peer) -> None:
    pins = (HERE / peer.home / "requirements.txt").read_text("utf-8")
    packages = [line for line in pins.splitlines() if not line.startswith(" ")]
    hashed = re.findall(r"^\S+==\S+ \\\n    --hash=sha256:", pins, re.MULTILINE)
    assert len(hashed) == len(packages) > 0
    assert version_of(peer)
    assert "://" not in pins
    assert (HERE / peer.home / "adapter.py").exists()


def test_an_unknown_topic_or_peer_is_refused_with_those_that_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "import,nothing"])
    with pytest.raises(SystemExit):
        main()
    assert "'nothing' is not among them: choose from import, log" in capsys.readouterr().err
