"""An export taken into a workspace, through the ``Api`` alone. Twice adds nothing.

Runs come with the ids, times, labels and events that they had. Points go in as a journal whose name
is made from the export and the run, so that what was interrupted goes on where it was.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from headway.api import Api
from headway.errors import HeadwayError, InvalidValueError, RunNotFoundError
from headway.model import FileEntry, MetricQuery, Run
from headway.snapshots.blobs import hash_blocks
from headway.transfer.journaling import Recorder
from headway.transfer.parcel import Parcel
from headway.transfer.tables import (
    EVENTS,
    FILES,
    LABELS,
    POINTS,
    RUNS,
    SERIES,
    Row,
    event_of,
    is_ended,
    point_of,
    run_of,
)
from headway.upkeep import RunRecord

_RUNS_AT_ONCE: Final = 100
_BYTES_AT_ONCE: Final = 1 << 20
_WRITER_CHARS: Final = 24

Progress = Callable[[str, int, int], None]
"""Told what is being taken in, how much of it is, and how much there is."""


class Imported(msgspec.Struct):
    """What an import came to."""

    runs: int = 0
    """Runs that were not there."""
    known: int = 0
    """Runs that were there already."""
    not_ended: int = 0
    """Runs that were going on when they were exported; they are left out."""
    orphans: int = 0
    """Runs whose parent is in neither; they stand at the top."""
    points: int = 0
    """Points that were not there."""
    files: int = 0
    """Files that were not there."""
    conflicts: list[str] = msgspec.field(default_factory=list[str])
    """What was left alone because the workspace has something else under its name."""


def import_parcel(api: Api, parcel: Parcel, progress: Progress) -> Imported:
    """Take in all that an export holds.

    Raises:
        InvalidValueError: A file of it is missing, or is not what was exported; nothing was taken
            in if that is a file of a table.
        RunExistsError: The workspace has another run of one of the ids.
    """
    parcel.check(lambda done, count: progress("checking", done, count))
    imported = Imported()
    taken = _import_runs(api, parcel, imported, progress)
    _import_points(api, parcel, taken, imported, progress)
    if parcel.manifest.with_files:
        _import_files(api, parcel, taken, imported, progress)
    return imported


# ---------------------------------------------------------------- runs


class _Groups:
    """The rows of a table by their run, taken in the order in which they stand."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next = self._advance()

    def of(self, run_id: object) -> list[Row]:
        """The rows of the run that comes next; none where that is another one."""
        if self._next is None or self._next[0] != run_id:
            return []
        rows = self._next[1]
        self._next = self._advance()
        return rows

    @property
    def rest(self) -> str | None:
        """The run whose rows were not asked for."""
        return None if self._next is None else str(self._next[0])

    def _advance(self) -> tuple[object, list[Row]] | None:
        found = next(self._groups, None)
        return None if found is None else (found[0], list(found[1]))


def _import_runs(api: Api, parcel: Parcel, imported: Imported, progress: Progress) -> set[str]:
    """The ids of all runs that are in the workspace then."""
    taken: set[str] = set()
    waiting: list[RunRecord] = []
    size = 0
    labels, events = _Groups(parcel.rows(LABELS)), _Groups(parcel.rows(EVENTS))
    count = parcel.manifest.rows(RUNS)
    for done, row in enumerate(parcel.rows(RUNS)):
        progress("runs", done, count)
        own_labels, own_events = labels.of(row[0]), events.of(row[0])
        if not is_ended(row):
            imported.not_ended += 1
            continue
        run = _with_parent(api, run_of(row, own_labels), taken, imported)
        waiting.append(RunRecord(run, [event_of(one) for one in own_events]))
        taken.add(run.id)
        size += len(msgspec.json.encode(waiting[-1]))
        if len(waiting) >= _RUNS_AT_ONCE or size >= _BYTES_AT_ONCE:
            _adopt(api, waiting, imported)
            size = 0
    for rest in (labels.rest, events.rest):
        if rest is not None:
            raise InvalidValueError(
                f"the export {parcel.folder} has rows of the run {rest!r} that are not in the "
                "order of its runs: export again"
            )
    _adopt(api, waiting, imported)
    return taken


def _adopt(api: Api, waiting: list[RunRecord], imported: Imported) -> None:
    if waiting:
        new = len(api.upkeep.adopt(waiting))
        imported.runs += new
        imported.known += len(waiting) - new
        waiting.clear()


def _with_parent(api: Api, run: Run, taken: set[str], imported: Imported) -> Run:
    if run.parent_id is None or run.parent_id in taken:
        return run
    try:
        api.runs.get(run.parent_id)
    except RunNotFoundError:
        imported.orphans += 1
        return replace(run, parent_id=None, root_id=run.id)
    return run


# ---------------------------------------------------------------- points


class _Series(NamedTuple):
    name: str
    column: str
    form: str
    points: int


def _import_points(
    api: Api, parcel: Parcel, taken: set[str], imported: Imported, progress: Progress
) -> None:
    points = groupby(parcel.rows(POINTS), key=itemgetter(0, 1, 2))
    ahead = next(points, None)
    done, count = 0, parcel.manifest.rows(POINTS)
    for run_id, rows in groupby(parcel.rows(SERIES), key=itemgetter(0)):
        series = [_series_of(row) for row in rows]
        journal = _Journal.of(api, parcel, str(run_id), series, taken, imported)
        for one in series:
            progress("points", done, count)
            number = journal.define(one) if journal else 0
            found = 0
            if ahead is not None and ahead[0] == (run_id, one.name, one.column or None):
                for row in ahead[1]:
                    found += 1
                    if journal:
                        journal.add(number, row)
                ahead = next(points, None)
            if found != one.points:
                raise InvalidValueError(
                    f"the export {parcel.folder} has {found} points of the metric {one.name!r} of "
                    f"run {run_id}, and should have {one.points}: export again"
                )
            done += found
        if journal:
            imported.points += journal.finish()
            _compare(api, str(run_id), series, imported)


def _compare(api: Api, run_id: str, series: list[_Series], imported: Imported) -> None:
    """Say which metrics of a run are not as they were: this workspace may have other limits."""
    there = {
        (one.name, one.column): one.count for one in api.metrics.summarize(MetricQuery(run_id))
    }
    for one in series:
        found = there.get((one.name, one.column), 0)
        if found != one.points:
            imported.conflicts.append(
                f"{run_id}: of the {one.points} points of {one.name!r} {found} could be taken in"
            )


def _series_of(row: Row) -> _Series:
    _, name, column, form, count = row
    if not isinstance(name, str) or not isinstance(form, str) or not isinstance(count, int):
        raise InvalidValueError(f"a metric of the export cannot be read: {row}")
    return _Series(name, str(column or ""), form, count)


class _Journal:
    """The points of one run on their way into the workspace."""

    def __init__(self, api: Api, run_id: str, writer_id: str, offset: int) -> None:
        self._api = api
        self._run_id = run_id
        self._writer_id = writer_id
        self._known = offset
        self._recorder = Recorder()
        self._waiting: list[bytes] = []
        self._size = 0
        self._at = 0
        self._points = 0

    @classmethod
    def of(
        cls,
        api: Api,
        parcel: Parcel,
        run_id: str,
        series: list[_Series],
        taken: set[str],
        imported: Imported,
    ) -> "_Journal | None":
        """None where nothing is to be taken in."""
        if run_id not in taken:
            return None
        writer_id = f"import-{hash_blocks([f'{parcel.id} {run_id}'.encode()])[0][:_WRITER_CHARS]}"
        offset = api.metrics.offset(run_id, writer_id)
        there = {
            (one.name, one.column): one.count for one in api.metrics.summarize(MetricQuery(run_id))
        }
        if there == {(one.name, one.column): one.points for one in series}:
            return None
        if there and not offset:
            imported.conflicts.append(f"{run_id}: it has other metrics, which stay as they are")
            return None
        return cls(api, run_id, writer_id, offset)

    def define(self, series: _Series) -> int:
        """Begin a series, and return its number."""
        number, record = self._recorder.define(series.form, series.name, series.column)
        self._put(record)
        return number

    def add(self, number: int, row: Row) -> None:
        """Add a point to a series."""
        record = self._recorder.point(number, point_of(row))
        if self._at + self._size >= self._known:
            self._points += 1
        self._put(record)

    def finish(self) -> int:
        """Send what is left; how many points were not there before."""
        self._send()
        return self._points

    def _put(self, record: bytes) -> None:
        self._waiting.append(record)
        self._size += len(record)
        if self._size >= _BYTES_AT_ONCE:
            self._send()

    def _send(self) -> None:
        end = self._at + self._size
        if end > self._known:
            records = b"".join(self._waiting)
            offset = self._api.metrics.append(self._run_id, self._writer_id, self._at, records)
            if offset != end:
                raise InvalidValueError(
                    f"the points of run {self._run_id} were taken in up to {offset} of {end} bytes "
                    "only: their names or values are not accepted here"
                )
        self._waiting, self._size, self._at = [], 0, end


# ---------------------------------------------------------------- files


def _import_files(
    api: Api, parcel: Parcel, taken: set[str], imported: Imported, progress: Progress
) -> None:
    count, done = parcel.manifest.rows(FILES), 0
    for run_id, rows in groupby(parcel.rows(FILES), key=itemgetter(0)):
        of_run = list(rows)
        if str(run_id) in taken:
            there = {entry.path: entry for entry in api.files.list(str(run_id))}
            for row in of_run:
                progress("files", done, count)
                done += 1
                _import_file(api, parcel, row, there, imported)


def _import_file(
    api: Api, parcel: Parcel, row: Row, there: dict[str, FileEntry], imported: Imported
) -> None:
    run_id, path, size, digest, _ = row
    if not (isinstance(path, str) and isinstance(size, int) and isinstance(digest, str)):
        raise InvalidValueError(f"a file of the export cannot be read: {row}")
    source = parcel.content(digest, size)
    known = there.get(path)
    if known is not None:
        if known.blake3 != digest:
            imported.conflicts.append(f"{run_id}/{path}: another file of this name stays")
        return
    try:
        entry = api.files.put(str(run_id), path, source)
    except InvalidValueError as error:
        imported.conflicts.append(f"{run_id}: {error.message}")
        return
    if entry.blake3 != digest:
        raise HeadwayError(f"{source} changed while it was taken in: export again")
    imported.files += 1
