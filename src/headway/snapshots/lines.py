"""Which lines of a text changed, in bounded time.

difflib alone takes minutes for files of which every other line changed. So lines that stand once
in both texts are matched first (patience diff), which takes hardly any time; difflib compares what
is left between them, as long as a budget of steps lasts. What is beyond is shown as replaced.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import Match, SequenceMatcher
from typing import Final, NamedTuple

_BUDGET: Final = 10_000_000
"""Steps of comparing for one file, a few seconds at worst."""
_MAX_DEPTH: Final = 64


def hunks(old: Sequence[str], new: Sequence[str], context: int) -> Iterator[str]:
    """The changed stretches as a unified diff, without line ends."""
    for group in _Comparison(old, new).get_grouped_opcodes(context):
        _, old_from, _, new_from, _ = group[0]
        _, _, old_to, _, new_to = group[-1]
        yield f"@@ -{_range(old_from, old_to)} +{_range(new_from, new_to)} @@"
        for tag, i, i_end, j, j_end in group:
            if tag == "equal":
                yield from _marked(" ", old[i:i_end])
            else:
                yield from _marked("-", old[i:i_end])
                yield from _marked("+", new[j:j_end])


def _marked(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield mark + line.removesuffix("\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _range(start: int, stop: int) -> str:
    length = stop - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"


class _Stretch(NamedTuple):
    """A part of both texts."""

    a: int
    a_end: int
    b: int
    b_end: int
    depth: int


class _Comparison(SequenceMatcher[str]):
    """difflib's, but for how it finds what is equal."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, "", "", autojunk=False)
        self._old = self.a = old
        self._new = self.b = new
        self._budget = _BUDGET

    def get_matching_blocks(self) -> list[Match]:
        found: list[Match] = []
        pending = [_Stretch(0, len(self._old), 0, len(self._new), 0)]
        while pending:
            stretch = self._trim(pending.pop(), found)
            if stretch.a == stretch.a_end or stretch.b == stretch.b_end:
                continue
            anchors = self._anchors(stretch) if stretch.depth < _MAX_DEPTH else []
            if anchors:
                pending += _between(stretch, anchors)
                found += [Match(a, b, 1) for a, b in anchors]
            else:
                found += self._compare(stretch)
        return [*_joined(sorted(found)), Match(len(self._old), len(self._new), 0)]

    def _trim(self, stretch: _Stretch, found: list[Match]) -> _Stretch:
        """Take what is equal at both ends."""
        a, a_end, b, b_end, depth = stretch
        while a < a_end and b < b_end and self._old[a] == self._new[b]:
            a, b = a + 1, b + 1
        while a < a_end and b < b_end and self._old[a_end - 1] == self._new[b_end - 1]:
            a_end, b_end = a_end - 1, b_end - 1
        found.append(Match(stretch.a, stretch.b, a - stretch.a))
        found.append(Match(a_end, b_end, stretch.a_end - a_end))
        return _Stretch(a, a_end, b, b_end, depth)

    def _anchors(self, stretch: _Stretch) -> list[tuple[int, int]]:
        """Where lines stand that are once in both texts: the most that are in the same order."""
        a, a_end, b, b_end, _ = stretch
        in_old = Counter(self._old[a:a_end])
        in_new = Counter(self._new[b:b_end])
        where = {line: j for j, line in enumerate(self._new[b:b_end], b) if in_new[line] == 1}
        pairs = [
            (i, where[line])
            for i, line in enumerate(self._old[a:a_end], a)
            if in_old[line] == 1 and line in where
        ]
        return _longest_rising(pairs)

    def _compare(self, stretch: _Stretch) -> list[Match]:
        old = self._old[stretch.a : stretch.a_end]
        new = self._new[stretch.b : stretch.b_end]
        in_new = Counter(new)
        pairs = sum(count * in_new[line] for line, count in Counter(old).items())
        steps = (len(old) + pairs) * min(len(old), len(new), pairs)
        if steps > self._budget:
            return []
        self._budget -= steps
        blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        return [Match(stretch.a + i, stretch.b + j, size) for i, j, size in blocks]


def _between(stretch: _Stretch, anchors: Sequence[tuple[int, int]]) -> Iterator[_Stretch]:
    a, b = stretch.a, stretch.b
    for i, j in [*anchors, (stretch.a_end, stretch.b_end)]:
        yield _Stretch(a, i, b, j, stretch.depth + 1)
        a, b = i + 1, j + 1


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of pairs with rising first numbers in which the second rise too."""
    lowest: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        length = bisect_left(lowest, j)
        lowest[length : length + 1] = [j]
        ends[length : length + 1] = [index]
        before.append(ends[length - 1] if length else -1)
    picked: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        picked.append(pairs[index])
        index = before[index]
    return picked[::-1]


def _joined(blocks: Sequence[Match]) -> Iterator[Match]:
    """The same blocks, those that touch as one."""
    a = b = size = 0
    for block in blocks:
        if not block.size:
            continue
        if (a + size, b + size) == (block.a, block.b):
            size += block.size
        else:
            if size:
                yield Match(a, b, size)
            a, b, size = block
    if size:
        yield Match(a, b, size)
