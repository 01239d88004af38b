"""From the pieces in which a log is read to its lines, in bounded memory."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

LONGEST_LINE_BYTES: Final = 1 << 20
"""What is longer is taken as several lines of this length."""
_CONTINUES: Final = range(0x80, 0xC0)
"""Bytes that stand within a character of UTF-8."""


class Line(NamedTuple):
    """One line, its end included."""

    offset: int
    """Where it begins in the log."""
    data: bytes

    def text(self) -> str:
        """The line as text; what is not UTF-8 is replaced."""
        return self.data.decode("utf-8", "replace")

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Whether the pattern is found in it; its end does not count."""
        return pattern.search(self.text().rstrip("\r\n")) is not None


class Lines:
    r"""Puts lines together. One ends with ``\n``, ``\r\n``, or ``\r``, as progress bars write."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self._begun_bytes = 0
        self._offset = 0

    def feed(self, data: bytes, next_offset: int) -> Iterator[Line]:
        """Take the next piece, and give the lines that are whole now.

        Args:
            data: The piece.
            next_offset: Where in the log the piece ends.
        """
        if not data:
            return
        if not self._begun:
            self._offset = next_offset - len(data)
        ended = b"\n" in data or b"\r" in data or (self._begun and self._begun[-1][-1:] == b"\r")
        self._begun.append(data)
        self._begun_bytes += len(data)
        if not ended and self._begun_bytes <= LONGEST_LINE_BYTES:
            return
        lines = b"".join(self._begun).splitlines(keepends=True)
        rest = b"" if lines[-1].endswith(b"\n") else lines.pop()  # after \r, \n may follow
        length = self._begun_bytes
        self._begun.clear()
        at = 0
        for line in lines:
            yield from _pieces(self._offset if not at else next_offset - (length - at), line)
            at += len(line)
        begin = self._offset if not at else next_offset - len(rest)
        while len(rest) > LONGEST_LINE_BYTES:
            piece = _piece(rest)
            yield Line(begin, piece)
            rest, begin = rest[len(piece) :], begin + len(piece)
        self._keep(rest, begin)

    def rest(self) -> Iterator[Line]:
        """The last line, if it has no end."""
        line = Line(self._offset, b"".join(self._begun))
        self._keep(b"", 0)
        if line.data:
            yield line

    def _keep(self, rest: bytes, offset: int) -> None:
        self._begun = [rest] if rest else []
        self._begun_bytes = len(rest)
        self._offset = offset


def _pieces(offset: int, line: bytes) -> Iterator[Line]:
    while len(line) > LONGEST_LINE_BYTES:
        piece = _piece(line)
        yield Line(offset, piece)
        line, offset = line[len(piece) :], offset + len(piece)
    yield Line(offset, line)


def _piece(line: bytes) -> bytes:
    """The longest piece of a long line, without a character that is cut in two."""
    end = LONGEST_LINE_BYTES
    while end > LONGEST_LINE_BYTES - 4 and end < len(line) and line[end] in _CONTINUES:
        end -= 1
    return line[:end]
