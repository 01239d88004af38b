"""Logs in an object store, where nothing can be appended to: ``<root>/<holder>/<name>/<stretch>``.

A stretch is an object that is named by where it begins and ends, and never changed. At one offset
a log always has the same bytes, so it does not matter how many stretches hold them: whoever sends
one again, or knows of fewer stretches than there are, adds nothing but a copy. Many small ones are
put together into a larger one, and removed when that is there; two who do so at once do no harm.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from headway.checks import check_run_id
from headway.errors import NotFoundError, StorageBusyError
from headway.files.base import StoredLog, behind_the_end, check_log_name
from headway.files.object_store import ObjectStore

_STRETCH: Final = re.compile(r"(\d{16})-(\d{16})")
_PLAIN: Final = re.compile(rb"[^A-Za-z0-9_.-]")
_MANY: Final = 32
"""So many light stretches at the end are put together."""
_WEIGHTS: Final = (1 << 16, 1 << 20, 1 << 24)
"""A stretch is light below the first of these, then below the second, and so on: each byte is
written again a few times at most, and a log has a hundred stretches and one every 16 MiB."""
_KNOWN: Final = 1_000
"""Logs whose stretches are remembered."""
_READINGS: Final = 5


class Stretch(NamedTuple):
    """A part of a log."""

    begin: int
    end: int

    @property
    def object_name(self) -> str:
        """That of its object."""
        return f"{self.begin:016d}-{self.end:016d}"


class ObjectLogs:
    """``Logs`` in an object store.

    Args:
        store: The store.
        root: The path below which all objects lie.
    """

    def __init__(self, store: ObjectStore, root: str) -> None:
        self._store = store
        self._root = root
        self._lock = threading.Lock()
        self._known: OrderedDict[str, list[Stretch]] = OrderedDict()

    def append(self, holder: str, name: str, offset: int, data: bytes) -> int:
        """See ``Logs.append``."""
        log = self._log(holder, name)
        chain = self._recalled(log) or self._listed(log)
        if not 0 <= offset <= _end(chain):
            chain = self._listed(log)
        end = _end(chain)
        if not 0 <= offset <= end:
            raise behind_the_end(name, offset, end)
        rest = data[end - offset :]
        if not rest and chain:  # sent again: another process may have taken in more since
            return _end(self._listed(log))
        added = Stretch(end, end + len(rest))
        self._store.put_whole(f"{log}/{added.object_name}", rest)
        chain = self._remember(log, [*chain, added])
        self._put_together(log, chain)
        return end + len(rest)

    def read(self, holder: str, name: str, offset: int, limit: int) -> bytes:
        """See ``Logs.read``."""
        log = self._log(holder, name)
        chain = self._recalled(log)
        if offset + limit <= _end(chain):  # else another process may have taken in more since
            try:
                return self._read(log, chain, offset, limit)
            except NotFoundError:  # put together meanwhile
                pass
        for _ in range(_READINGS):
            chain = self._listed(log)
            if offset >= _end(chain):
                return b""
            try:
                return self._read(log, chain, offset, limit)
            except NotFoundError:
                continue
        raise StorageBusyError(
            f"the log {name!r} of {holder} changed each time when it was to be read: do it again"
        )

    def size(self, holder: str, name: str) -> int | None:
        """See ``Logs.size``."""
        chain = self._listed(self._log(holder, name))
        return _end(chain) if chain else None

    def remove(self, holder: str, name: str | None = None) -> None:
        """See ``Logs.remove``."""
        check_run_id(holder)
        folder = f"{self._root}/{holder}" if name is None else self._log(holder, name)
        self._store.delete([one.path for one in self._store.below(folder)])
        with self._lock:
            for log in [log for log in self._known if f"{log}/".startswith(f"{folder}/")]:
                del self._known[log]

    def holders(self) -> Iterator[str]:
        """See ``Logs.holders``."""
        yield from self._store.folders(self._root)

    # ------------------------------------------------------------

    def _log(self, holder: str, name: str) -> str:
        check_log_name(name)
        return f"{self._root}/{check_run_id(holder)}/{_escape(name)}"

    def _read(self, log: str, chain: list[Stretch], offset: int, limit: int) -> bytes:
        """From the stretch that the offset lies in, and those behind it."""
        first = next(at for at in reversed(range(len(chain))) if chain[at].begin <= offset)
        data: list[bytes] = []
        for stretch in chain[first:]:
            size = min(limit, stretch.end - offset)
            begin = offset - stretch.begin
            data.append(self._store.read(f"{log}/{stretch.object_name}", begin, size))
            offset, limit = offset + size, limit - size
            if limit <= 0:
                break
        return b"".join(data)

    def _listed(self, log: str) -> list[Stretch]:
        """The stretches that there are now and that make up the log."""
        found = [_split(one.path)[1] for one in self._store.below(log)]
        return self._remember(log, [stretch for stretch in found if stretch is not None])

    def _recalled(self, log: str) -> list[Stretch]:
        with self._lock:
            return self._known.get(log, [])

    def _remember(self, log: str, stretches: list[Stretch]) -> list[Stretch]:
        chain = _chain(stretches)
        with self._lock:
            self._known[log] = chain
            self._known.move_to_end(log)
            if len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        return chain

    def _put_together(self, log: str, chain: list[Stretch]) -> None:
        parts = _light(chain)
        if not parts:
            return
        whole = Stretch(parts[0].begin, parts[-1].end)
        try:
            blocks = self._blocks(log, parts)
            self._store.put(f"{log}/{whole.object_name}", blocks, size=whole.end - whole.begin)
        except NotFoundError:
            return  # somebody else has done it
        self._remember(log, [one for one in chain if one not in parts] + [whole])
        self._store.delete(f"{log}/{one.object_name}" for one in parts)

    def _blocks(self, log: str, parts: Iterable[Stretch]) -> Iterator[bytes]:
        at = 0
        for number, part in enumerate(parts):
            at = part.begin if number == 0 else at
            yield self._store.read(f"{log}/{part.object_name}", at - part.begin, part.end - at)
            at = part.end

    def list(  # the last of the class: its name is that of the type
        self, holder: str
    ) -> list[StoredLog]:
        """See ``Logs.list``."""
        found: dict[str, list[Stretch]] = {}
        newest: dict[str, int] = {}
        for one in self._store.below(f"{self._root}/{check_run_id(holder)}"):
            escaped, stretch = _split(one.path)
            if stretch is not None:
                found.setdefault(escaped, []).append(stretch)
                newest[escaped] = max(newest.get(escaped, 0), one.modified_at)
        logs = [
            StoredLog(_unescape(escaped), _end(_chain(stretches)), newest[escaped])
            for escaped, stretches in found.items()
        ]
        return sorted(logs, key=lambda log: log.name)


def _chain(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The fewest stretches that make up the log, in order; what lies beyond a gap is left out."""
    chain: list[Stretch] = []
    best: Stretch | None = None
    end = 0
    waiting = sorted(stretches, reverse=True)
    while True:
        while waiting and waiting[-1].begin <= end:
            stretch = waiting.pop()
            best = stretch if best is None or stretch.end > best.end else best
        if best is None or (chain and best.end <= end):
            return chain
        chain.append(best)
        end = best.end


def _end(chain: list[Stretch]) -> int:
    return chain[-1].end if chain else 0


def _light(chain: list[Stretch]) -> list[Stretch]:
    """Neighbours of about one weight to be put together; none where they are too few."""
    above = 0
    for weight in _WEIGHTS:
        first = len(chain)
        while first and _size(chain[first - 1]) < weight:
            first -= 1
        heavy = [at for at in range(first, len(chain)) if _size(chain[at]) >= above]
        if len(heavy) >= _MANY:
            enough = chain[first].begin + weight
            return [one for one in chain[first : heavy[-1] + 1] if one.begin < enough]
        above = weight
    return []


def _size(stretch: Stretch) -> int:
    return stretch.end - stretch.begin


def _split(path: str) -> tuple[str, Stretch | None]:
    """The escaped name of a log, and the stretch, of an object."""
    above, _, last = path.rpartition("/")
    match = _STRETCH.fullmatch(last)
    stretch = Stretch(int(match[1]), int(match[2])) if match else None
    return above.rpartition("/")[2], stretch


def _escape(name: str) -> str:
    """A name as one part of a path: ``=2F`` for a slash."""
    return _PLAIN.sub(lambda found: b"=%02X" % found[0][0], name.encode()).decode()


def _unescape(escaped: str) -> str:
    return re.sub(
        rb"=([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), escaped.encode()
    ).decode(errors="replace")
