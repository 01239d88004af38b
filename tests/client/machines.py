"""Machines on which runs of a server's workspace are executed, as tests need them."""

import os
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from headway.client.workspace import RemoteWorkspace, open_remote
from headway.engines import processes
from headway.engines.folder import RunFolder, ShimRecord
from headway.engines.processes import Process
from headway.model import Run
from headway.settings import load_settings

PATIENCE_S = 15.0


class Machine:
    """One with a spool of its own, and so with an agent of its own.

    Attributes:
        spool: Its folder for the workspace.
        api: The workspace, as a process of this machine opens it.
    """

    def __init__(self, url: str, name: str, spool: Path) -> None:
        self.spool = spool
        self.api: RemoteWorkspace = open_remote(url, name, spool, load_settings())

    def folder(self, run: Run) -> RunFolder:
        return RunFolder(self.spool / "runs" / run.id)

    def record(self, run: Run) -> ShimRecord:
        record = self.folder(run).read_state()
        assert record is not None
        return record

    def agent(self) -> Process | None:
        """Its agent, if one lives."""
        try:
            words = (self.spool / "agent").read_text().split()
            process = Process(int(words[0]), int(words[1]))
        except (FileNotFoundError, IndexError):
            return None
        return process if processes.alive(process) else None

    def wait_for_agent(self, other_than: Process | None = None) -> Process:
        wait_until(lambda: self.agent() not in (None, other_than), "an agent")
        found = self.agent()
        assert found is not None
        return found

    @contextmanager
    def stopped(self, agent: Process) -> Generator[None]:
        """The agent neither hears nor says anything, as on a host that is cut off."""
        processes.send_signal(agent, signal.SIGSTOP)
        try:
            yield
        finally:
            processes.send_signal(agent, signal.SIGCONT)

    def close(self) -> None:
        """End what the test started, the agent last: nothing of it may stay behind."""
        for path in (self.spool / "runs").iterdir():
            folder = RunFolder(path)
            record = folder.read_state()
            if folder.alive() and record is not None:
                processes.send_signal(record.shim, signal.SIGKILL)
                for process in processes.marked(folder.mark):
                    processes.send_signal(process, signal.SIGKILL)
                wait_until(lambda folder=folder: not folder.alive(), "the end of a shim")
        while (agent := self.agent()) is not None:
            processes.send_signal(agent, signal.SIGKILL)
            time.sleep(0.005)
        self.api.close()


@contextmanager
def machine(url: str, name: str, spool: Path) -> Generator[Machine]:
    """A machine, and nothing left of it afterwards."""
    made = Machine(url, name, spool)
    try:
        yield made
    finally:
        made.close()


def wait_until(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


def is_there(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")
