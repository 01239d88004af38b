"""Runs handed to other processes: each logs to a journal of its own, none of them owns the run."""

import copy
import pickle
from collections.abc import Callable
from subprocess import Popen
from typing import Any, cast

import pytest

from headway import Experiment, Run

Python = Callable[..., Popen[str]]


def metrics_after(process: Popen[str], experiment: Experiment) -> dict[str, Any]:
    """What the run of a program that completed has."""
    _, errors = process.communicate(timeout=25)
    assert process.returncode == 0, errors
    run = next(experiment.get_runs())
    assert run.get_status() == "Completed"
    return run.get_metrics()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_run_may_be_given_to_a_worker(
    python: Python, experiment: Experiment, method: str
) -> None:
    program = f"""
import multiprocessing

def work(run, number):
    with run:  # which is not its own, and is not ended here
        run.log("worker", number, step=number)
        run.log_metrics({{"a": 1.0, "b": number}})
    assert run.get_status() == "Running"

if __name__ == "__main__":
    run = Experiment(Workspace.from_config(), "explore-runs").start_logging()
    run.log("parent", 1)
    context = multiprocessing.get_context({method!r})
    workers = [context.Process(target=work, args=(run, number)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert run.get_status() == "Running"
    run.log("parent", 2)
"""
    metrics = metrics_after(python(program), experiment)
    assert metrics["parent"] == [1, 2]
    assert sorted(metrics["worker"]) == [0, 1]
    assert metrics["a"] == [1.0, 1.0]
    assert sorted(metrics["b"]) == [0, 1]


def test_what_a_worker_logged_outlives_its_sudden_end(
    python: Python, experiment: Experiment
) -> None:
    program = """
import multiprocessing

run = Experiment(Workspace.from_config(), "explore-runs").start_logging()

def forked(act):
    pid = os.fork()
    if pid == 0:
        act()
    os.waitpid(pid, 0)

def exit_at_once():
    run.log("at once", 1)
    os._exit(0)

def execute():
    run.log("executed", 1)
    os.execv(sys.executable, [sys.executable, "-c", ""])

def killed():
    run.log("killed", 1)
    os.kill(os.getpid(), signal.SIGKILL)

def item(number):
    run.log("item", number)
    return number

for act in (exit_at_once, execute, killed):
    forked(act)
with multiprocessing.get_context("fork").Pool(2) as pool:  # ends its workers by SIGTERM
    list(pool.imap_unordered(item, range(10)))
"""
    metrics = metrics_after(python(program), experiment)
    assert sorted(metrics.pop("item")) == list(range(10))
    assert metrics == {"at once": 1, "executed": 1, "killed": 1}


def test_workers_are_forked_by_threads_while_others_log(
    python: Python, experiment: Experiment
) -> None:
    program = """
import threading

run = Experiment(Workspace.from_config(), "explore-runs").start_logging()
done = threading.Event()
counts = [0, 0]

def train(number):
    while not done.is_set():
        run.log(f"thread {number}", counts[number])
        counts[number] += 1

def load(number):
    for i in range(4):
        pid = os.fork()
        if pid == 0:
            for j in range(50):
                run.log("loaded", j, step=i)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0

threads = [threading.Thread(target=act, args=(i,)) for i in range(2) for act in (train, load)]
for thread in threads:
    thread.start()
for thread in threads[1::2]:
    thread.join()
done.set()
for thread in threads:
    thread.join()
run.log_list("counts", counts)
"""
    metrics = metrics_after(python(program), experiment)
    assert sorted(metrics["loaded"]) == sorted([*range(50)] * 8)
    for number, count in enumerate(metrics["counts"]):
        assert metrics[f"thread {number}"] == list(range(count))


def test_many_processes_log_to_one_workspace_and_none_loses_a_point(
    python: Python, experiment: Experiment
) -> None:
    program = """
import threading

def log(run, count):
    for i in range(count):
        run.log("both", i, step=i)

run = Experiment(Workspace.from_config(), "explore-runs").start_logging()
threads = [threading.Thread(target=log, args=(run, 10_000)) for _ in range(2)]
for thread in threads:
    thread.start()
log(run, 10_000)
for thread in threads:
    thread.join()
"""
    processes = [python(program) for _ in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=25)
        assert process.returncode == 0
        assert errors == ""
    runs = list(experiment.get_runs())
    assert len(runs) == 4
    for run in runs:
        metrics: Any = run.get_metrics()
        assert sorted(metrics["both"]) == sorted([*range(10_000)] * 3)


def test_a_reader_never_sees_a_point_twice_while_files_are_used_again(
    python: Python, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_JOURNAL_SEGMENT_BYTES", "8192")
    monkeypatch.setenv("HEADWAY_DRAIN_INTERVAL_S", "0.02")
    program = """
run = Experiment(Workspace.from_config(), "explore-runs").start_logging()
print(run.id, flush=True)
for i in range(30_000):
    run.log("m", i)
    if i % 100 == 0:
        time.sleep(0.005)
"""
    process = python(program)
    assert process.stdout is not None
    run = experiment.workspace.get_run(process.stdout.readline().strip())
    seen = 0
    while seen < 30_000:
        ended = run.get_status() == "Completed"
        metrics: Any = run.get_metrics("m")
        values: Any = metrics.get("m", [])
        points = cast("list[int]", values) if isinstance(values, list) else [values]
        assert points == list(range(len(points)))
        assert len(points) >= seen
        seen = len(points)
        assert seen == 30_000 or not ended
    metrics_after(process, experiment)


def shallow(run: Run) -> Run:
    return copy.copy(run)


def deep(run: Run) -> Run:
    return copy.deepcopy(run)


def unpickled(run: Run) -> Run:
    return pickle.loads(pickle.dumps(run))


@pytest.mark.parametrize("copied", [shallow, deep, unpickled])
def test_a_copy_of_a_handle_is_the_same_run(
    experiment: Experiment, copied: Callable[[Run], Run]
) -> None:
    run = experiment.start_logging()
    run.log("loss", 1)
    run.log_table("table", {"a": [1, 2]})
    other = copied(run)
    assert type(other) is type(run)
    assert (other.id, other.experiment.id) == (run.id, experiment.id)
    other.log("loss", 2)
    assert run.get_metrics("loss") == {"loss": [1, 2]}
    other.complete()
    assert run.get_status() == "Completed"
