"""The queue of this machine: order, cancel, and slots that are free again however a run ended."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.engines import dispatching, processes, tickets
from headway.engines.folder import RunFolder
from headway.engines.processes import Process
from headway.engines.queueing import QueuedLocalEngine
from headway.engines.slots import Capacity, Need, Slots
from headway.engines.targets import Target, Targets
from headway.engines.tickets import Tickets
from headway.errors import ComputeTargetNotFoundError, InvalidValueError, StorageCorruptError

SLEEP = "import time; time.sleep(600)"
# Says so in a file that all runs share, and holds what no two runs may hold at a time.
EXCLUSIVE = """
import fcntl, os, sys, time
shared = sys.argv[1]
held = [open(f"{shared}-gpu-{name}", "w") for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",")]
for file in held:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        open(f"{shared}-overlaps", "a").write("x")
with open(shared, "a") as began:
    began.write(os.environ["HEADWAY_RUN_ID"] + "\\n")
time.sleep(float(sys.argv[2]))
"""


class Queue:
    """Slots, and runs that wait for them."""

    def __init__(self, harness: Any, root: Path) -> None:
        self.harness = harness
        self.root = root
        self.slots = Slots(root)
        self.tickets = Tickets(root)
        self.engine = QueuedLocalEngine(root, tick_s=0.02)
        self.shared = root.parent / "shared"
        harness.engine = self.engine

    def submit(self, program: str = SLEEP, **spec: Any) -> Any:
        return self.harness.submit(program, **spec)

    def submit_exclusive(self, seconds: float = 0.0, gpus: int = 1, **spec: Any) -> Any:
        script = self.root.parent / "exclusive.py"
        script.write_text(EXCLUSIVE)
        command = [sys.executable, str(script), str(self.shared), str(seconds), "{folder}"]
        return self.harness.submit(command=command, cwd=str(self.root.parent), gpus=gpus, **spec)

    def began(self) -> list[str]:
        """The ids of runs whose program began, in that order."""
        return self.shared.read_text().split() if self.shared.exists() else []

    def assert_exclusive(self) -> None:
        assert not Path(f"{self.shared}-overlaps").exists(), "two runs had one GPU at a time"

    def observe(self, run: Any) -> Any:
        [seen] = self.engine.poll([run.folder])
        return seen

    def wait_until_running(self, run: Any) -> None:
        def running() -> bool:
            seen = self.observe(run)
            began = seen.record is not None and seen.record.phase == "Running"
            return began and tickets.of_run(run.folder) is None

        self.harness.wait_until(running, f"{run.folder} to run")

    def wait_until_ended(self, run: Any) -> Any:
        def ended() -> bool:
            if self.observe(run).abandoned:
                self.engine.recover(run.folder)
            record = self.observe(run).record
            return record is not None and record.ended

        self.harness.wait_until(ended, f"{run.folder} to end")
        return run.record

    def dispatcher(self) -> Process | None:
        try:
            pid, start = map(int, (self.root / "dispatcher").read_text().split())
        except (FileNotFoundError, ValueError):
            return None
        found = Process(pid, start)
        return found if processes.alive(found) else None

    def kill_dispatcher(self) -> bool:
        found = self.dispatcher()
        return found is not None and processes.send_signal(found, signal.SIGKILL)


@pytest.fixture
def make_queue(harness: Any, tmp_path: Path) -> Iterator[Callable[..., Queue]]:
    def make(**capacity: Any) -> Queue:
        queue = Queue(harness, tmp_path / "compute")
        queue.slots.write(Capacity(**capacity))
        return queue

    yield make
    harness.wait_until_none_left()


def cancel_all(queue: Queue, *runs: Any) -> None:
    for run in runs:
        run.ask(grace_s=0)
    for run in runs:
        queue.wait_until_ended(run)


def test_a_run_waits_until_a_slot_is_free(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(cpus=1)
    first, second = queue.submit(), queue.submit("pass")
    queue.wait_until_running(first)
    seen = queue.observe(second)
    assert (seen.queued, seen.abandoned, seen.record) == (True, False, None)
    assert queue.engine.waits_for(second.folder) == (
        "place 1 of 1 in the queue; waits for 1 CPU of 1 CPU slot"
    )
    assert queue.engine.waits_for(first.folder) is None
    cancel_all(queue, first)
    assert queue.wait_until_ended(second).outcome == "Completed"
    assert queue.tickets.waiting() == []


def test_without_slots_a_run_starts_at_once(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue()
    run = queue.submit("pass", gpus=3)
    assert run.wait().outcome == "Completed"
    assert not run.folder.ticket_file.exists()
    assert queue.dispatcher() is None


def test_a_run_that_needs_no_limited_slot_starts_at_once(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(gpus=())
    assert queue.engine.admit(Need(cpus=64)) is None
    assert queue.submit("pass").wait().outcome == "Completed"


def test_what_can_never_be_met_is_refused(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(cpus=2, gpus=("0",))
    with pytest.raises(InvalidValueError, match=r"asks for 2 GPUs, but .* has 1 GPU slot \(0\)"):
        queue.engine.admit(Need(gpus=2))
    assert queue.engine.admit(Need(cpus=2, gpus=1)) == "2 CPUs and 1 GPU"


def test_the_program_gets_the_environment_of_its_submitter_and_its_slots(
    make_queue: Callable[..., Queue], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = make_queue(cpus=3, gpus=("5", "GPU-7f"))
    names = ("ODD", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "OMP_NUM_THREADS")
    program = f"import os; print([os.environb[os.fsencode(n)] for n in {names!r}])"
    blocker = queue.submit(gpus=1, cpus=0)  # so that another process starts the dispatcher
    queue.wait_until_running(blocker)
    monkeypatch.setenv("ODD", os.fsdecode(b"\xff ok"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    run = queue.submit(program, gpus=1, cpus=2)
    assert queue.wait_until_ended(run).outcome == "Completed"
    assert run.log() == repr([b"\xff ok", b"GPU-7f", b"PCI_BUS_ID", b"2"]) + "\n"
    cancel_all(queue, blocker)


def test_a_canceled_run_ends_in_the_queue_and_never_starts(
    make_queue: Callable[..., Queue], tmp_path: Path
) -> None:
    queue = make_queue(cpus=1)
    first = queue.submit()
    second = queue.submit(f"open({str(tmp_path / 'started')!r}, 'w')")
    second.ask()
    assert (second.record.outcome, second.record.by) == ("Canceled", "someone@here")
    assert queue.tickets.waiting() == [] or queue.tickets.waiting()[0].number == 1
    cancel_all(queue, first)
    assert not (tmp_path / "started").exists()


def test_priority_comes_before_order_of_submission(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(gpus=("0",))
    first = queue.submit_exclusive(600)
    queue.harness.wait_until(queue.began, "the first to begin")
    later = [queue.submit_exclusive(priority=p) for p in (0, -5, 7, 0, 7)]
    cancel_all(queue, first)
    for run in later:
        queue.wait_until_ended(run)
    ids = [run.folder.path.name for run in later]
    assert queue.began()[1:] == [ids[2], ids[4], ids[0], ids[3], ids[1]]


def test_a_large_request_is_not_starved_by_small_ones(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(gpus=("0", "1"))
    one, other = queue.submit_exclusive(600), queue.submit_exclusive(600)
    queue.harness.wait_until(lambda: len(queue.began()) == 2, "both to begin")
    large = queue.submit_exclusive(gpus=2)
    small = queue.submit_exclusive()
    cancel_all(queue, one)  # a GPU is free now, but whoever waits first needs two
    assert queue.observe(small).queued
    cancel_all(queue, other)
    queue.wait_until_ended(large)
    queue.wait_until_ended(small)
    assert queue.began()[2:] == [large.folder.path.name, small.folder.path.name]
    queue.assert_exclusive()


def test_a_run_overtakes_one_that_waits_for_something_else(
    make_queue: Callable[..., Queue],
) -> None:
    queue = make_queue(cpus=4, gpus=("0",))
    holder = queue.submit(gpus=1)
    queue.wait_until_running(holder)
    waiter = queue.submit(gpus=1)
    assert queue.wait_until_ended(queue.submit("pass")).outcome == "Completed"
    assert queue.observe(waiter).queued
    cancel_all(queue, waiter, holder)


def test_a_run_overtakes_none_that_lacks_what_it_uses(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(cpus=2)
    holder = queue.submit()
    queue.wait_until_running(holder)
    large, small = queue.submit("pass", cpus=2), queue.submit("pass")
    assert queue.engine.waits_for(small.folder) == (
        "place 2 of 2 in the queue; waits for 1 CPU of 2 CPU slots"
    )
    assert queue.observe(small).queued
    cancel_all(queue, holder)
    queue.wait_until_ended(large)
    queue.wait_until_ended(small)
    assert large.record.started_at < small.record.started_at


@pytest.mark.parametrize("how", ["exit", "kill program", "kill shim", "cancel"])
def test_a_slot_is_free_however_its_run_ended(make_queue: Callable[..., Queue], how: str) -> None:
    queue = make_queue(gpus=("0",))
    if how == "exit":
        first = queue.submit_exclusive(0.1)
    else:
        first = queue.submit_exclusive(600)
    queue.wait_until_running(first)
    second = queue.submit_exclusive()
    if how == "kill program":
        os.kill(first.record.main_pid, signal.SIGKILL)
    elif how == "kill shim":
        first.kill_shim()
    elif how == "cancel":
        first.ask()
    # Nobody looks at the first one: where its shim is dead, the dispatcher ends it.
    assert queue.wait_until_ended(second).outcome == "Completed"
    assert first.record.ended
    queue.assert_exclusive()


def test_an_orphan_keeps_its_slot_until_it_is_dead(make_queue: Callable[..., Queue]) -> None:
    """A helper that closed the slot's descriptor, as subprocess does, outlives program and shim."""
    queue = make_queue(gpus=("0",))
    helper = "import time; time.sleep(600)"
    first = queue.submit(
        f"import subprocess, sys, time; h = subprocess.Popen([sys.executable, '-c', {helper!r}, "
        "sys.argv[0]]); print(h.pid, flush=True); time.sleep(600)",
        gpus=1,
    )
    first.wait_for_log("\n")
    path = f"/proc/{int(first.log())}/cmdline"  # empty or not there where the process is dead
    second = queue.submit(
        f"import os; print(os.path.exists({path!r}) and open({path!r}).read())", gpus=1
    )
    first.kill_shim()
    assert queue.wait_until_ended(second).outcome == "Completed"
    assert second.log() in {"False\n", "\n"}
    assert first.record.error_code == "ShimLost"


def test_a_killed_dispatcher_costs_nothing_but_the_next_look(
    make_queue: Callable[..., Queue],
) -> None:
    queue = make_queue(cpus=1)
    first, second = queue.submit(), queue.submit("pass")
    queue.wait_until_running(first)
    assert queue.kill_dispatcher()
    queue.harness.wait_until(lambda: queue.dispatcher() is None)
    assert not dispatching.ring(queue.root)
    assert queue.observe(second).queued
    assert dispatching.ring(queue.root)
    cancel_all(queue, first)
    queue.wait_until_ended(second)


def test_the_end_of_a_run_brings_the_next_one_without_anybody_looking(
    make_queue: Callable[..., Queue],
) -> None:
    queue = make_queue(cpus=1)
    first, second = queue.submit(), queue.submit("pass")
    queue.wait_until_running(first)
    assert queue.kill_dispatcher()
    os.kill(first.record.main_pid, signal.SIGKILL)
    queue.harness.wait_until(second.folder.state_file.exists, "the second run")
    queue.wait_until_ended(second)


def test_the_dispatcher_ends_when_nobody_waits(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(cpus=1)
    run = queue.submit()
    queue.wait_until_running(run)
    queue.harness.wait_until(lambda: queue.dispatcher() is None, "the dispatcher to end")
    cancel_all(queue, run)


def test_a_ticket_whose_run_was_deleted_is_skipped(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(cpus=1)
    first, gone, last = queue.submit(), queue.submit(), queue.submit("pass")
    queue.wait_until_running(first)
    shutil.rmtree(gone.folder.path)
    cancel_all(queue, first)
    assert queue.wait_until_ended(last).outcome == "Completed"
    queue.harness.wait_until(lambda: queue.tickets.waiting() == [], "the queue to be empty")


def test_a_damaged_ticket_fails_its_run_and_no_other(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(cpus=1)
    first, damaged, last = queue.submit(), queue.submit(), queue.submit("pass")
    queue.wait_until_running(first)
    ticket = tickets.of_run(damaged.folder)
    assert ticket is not None
    ticket.path.write_text("{")
    (queue.root / "tickets" / "not a ticket").touch()
    cancel_all(queue, first)
    assert queue.wait_until_ended(last).outcome == "Completed"
    assert queue.wait_until_ended(damaged).outcome == "Failed"


def test_a_run_that_cannot_start_in_its_turn_fails_with_the_reason(
    make_queue: Callable[..., Queue],
) -> None:
    queue = make_queue(cpus=1)
    first, second, last = queue.submit(), queue.submit(), queue.submit("pass")
    queue.wait_until_running(first)
    ticket = tickets.of_run(second.folder)
    assert ticket is not None
    ticket.path.write_text(ticket.path.read_text().replace(sys.executable, "/no/such/python"))
    cancel_all(queue, first)
    record = queue.wait_until_ended(second)
    assert (record.outcome, record.error_code) == ("Failed", "CannotStart")
    assert queue.wait_until_ended(last).outcome == "Completed"


def test_fewer_slots_hold_for_what_starts_from_then_on(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(cpus=2)
    holders = [queue.submit(), queue.submit()]
    queue.wait_until_running(holders[1])
    large, small = queue.submit(cpus=2), queue.submit("pass")
    queue.slots.write(Capacity(cpus=1))
    waits_for = queue.engine.waits_for(large.folder)
    assert waits_for is not None
    assert "asks for 2 CPUs, but there is only 1 CPU slot by now" in waits_for
    cancel_all(queue, holders[0])
    assert queue.observe(small).queued  # the other one has the only slot there is
    cancel_all(queue, holders[1])
    assert queue.wait_until_ended(small).outcome == "Completed"  # and does not wait for the large
    cancel_all(queue, large)


def test_without_a_limit_any_more_all_that_wait_start(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(cpus=1)
    first, second = queue.submit(), queue.submit()
    queue.wait_until_running(first)
    queue.slots.write(Capacity())
    queue.wait_until_running(second)
    cancel_all(queue, first, second)


def test_damaged_slots_stop_the_queue_until_they_are_mended(
    make_queue: Callable[..., Queue],
) -> None:
    queue = make_queue(cpus=1)
    first, second = queue.submit(), queue.submit("pass")
    queue.wait_until_running(first)
    queue.slots.file.write_text("{")
    with pytest.raises(StorageCorruptError, match="headway compute set"):
        queue.engine.admit(Need())
    waits_for = queue.engine.waits_for(second.folder)
    assert waits_for is not None
    assert "is damaged" in waits_for
    cancel_all(queue, first)
    log = queue.root / "dispatcher.log"
    queue.harness.wait_until(lambda: "is damaged" in log.read_text(), "the dispatcher to say so")
    assert queue.observe(second).queued
    queue.slots.write(Capacity(cpus=1))
    assert queue.wait_until_ended(second).outcome == "Completed"


def test_a_stopped_submitter_blocks_nobody(make_queue: Callable[..., Queue]) -> None:
    """It is between its ticket and the moment in which it gives the run out of its hands."""
    queue = make_queue(cpus=1)
    stopped = queue.harness.make(SLEEP)
    fd = stopped.folder.hold()
    queue.engine.start(stopped.folder, fd)
    assert queue.wait_until_ended(queue.submit("pass")).outcome == "Completed"
    os.close(fd)
    queue.wait_until_running(stopped)
    cancel_all(queue, stopped)


NESTED = """
import os, sys, time
from pathlib import Path
from headway.engines.folder import RunFolder, RunSpec
from headway.engines.queueing import QueuedLocalEngine
folder = RunFolder(Path(os.environ["INNER"]))
folder.create(RunSpec(run_id="inner", command=["true"], cwd="/", cpus=0, gpus=1))
fd = folder.hold()
QueuedLocalEngine(Path(os.environ["QUEUE"]), 0.02).start(folder, fd)
os.close(fd)
print("submitted", flush=True)
while not Path(os.environ["GO"]).exists():
    time.sleep(0.005)
"""


def test_a_run_that_submits_a_run_takes_neither_dispatcher_nor_slot_with_it(
    make_queue: Callable[..., Queue], tmp_path: Path, use_cgroup: bool
) -> None:
    queue = make_queue(cpus=1, gpus=("0",))
    holder = queue.submit(cpus=0, gpus=1)
    queue.wait_until_running(holder)
    inner = RunFolder(tmp_path / "runs" / "inner")
    env = {"INNER": str(inner.path), "QUEUE": str(queue.root), "GO": str(tmp_path / "go")}
    outer = queue.submit(NESTED, env=env, use_cgroup=use_cgroup)
    outer.wait_for_log("submitted")
    queue.harness.wait_until(queue.dispatcher, "the dispatcher to sign")
    dispatcher = queue.dispatcher()
    (tmp_path / "go").touch()
    assert queue.wait_until_ended(outer).outcome == "Completed"
    assert queue.dispatcher() == dispatcher
    assert queue.wait_until_ended(queue.submit("pass")).outcome == "Completed"  # its CPU is free
    cancel_all(queue, holder)

    def inner_ended() -> bool:
        [seen] = queue.engine.poll([inner])
        return seen.record is not None and seen.record.ended

    queue.harness.wait_until(inner_ended, "the inner run to end")


def test_only_so_many_runs_of_a_target_go_on_as_it_has_nodes(
    make_queue: Callable[..., Queue],
) -> None:
    queue = make_queue()
    Targets(queue.root).write("cpu-cluster", Target(nodes=1))
    first, second = (queue.submit(target="cpu-cluster") for _ in range(2))
    queue.wait_until_running(first)
    assert queue.engine.waits_for(second.folder) == (
        "place 1 of 1 in the queue; waits for 1 node of 1 node of 'cpu-cluster'"
    )
    assert queue.submit("pass").wait().outcome == "Completed", "others do not wait for it"
    cancel_all(queue, first)
    queue.wait_until_running(second)
    cancel_all(queue, second)


def test_a_run_of_a_target_needs_a_node_and_its_slots(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue(gpus=("7",))
    Targets(queue.root).write("gpu-cluster", Target(nodes=4))
    first = queue.submit(gpus=1)
    queue.wait_until_running(first)
    program = "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])"
    second = queue.submit(program, gpus=1, target="gpu-cluster")
    assert queue.observe(second).queued
    cancel_all(queue, first)
    assert queue.wait_until_ended(second).outcome == "Completed"
    assert second.log() == "7\n"


def test_runs_of_a_target_that_was_removed_begin(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue()
    targets = Targets(queue.root)
    targets.write("cpu-cluster", Target(nodes=1))
    first = queue.submit(target="cpu-cluster")
    queue.wait_until_running(first)
    second = queue.submit("pass", target="cpu-cluster")
    targets.remove("cpu-cluster")
    assert queue.wait_until_ended(second).outcome == "Completed"
    cancel_all(queue, first)


def test_a_target_that_there_is_not_is_refused(make_queue: Callable[..., Queue]) -> None:
    queue = make_queue()
    Targets(queue.root).write("a", Target(nodes=2))
    with pytest.raises(ComputeTargetNotFoundError, match=r"'local', 'a'\..*compute create b"):
        queue.engine.admit(Need(target="b"))
    assert queue.engine.admit(Need(target="a")) == "1 node"
