"""Tables read from files, and what is taken of them. Needs pandas, of the extra ``data``."""

import importlib
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from headway.errors import InvalidValueError, MissingPackageError

if TYPE_CHECKING:
    import pandas as pd

TableFormat = Literal["delimited", "parquet", "json_lines"]
ColumnType = Literal["string", "long", "float", "bool", "datetime"]

PATH_COLUMN: Final = "Path"
"""Where ``include_path`` puts the file that a row came from."""


class Options(msgspec.Struct, frozen=True, omit_defaults=True):
    """How files are read."""

    separator: str = ","
    header: bool = True
    """Whether the first line of each file names the columns; else they are Column1, Column2 ..."""
    encoding: str = "utf8"
    infer_types: bool = True
    """Otherwise every value is a text."""
    empty_as_string: bool = False
    """Whether an empty value is an empty text; otherwise it is missing."""
    include_path: bool = False
    types: dict[str, ColumnType] = {}
    drop_invalid_lines: bool = False


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is done to rows or columns, or to a list of files."""

    do: Literal["take", "skip", "sample", "keep", "drop"]
    count: int = 0
    """Of rows, for take and skip."""
    low: float = 0.0
    """Sample: a row is kept whose number, drawn between 0 and 1, is at least this ..."""
    high: float = 1.0
    """... and below this."""
    seed: int = 0
    columns: list[str] = []


def read(
    form: TableFormat, files: Sequence[tuple[str, Path]], options: Options, steps: Sequence[Step]
) -> "pd.DataFrame":
    """All rows of some files as one table.

    Args:
        form: What the files hold.
        files: Their names and paths.
        options: How they are read.
        steps: What is done then, in this order.

    Raises:
        MissingPackageError: pandas, or what it needs for this kind of file, is not installed.
        InvalidValueError: A file cannot be read as such.
    """
    pandas = _pandas()
    frames = [_read_one(pandas, form, name, path, options) for name, path in files]
    frame = frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)
    for column, kind in options.types.items():
        frame[column] = _converted(pandas, frame, column, kind)
    for step in steps:
        frame = _done(frame, step)
    return frame


def write_parquet(frame: object, path: Path) -> None:
    """Write a table as a Parquet file.

    Raises:
        InvalidValueError: It is no table.
        MissingPackageError: What pandas needs for it is not installed.
    """
    if not isinstance(frame, _pandas().DataFrame):
        raise InvalidValueError(
            f"dataframe was given as {type(frame).__name__}: give a pandas DataFrame"
        )
    _told(str(path), lambda: _any(frame).to_parquet(path, index=False))


def kept(count: int, step: Step) -> list[int]:
    """The places that a step leaves of so many, files or rows."""
    places = list(range(count))
    if step.do == "take":
        return places[: step.count]
    if step.do == "skip":
        return places[step.count :]
    draw = random.Random(step.seed)  # noqa: S311  (a sample that comes out the same each time)
    numbers = [draw.random() for _ in places]
    return [place for place in places if step.low <= numbers[place] < step.high]


def _done(frame: Any, step: Step) -> Any:  # noqa: ANN401  (pandas has no types of its own)
    if step.do in {"keep", "drop"}:
        missing = [name for name in step.columns if name not in frame.columns]
        if missing:
            raise InvalidValueError(
                f"there is no column {', '.join(map(repr, missing))}; there are: "
                f"{', '.join(map(repr, frame.columns))}"
            )
        return frame[step.columns] if step.do == "keep" else frame.drop(columns=step.columns)
    return frame.iloc[kept(len(frame), step)].reset_index(drop=True)


def _read_one(
    pandas: Any,  # noqa: ANN401
    form: TableFormat,
    name: str,
    path: Path,
    options: Options,
) -> Any:  # noqa: ANN401
    readers: Mapping[TableFormat, Callable[[], Any]] = {
        "delimited": lambda: pandas.read_csv(path, **_csv_options(options)),
        "parquet": lambda: pandas.read_parquet(path),
        "json_lines": lambda: _json_lines(pandas, path, options),
    }
    frame = _told(str(path), readers[form])
    if form == "delimited" and not options.header:
        frame.columns = [f"Column{i + 1}" for i in range(len(frame.columns))]
    if options.include_path:
        frame.insert(0, PATH_COLUMN, f"/{name}")
    return frame


def _csv_options(options: Options) -> dict[str, object]:
    texts = [name for name, kind in options.types.items() if kind in {"string", "datetime"}]
    return {
        "sep": options.separator,
        "header": 0 if options.header else None,
        "encoding": options.encoding,
        "dtype": dict.fromkeys(texts, str) if options.infer_types else str,
        "keep_default_na": not options.empty_as_string,
    }


def _json_lines(pandas: Any, path: Path, options: Options) -> Any:  # noqa: ANN401
    rows: list[object] = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                if line.strip():
                    rows.append(msgspec.json.decode(line.decode(options.encoding).encode()))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                if not options.drop_invalid_lines:
                    raise InvalidValueError(
                        f"line {number} of {path} is no JSON: {error}; correct it, or give "
                        "invalid_lines='drop'"
                    ) from error
    return pandas.DataFrame(rows)


def _converted(pandas: Any, frame: Any, column: str, kind: ColumnType) -> Any:  # noqa: ANN401
    if column not in frame.columns:
        raise InvalidValueError(
            f"set_column_types names the column {column!r}; there are: "
            f"{', '.join(map(repr, frame.columns))}"
        )
    values = frame[column]
    converters: dict[ColumnType, Callable[[], Any]] = {
        "string": lambda: values.astype(str).where(values.notna(), None),
        "long": lambda: pandas.to_numeric(values).astype("Int64"),
        "float": lambda: pandas.to_numeric(values).astype("float64"),
        "bool": lambda: values.astype("boolean"),
        "datetime": lambda: pandas.to_datetime(values),
    }
    return _told(f"column {column!r} as {kind}", converters[kind])


def _pandas() -> Any:  # noqa: ANN401
    try:
        return importlib.import_module("pandas")
    except ImportError as error:
        raise _missing(error) from error


def _told(what: str, act: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return act()
    except ImportError as error:
        raise _missing(error) from error
    except (ValueError, TypeError, OSError) as error:  # ArrowInvalid and ParserError are values
        raise InvalidValueError(f"{what} cannot be read: {error}") from error


def _missing(error: ImportError) -> MissingPackageError:
    return MissingPackageError(
        f"tables need a package that is missing: {error}. Install it with: "
        "pip install 'headway[data]'"
    )


def _any(value: object) -> Any:  # noqa: ANN401
    return value
