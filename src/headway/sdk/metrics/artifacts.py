"""What is logged as a file: images and tables of results, checked, named and shown in notebooks."""

import base64
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import ClassVar, Final, cast, get_args

import msgspec

from headway.errors import InvalidValueError
from headway.model import ArtifactForm, SeriesForm

ARTIFACT_FORMS: Final[frozenset[SeriesForm]] = frozenset(get_args(ArtifactForm))
"""Series of these forms hold the names of files."""
SNIFFED_BYTES: Final = 512
"""So much of the beginning of a file says which kind of image it is."""

_URI: Final = "aml://artifactId/ExperimentRun/dcid."
_MOST_ROWS: Final = 100
_NOT_IN_NAMES: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\]")
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
_ACCEPTED_IMAGES: Final = "PNG, JPEG, GIF, BMP, TIFF, WebP, AVIF and SVG"

Number = float | int | None
"""None for what JSON cannot say: NaN and the infinities."""
Label = str | int | float | bool | None


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was logged as a metric, as ``get_metrics(populate=True)`` returns it."""

    name: str
    """The file's name in the run."""
    uri: str
    """What ``get_metrics()`` returns in its place."""
    data: bytes
    """Its content."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, {len(self.data)} bytes)"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.name)}, {len(self.data)} bytes</p>"


class Image(Artifact, frozen=True, kw_only=True):
    """An image logged with ``log_image``."""

    media_type: str
    """Such as ``image/png``."""

    def _repr_html_(self) -> str:
        content = base64.b64encode(self.data).decode("ascii")
        return (
            f'<img src="data:{self.media_type};base64,{content}" alt="{escape(self.name)}" '
            'style="max-width: 100%">'
        )


class _Table(Artifact, frozen=True, kw_only=True):
    """A file of JSON that can be shown as rows."""

    def _head(self) -> Sequence[object]:
        raise NotImplementedError

    def _rows(self) -> Sequence[Sequence[object]]:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        rows = self._rows()
        more = f"<p>and {len(rows) - _MOST_ROWS} more</p>" if len(rows) > _MOST_ROWS else ""
        return f"{html_table(rows[:_MOST_ROWS], self._head())}{more}"


class ConfusionMatrix(_Table, frozen=True, kw_only=True):
    """How often each true class (row) was taken for each class (column)."""

    schema_type: ClassVar[str] = "confusion_matrix"
    class_labels: list[Label]
    matrix: list[list[Number]]

    def _head(self) -> Sequence[object]:
        return ["true \\ predicted", *self.class_labels]

    def _rows(self) -> Sequence[Sequence[object]]:
        return [[a, *row] for a, row in zip(self.class_labels, self.matrix, strict=True)]


class AccuracyTable(_Table, frozen=True, kw_only=True):
    """Counts at thresholds, one table a class; a row is TP, FP, TN, FN."""

    schema_type: ClassVar[str] = "accuracy_table"
    class_labels: list[Label]
    probability_tables: list[list[list[Number]]]
    probability_thresholds: list[Number]
    percentile_tables: list[list[list[Number]]]
    percentile_thresholds: list[Number]

    def _head(self) -> Sequence[object]:
        return ["class", "threshold", "TP", "FP", "TN", "FN"]

    def _rows(self) -> Sequence[Sequence[object]]:
        return [
            [label, threshold, *counts]
            for label, table in zip(self.class_labels, self.probability_tables, strict=True)
            for threshold, counts in zip(self.probability_thresholds, table, strict=True)
        ]


class Residuals(_Table, frozen=True, kw_only=True):
    """A histogram of what a regression is off by."""

    schema_type: ClassVar[str] = "residuals"
    bin_edges: list[Number]
    bin_counts: list[Number]

    def _head(self) -> Sequence[object]:
        return ["from", "to", "count"]

    def _rows(self) -> Sequence[Sequence[object]]:
        return list(zip(self.bin_edges, self.bin_edges[1:], self.bin_counts, strict=False))


class Predictions(_Table, frozen=True, kw_only=True):
    """What a regression predicts, by bins of the true value."""

    schema_type: ClassVar[str] = "predictions"
    bin_averages: list[Number]
    bin_errors: list[Number]
    bin_counts: list[Number]
    bin_edges: list[Number]

    def _head(self) -> Sequence[object]:
        return ["from", "to", "average", "error", "count"]

    def _rows(self) -> Sequence[Sequence[object]]:
        columns = (self.bin_edges, self.bin_edges[1:], self.bin_averages, self.bin_errors)
        return list(zip(*columns, self.bin_counts, strict=False))


_TABLES: Final[dict[str, type[_Table]]] = {
    cls.schema_type: cls for cls in (ConfusionMatrix, AccuracyTable, Residuals, Predictions)
}


# ---------------------------------------------------------------- logging


def table_bytes(form: ArtifactForm, name: object, value: object) -> bytes:
    """A table as the JSON that is kept, after it was checked against its schema.

    Args:
        form: What kind of table it is.
        name: The metric, for messages.
        value: The document as a dict or a text of JSON: ``schema_type``, ``schema_version`` and
            ``data``, or the data alone.

    Raises:
        InvalidValueError: It is no such document; the message says where.
    """
    document = _document(form, name, value)
    if "data" not in document:
        document = {"schema_type": form, "schema_version": "1.0.0", "data": document}
    said = document.get("schema_type", form)
    if said != form:
        call = f": log it with run.log_{said}(...)" if said in _TABLES else f": give {form!r}"
        raise InvalidValueError(
            f"metric {name!r} was given a document of schema_type {said!r} as its {form}{call}"
        )
    data = msgspec.json.encode(document)
    try:
        _check_lengths(read_table(form, "", "", data))
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidValueError(
            f"metric {name!r} was given a {form} that does not fit its schema: {error}; its data "
            f"hold {', '.join(_data_fields(form))}"
        ) from error
    return data


def media_type(head: bytes) -> str | None:
    """Which kind of image a file is by its first bytes; None where it is none that is known."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--")) and b"<svg" in text):
        return "image/svg+xml"
    return None


def check_image(name: object, head: bytes, source: object) -> None:
    """Refuse what is no image.

    Raises:
        InvalidValueError: Its first bytes are those of no known kind of image.
    """
    if media_type(head) is None:
        raise InvalidValueError(
            f"metric {name!r} was given {source!r} as an image, which is none that is known: "
            f"{_ACCEPTED_IMAGES} are"
        )


def file_name(name: str, suffix: str = "") -> str:
    """A name for a file, made of that of a metric or a path: relative, without odd parts."""
    parts = [part for part in _NOT_IN_NAMES.sub("_", name).split("/") if part not in ("", ".")]
    kept = "/".join("_" if part == ".." else part for part in parts)
    return f"{kept or 'artifact'}{suffix}"


# ---------------------------------------------------------------- reading


def artifact_uri(run_id: str, name: str) -> str:
    """What ``get_metrics`` returns for a file."""
    return f"{_URI}{run_id}/{name}"


def read_artifact(form: SeriesForm, run_id: str, name: str, data: bytes) -> Artifact:
    """The object for a file that was logged.

    Raises:
        InvalidValueError: It is not what was logged any more.
    """
    uri = artifact_uri(run_id, name)
    if form == "image":
        kind = media_type(data[:SNIFFED_BYTES]) or "application/octet-stream"
        return Image(name=name, uri=uri, data=data, media_type=kind)
    try:
        return read_table(form, name, uri, data)
    except msgspec.MsgspecError as error:
        raise InvalidValueError(
            f"the file {name!r} of run {run_id} is no {form} any more: {error}; read it with "
            "run.download_file(...)"
        ) from error


def read_table(form: SeriesForm, name: str, uri: str, data: bytes) -> _Table:
    """The table in a document of JSON."""
    content = msgspec.json.decode(data, type=_Document).data
    return msgspec.convert({**content, "name": name, "uri": uri, "data": data}, _TABLES[form])


def html_table(rows: Sequence[Sequence[object]], head: Sequence[object] = ()) -> str:
    """Rows as a table of HTML, with everything in them escaped."""
    above = "".join(f"<th>{escape(_shown(cell))}</th>" for cell in head)
    lines = ["".join(f"<td>{escape(_shown(cell))}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f"<table>{f'<thead><tr>{above}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
    )


# ---------------------------------------------------------------- inside


class _Document(msgspec.Struct, frozen=True):
    data: dict[str, object]
    schema_type: str = ""
    schema_version: str = ""


def _document(form: ArtifactForm, name: object, value: object) -> dict[str, object]:
    """What was given as a dict of what JSON knows."""
    try:
        if isinstance(value, str | bytes):
            decoded: object = msgspec.json.decode(value)
        elif isinstance(value, Mapping):
            given = dict(cast("Mapping[object, object]", value))
            decoded = msgspec.json.decode(msgspec.json.encode(given, enc_hook=_plain))
        else:
            decoded = None
    except (msgspec.MsgspecError, TypeError, NotImplementedError) as error:
        raise InvalidValueError(
            f"Invalid JSON provided: metric {name!r} was given a {form} that cannot be read as "
            f"JSON: {error}"
        ) from error
    if not isinstance(decoded, dict):
        word, text = type(cast("object", value)).__name__, str(cast("object", value))
        raise InvalidValueError(
            f"metric {name!r} was given {word} {text[:80]!r} as its {form}: "
            "give a dict, or a text of JSON that holds one"
        )
    return cast("dict[str, object]", decoded)


def _plain(value: object) -> object:
    """Arrays and numbers of NumPy, PyTorch and the like, as lists and numbers."""
    for method in ("tolist", "item"):
        convert = getattr(value, method, None)
        if callable(convert):
            return convert()
    raise TypeError(f"{type(value).__name__} is nothing that JSON knows")


def _data_fields(form: ArtifactForm) -> list[str]:
    own = {field.name for field in msgspec.structs.fields(Artifact)}
    return [f.name for f in msgspec.structs.fields(_TABLES[form]) if f.name not in own]


def _check_lengths(table: _Table) -> None:
    """Refuse lists that do not belong together."""
    if isinstance(table, ConfusionMatrix):
        classes = len(table.class_labels)
        _check(len(table.matrix) == classes, f"{classes} class_labels, {len(table.matrix)} rows")
        for i, row in enumerate(table.matrix):
            _check(len(row) == classes, f"row {i} of the matrix has {len(row)} of {classes}")
    elif isinstance(table, AccuracyTable):
        for kind, tables, thresholds in (
            ("probability", table.probability_tables, table.probability_thresholds),
            ("percentile", table.percentile_tables, table.percentile_thresholds),
        ):
            _check(len(tables) == len(table.class_labels), f"{kind}_tables: one a class")
            for one in tables:
                _check(len(one) == len(thresholds), f"{kind}_tables: one row a threshold")
                _check(all(len(row) == 4 for row in one), f"{kind}_tables: TP, FP, TN, FN a row")
    elif isinstance(table, Residuals | Predictions):
        bins = len(table.bin_edges) - 1
        lists = [
            getattr(table, field) for field in _data_fields(cast("ArtifactForm", table.schema_type))
        ]
        _check(
            all(len(one) in (bins, bins + 1) for one in lists) and len(table.bin_counts) == bins,
            f"{bins + 1} bin_edges go with {bins} of each of the others",
        )


def _check(fits: bool, what: str) -> None:
    if not fits:
        raise ValueError(what)


def _shown(cell: object) -> str:
    return f"{cell:.6g}" if isinstance(cell, float) else "" if cell is None else str(cell)
