"""The formats of an export: rows written to files of a table, and read back exactly.

=========== ======================================================================================
csv         RFC 4180 in UTF-8, the first line names the columns. An empty cell is none; a text that
            is empty or begins with a backslash has a backslash before it. Floats as ``repr``.
jsonl       an object a line, in UTF-8; NaN, Infinity and -Infinity are texts; what is none is left
            out
parquet     typed columns, compressed with zstd; needs pyarrow
=========== ======================================================================================
"""

import csv
import importlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, Protocol, TextIO, cast

import msgspec

from headway.errors import InvalidValueError, MissingPackageError
from headway.transfer.tables import Cell, Column, Row, Table

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: Final[tuple[Format, ...]] = ("parquet", "csv", "jsonl")
BATCH_ROWS: Final = 1 << 14
_GROUP_ROWS: Final = 1 << 16
_LONGEST_CELL: Final = 1 << 28
_NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class TableWriter(Protocol):
    """Writes one file of a table."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows."""
        ...

    def close(self) -> None:
        """Write what is left, and close the file."""
        ...


def open_writer(form: Format, path: Path, table: Table) -> TableWriter:
    """What writes a new file of a table.

    Raises:
        MissingPackageError: The format needs a package that is not installed.
    """
    if form == "csv":
        return _CsvWriter(path, table)
    if form == "jsonl":
        return _JsonWriter(path, table)
    return _ParquetWriter(path, table)


def read_rows(form: Format, path: Path, table: Table) -> Iterator[Row]:
    """The rows of a file, a few thousand in memory at a time.

    Raises:
        InvalidValueError: It is no such file of this table.
        MissingPackageError: The format needs a package that is not installed.
    """
    readers = {"csv": _read_csv, "jsonl": _read_json, "parquet": _read_parquet}
    try:
        yield from readers[form](path, table)
    except (UnicodeDecodeError, csv.Error, msgspec.DecodeError, _DamagedError) as error:
        raise InvalidValueError(f"{path} cannot be read as {form}: {error}") from error


class _DamagedError(Exception):
    """A file does not hold what its table has."""


# ---------------------------------------------------------------- csv


class _CsvWriter:
    def __init__(self, path: Path, table: Table) -> None:
        self._stream: TextIO = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._stream, lineterminator="\r\n")
        self._writer.writerow([column.name for column in table.columns])

    def write(self, rows: Sequence[Row]) -> None:
        self._writer.writerows([_csv_cell(cell) for cell in row] for row in rows)

    def close(self) -> None:
        self._stream.close()


def _csv_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell if cell and not cell.startswith("\\") else f"\\{cell}"
    return "" if cell is None else repr(cell)


def _read_csv(path: Path, table: Table) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_CELL)
    with path.open("r", encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        _check_columns(next(reader, list[str]()), table)
        for cells in reader:
            if len(cells) != len(table.columns):
                raise _DamagedError(f"line {reader.line_num} has {len(cells)} cells")
            yield tuple(
                _from_csv(column, cell) for column, cell in zip(table.columns, cells, strict=True)
            )


def _from_csv(column: Column, cell: str) -> Cell:
    if not cell:
        return None
    if column.kind is str:
        return cell[1:] if cell.startswith("\\") else cell
    try:
        return _checked(column, column.kind(cell))
    except ValueError as error:
        raise _DamagedError(f"{cell[:80]!r} is no {column.kind.__name__}") from error


# ---------------------------------------------------------------- JSON Lines


class _JsonWriter:
    def __init__(self, path: Path, table: Table) -> None:
        self._stream: BinaryIO = path.open("wb")
        self._names = [column.name for column in table.columns]
        self._encoder = msgspec.json.Encoder()

    def write(self, rows: Sequence[Row]) -> None:
        names = self._names
        documents = [
            {
                name: _json_cell(cell)
                for name, cell in zip(names, row, strict=True)
                if cell is not None
            }
            for row in rows
        ]
        self._stream.write(self._encoder.encode_lines(documents))

    def close(self) -> None:
        self._stream.close()


def _json_cell(cell: Cell) -> Cell:
    if isinstance(cell, float) and not math.isfinite(cell):
        return "NaN" if math.isnan(cell) else "Infinity" if cell > 0 else "-Infinity"
    return cell


def _read_json(path: Path, table: Table) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(dict[str, str | int | float | None])
    names = {column.name for column in table.columns}
    with path.open("rb") as stream:
        for line in stream:
            document = decoder.decode(line)
            if not document.keys() <= names:
                raise _DamagedError(f"it has columns {sorted(document.keys() - names)}")
            yield tuple(_from_json(column, document.get(column.name)) for column in table.columns)


def _from_json(column: Column, cell: Cell) -> Cell:
    if column.kind is float and isinstance(cell, str) and cell in _NOT_FINITE:
        return _NOT_FINITE[cell]
    if column.kind is float and isinstance(cell, int):
        return float(cell)
    return _checked(column, cell)


def _checked(column: Column, cell: Cell) -> Cell:
    if cell is None or (type(cell) is column.kind and _fits(cell)):
        return cell
    raise _DamagedError(f"{column.name} is {str(cell)[:80]!r}, which is no {column.kind.__name__}")


def _fits(cell: Cell) -> bool:
    return not isinstance(cell, int) or -(1 << 63) <= cell < 1 << 63


def _check_columns(found: Sequence[str], table: Table) -> None:
    wanted = [column.name for column in table.columns]
    if list(found) != wanted:
        raise _DamagedError(f"it has columns {list(found)[:20]}, and {table.name} has {wanted}")


# ---------------------------------------------------------------- Parquet


class _ParquetWriter:
    def __init__(self, path: Path, table: Table) -> None:
        self._arrow, parquet = _arrow()
        self._schema = _schema(self._arrow, table)
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[Row] = []

    def write(self, rows: Sequence[Row]) -> None:
        self._waiting += rows
        if len(self._waiting) >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            arrow = self._arrow
            columns = zip(*self._waiting, strict=True)
            arrays = [
                arrow.array(column, type=field.type)
                for column, field in zip(columns, self._schema, strict=True)
            ]
            self._writer.write_table(arrow.Table.from_arrays(arrays, schema=self._schema))
            self._waiting = []


def _read_parquet(path: Path, table: Table) -> Iterator[Row]:
    arrow, parquet = _arrow()
    try:
        with parquet.ParquetFile(path) as file:
            _check_columns(file.schema_arrow.names, table)
            if file.schema_arrow != _schema(arrow, table):
                raise _DamagedError(f"its columns have the types {file.schema_arrow.types}")
            for batch in file.iter_batches(BATCH_ROWS):
                columns = [column.to_pylist() for column in batch.columns]
                yield from cast("Iterator[Row]", zip(*columns, strict=True))
    except arrow.ArrowException as error:
        raise _DamagedError(str(error)) from error


def _schema(arrow: Any, table: Table) -> Any:  # noqa: ANN401  (pyarrow comes without types)
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    return arrow.schema([(column.name, kinds[column.kind]) for column in table.columns])


def _arrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            "Parquet needs pyarrow, which this Python does not have: pip install 'headway[data]', "
            "or use --format csv or --format jsonl"
        ) from error
