"""The reporter beside a run: what it logs, and that nothing depends on it."""

import itertools
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headway.engines import processes
from headway.engines.processes import Process
from headway.metrics import drain
from headway.runner import companion
from headway.runner.reporter import pauses

if TYPE_CHECKING:
    from tests.engines.conftest import Harness, OneRun

SLEEP = "import time\nprint('up')\ntime.sleep(60)"


def reporters(run: "OneRun") -> list[Process]:
    return [p for p in run.left() if "headway.runner.reporter" in processes.arguments_of(p.pid)]


def submit(harness: "Harness", program: str = SLEEP, **spec: Any) -> "OneRun":
    journals = str(harness.root / "journals")
    return harness.submit(program, journal_dir=journals, system_metrics_interval_s=0.1, **spec)


def written(harness: "Harness", run: "OneRun") -> int:
    folder = harness.root / "journals"
    journals = drain.journals_of(folder, run.folder.read_spec().run_id)
    return sum(len(drain.read(folder, journal, 0, 1 << 20)) for journal in journals)


def wait_for_reporter(harness: "Harness", run: "OneRun") -> Process:
    harness.wait_until(lambda: reporters(run) and written(harness, run), "samples")
    return reporters(run)[0]


def test_a_run_is_sampled_and_its_reporter_ends_with_it(
    harness: "Harness", use_cgroup: bool
) -> None:
    run = submit(harness, use_cgroup=use_cgroup)
    reporter = wait_for_reporter(harness, run)
    before = written(harness, run)
    harness.wait_until(lambda: written(harness, run) > before, "another sample")
    assert reporter not in run.folder.read_tree()
    record = run.cancel()
    assert (record.outcome, record.clean) == ("Canceled", True)


def test_a_short_run_has_no_reporter(harness: "Harness") -> None:
    run = submit(harness, "print('done')")
    run.wait()
    assert not (harness.root / "journals").exists()


def test_a_run_without_an_interval_has_no_reporter(harness: "Harness") -> None:
    journals = str(harness.root / "journals")
    run = harness.submit("import time; time.sleep(1.3)", journal_dir=journals)
    run.wait()
    assert not Path(journals).exists()


def test_a_reporter_that_was_killed_is_replaced_without_harm(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submit(harness)
    reporter = wait_for_reporter(harness, run)
    assert processes.send_signal(reporter, signal.SIGKILL)
    harness.wait_until(lambda: "another one" in run.folder.shim_log.read_text(), "a word of it")
    assert run.folder.alive()
    assert run.cancel().outcome == "Canceled"


def test_a_reporter_that_cannot_start_is_tried_again_ever_less_often(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    run = harness.make(SLEEP, journal_dir="x", system_metrics_interval_s=1.0)
    beside = companion.Companion(run.folder.read_spec(), run.folder, said.append)
    monkeypatch.setattr(companion.sys, "executable", "/no/such/python")
    now = itertools.count(0.0, 1000.0)
    monkeypatch.setattr(companion.time, "monotonic", lambda: next(now))
    beside.begin()
    beside.attend()
    beside.attend()
    assert len(said) == 2
    assert beside.process is None


def test_a_stopped_reporter_does_not_delay_the_end(harness: "Harness") -> None:
    run = submit(harness)
    assert processes.send_signal(wait_for_reporter(harness, run), signal.SIGSTOP)
    began = time.monotonic()
    assert run.cancel().clean
    assert time.monotonic() - began < 1.0


def test_a_reporter_does_not_outlive_its_shim(harness: "Harness") -> None:
    run = submit(harness)
    reporter = wait_for_reporter(harness, run)
    run.kill_shim()
    harness.wait_until(lambda: not processes.alive(reporter), "the end of the reporter")
    record = run.engine.recover(run.folder)
    assert record is not None
    assert record.error_code == "ShimLost"


def test_the_reporter_of_a_run_whose_folder_is_gone_makes_nothing_again(
    harness: "Harness",
) -> None:
    run = submit(harness)
    reporter = wait_for_reporter(harness, run)
    moved = run.folder.path.rename(harness.root / "elsewhere")
    harness.wait_until(lambda: not processes.alive(reporter), "the end of the reporter")
    moved.rename(run.folder.path)
    run.cancel()


def test_pauses_grow_to_the_interval_and_beyond_it_where_a_look_is_dear() -> None:
    assert list(itertools.islice(pauses(5.0, lambda: 0.0), 4)) == [1.0, 2.0, 4.0, 5.0]
    assert list(itertools.islice(pauses(0.5, lambda: 0.0), 2)) == [0.5, 0.5]
    dear = pauses(10.0, itertools.count(0.0, 0.3).__next__)
    assert [round(pause) for pause in itertools.islice(dear, 3)] == [1, 100, 100]


def test_the_reporter_and_the_shim_stay_small(harness: "Harness") -> None:
    run = submit(harness)
    reporter = wait_for_reporter(harness, run)
    assert sum(map(resident_bytes, (reporter.pid, run.shim.pid))) < 34e6  # 30.2 on the reference
    run.cancel()


def resident_bytes(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
