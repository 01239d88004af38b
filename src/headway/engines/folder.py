"""The folder of a run is the protocol between those who start, watch and stop it.

    spec.json       what to execute; written once, by the submitter
    intent.json     that the run shall end, how and why; written by whoever asks first, after whom
                    only the time that the program is left may be shortened
    ticket.json     its place in the queue, where it had to wait; written once, by the submitter
    state.json      where the run stands; replaced by the shim, after its death by recovery
    tree.json       the processes of the run that were seen last
    lock            an flock held from submission until the shim's death: liveness, without guessing
    shim.log        what the shim has to say
    failed_rank.json  of several processes that which failed first; written by the launcher
    log_cut/        which stretch of a log was cut out, for each log that was cut
    log_times/      how long each log was at which time, about once a second
    source_files.json  which files of work/outputs and work/logs came with the source
    sent.json       of a run that is recorded at a server: what the server has of it; written by
                    whoever holds the flock on the file ``sending``
    delivered       all of it is there, the end included
    user_logs/      the log, written by the program itself
    logs/           of an interactive run: what it prints, and its own logs, sent by its process
    work/           the program's source

Every JSON file appears as a whole or not at all. Standard library only, and few imports: the shim
pays for them between submission and the first line of the user's program.
"""

import dataclasses
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args

from headway.engines import document
from headway.engines.document import Fields
from headway.engines.processes import Process
from headway.errors import RunStateError, StorageCorruptError, StorageError, StorageFullError
from headway.locks import is_held, try_lock

Outcome = Literal["Completed", "Failed", "Canceled"]
Asked = Literal["Canceled", "Failed"]
Phase = Literal["Starting", "Running", "Ending", "Ended"]

_RESERVE_BYTES: Final = 16384
_RESERVE_CHARS: Final = 1000
_HOLD_PATIENCE_S: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What to execute for a run."""

    run_id: str
    command: list[str]
    cwd: str
    env: dict[str, str] = dataclasses.field(default_factory=dict[str, str])
    """Added to the environment of the submitter, which the program inherits."""
    log: str = "user_logs/std_log.txt"
    """Where standard output and error go, relative to the run's folder."""
    grace_s: float = 10.0
    """Between SIGTERM and SIGKILL, where the intent says nothing else."""
    linger_s: float = 5.0
    """How long processes that the program leaves behind have after their SIGTERM."""
    max_run_duration_s: float | None = None
    use_cgroup: bool = True
    """Whether to keep the processes in a cgroup of their own, where that is allowed."""
    journal_dir: str = ""
    """Where the reporter logs what the run uses; empty for no reporter."""
    system_metrics_interval_s: float = 0.0
    """Between two samples of the reporter; 0 for no reporter."""
    cpus: int = 1
    gpus: int = 0
    target: str = ""
    """The compute target of which it needs a node; empty for none."""
    priority: int = 0
    """Of runs that wait for slots, the one of highest priority comes first."""
    max_log_bytes: int | None = None
    """From where on the middle of a log is cut out; None for never."""
    holds: list[str] = dataclasses.field(default_factory=list[str])
    """Files locked, together with others, as long as the run lives: that of its environment."""
    spool: str = ""
    """Whose agent tells a server what becomes of the run; empty where the workspace is here."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """That a run shall end. Only the first one counts; a later one may shorten its grace."""

    outcome: Asked
    at: int
    """Microseconds since the epoch."""
    by: str
    grace_s: float | None = None
    """None for what the run was submitted with."""
    code: str | None = None
    """For Failed: the word that becomes the run's error code."""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class ShimRecord:
    """Where a run stands, as far as its own folder knows. Times are microseconds."""

    sequence: int
    """Counts up with every record of the run."""
    phase: Phase
    boot_id: str
    shim_pid: int
    shim_start: int
    main_pid: int | None = None
    main_start: int | None = None
    cgroup: str | None = None
    started_at: int | None = None
    ending_at: int | None = None
    """Since when it is being ended, where that takes a while."""
    ended_at: int | None = None
    outcome: Outcome | None = None
    """Set in phase Ended only."""
    exit_code: int | None = None
    """What the program returned; None where a signal ended it or nobody saw its end."""
    signal: int | None = None
    error_code: str | None = None
    """ExitCode, Signal, CannotStart, Terminated, TimeLimit, OutOfMemory, ShimLost, HostRestarted,
    SubmissionInterrupted, or the code of a Failed intent."""
    message: str = ""
    clean: bool = True
    """Whether no process of the run is left."""
    survivors: list[int] = dataclasses.field(default_factory=list[int])
    """Processes that could not be killed."""
    by: str | None = None
    """Who asked for the end, if anybody did."""

    @property
    def ended(self) -> bool:
        """Whether this record is final."""
        return self.phase == "Ended"

    @property
    def shim(self) -> Process:
        """The process that holds the run."""
        return Process(self.shim_pid, self.shim_start)


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec_file = path / "spec.json"
        self.intent_file = path / "intent.json"
        self.ticket_file = path / "ticket.json"
        self.state_file = path / "state.json"
        self.tree_file = path / "tree.json"
        self.lock_file = path / "lock"
        self.shim_log = path / "shim.log"
        self.log_file = path / "user_logs" / "std_log.txt"
        self.work_dir = path / "work"
        # Space for what must be said on a full disk too, taken when the run is made.
        self._state_reserve = path / ".state.reserve"
        self._intent_reserve = path / ".intent.reserve"

    @property
    def mark(self) -> dict[str, str]:
        """The variable by which processes of this run are known, whatever they become.

        Not the run's id: it is unique within its workspace only.
        """
        return {"HEADWAY_RUN_FOLDER": str(self.path.resolve())}

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    def create(self, spec: RunSpec) -> None:
        """Make the folder of a new run, durably. The source in ``work/`` may be there already.

        Raises:
            StorageFullError: No space is left; also space for the final record is taken here.
            StorageError: The folder cannot be written.
        """
        try:
            log = self.path / spec.log
            log.parent.mkdir(parents=True, exist_ok=True)
            log.touch()
            self.work_dir.mkdir(exist_ok=True)
            self.lock_file.touch()
            for reserve in (self._state_reserve, self._intent_reserve):
                reserve.write_bytes(b" " * _RESERVE_BYTES)
        except OSError as error:
            raise document.storage_error(self.path, error) from error
        document.replace(self.spec_file, dataclasses.asdict(spec), durable=True)

    def read_spec(self) -> RunSpec:
        """What to execute.

        Raises:
            StorageError: It is not there or cannot be read.
        """
        fields = document.read(self.spec_file)
        if fields is None:
            raise StorageCorruptError(
                f"{self.spec_file} is missing: this is not the folder of a run, or the submission "
                "was interrupted; submit the run again"
            )
        return RunSpec(
            run_id=fields.text("run_id"),
            command=fields.texts("command"),
            cwd=fields.text("cwd"),
            env=fields.mapping("env"),
            log=fields.text("log"),
            grace_s=fields.number("grace_s"),
            linger_s=fields.number("linger_s"),
            max_run_duration_s=fields.number_or_none("max_run_duration_s"),
            use_cgroup=fields.truth("use_cgroup"),
            cpus=fields.whole("cpus"),
            gpus=fields.whole("gpus"),
            target=fields.text_or_none("target") or "",
            priority=fields.whole("priority"),
            journal_dir=fields.text("journal_dir"),
            system_metrics_interval_s=fields.number("system_metrics_interval_s"),
            max_log_bytes=fields.whole_or_none("max_log_bytes"),
            holds=fields.texts("holds"),
            spool=fields.text_or_none("spool") or "",
        )

    # ------------------------------------------------------------ liveness
    def hold(self) -> int:
        """Take the lock for a run about to be started, and return its file descriptor.

        It is passed on to the engine, which keeps the lock held until the run has ended.

        Raises:
            RunStateError: Somebody holds the run already.
        """
        fd = self.try_hold(_HOLD_PATIENCE_S)
        if fd is None:
            raise RunStateError(
                f"the run in {self.path} is held by a living process: it was started already; "
                "submit again under another run id"
            )
        return fd

    def try_hold(self, patience_s: float = 0.0) -> int | None:
        """Take the lock if it is free.

        Args:
            patience_s: How long to try: whoever asks whether a run is alive holds it for a moment.

        Raises:
            StorageError: The lock file cannot be opened.
        """
        try:
            fd = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise document.storage_error(self.lock_file, error) from error
        deadline = time.monotonic() + patience_s
        while not try_lock(fd):
            if time.monotonic() >= deadline:
                os.close(fd)
                return None
            time.sleep(0.001)
        return fd

    def alive(self) -> bool:
        """Whether somebody holds the run: its submitter, its shim or a recovery going on.

        To tell a dead run from one that just ended, ask this first and read the state afterwards.
        """
        try:
            return is_held(self.lock_file)
        except OSError as error:
            raise document.storage_error(self.lock_file, error) from error

    # ------------------------------------------------------------ state
    def read_state(self) -> ShimRecord | None:
        """Where the run stands; None before the shim has said anything.

        Raises:
            StorageCorruptError: The file is damaged.
        """
        fields = document.read(self.state_file)
        if fields is None:
            return None
        return ShimRecord(
            sequence=fields.whole("sequence"),
            phase=cast("Phase", fields.one_of("phase", get_args(Phase))),
            boot_id=fields.text("boot_id"),
            shim_pid=fields.whole("shim_pid"),
            shim_start=fields.whole("shim_start"),
            main_pid=fields.whole_or_none("main_pid"),
            main_start=fields.whole_or_none("main_start"),
            cgroup=fields.text_or_none("cgroup"),
            started_at=fields.whole_or_none("started_at"),
            ending_at=fields.whole_or_none("ending_at"),
            ended_at=fields.whole_or_none("ended_at"),
            outcome=cast("Outcome | None", fields.one_of_or_none("outcome", get_args(Outcome))),
            exit_code=fields.whole_or_none("exit_code"),
            signal=fields.whole_or_none("signal"),
            error_code=fields.text_or_none("error_code"),
            message=fields.text("message"),
            clean=fields.truth("clean"),
            survivors=fields.wholes("survivors"),
            by=fields.text_or_none("by"),
        )

    def write_state(self, record: ShimRecord) -> None:
        """Replace the state. A final record is durable, and finds space on a full disk too."""
        content = dataclasses.asdict(record)
        try:
            document.replace(self.state_file, content, durable=record.ended)
        except StorageFullError:
            if not record.ended:
                raise
            content["message"] = record.message[:_RESERVE_CHARS]
            temporary = document.write_into(self._state_reserve, self.state_file, content)
            temporary.replace(self.state_file)

    # ------------------------------------------------------------ intent
    def write_intent(self, intent: Intent) -> bool:
        """Ask for the end of the run, durably. False where somebody has asked before.

        Raises:
            StorageFullError: No space is left.
            StorageError: The folder cannot be written.
        """
        if self.intent_file.exists():
            return False
        content = dataclasses.asdict(intent)
        try:
            temporary = document.write_beside(self.intent_file, content, durable=True)
        except StorageFullError:  # perhaps because of this very run
            content["message"] = intent.message[:_RESERVE_CHARS]
            temporary = document.write_into(self._intent_reserve, self.intent_file, content)
        try:
            os.link(temporary, self.intent_file)  # unlike a rename, it replaces nothing
        except FileExistsError:
            return False
        except OSError as error:
            raise document.storage_error(self.intent_file, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        document.sync_directory(self.path)
        return True

    def shorten_grace(self, grace_s: float) -> None:
        """Make the grace of the standing request as short as this, where it is longer.

        Raises:
            StorageError: It cannot be written.
        """
        intent = self.standing_intent()
        if intent is None or grace_s >= self.grace_of(intent):
            return
        content = dataclasses.asdict(dataclasses.replace(intent, grace_s=grace_s))
        document.replace(self.intent_file, content, durable=True)

    def grace_of(self, intent: Intent) -> float:
        """Seconds between SIGTERM and SIGKILL that a request gives."""
        return self.read_spec().grace_s if intent.grace_s is None else intent.grace_s

    def read_intent(self) -> Intent | None:
        """The request to end the run, if there is one.

        Raises:
            StorageCorruptError: The file is damaged.
        """
        fields = document.read(self.intent_file)
        if fields is None:
            return None
        return Intent(
            outcome=cast("Asked", fields.one_of("outcome", get_args(Asked))),
            at=fields.whole("at"),
            by=fields.text("by"),
            grace_s=fields.number_or_none("grace_s"),
            code=fields.text_or_none("code"),
            message=fields.text("message"),
        )

    def standing_intent(self) -> Intent | None:
        """Like ``read_intent``, but a damaged request counts as one to cancel: it was asked."""
        try:
            return self.read_intent()
        except StorageError as error:
            return Intent(outcome="Canceled", at=_now_us(), by="unknown", message=str(error))

    # ------------------------------------------------------------ queue
    def write_ticket(self, ticket: Path) -> None:
        """Say where the run's place in a queue is noted, durably."""
        document.replace(self.ticket_file, {"ticket": str(ticket)}, durable=True)

    def read_ticket(self) -> Path | None:
        """Where the run's place in a queue is noted; None for a run that never had to wait.

        Raises:
            StorageCorruptError: The file is damaged.
        """
        fields = document.read(self.ticket_file)
        return None if fields is None else Path(fields.text("ticket"))

    # ------------------------------------------------------------ tree
    def write_tree(self, processes: Sequence[Process]) -> None:
        """Record the processes of the run, for the case that the shim is killed."""
        document.replace(self.tree_file, {"processes": [list(p) for p in processes]}, durable=False)

    def read_tree(self) -> list[Process]:
        """The processes that were recorded last; empty where that cannot be read."""
        try:
            fields = document.read(self.tree_file)
            return [] if fields is None else _processes(fields, "processes")
        except StorageCorruptError:
            return []


def _now_us() -> int:
    return time.time_ns() // 1000


def _processes(fields: Fields, name: str) -> list[Process]:
    found: list[Process] = []
    for item in fields.items(name):
        match item:
            case [int() as pid, int() as start] if pid > 0:
                found.append(Process(pid, start))
            case _:
                raise fields.wrong(name, "pairs of a pid and a start time")
    return found
