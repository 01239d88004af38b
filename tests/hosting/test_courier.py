"""What is brought to a server whose answers get lost, by several at once, in any order."""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from headway.engines.folder import RunFolder, RunSpec
from headway.engines.local import LocalEngine
from headway.errors import ServerUnavailableError
from headway.hosting.courier import Courier, Delivery, undelivered
from headway.hosting.layout import Layout
from headway.hosting.live_files import LiveFiles
from headway.metrics.moving import Mover
from headway.model import Run, Status, Submission
from headway.runners import Admission
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.testing.api.requests import LOG, new_run

PATIENCE_S = 15.0


def now() -> int:
    return time.time_ns() // 1000


class Losing:
    """Does what it is asked to, and loses the first answer to each request."""

    def __init__(self, inner: object, lost: Counter[str]) -> None:
        self._inner = inner
        self._lost = lost

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: object, **options: object) -> object:
            answer = getattr(self._inner, name)(*args, **options)
            request = f"{name} {[getattr(one, 'status', repr(one)[:80]) for one in args]}"
            self._lost[request] += 1
            if self._lost[request] == 1:
                raise ServerUnavailableError("the answer got lost")
            return answer

        return call


class LosingServer:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        lost: Counter[str] = Counter()
        self.files: Any = Losing(workspace.files, lost)
        self.runners: Any = Losing(workspace.runners, lost)


class Spool:
    """Runs of another host than that of the workspace."""

    def __init__(self, root: Path, workspace: EmbeddedWorkspace) -> None:
        self.layout = Layout(root)
        self.layout.create()
        self.workspace = workspace
        self.engine = LocalEngine()

    def courier(self, server: Any = None) -> Courier:
        drain = Mover(self.workspace.metrics).drain
        return Courier(server or self.workspace, self.layout, self.engine, now, drain)

    def start(self, program: str) -> Run:
        workspace = self.workspace
        new = new_run(workspace.experiments.ensure("explore").id)
        folder = RunFolder(self.layout.run(new.id))
        folder.path.mkdir()
        command = [sys.executable, "-c", program]
        work_dir = str(folder.work_dir)
        folder.create(RunSpec(run_id=new.id, command=command, cwd=work_dir, use_cgroup=False))
        LiveFiles(folder.path).prepare()
        submission = Submission(command=command, source_directory=work_dir, in_place=True)
        fd = folder.hold()
        run = workspace.runners.admit(Admission(new=new, submission=submission, runner_id="r"))
        self.engine.start(folder, fd)
        os.close(fd)
        return run

    def wait_for_end(self, run: Run) -> None:
        folder = RunFolder(self.layout.run(run.id))
        deadline = time.monotonic() + PATIENCE_S
        while folder.alive():
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    workspace = open_workspace(tmp_path / "workspace", load_settings())
    yield Spool(tmp_path / "spool", workspace)
    workspace.close()


PROGRAM = """
import os
os.makedirs("outputs", exist_ok=True)
for i in range(3):
    open(f"outputs/{i}.txt", "w").write(str(i))
for i in range(100_000):
    print(i)
"""
TEXT = "".join(f"{i}\n" for i in range(100_000)).encode()


def check_whole(spool: Spool, run: Run) -> None:
    ended = spool.workspace.runs.get(run.id)
    assert ended.status is Status.COMPLETED
    statuses = [event.status for event in spool.workspace.runs.events(run.id)]
    assert statuses == [Status.NOT_STARTED, Status.STARTING, Status.RUNNING, Status.COMPLETED]
    with spool.workspace.files.open(run.id, LOG) as log:
        assert log.read() == TEXT
    names = {entry.path for entry in spool.workspace.files.list(run.id, "outputs/")}
    assert names == {"outputs/0.txt", "outputs/1.txt", "outputs/2.txt"}
    assert undelivered(spool.layout) == []


def test_every_answer_may_get_lost_once(spool: Spool) -> None:
    run = spool.start(PROGRAM)
    courier = spool.courier(LosingServer(spool.workspace))
    lost = 0
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline
        try:
            if courier.deliver(run.id) is Delivery.DONE:
                break
        except ServerUnavailableError:
            lost += 1
    assert lost >= 4  # of a report, of stretches of the log, of files and of the last report
    check_whole(spool, run)


def test_several_may_deliver_one_run_at_once(spool: Spool) -> None:
    run = spool.start(PROGRAM)

    def deliver(_: int) -> None:
        courier = spool.courier()
        deadline = time.monotonic() + PATIENCE_S
        while courier.deliver(run.id) is not Delivery.DONE:
            assert time.monotonic() < deadline

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, range(4)))
    check_whole(spool, run)


def test_what_was_noted_may_get_lost(spool: Spool) -> None:
    """As after a power cut: then it is asked of the server, or sent again."""
    run = spool.start(PROGRAM)
    spool.courier().deliver(run.id)
    spool.wait_for_end(run)
    for _ in range(2):
        (spool.layout.run(run.id) / "sent.json").unlink(missing_ok=True)
        (spool.layout.run(run.id) / "delivered").unlink(missing_ok=True)
        assert spool.courier().deliver(run.id) is Delivery.DONE
    check_whole(spool, run)


def test_a_program_of_a_run_that_the_server_gave_up_is_ended(spool: Spool) -> None:
    run = spool.start("import time; time.sleep(600)")
    spool.courier().deliver(run.id)
    workspace = spool.workspace
    with workspace._database.write() as tx:  # pyright: ignore[reportPrivateUsage]
        tx.run("update runs set status = 'Failed', ended_at = 1 where id = :id", {"id": run.id})
    deadline = time.monotonic() + PATIENCE_S
    while spool.courier().deliver(run.id) is not Delivery.DONE:
        assert time.monotonic() < deadline
        (spool.layout.run(run.id) / "sent.json").unlink(missing_ok=True)  # so that it reports
    record = RunFolder(spool.layout.run(run.id)).read_state()
    assert record is not None
    assert (record.outcome, record.error_code) == ("Failed", "LostHost")
    assert workspace.runs.get(run.id).status is Status.FAILED


def test_a_run_that_the_server_does_not_know_is_said_so(spool: Spool) -> None:
    run = spool.start("pass")
    spool.wait_for_end(run)
    with spool.workspace._database.write() as tx:  # pyright: ignore[reportPrivateUsage]
        tx.run("delete from runs where id = :id", {"id": run.id})
    assert spool.courier().deliver(run.id) is Delivery.UNKNOWN
