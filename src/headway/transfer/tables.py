"""The tables of an export, and the rows of them that runs and points become."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from headway.errors import InvalidValueError
from headway.model import Event, Run, RunError, Scalar, Status, Submission

Cell = str | int | float | None
Row = tuple[Cell, ...]


class Column(NamedTuple):
    """One column of a table."""

    name: str
    kind: type[str | int | float]


class Table(NamedTuple):
    """A table of an export."""

    name: str
    columns: tuple[Column, ...]


def _table(name: str, columns: str) -> Table:
    kinds: dict[str, type[str | int | float]] = {"s": str, "i": int, "f": float}
    pairs = (one.split(":") for one in columns.split())
    return Table(name, tuple(Column(column, kinds[kind]) for column, kind in pairs))


RUNS: Final = _table(
    "runs",
    "id:s experiment_id:s experiment:s number:i name:s status:s type:s parent_id:s root_id:s "
    "created_at:i started_at:i ended_at:i target:s host:s created_by:s description:s error:s "
    "definition:s snapshot_id:s points_lost:i",
)
"""A run; times are microseconds since 1970 UTC, ``error`` and ``definition`` JSON."""
LABELS: Final = _table("labels", "run_id:s kind:s key:s value:s")
"""A tag or a property of a run, as ``kind`` says."""
EVENTS: Final = _table("events", "run_id:s sequence:i at:i status:s previous:s actor:s reason:s")
"""A change of a run's status."""
SERIES: Final = _table("series", "run_id:s name:s column:s form:s count:i")
"""A metric of a run; of a table, one ``column``, which is none for other metrics."""
POINTS: Final = _table(
    "points", "run_id:s name:s column:s step:i time:i type:s number:f integer:i text:s"
)
"""A point, in the order of logging within its series. ``number`` is the value as a float if it is a
number; the exact value stands in ``number`` for the type float, in ``integer`` for int and bool, in
``text`` for text and bigint (decimal digits); of none there is no value."""
FILES: Final = _table("files", "run_id:s path:s size_bytes:i blake3:s created_at:i")
"""A file of a run; its bytes are ``files/ab/<blake3>`` where files were exported."""

TABLES: Final = {table.name: table for table in (RUNS, LABELS, EVENTS, SERIES, POINTS, FILES)}


class ExportedPoint(NamedTuple):
    """A point as it is taken in again."""

    step: int
    time: int
    value: Scalar


def run_row(run: Run) -> Row:
    """A run, without its labels."""
    return (
        run.id,
        run.experiment_id,
        run.experiment_name,
        run.number,
        run.name,
        run.status.value,
        run.type,
        run.parent_id,
        run.root_id,
        run.created_at,
        run.started_at,
        run.ended_at,
        run.target,
        run.host,
        run.created_by,
        run.description,
        _json(run.error),
        _json(run.definition),
        run.snapshot_id,
        run.points_lost,
    )


def label_rows(run: Run) -> Iterator[Row]:
    """The tags and properties of a run."""
    for kind, labels in (("tag", run.tags), ("property", run.properties)):
        for key, value in labels.items():
            yield run.id, kind, key, value


def event_row(event: Event) -> Row:
    """A change of a run's status."""
    previous = event.previous.value if event.previous else None
    return (
        event.run_id,
        event.sequence,
        event.at,
        event.status.value,
        previous,
        event.actor,
        event.reason,
    )


def value_cells(value: Scalar) -> Row:
    """The last four cells of a point."""
    if isinstance(value, bool):
        return "bool", float(value), int(value), None
    if isinstance(value, int):
        if -(1 << 63) <= value < 1 << 63:
            return "int", float(value), value, None
        return "bigint", _as_float(value), None, str(value)
    if isinstance(value, float):
        return "float", value, None, None
    return ("none", None, None, None) if value is None else ("text", None, None, value)


def run_of(row: Row, labels: Sequence[Row]) -> Run:
    """The run of a row and of the rows of its labels.

    Raises:
        InvalidValueError: They say nothing that a run can be.
    """
    fields = dict(zip((column.name for column in RUNS.columns), row, strict=True))
    fields["experiment_name"] = fields.pop("experiment")
    try:
        kinds = {
            kind: {_text(key): value for _, one, key, value in labels if one == kind}
            for kind in ("tag", "property")
        }
        document = {
            **fields,
            "error": _parsed(fields["error"], RunError),
            "definition": _parsed(fields["definition"], Submission),
            "tags": kinds["tag"],
            "properties": kinds["property"],
        }
        return msgspec.convert(document, Run)
    except (msgspec.ValidationError, msgspec.DecodeError, TypeError) as error:
        raise InvalidValueError(
            f"the run {row[0]!r} of the export cannot be read: {error}"
        ) from error


def event_of(row: Row) -> Event:
    """The event of a row.

    Raises:
        InvalidValueError: It says nothing that an event can be.
    """
    fields = dict(zip((column.name for column in EVENTS.columns), row, strict=True))
    try:
        return msgspec.convert(fields, Event)
    except msgspec.ValidationError as error:
        raise InvalidValueError(
            f"an event of the run {row[0]!r} of the export cannot be read: {error}"
        ) from error


def point_of(row: Row) -> ExportedPoint:
    """The point of a row.

    Raises:
        InvalidValueError: It says nothing that a point can be.
    """
    step, time, kind, number, integer, text = row[3:]
    values: dict[Cell, Scalar] = {
        "float": number,
        "int": integer,
        "bool": bool(integer),
        "none": None,
        "text": text,
    }
    value = _digits(text) if kind == "bigint" else values.get(kind, _UNKNOWN)
    wrong = value is _UNKNOWN or (value is None and kind != "none")
    if wrong or not isinstance(step, int) or not isinstance(time, int):
        raise InvalidValueError(
            f"a point of the metric {row[1]!r} of the run {row[0]!r} of the export cannot be read: "
            f"{dict(zip((column.name for column in POINTS.columns), row, strict=True))}"
        )
    return ExportedPoint(step, time, value)


_UNKNOWN: Final = "\0unknown"


def _digits(text: Cell) -> Scalar:
    try:
        return int(_text(text))
    except (TypeError, ValueError):
        return _UNKNOWN


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _parsed(text: Cell, kind: type[msgspec.Struct]) -> object:
    return (
        None if text is None else msgspec.to_builtins(msgspec.json.decode(_text(text), type=kind))
    )


def _text(value: Cell) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def is_ended(row: Row) -> bool:
    """Whether the run of a row has ended."""
    return row[5] in {Status.COMPLETED.value, Status.FAILED.value, Status.CANCELED.value}
