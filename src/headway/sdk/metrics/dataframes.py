"""Columns of a history as a table of pandas, Polars or Arrow, where these are installed."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from headway.errors import MissingPackageError
from headway.model import Scalar

if TYPE_CHECKING:  # whoever calls one of these functions has the package
    import numpy as np
    import pandas
    import polars
    from numpy.typing import NDArray

    from headway.metrics.frames import Array, Dates

ArrowTable: TypeAlias = Any
"""``pyarrow.Table``: the package comes without types."""


class Column(NamedTuple):
    """One column of a table; all of a table are equally long."""

    title: str
    values: "Array | Dates"
    holes: "NDArray[np.bool_] | None" = None
    """Where there is no value; None where there is one everywhere."""


def to_pandas(columns: Sequence[Column]) -> "pandas.DataFrame":
    """A data frame of pandas. Integers stay integers where some are missing, as ``Int64``."""
    pandas = _package("pandas")
    return pandas.DataFrame({one.title: _pandas_column(pandas, one) for one in columns})


def to_polars(columns: Sequence[Column]) -> "polars.DataFrame":
    """A data frame of Polars."""
    polars = _package("polars")
    return polars.DataFrame([_polars_column(polars, one) for one in columns])


def to_arrow(columns: Sequence[Column]) -> ArrowTable:
    """A table of Arrow."""
    arrow = _package("pyarrow")
    return arrow.table({one.title: _arrow_column(arrow, one) for one in columns})


def _package(name: str) -> Any:  # noqa: ANN401  (these come without types, or with their own)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise MissingPackageError(
            f"this needs the package {name}, which {sys.executable} does not have: install it "
            f"with `pip install {name}`, or use the arrays steps, times and values as they are"
        ) from error


def _pandas_column(pandas: Any, column: Column) -> object:  # noqa: ANN401
    values, holes, kind = column.values, column.holes, column.values.dtype.kind
    if kind == "M":
        return pandas.Series(values).dt.tz_localize("UTC")
    if kind == "O":
        return pandas.Series(values, dtype=_pandas_type(values.tolist()))
    if holes is not None and kind in "ib":
        make: Callable[..., object] = (
            pandas.arrays.IntegerArray if kind == "i" else pandas.arrays.BooleanArray
        )
        return make(values, holes)
    return pandas.Series(values)


def _pandas_type(values: list[Scalar]) -> str:
    """What holds numbers of one type beside None, or else anything."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int} and not any(map(_is_large, values)):
        return "Int64"
    return "float64" if kinds == {float} or kinds == {int, float} else "object"


def _polars_column(polars: Any, column: Column) -> object:  # noqa: ANN401
    kind = column.values.dtype.kind
    if kind == "O":
        return polars.Series(column.title, _of_one_type(column.values.tolist()), strict=False)
    series = polars.Series(column.title, column.values)
    if kind == "M":
        return series.dt.replace_time_zone("UTC")
    return series if column.holes is None else series.set(polars.Series(column.holes), None)


def _arrow_column(arrow: Any, column: Column) -> object:  # noqa: ANN401
    kind = column.values.dtype.kind
    if kind == "O":
        return arrow.array(_of_one_type(column.values.tolist()))
    if kind == "M":
        return arrow.array(column.values, arrow.timestamp("us", tz="UTC"))
    return arrow.array(column.values, mask=column.holes)


def _of_one_type(values: list[Scalar]) -> list[Scalar]:
    """What a column of one type can hold: None stays, numbers become floats, all else texts."""
    kinds = {type(value) for value in values} - {type(None)}
    if len(kinds) < 2 and not any(map(_is_large, values)):
        return values
    if kinds <= {int, float}:
        return [None if value is None else _as_float(cast("float", value)) for value in values]
    return [None if value is None else str(value) for value in values]


def _is_large(value: Scalar) -> bool:
    return isinstance(value, int) and not -(1 << 63) <= value < 1 << 63


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond what a float can be
        return float("inf") if value > 0 else float("-inf")
