"""Metrics that are files: images, confusion matrices and their kin."""

import io
import time
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from headway.errors import InvalidValueError, RunFileExistsError
from headway.model import ArtifactForm
from headway.sdk.metrics import artifacts
from headway.sdk.runs.metrics import RunMetrics


class Plot(Protocol):
    """What draws itself: a figure of Matplotlib, or ``matplotlib.pyplot``."""

    def savefig(self, fname: BinaryIO, /, *, format: str) -> object:
        """Write it to a stream."""
        ...


class RunArtifacts(RunMetrics):
    """The part of ``Run`` about metrics that are kept as files of the run.

    ``get_metrics`` returns ``aml://`` addresses for them, and with ``populate=True`` objects with
    the content, which notebooks show.
    """

    _next_number: dict[str, int] | None = None
    """What stood behind the last name, by the name that was wanted: others may be taken too."""

    def log_image(
        self,
        name: str,
        path: str | Path | None = None,
        plot: Plot | None = None,
        description: str = "",
    ) -> None:
        """Log an image: a file, or whatever can draw itself with ``savefig``.

        It is kept under the path that was given, or as ``<name>_<seconds since 1970>.png``; where
        that name is taken, under the next one that is free.

        Args:
            name: The metric.
            path: A file: PNG, JPEG, GIF, BMP, TIFF, WebP, AVIF or SVG.
            plot: ``matplotlib.pyplot``, a figure, or anything with ``savefig(stream, format=)``.
            description: Accepted and not kept.

        Raises:
            InvalidValueError: Not exactly one of ``path`` and ``plot`` was given, or it is no
                image.
        """
        if (path is None) == (plot is None):
            raise InvalidValueError(
                f"log_image({name!r}, ...) was given {'both' if path else 'neither'} path and plot"
                ": give one of them"
            )
        if path is not None:
            source, kept = _image_file(name, path)
            self._log_file("image", name, kept, source)
        else:
            drawn = _drawn(name, plot)
            kept = artifacts.file_name(str(name), f"_{int(time.time())}.png")
            self._log_file("image", name, kept, drawn)

    def log_confusion_matrix(self, name: str, value: object, description: str = "") -> None:
        """Log how often each class was taken for which.

        Args:
            name: The metric; the document is kept as a file of this name.
            value: A dict or a text of JSON with ``schema_type`` ``confusion_matrix``,
                ``schema_version`` and ``data``: ``class_labels`` and ``matrix``. The data alone
                will do.
            description: Accepted and not kept.

        Raises:
            InvalidValueError: It does not fit the schema.
        """
        self._log_table("confusion_matrix", name, value)

    def log_accuracy_table(self, name: str, value: object, description: str = "") -> None:
        """Log counts of true and false positives and negatives at thresholds.

        Args:
            name: The metric; the document is kept as a file of this name.
            value: As of ``log_confusion_matrix``; its data are ``probability_tables`` and
                ``percentile_tables`` (class, threshold, then TP, FP, TN, FN),
                ``probability_thresholds``, ``percentile_thresholds`` and ``class_labels``.
            description: Accepted and not kept.

        Raises:
            InvalidValueError: It does not fit the schema.
        """
        self._log_table("accuracy_table", name, value)

    def log_residuals(self, name: str, value: object, description: str = "") -> None:
        """Log a histogram of what a regression is off by.

        Args:
            name: The metric; the document is kept as a file of this name.
            value: As of ``log_confusion_matrix``; its data are ``bin_edges`` and ``bin_counts``.
            description: Accepted and not kept.

        Raises:
            InvalidValueError: It does not fit the schema.
        """
        self._log_table("residuals", name, value)

    def log_predictions(self, name: str, value: object, description: str = "") -> None:
        """Log what a regression predicts by bins of the true value.

        Args:
            name: The metric; the document is kept as a file of this name.
            value: As of ``log_confusion_matrix``; its data are ``bin_averages``, ``bin_errors``,
                ``bin_counts`` and ``bin_edges``.
            description: Accepted and not kept.

        Raises:
            InvalidValueError: It does not fit the schema.
        """
        self._log_table("predictions", name, value)

    def _log_table(self, form: ArtifactForm, name: str, value: object) -> None:
        content = artifacts.table_bytes(form, name, value)
        self._log_file(form, name, artifacts.file_name(str(name)), io.BytesIO(content))

    def _log_file(
        self, form: ArtifactForm, name: str, wanted: str, source: Path | BinaryIO
    ) -> None:
        """Keep a file under a name that is free, then log that name."""
        journal = self._open_journal()
        journal.define(name, form=form)  # where the name is not accepted, nothing is kept
        if self._next_number is None:
            self._next_number = {}
        attempt = self._next_number.get(wanted, 0)
        while True:
            kept = _numbered(wanted, attempt) if attempt else wanted
            try:
                self._api.files.put(self.id, kept, source)
                break
            except RunFileExistsError:
                attempt += 1
                if not isinstance(source, Path):
                    source.seek(0)
        self._next_number[wanted] = attempt + 1
        journal.log_values(name, [kept], form)


def _image_file(name: object, path: object) -> tuple[Path, str]:
    """The file of an image, and what it is called in the run."""
    if not isinstance(path, str | Path):
        raise InvalidValueError(
            f"log_image({name!r}, ...) was given {type(path).__name__} {path!r} as its path: give "
            "the path of an image, or plot="
        )
    source = Path(path).expanduser()
    if not source.is_file():
        raise InvalidValueError(
            f"there is no file {str(path)!r} (looked at {source.absolute()}) to log as {name!r}"
        )
    with source.open("rb") as stream:
        artifacts.check_image(name, stream.read(artifacts.SNIFFED_BYTES), str(path))
    inside = not source.is_absolute() and ".." not in source.parts
    return source, artifacts.file_name(source.as_posix() if inside else source.name)


def _drawn(name: object, plot: object) -> BinaryIO:
    if not callable(getattr(plot, "savefig", None)):
        raise InvalidValueError(
            f"log_image({name!r}, ...) was given {type(plot).__name__} {plot!r} as its plot, which "
            "has no savefig(): give matplotlib.pyplot, a figure, or path="
        )
    drawn = io.BytesIO()
    cast("Plot", plot).savefig(drawn, format="png")
    drawn.seek(0)
    artifacts.check_image(name, drawn.getvalue()[: artifacts.SNIFFED_BYTES], plot)
    return drawn


def _numbered(name: str, attempt: int) -> str:
    """``a/b.png`` as ``a/b_1.png``."""
    folder, slash, last = name.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    if not stem:
        stem, dot, suffix = last, "", ""
    return f"{folder}{slash}{stem}_{attempt}{dot}{suffix}"
