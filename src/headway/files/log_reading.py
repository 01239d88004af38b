"""What is made of a log that is kept: a stream, and where in it a time lies."""

import io
import re
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from headway.files.base import MOST_LOG_NAME_BYTES, Logs, SizedStream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TIMES: Final = "log_times"
"""The folder of a holder in which the times of its logs are logs themselves."""
_RECORD: Final = re.compile(rb"(\d{17}) (\d{16})\n")
_FORMAT: Final = "{:017d} {:016d}\n"
_EVERY_S: Final = 1.0
_MOST_LOGS: Final = 1_000


def open_log(logs: Logs, holder: str, name: str) -> BinaryIO:
    """A log as a stream, from its beginning to where it ends when that is reached."""
    size = logs.size(holder, name) or 0
    return cast("BinaryIO", SizedStream(_Stream(logs, holder, name), size))


class LogTimes:
    """When a log was how long, noted about once a second.

    Each record says that the log had been written up to a length by a time, and is true by itself:
    several processes may add theirs.
    """

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._lock = threading.Lock()
        self._due_at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def note(self, holder: str, name: str, at: int, size: int) -> None:
        """Note how long a log was at a time, unless that was done within the last second."""
        times = f"{TIMES}/{name}"
        if len(times.encode()) > MOST_LOG_NAME_BYTES or not self._is_due((holder, name)):
            return
        record = _FORMAT.format(max(at, 0), size).encode()
        self._logs.append(holder, times, self._logs.size(holder, times) or 0, record)

    def offset_at(self, holder: str, name: str, at: int) -> int:
        """Where in a log that stands which was written after a time; 0 where that is not known."""
        times = f"{TIMES}/{name}"
        if len(times.encode()) > MOST_LOG_NAME_BYTES:
            return 0
        with open_log(self._logs, holder, times) as stream:
            found = (_RECORD.fullmatch(line) for line in stream)
            return max((int(one[2]) for one in found if one and int(one[1]) <= at), default=0)

    def _is_due(self, log: tuple[str, str]) -> bool:
        now = time.monotonic()
        with self._lock:
            if self._due_at.get(log, now) > now:
                return False
            self._due_at[log] = now + _EVERY_S
            self._due_at.move_to_end(log)
            if len(self._due_at) > _MOST_LOGS:
                self._due_at.popitem(last=False)
        return True


class _Stream(io.RawIOBase):
    def __init__(self, logs: Logs, holder: str, name: str) -> None:
        super().__init__()
        self._logs = logs
        self._holder = holder
        self._name = name
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._logs.read(self._holder, self._name, self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
