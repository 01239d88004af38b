"""What an interactive run leaves behind beside metrics: what it prints, its logs, its outputs.

What is printed in its block and what files in ``./logs`` gain is sent while the run lives; what was
written into ``./outputs`` is collected at its end. Only what changed since the run began counts.
"""

import os
import stat
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from headway.api import Files
from headway.errors import HeadwayError, StorageFullError

LOGS: Final = "logs"
"""The folder whose files are kept as they grow."""
LOGS_PREFIX: Final = f"{LOGS}/"
USER_LOG: Final = f"{LOGS_PREFIX}user_log.txt"
"""What was printed in the block of an interactive run."""

_CHUNK_BYTES: Final = 1 << 20
_PASS_BYTES: Final = 4 << 20
"""Most that is sent of one file at a time, while the run lives."""
_MOST_WAITING_CHARS: Final = 1 << 18
_MOST_UNSENT_BYTES: Final = 8 << 20
_BATCH_FILES: Final = 200
_MOST_NAMED: Final = 20
_MOST_TOO_LARGE: Final = 10
"""So many files are tried on a full disk before the rest is given up."""
_SHARE: Final = 0.005
"""Of one core, at most, for looking at files."""

_MOST_LOGS: Final = 10_000
"""Of so many files that are there before a run, it is noted how long they are."""


class PrintedLog:
    """The copy of what is printed. ``write`` costs an append to a queue.

    Args:
        send: Appends bytes to the log.
        max_bytes: What comes after so many is dropped; 0 for no limit.
    """

    def __init__(self, send: Callable[[bytes], None], max_bytes: int) -> None:
        self._send = send
        self._left = max_bytes or None
        self._waiting: deque[str] = deque()  # any thread appends
        self._chars = 0
        self._unsent = b""
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Take a text; it is sent about a second later."""
        self._waiting.append(text)
        self._chars += len(text)
        if self._chars > _MOST_WAITING_CHARS:
            try:
                self.flush()
            except (HeadwayError, OSError):
                return  # the next flush of the thread says so

    def flush(self) -> None:
        """Send what was taken.

        Raises:
            HeadwayError: It cannot be sent; it is kept up to some megabytes.
        """
        with self._lock:
            self._chars = 0
            texts: list[str] = []
            while self._waiting:
                texts.append(self._waiting.popleft())
            data = "".join(texts).encode("utf-8", "backslashreplace")
            self._unsent = self._capped(self._unsent + data)[-_MOST_UNSENT_BYTES:]
            if self._unsent:
                self._send(self._unsent)
                self._left = None if self._left is None else self._left - len(self._unsent)
                self._unsent = b""

    def _capped(self, data: bytes) -> bytes:
        if self._left is None or len(data) <= self._left:
            return data
        if self._left <= 0:
            return b""
        return data[: self._left] + b"\n[headway: the log is full; more is not kept]\n"


class Sink(Protocol):
    """Where it goes what a run leaves behind."""

    def size(self, run_id: str, path: str) -> int:
        """How long a log is."""
        ...

    def append(self, run_id: str, path: str, offset: int, data: bytes) -> int:
        """Take in a stretch of a log as ``headway.api.Files.append`` does; the size then."""
        ...

    def taken(self, run_id: str, prefix: str) -> set[str]:
        """The names of files that the run has already."""
        ...

    def put_many(self, run_id: str, sources: Mapping[str, Path]) -> None:
        """Keep files as ``headway.api.Files.put_many`` does."""
        ...


class _Workspace:
    """Everything goes into the workspace at once."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def size(self, run_id: str, path: str) -> int:
        known = {entry.path: entry.size_bytes for entry in self._files.list(run_id, path)}
        return known.get(path, 0)

    def append(self, run_id: str, path: str, offset: int, data: bytes) -> int:
        return self._files.append(run_id, path, offset, data)

    def taken(self, run_id: str, prefix: str) -> set[str]:
        return {entry.path for entry in self._files.list(run_id, prefix)}

    def put_many(self, run_id: str, sources: Mapping[str, Path]) -> None:
        self._files.put_many(run_id, sources)


class _Log:
    """A file that grows, and how much of it was sent."""

    def __init__(self, path: Path, name: str, inode: int, begin: int) -> None:
        self.path = path
        self.name = name
        self.inode = inode
        self.read = begin
        self.sent = 0


class _Found(NamedTuple):
    """A file as it was just now."""

    name: str
    path: Path
    inode: int
    size: int
    changed_ns: int


class RunKeeper:
    """Keeps what one interactive run of this process leaves behind. Any thread may call.

    Args:
        files: Where files of runs are kept.
        run_id: The run.
        outputs: The folder to collect at the end; None for none.
        logs: The folder whose files are sent as they grow; None for none.
        max_log_bytes: The longest log; 0 for no limit.
        sink: Where all of it goes; None for the workspace itself.
    """

    def __init__(
        self,
        files: Files,
        run_id: str,
        *,
        outputs: Path | None = None,
        logs: Path | None = None,
        max_log_bytes: int = 0,
        sink: Sink | None = None,
    ) -> None:
        self._sink = sink or _Workspace(files)
        self._run_id = run_id
        self._outputs = outputs
        self._outputs_prefix = f"{_name_of(outputs)}/" if outputs is not None else ""
        self._logs = logs
        self._outputs_since_ns = _now_ns(outputs)
        self._logs_since_ns = _now_ns(logs)
        self._logs_before = {
            found.name: (found.inode, found.size)
            for found in islice(_files_below(logs), _MOST_LOGS)
        }
        self._growing: dict[str, _Log] = {}
        self._printed_bytes: int | None = None
        self._due_s = 0.0
        self._lock = threading.RLock()
        self.printed = PrintedLog(self._send_printed, max_log_bytes)

    def look(self) -> None:
        """Send what is new; to be called about once a second.

        Raises:
            HeadwayError: It cannot be sent now; the next call tries again.
        """
        with self._lock:
            self.printed.flush()
            now_s = time.monotonic()
            if now_s >= self._due_s:
                self._send_logs(_PASS_BYTES)
                done_s = time.monotonic()
                self._due_s = done_s + (done_s - now_s) / _SHARE

    def close(self) -> list[str]:
        """Send the rest and collect the outputs; what could not be kept is returned, in words."""
        with self._lock:
            problems: list[str] = []
            for act in (self.printed.flush, lambda: self._send_logs(None)):
                try:
                    act()
                except (HeadwayError, OSError) as error:
                    problems.append(f"logs: {error}")
            return problems + self._collect()

    # ------------------------------------------------------------ logs

    def _send_printed(self, data: bytes) -> None:
        if self._printed_bytes is None:
            self._printed_bytes = self._sink.size(self._run_id, USER_LOG)
        self._printed_bytes = self._sink.append(self._run_id, USER_LOG, self._printed_bytes, data)

    def _send_logs(self, most: int | None) -> None:
        for found in _files_below(self._logs):
            name = f"{LOGS_PREFIX}{found.name}"
            if name == USER_LOG or any(part.startswith(".") for part in found.name.split("/")):
                continue
            log = self._growing.get(name)
            if log is None:
                if found.changed_ns < self._logs_since_ns:
                    continue
                inode, begin = self._logs_before.get(found.name, (found.inode, 0))
                log = self._growing[name] = _Log(found.path, name, inode, begin)
            if found.inode != log.inode or found.size < log.read:  # it was begun anew
                log.inode, log.read = found.inode, 0
            if found.size > log.read:
                self._send_growth(log, most)

    def _send_growth(self, log: _Log, most: int | None) -> None:
        left = most
        try:
            with log.path.open("rb", buffering=0) as stream:
                stream.seek(log.read)
                while left is None or left > 0:
                    data = stream.read(_CHUNK_BYTES)
                    if not data:
                        return
                    log.sent = self._sink.append(self._run_id, log.name, log.sent, data)
                    log.read += len(data)
                    left = None if left is None else left - len(data)
        except OSError:
            return  # it was removed or may not be read: there is nothing to send

    # ------------------------------------------------------------ outputs

    def _collect(self) -> list[str]:
        if self._outputs is None:
            return []
        prefix = self._outputs_prefix
        wanted = {
            f"{prefix}{found.name}": found.path
            for found in _files_below(self._outputs)
            if found.changed_ns >= self._outputs_since_ns
        }
        problems: list[str] = []
        if not wanted:
            return problems
        try:
            names = sorted(wanted.keys() - self._sink.taken(self._run_id, prefix))
            for start in range(0, len(names), _BATCH_FILES):
                self._keep(names[start : start + _BATCH_FILES], wanted, problems)
        except HeadwayError as error:
            problems.append(f"the other files of {prefix}: {error}")
        return problems

    def _keep(self, names: Sequence[str], paths: dict[str, Path], problems: list[str]) -> None:
        """Keep files together; where one of them cannot be kept, the others all the same."""
        try:
            self._sink.put_many(self._run_id, {name: paths[name] for name in names})
        except HeadwayError as error:
            if len(names) > 1:
                for name in names:
                    self._keep([name], paths, problems)
            elif paths[names[0]].exists():  # and otherwise it vanished: nothing is missing
                problems.append(f"{names[0]}: {error}")
                if isinstance(error, StorageFullError) and len(problems) > _MOST_TOO_LARGE:
                    raise


def told(problems: Sequence[str]) -> str:
    """What could not be kept, in one line."""
    more = f" and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
    return f"not all of its files could be kept: {'; '.join(problems[:_MOST_NAMED])}{more}"


def _name_of(folder: Path) -> str:
    """What a folder is called among the files of the run."""
    try:
        return folder.relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return folder.name


def _now_ns(folder: Path | None) -> int:
    """The time by the clock of the file system that a folder is in; 0 where it cannot be had.

    That of this process runs some milliseconds ahead of it, or is another machine's.
    """
    if folder is None:
        return 0
    try:
        with tempfile.TemporaryFile(dir=folder) as marker:
            return os.fstat(marker.fileno()).st_ctime_ns
    except OSError:
        return 0


def _files_below(root: Path | None) -> Iterator[_Found]:
    """The regular files below a folder; links are not followed, devices and pipes not opened."""
    for folder, _, names in os.walk(root) if root is not None else ():
        for name in names:
            path = Path(folder, name)
            try:
                found = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(found.st_mode):
                name = path.relative_to(root or folder).as_posix()
                yield _Found(name, path, found.st_ino, found.st_size, found.st_ctime_ns)
