"""Runs written to files of an open format, through the ``Api`` alone."""

import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from headway.api import Api, pages
from headway.engines import document
from headway.errors import ConflictError, RunFileNotFoundError, StorageCorruptError
from headway.metrics.columns import decode_block, listed
from headway.model import FileEntry, MetricQuery, PointQuery, Run, RunQuery, SeriesSummary
from headway.snapshots.blobs import hash_blocks, read_blocks, write_all
from headway.transfer.formats import Format, TableWriter, open_writer
from headway.transfer.parcel import MANIFEST, ExportManifest, Part, content_path
from headway.transfer.tables import (
    EVENTS,
    FILES,
    LABELS,
    POINTS,
    RUNS,
    SERIES,
    TABLES,
    Cell,
    Row,
    Table,
    event_row,
    label_rows,
    run_row,
    value_cells,
)

_PART_ROWS: Final = 1_000_000
_MOST_POINTS: Final = 1 << 17
"""Asked for at once."""
_ROWS_AT_ONCE: Final = 1 << 14


class Wanted(msgspec.Struct, frozen=True):
    """What to export."""

    query: RunQuery
    form: Format = "parquet"
    metrics: bool = True
    files: bool = False


def export(
    api: Api,
    wanted: Wanted,
    target: Path,
    *,
    clock: Callable[[], int],
    progress: Callable[[int, int | None], None],
) -> ExportManifest:
    """Write runs to a folder, which appears whole or not at all.

    Args:
        api: The workspace.
        wanted: What to export.
        target: The folder; it must not exist, or be empty.
        clock: The time, in microseconds.
        progress: Told how many runs are done.

    Raises:
        ConflictError: There is something in the folder.
        MissingPackageError: The format needs a package that is not installed.
        StorageFullError: No space is left; nothing was made.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConflictError(f"{target} is not empty: give a folder that does not exist")
    part = target.parent / f".{target.name}.exporting"
    try:
        shutil.rmtree(part, ignore_errors=True)  # what a killed one left
        part.mkdir(parents=True)
        try:
            manifest = _export(api, wanted, part, clock(), progress)
            (part / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
            os.sync()
            part.rename(target)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    except OSError as error:
        raise document.storage_error(target, error) from error
    return manifest


def _export(
    api: Api,
    wanted: Wanted,
    folder: Path,
    now: int,
    progress: Callable[[int, int | None], None],
) -> ExportManifest:
    left_out: list[str] = []
    with _Sheets(folder, wanted.form) as sheets:
        for done, run in enumerate(_runs(api, wanted.query)):
            progress(done, None)
            sheets.add(RUNS, [run_row(run)])
            sheets.add(LABELS, list(label_rows(run)))
            sheets.add(EVENTS, [event_row(event) for event in api.runs.events(run.id)])
            if wanted.metrics:
                _export_metrics(api, run, sheets)
            if wanted.files:
                left_out += _export_files(api, run, sheets, folder)
        tables = sheets.finish()
    return ExportManifest(
        format="headway-export",
        version=1,
        tables_format=wanted.form,
        created_at=now,
        workspace=api.info().name,
        filter=wanted.query.filter,
        with_metrics=wanted.metrics,
        with_files=wanted.files,
        tables=tables,
        left_out=left_out,
    )


def _runs(api: Api, query: RunQuery) -> Iterator[Run]:
    """The runs of a query, the oldest first: a parent comes before its children."""
    in_order = msgspec.structs.replace(
        query, include_children=True, order_by="created_at", limit=500
    )
    for page in pages(api.runs, in_order):
        yield from page.runs


# ---------------------------------------------------------------- metrics


def _export_metrics(api: Api, run: Run, sheets: "_Sheets") -> None:
    for one in api.metrics.summarize(MetricQuery(run.id)):
        sheets.add(SERIES, [(run.id, one.name, one.column or None, one.form, one.count)])
        for rows in _points(api, one):
            sheets.add(POINTS, rows)


def _points(api: Api, series: SeriesSummary) -> Iterator[list[Row]]:
    """The points of a series as they were counted when it was listed, some thousand at a time."""
    done = 0
    of_series: tuple[Cell, ...] = (series.run_id, series.name, series.column or None)
    while done < series.count:
        query = PointQuery(series.run_id, series.name, series.column, skip=done, most=_MOST_POINTS)
        found = api.metrics.points(query)
        at = found.skipped
        for block in found.blocks:
            points = decode_block(block)
            begin, end = max(done - at, 0), min(len(points), series.count - at)
            for first in range(begin, end, _ROWS_AT_ONCE):
                part = slice(first, min(first + _ROWS_AT_ONCE, end))
                yield [
                    (*of_series, step, time, *value_cells(value))
                    for step, time, value in zip(
                        points.steps[part].tolist(),
                        points.times[part].tolist(),
                        listed(points.values[part]),
                        strict=True,
                    )
                ]
            at += len(points)
        if at <= done:
            raise StorageCorruptError(
                f"metric {series.name!r} of run {series.run_id} has {done} points and should have "
                f"{series.count}: restore the workspace from a backup, or use --no-metrics"
            )
        done = min(at, series.count)


# ---------------------------------------------------------------- files


def _export_files(api: Api, run: Run, sheets: "_Sheets", folder: Path) -> list[str]:
    """Copy the files of a run; what could not be copied, and why."""
    left_out: list[str] = []
    for entry in api.files.list(run.id):
        try:
            entry.path.encode()
            digest, size = _copy(api, run, entry, folder)
        except UnicodeEncodeError:
            left_out.append(f"{run.id}/{ascii(entry.path)[1:-1]}: its name is no UTF-8")
        except (RunFileNotFoundError, StorageCorruptError) as error:
            left_out.append(f"{run.id}/{entry.path}: {error.message}")
        else:
            sheets.add(FILES, [(run.id, entry.path, size, digest, entry.created_at)])
    return left_out


def _copy(api: Api, run: Run, entry: FileEntry, folder: Path) -> tuple[str, int]:
    if entry.blake3 is not None and (folder / content_path(entry.blake3)).exists():
        return entry.blake3, entry.size_bytes
    part = folder / ".part"
    with api.files.open(run.id, entry.path) as stream, part.open("wb", buffering=0) as target:

        def blocks() -> Generator[bytes]:
            for block in read_blocks(stream, sys.maxsize):
                write_all(target.fileno(), block)
                yield block

        digest, size = hash_blocks(blocks())
    place = folder / content_path(digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    part.replace(place)
    return digest, size


# ---------------------------------------------------------------- files of tables


class _Sheets:
    """The files of all tables while they are written."""

    def __init__(self, folder: Path, form: Format) -> None:
        self._folder = folder
        self._form: Format = form
        self._open: dict[str, tuple[TableWriter, Path, int]] = {}
        self._parts: dict[str, list[Part]] = {name: [] for name in TABLES}

    def __enter__(self) -> "_Sheets":
        for table in (RUNS, LABELS, EVENTS, SERIES, POINTS, FILES):
            self._begin(table)  # so that what cannot be written is known at once
        return self

    def __exit__(self, *error: object) -> None:
        for writer, *_ in self._open.values():
            writer.close()

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows to a table."""
        writer, path, count = self._open[table.name]
        if count >= _PART_ROWS:
            self._end(table.name)
            writer, path, count = self._begin(table)
        writer.write(rows)
        self._open[table.name] = (writer, path, count + len(rows))

    def finish(self) -> dict[str, list[Part]]:
        """Close all files, and say what they are."""
        for name in list(self._open):
            self._end(name)
        return self._parts

    def _begin(self, table: Table) -> tuple[TableWriter, Path, int]:
        number = len(self._parts[table.name])
        path = self._folder / f"{table.name}-{number:05}.{self._form}"
        opened = (open_writer(self._form, path, table), path, 0)
        self._open[table.name] = opened
        return opened

    def _end(self, name: str) -> None:
        writer, path, count = self._open.pop(name)
        writer.close()
        with path.open("rb", buffering=0) as stream:
            digest, size = hash_blocks(read_blocks(stream, sys.maxsize))
        self._parts[name].append(Part(path.name, count, size, digest))
