"""The engine of this host: a shim, detached from whoever submitted."""

import os
import select
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from headway.engines import processes
from headway.engines.base import Observation
from headway.engines.ending import now_us
from headway.engines.folder import Intent, RunFolder, RunSpec, ShimRecord
from headway.engines.recovery import recover
from headway.engines.slots import Assignment, Need
from headway.engines.tree import SHIM_SCRIPT
from headway.errors import StorageCorruptError, StorageError, SubmissionError

_START_PATIENCE_S: Final = 30.0
_READY: Final = "ready "


class LocalEngine:
    """Starts runs on this host. Keeps nothing: any two of these are the same.

    Args:
        python: The interpreter of the shim, not of the user's program.
        shim: The shim.
        start_patience_s: How long a shim may take to come up.
    """

    def __init__(
        self,
        python: str = sys.executable,
        shim: Path = SHIM_SCRIPT,
        start_patience_s: float = _START_PATIENCE_S,
    ) -> None:
        self._python = python
        self._shim = shim
        self._start_patience_s = start_patience_s

    def plan(self, spec: RunSpec) -> str:
        """What would be executed, as one line that a shell accepts."""
        added = [f"{name}={value}" for name, value in sorted(spec.env.items())]
        command = shlex.join(["env", *added, *spec.command] if added else spec.command)
        return f"cd {shlex.quote(spec.cwd)} && {command}"

    def admit(self, need: Need) -> str | None:
        """Nothing: without slots, every run starts at once."""
        return None

    def waits_for(self, folder: RunFolder) -> str | None:
        """Nothing."""
        return None

    def start(self, folder: RunFolder, lock_fd: int, assignment: Assignment | None = None) -> str:
        """Have a shim take the run over; the answer is its host and pid.

        Args:
            folder: The folder, with its specification.
            lock_fd: What ``folder.hold()`` gave. It stays the caller's to close.
            assignment: The slots of a run that comes from the queue. These too stay the caller's.
        """
        answer = self._launch(folder, lock_fd, assignment)
        if answer.startswith(_READY):
            return f"local://{os.uname().nodename}/{answer.removeprefix(_READY)}"
        # A shim that comes up after all, on a host that was too busy, finds this and ends.
        _forbid(folder)
        self.cancel(folder)
        raise SubmissionError(
            f"the runner of the run in {folder.path} did not start: {answer.strip()}; "
            "correct that, then submit again"
        )

    def _launch(self, folder: RunFolder, lock_fd: int, assignment: Assignment | None) -> str:
        slot_fds = [slot.fd for slot in assignment.slots] if assignment else []
        environment = assignment.environment if assignment else os.environ
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        with open(read_fd, "rb", buffering=0) as ready:
            try:
                folder.read_spec()  # a damaged one is told here rather than by a dead shim
                with folder.shim_log.open("ab") as log:
                    launcher = subprocess.Popen(
                        self._command(folder, write_fd, lock_fd, assignment),
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        cwd="/",
                        env={**environment, **folder.mark},
                        pass_fds=(write_fd, lock_fd, *slot_fds),
                        start_new_session=True,
                    )
            except (OSError, StorageError) as error:
                return str(error)
            finally:
                os.close(write_fd)
            answer = self._answer(ready.fileno())
            if answer is None:
                launcher.kill()
                answer = f"it did not come up within {self._start_patience_s:g} s"
            launcher.wait()  # it has forked the shim and ended; nobody is left to wait for
        return answer or _last_words(folder)

    def _command(
        self, folder: RunFolder, ready_fd: int, lock_fd: int, assignment: Assignment | None
    ) -> list[str]:
        path = str(folder.path.absolute())
        command = [self._python, "-I", "-S", str(self._shim), path, str(ready_fd), str(lock_fd)]
        if assignment is not None:
            command += [str(assignment.queue), *(str(slot.fd) for slot in assignment.slots)]
        return command

    def _answer(self, fd: int) -> str | None:
        """What the shim says: None where it is too slow, empty where it died."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if not poll.poll(self._start_patience_s * 1000):
            return None
        return os.read(fd, 4096).decode(errors="replace")

    def poll(self, folders: Sequence[RunFolder]) -> list[Observation]:
        """Look at many runs at once; the answers stand in the order of the folders."""
        return [observe(folder) for folder in folders]

    def cancel(self, folder: RunFolder) -> None:
        """Wake the shim, after an intent was written. Harmless at any time, any number of times."""
        record = observe(folder).record
        if record is not None and not record.ended and record.boot_id == processes.boot_id():
            processes.terminate(record.shim)

    def recover(self, folder: RunFolder) -> ShimRecord | None:
        """End a run whose shim is dead, and return its record after that."""
        return recover(folder)


def observe(folder: RunFolder) -> Observation:
    """A run as it is seen now, by its folder alone."""
    alive = folder.alive()  # first: a run that is found dead has its last record by then
    try:
        record = folder.read_state()
    except StorageCorruptError:
        return Observation(None, alive)
    return Observation(record, alive, stopped=alive and record is not None and _stopped(record))


def _stopped(record: ShimRecord) -> bool:
    if record.ended:
        return False
    status = processes.status_of(record.shim_pid)
    return status is not None and status.process == record.shim and status.stopped


def _forbid(folder: RunFolder) -> None:
    intent = Intent(
        outcome="Failed",
        at=now_us(),
        by="local engine",
        code="CannotStart",
        message="the runner did not start in time",
    )
    try:
        folder.write_intent(intent)
    except StorageError:
        return  # the folder is gone or full: a late shim cannot take over there either


def _last_words(folder: RunFolder) -> str:
    try:
        lines = folder.shim_log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it ended without a word"
