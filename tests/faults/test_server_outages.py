"""A server that is killed, cut off, slow or out of space, and the programs that log to it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.faults.outage import Line, Server, line_to, serving

from headway import Experiment, Workspace
from headway.client.workspace import open_remote
from headway.errors import ServerUnavailableError
from headway.model import MetricQuery, RunChange, RunQuery, Status
from headway.sdk.interactive.process import close_sessions
from headway.settings import load_settings
from headway.testing.api.requests import new_run, open_writer

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as one:
        yield one


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    with line_to(server) as one:
        yield one


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends wait half a second, and what is logged is sent ten times a second."""
    monkeypatch.setenv("HEADWAY_SERVER_END_WAIT_S", "0.5")
    monkeypatch.setenv("HEADWAY_DRAIN_INTERVAL_S", "0.1")


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Experiment]]:
    """Opens an experiment at a URL, as a program would."""
    monkeypatch.chdir(tmp_path)

    def open_experiment(url: str) -> Experiment:
        monkeypatch.setenv("HEADWAY_WORKSPACE", url)
        return Experiment(Workspace.from_config(), "explore")

    yield open_experiment
    close_sessions()


def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def stored(url: str, tmp_path: Path, run_id: str) -> int:
    """How many points the server has, asked from a machine that never logged."""
    api = open_remote(url, "default", tmp_path / "elsewhere", load_settings())
    try:
        return sum(one.count for one in api.metrics.summarize(MetricQuery(run_id)))
    finally:
        api.close()


# ---------------------------------------------------------------- away


def test_a_server_that_is_away_stops_no_training_and_gets_everything_later(
    server: Server,
    use: Callable[[str], Experiment],
    impatient: None,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = use(server.url).start_logging()
    run.log("loss", 0.0)
    server.kill()
    with run:
        for step in range(1, 1_000):
            run.log("loss", float(step))
        print("in the dark")  # noqa: T201
    ended_by = time.time()
    close_sessions()
    said = capfd.readouterr().err
    assert said.count("does not answer") <= 2
    assert "points, 12 bytes of logs, the end of a run; kept in" in said
    assert "headway sync" in said
    server.start()
    assert sync() == 0
    api = open_remote(server.url, "default", tmp_path / "elsewhere", load_settings())
    there = api.runs.get(run.id)
    assert there.status is Status.COMPLETED
    assert (there.ended_at or 0) / 1e6 <= ended_by
    assert stored(server.url, tmp_path, run.id) == 1_000
    with api.files.open(run.id, "logs/user_log.txt") as log:
        assert log.read() == b"in the dark\n"
    assert [one.status for one in api.runs.events(run.id)].count(Status.COMPLETED) == 1
    api.close()
    assert [*Path(os.environ["HEADWAY_HOME"]).rglob("*.hwj")] == []


def sync(*words: str) -> int:
    program = "from headway.cli import main; main()"
    environment = {**os.environ, "HEADWAY_WORKSPACE": ""}
    done = subprocess.run(
        [sys.executable, "-c", program, "sync", *words], env=environment, check=False, timeout=25
    )
    return done.returncode


def test_many_who_sync_at_once_send_everything_once(
    server: Server, use: Callable[[str], Experiment], impatient: None, tmp_path: Path
) -> None:
    experiment = use(server.url)
    runs = [experiment.start_logging() for _ in range(3)]
    server.kill()
    outputs = tmp_path / "outputs"
    (outputs / "model.bin").write_bytes(b"weights" * 1000)
    for run in runs:
        for step in range(500):
            run.log("loss", step)
        run.complete()
    close_sessions()
    server.start()
    with ThreadPoolExecutor(4) as pool:
        syncs = [pool.submit(sync) for _ in range(3)]
        assert [one.result() for one in syncs] == [0, 0, 0]
    api = open_remote(server.url, "default", tmp_path / "elsewhere", load_settings())
    for run in runs:
        assert stored(server.url, tmp_path, run.id) == 500
        assert api.runs.get(run.id).status is Status.COMPLETED
        [entry] = api.files.list(run.id, "outputs/")
        assert entry.size_bytes == 7_000
    api.close()


def test_what_a_killed_program_left_is_sent_by_the_next_one(
    server: Server, use: Callable[[str], Experiment], impatient: None, tmp_path: Path
) -> None:
    program = (
        "import os, signal\n"
        "from headway import Workspace, Experiment\n"
        "run = Experiment(Workspace.from_config(), 'explore').start_logging()\n"
        "print(run.id, flush=True)\n"
        "for step in range(1000): run.log('loss', step)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HEADWAY_WORKSPACE": server.url, "HEADWAY_DRAIN_INTERVAL_S": "60"},
        stdout=subprocess.PIPE,
        check=False,
        timeout=25,
    )
    run_id = done.stdout.decode().strip()
    assert stored(server.url, tmp_path, run_id) == 0
    use(server.url).start_logging()
    until(lambda: stored(server.url, tmp_path, run_id) == 1_000)


def test_sync_says_what_waits_and_that_a_server_is_away(
    server: Server,
    use: Callable[[str], Experiment],
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = use(server.url).start_logging()
    server.kill()
    run.log("loss", 1)
    run.complete()
    close_sessions()
    capfd.readouterr()
    assert sync("--dry-run", "--json") == 0
    [said] = json.loads(capfd.readouterr().out)
    assert said["waits"]["points"] == said["waits"]["ends"] == 1
    monkeypatch.setenv("HEADWAY_SERVER_TIMEOUT_S", "0.2")
    assert sync() == 8
    shown = capfd.readouterr()
    assert "still waiting: 1 point, the end of a run" in shown.out
    assert "does not answer" in shown.err


def test_a_program_that_begins_without_its_server_is_told_so(
    server: Server, use: Callable[[str], Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_SERVER_TIMEOUT_S", "0.3")
    experiment = use(server.url)
    server.kill()
    with pytest.raises(ServerUnavailableError, match=r"127\.0\.0\.1.*does not answer"):
        experiment.start_logging()


# ---------------------------------------------------------------- a cut line


def test_training_goes_on_while_the_line_is_cut_and_all_arrives_afterwards(
    line: Line, server: Server, use: Callable[[str], Experiment], impatient: None, tmp_path: Path
) -> None:
    run = use(line.url).start_logging()
    run.log("loss", 0.0)
    until(lambda: stored(server.url, tmp_path, run.id) == 1)
    line.hold()
    for step in range(1, 20_000):  # a call that waited for the line would wait for ever
        run.log("loss", float(step))
    assert stored(server.url, tmp_path, run.id) < 20_000
    line.flow()
    until(lambda: stored(server.url, tmp_path, run.id) == 20_000)
    run.complete()
    assert run.get_status() == "Completed"


# ---------------------------------------------------------------- killed under load


def test_every_acknowledged_write_is_there_once_after_kills(server: Server, tmp_path: Path) -> None:
    api = open_remote(server.url, "default", tmp_path / "spool", load_settings())
    experiment_id = api.experiments.ensure("explore").id
    runs = api.runs.create([new_run(experiment_id, started=True) for _ in range(4)])
    stop = threading.Event()
    tags: dict[str, int] = {run.id: 0 for run in runs}
    points: dict[str, int] = {run.id: 0 for run in runs}

    def load(run_id: str) -> None:
        writer = open_writer(api.metrics.journal_dir, run_id)
        while not stop.is_set():
            number = tags[run_id] + 1
            for _ in range(50):
                writer.log("loss", points[run_id])
                points[run_id] += 1
            api.metrics.drain(run_id)
            api.runs.change(run_id, RunChange(set_tags={f"n{number}": None}))
            tags[run_id] = number
        writer.close()
        api.metrics.drain(run_id)

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(load, run.id) for run in runs]
        for _ in range(3):
            before = sum(tags.values())
            until(lambda before=before: sum(tags.values()) >= before + 8)
            server.kill()
            server.start()
        stop.set()
        for one in working:
            one.result(25)
    for run in runs:
        there = api.runs.get(run.id)
        assert set(there.tags) == {f"n{i}" for i in range(1, tags[run.id] + 1)}
        [series] = api.metrics.read(MetricQuery(run.id))
        assert series.values == list(range(points[run.id]))
    api.close()


def test_64_writers_at_once_meet_no_error(server: Server, tmp_path: Path) -> None:
    api = open_remote(server.url, "default", tmp_path / "spool", load_settings())
    experiment_id = api.experiments.ensure("explore").id

    def write(number: int) -> None:
        own = open_remote(server.url, "default", tmp_path / f"spool-{number}", load_settings())
        [run] = own.runs.create([new_run(experiment_id, started=True)])
        writer = open_writer(own.metrics.journal_dir, run.id)
        for turn in range(3):
            for _ in range(100):
                writer.log("loss", 0.5)
            own.metrics.drain(run.id)
            own.runs.change(run.id, RunChange(set_tags={"turn": str(turn)}))
        writer.close()
        own.metrics.drain(run.id)
        own.runs.end(run.id, Status.COMPLETED)
        own.close()

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(write, range(64)))
    runs = api.runs.list(RunQuery(limit=100)).runs
    assert len(runs) == 64
    for run in runs:
        assert (run.status, run.tags) == (Status.COMPLETED, {"turn": "2"})
        assert [one.count for one in api.metrics.summarize(MetricQuery(run.id))] == [300]
    api.close()
