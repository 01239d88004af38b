"""Reading one log of a run through ``Api``: from a place on, to its end, from its end back."""

import re
from collections.abc import Iterator
from typing import Final

from headway.api import Api
from headway.cli.log_lines import Lines
from headway.cli.streaming import WATCH_S
from headway.errors import RunFileNotFoundError
from headway.model import LogPart, Run
from headway.sdk.runs.following import LOG_NAME
from headway.sdk.runs.transfers import LOG_PREFIXES

_BLOCK_BYTES: Final = 1 << 16
"""How far back the first look goes; each further one goes twice as far."""


class LogReader:
    """One log of one run.

    Where the middle of a log was cut out, a part begins with a line that says so. So places are
    counted from where a part ends, which is where its next offset says.
    """

    def __init__(self, api: Api, run: Run, name: str = LOG_NAME) -> None:
        self.name = name
        self.run = run
        """As it was when it was last looked at."""
        self._api = api

    def size(self) -> int:
        """Where it ends now."""
        entries = self._api.files.list(self.run.id, self.name)
        return next((entry.size_bytes for entry in entries if entry.path == self.name), 0)

    def parts(self, offset: int, end: int) -> Iterator[LogPart]:
        """What stands between two places; the last part may go on a little."""
        while offset < end:
            part = self._part(offset)
            if not part.data:
                return
            yield part
            offset = part.next_offset

    def follow(self, offset: int) -> Iterator[LogPart]:
        """What stands from a place on, as it is written, until the run has ended."""
        while True:
            update = self._api.runs.watch(
                self.run.id, log=self.name, offset=offset, timeout_s=WATCH_S
            )
            self.run = update.run
            if update.log.data:
                yield update.log
            elif update.run.status.ended:
                return
            offset = update.log.next_offset

    def since(self, at: int) -> int:
        """Where the line begins that was being written at a time."""
        offset = self._api.runs.log_offset(self.run.id, log=self.name, at=at)
        before = max(0, offset - _BLOCK_BYTES)
        data = b"".join(_until(part, offset) for part in self.parts(before, offset))
        line_end = max(data.rfind(b"\n"), data.rfind(b"\r"))
        if line_end < 0 and before:
            return offset  # a line so long that its beginning does not matter
        return offset - len(data) + line_end + 1

    def tail(self, begin: int, lines: int) -> int:
        """Where the last lines begin, looked for from the end back to a place."""
        end = self.size()
        if not lines:
            return max(begin, end)
        start, wanted = end, lines + 1  # the end of the line before is found, too
        block_bytes = _BLOCK_BYTES
        while start > begin:
            parts = [*self.parts(max(begin, start - block_bytes), start)]
            for part in reversed(parts):
                data = _until(part, start)
                if start == end and part is parts[-1] and not data.endswith(b"\n"):
                    wanted -= 1  # the last line has no end yet
                at = len(data)
                while wanted and (at := data.rfind(b"\n", 0, at)) >= 0:
                    wanted -= 1
                if not wanted:
                    return _begin(part) + at + 1
            before = _begin(parts[0]) if parts else begin
            block_bytes = _BLOCK_BYTES if before < start else 2 * block_bytes  # what was cut out
            start = min(start, before)
        return begin

    def matching_tail(self, begin: int, lines: int, pattern: re.Pattern[str]) -> tuple[int, int]:
        """Where to begin, and how many matching lines to skip there, for the last that match."""
        start = self.size()
        found, block_bytes = 0, _BLOCK_BYTES
        while start > begin and found < lines:
            before = self._line_after(max(begin, start - block_bytes), begin, start)
            block_bytes *= 2
            if before < start:
                found += self._count(before, start, pattern)
                start = before
        return start, max(0, found - lines)

    def _line_after(self, offset: int, begin: int, end: int) -> int:
        """Where the first line begins after a place, or ``end``; at ``begin`` one always does."""
        if offset == begin:
            return begin
        for part in self.parts(offset, end):
            line_end = part.data.find(b"\n")
            if line_end >= 0:
                return min(end, _begin(part) + line_end + 1)
        return end

    def _count(self, begin: int, end: int, pattern: re.Pattern[str]) -> int:
        lines = Lines()
        found = 0
        for part in self.parts(begin, end):
            fed = lines.feed(_until(part, end), min(end, part.next_offset))
            found += sum(line.matches(pattern) for line in fed)
        return found + sum(line.matches(pattern) for line in lines.rest())

    def _part(self, offset: int) -> LogPart:
        return self._api.runs.watch(self.run.id, log=self.name, offset=offset, timeout_s=0.0).log


def named(api: Api, run: Run, name: str) -> str:
    """The log that a person means by a name.

    Raises:
        RunFileNotFoundError: There is none; the message lists those that there are.
    """
    there = [e.path for prefix in LOG_PREFIXES for e in api.files.list(run.id, prefix)]
    for path in (name, *(f"{prefix}{name}" for prefix in LOG_PREFIXES)):
        if path in there:
            return path
    logs = ", ".join(there) or "none yet"
    raise RunFileNotFoundError(f"run {run.id} has no log {name!r}; its logs are: {logs}")


def _begin(part: LogPart) -> int:
    """Where a part begins; a line about what was cut out stands in front of what follows it."""
    return part.next_offset - len(part.data)


def _until(part: LogPart, end: int) -> bytes:
    """What of a part stands before a place."""
    return part.data[: len(part.data) - max(0, part.next_offset - end)]
