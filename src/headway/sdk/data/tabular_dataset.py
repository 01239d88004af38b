"""``TabularDataset``: a table in files, read into pandas when it is needed."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from headway.data import tables
from headway.data.tables import ColumnType, Options, Step, TableFormat
from headway.errors import InvalidValueError
from headway.sdk.data.dataset_base import AbstractDataset, Definition
from headway.sdk.data.dataset_inputs import DatasetConsumptionConfig
from headway.sdk.data.dataset_sources import PathLike, Sources
from headway.sdk.data.datastore import target_of
from headway.sdk.missing import Telling

if TYPE_CHECKING:
    import pandas as pd

_ENCODINGS: dict[str, str] = {"iso88591": "latin1", "latin1": "latin1", "windows1252": "cp1252"}


class DataType:
    """The type of a column, for ``set_column_types``."""

    def __init__(self, kind: ColumnType) -> None:
        self.kind: ColumnType = kind

    @staticmethod
    def to_string() -> "DataType":
        """Text."""
        return DataType("string")

    @staticmethod
    def to_long() -> "DataType":
        """Whole numbers."""
        return DataType("long")

    @staticmethod
    def to_float(decimal_mark: str = ".") -> "DataType":
        """Numbers."""
        return DataType("float")

    @staticmethod
    def to_bool() -> "DataType":
        """Truth values."""
        return DataType("bool")

    @staticmethod
    def to_datetime(formats: object = None) -> "DataType":
        """Times; pandas finds out how they are written."""
        return DataType("datetime")


class TabularDataset(AbstractDataset):
    """A table in files of this machine, of datastores and of addresses.

    Made by ``Dataset.Tabular.from_delimited_files`` and its neighbours. It needs pandas.
    """

    has_files: ClassVar[bool] = False

    def to_pandas_dataframe(
        self, on_error: str = "null", out_of_range_datetime: str = "null"
    ) -> "pd.DataFrame":
        """All rows as a pandas data frame.

        Args:
            on_error: Accepted and ignored: what is no value of its column's type is an error.
            out_of_range_datetime: Accepted and ignored.

        Raises:
            MissingPackageError: pandas is not installed.
            InvalidValueError: A file cannot be read.
        """
        definition = self._definition
        assert definition.format is not None  # noqa: S101  every table has one
        files = [(found.name, found.local()) for found in self._sources.files()]
        return tables.read(definition.format, files, definition.options, definition.steps)

    def keep_columns(self, columns: str | Sequence[str], validate: bool = False) -> Self:
        """Only these columns, in this order."""
        return self._chosen("keep", columns, validate=validate)

    def drop_columns(self, columns: str | Sequence[str]) -> Self:
        """All columns but these."""
        return self._chosen("drop", columns)

    def as_named_input(self, name: str) -> DatasetConsumptionConfig:
        """An input of a run, which the program finds as ``run.input_datasets[name]``."""
        return DatasetConsumptionConfig(name, self)

    def _chosen(
        self, do: Literal["keep", "drop"], columns: str | Sequence[str], *, validate: bool = False
    ) -> Self:
        names = [columns] if isinstance(columns, str) else list(columns)
        made = self._with(Step(do, columns=names))
        if validate:
            made.to_pandas_dataframe()
        return made


class TabularDatasetFactory(metaclass=Telling):
    """``Dataset.Tabular``: makes datasets of tables."""

    @staticmethod
    def from_delimited_files(
        path: PathLike,
        validate: bool = True,
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: Mapping[str, DataType] | None = None,
        separator: str = ",",
        header: object = True,
        partition_format: str | None = None,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: str = "utf8",
    ) -> TabularDataset:
        """A table in files of delimited text.

        Args:
            path: A path, a URL, a pattern (``*``, ``**``), ``(datastore, path)``, or a list.
            validate: Whether to look now that there are files.
            include_path: Whether a first column ``Path`` says which file a row came from.
            infer_column_types: Whether numbers are recognized; otherwise all values are texts.
            set_column_types: Types of columns by name, such as ``DataType.to_datetime()``.
            separator: What stands between values.
            header: Whether the first line of each file names the columns.
            partition_format: Not supported.
            support_multi_line: Accepted and ignored: values in quotes may have several lines.
            empty_as_string: Whether an empty value is an empty text, rather than missing.
            encoding: Such as ``utf8`` or ``latin1``.

        Raises:
            InvalidValueError: There is no such file.
        """
        options = Options(
            separator=separator,
            header=_has_header(header),
            encoding=_ENCODINGS.get(encoding.lower(), encoding),
            infer_types=infer_column_types,
            empty_as_string=empty_as_string,
            include_path=include_path,
            types=_kinds(set_column_types),
        )
        return _table("delimited", path, options, validate, partition_format)

    @staticmethod
    def from_parquet_files(
        path: PathLike,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: Mapping[str, DataType] | None = None,
        partition_format: str | None = None,
    ) -> TabularDataset:
        """A table in Parquet files; the arguments are those of ``from_delimited_files``."""
        options = Options(include_path=include_path, types=_kinds(set_column_types))
        return _table("parquet", path, options, validate, partition_format)

    @staticmethod
    def from_json_lines_files(
        path: PathLike,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: Mapping[str, DataType] | None = None,
        partition_format: str | None = None,
        invalid_lines: str = "error",
        encoding: str = "utf8",
    ) -> TabularDataset:
        """A table in files with a JSON object a line.

        Args:
            path: As in ``from_delimited_files``.
            validate: As there.
            include_path: As there.
            set_column_types: As there.
            partition_format: Not supported.
            invalid_lines: ``error``, or ``drop`` to leave out lines that are no JSON.
            encoding: As there.
        """
        if invalid_lines not in {"error", "drop"}:
            raise InvalidValueError(
                f"invalid_lines was given as {invalid_lines!r}: give 'error' or 'drop'"
            )
        options = Options(
            include_path=include_path,
            types=_kinds(set_column_types),
            encoding=_ENCODINGS.get(encoding.lower(), encoding),
            drop_invalid_lines=invalid_lines == "drop",
        )
        return _table("json_lines", path, options, validate, partition_format)

    @staticmethod
    def register_pandas_dataframe(
        dataframe: "pd.DataFrame",
        target: object,
        name: str,
        description: str | None = None,
        tags: Mapping[str, object] | None = None,
        show_progress: bool = True,
        row_group_size: int | None = None,
        make_target_path_unique: bool = True,
    ) -> TabularDataset:
        """Write a data frame into a datastore as a Parquet file, and register that.

        Args:
            dataframe: The data frame.
            target: The datastore, or the pair ``(datastore, path)``.
            name: The dataset's name; the next version of it is made.
            description: A text about it.
            tags: Labels that may change.
            show_progress: Whether to say on standard error what was written.
            row_group_size: Accepted and ignored.
            make_target_path_unique: Whether a folder of its own is made below the path.
        """
        datastore, path = target_of(target)
        unique = str(uuid.uuid4()) if make_target_path_unique else ""
        below = "/".join(part for part in (path or "managed-dataset", unique) if part)
        with TemporaryDirectory(prefix="headway-") as folder:
            file = Path(folder, "data.parquet")
            tables.write_parquet(dataframe, file)
            datastore.upload_files([file], None, below, overwrite=True, show_progress=show_progress)
        made = TabularDatasetFactory.from_parquet_files((datastore, f"{below}/data.parquet"))
        return made.register(datastore.workspace, name, description, tags, create_new_version=True)


def _table(
    form: TableFormat,
    path: PathLike,
    options: Options,
    validate: bool,
    partition_format: str | None,
) -> TabularDataset:
    if partition_format is not None:
        raise InvalidValueError(
            f"partition_format was given as {partition_format!r}, which is not supported: leave it "
            "out, and take the column Path apart (include_path=True)"
        )
    sources = Sources.given(path)
    if validate:
        sources.files()
    definition = Definition("table", sources.sources, format=form, options=options)
    return TabularDataset(definition, sources.workspace)


def _has_header(header: object) -> bool:
    """Whether files have a header; the matched API's words for how are taken as well."""
    word = str(getattr(header, "name", header)).rpartition(".")[2].lower()
    return word not in {"false", "no_headers", "none"}


def _kinds(given: Mapping[str, DataType] | None) -> dict[str, ColumnType]:
    for name, kind in (given or {}).items():
        if not isinstance(kind, DataType):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValueError(
                f"the type of column {name!r} was given as {kind!r}: give one such as "
                "DataType.to_float()"
            )
    return {name: kind.kind for name, kind in (given or {}).items()}
