"""Files between this machine's disk and a run."""

import io
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO, cast

from headway.api import Files
from headway.checks import path_below
from headway.errors import InvalidValueError, RunFileNotFoundError
from headway.model import FileEntry
from headway.sdk.interactive.keeping import LOGS_PREFIX

LOG_PREFIX = "user_logs/"
"""Where what a program prints is among the files of a run."""
LOG_PREFIXES = (LOG_PREFIX, LOGS_PREFIX)
"""Where all logs are; the second for those that programs write themselves."""


def upload_file(
    files: Files, run_id: str, name: str, source: object, *, overwrite: bool = False
) -> FileEntry:
    """Keep a file, by its path or from an open stream of bytes or text."""
    if isinstance(source, str | PurePath):
        return files.put(run_id, name, _existing(name, source), overwrite=overwrite)
    if isinstance(source, io.TextIOBase):
        return files.put(run_id, name, cast("BinaryIO", _Encoded(source)), overwrite=overwrite)
    if isinstance(source, io.IOBase) or hasattr(source, "read"):
        return files.put(run_id, name, cast("BinaryIO", source), overwrite=overwrite)
    raise InvalidValueError(
        f"path_or_stream was given as {type(source).__name__} {source!r}: give a path or an open "
        "file"
    )


def upload_files(
    files: Files, run_id: str, sources: Mapping[str, object], *, overwrite: bool = False
) -> list[FileEntry]:
    """Keep several files by their names, all or none."""
    paths = {name: _existing(name, source) for name, source in sources.items()}
    return files.put_many(run_id, paths, overwrite=overwrite)


def upload_folder(
    files: Files, run_id: str, name: str, folder: object, *, overwrite: bool = False
) -> list[FileEntry]:
    """Keep every file below a folder, under a prefix, all or none."""
    root = Path(folder).expanduser() if isinstance(folder, str | PurePath) else None
    if root is None or not root.is_dir():
        raise InvalidValueError(f"there is no folder {folder!r} to upload as {name!r}: give one")
    prefix = name.rstrip("/") if isinstance(name, str) else name  # pyright: ignore[reportUnnecessaryIsInstance]
    names = {f"{prefix}/{path.relative_to(root).as_posix()}": path for path in _files_below(root)}
    return files.put_many(run_id, dict(sorted(names.items())), overwrite=overwrite)


def download_file(files: Files, run_id: str, name: str, target: object = None) -> Path:
    """Bring a file to the disk; return where it is.

    Args:
        files: The workspace's files.
        run_id: The run.
        name: The file's name in the run.
        target: A file to write, or a folder to write it in; None for the current folder.
    """
    if target is not None and not isinstance(target, str | PurePath):
        raise InvalidValueError(
            f"output_file_path was given as {type(target).__name__} {target!r}: give a path"
        )
    path = Path("" if target is None else target).expanduser()
    if path.is_dir() or (isinstance(target, str) and target.endswith(("/", os.sep))):
        path = path / PurePosixPath(str(name)).name
    try:
        with files.open(run_id, name) as source:
            _write(source, path)
    except RunFileNotFoundError as error:
        available = ",".join(entry.path for entry in files.list(run_id))
        raise RunFileNotFoundError(
            f"File with path {name} was not found,\navailable files include: {available}."
        ) from error
    return path


def download_files(
    files: Files,
    run_id: str,
    prefix: object = None,
    folder: object = None,
    paths: object = None,
    *,
    append_prefix: bool = True,
) -> list[Path]:
    """Bring the files below a prefix to a folder, with their structure.

    Args:
        files: The workspace's files.
        run_id: The run.
        prefix: A folder among the run's files; None for all of them.
        folder: Where to write; None for the current folder.
        paths: Where to write each, in the order of their names, instead.
        append_prefix: Whether the prefix is kept in the paths written.
    """
    if prefix is not None and not isinstance(prefix, str):
        raise InvalidValueError(
            f"prefix was given as {type(prefix).__name__} {prefix!r}: give a string"
        )
    below = f"{prefix.rstrip('/')}/" if prefix else ""
    names = [entry.path for entry in files.list(run_id, below)]
    root = Path(str(folder)).expanduser() if folder is not None else Path()
    if paths is None:
        kept = [name if append_prefix else name.removeprefix(below) for name in names]
        places = [path_below(root, name) for name in kept]
        pairs = zip(names, places, strict=True)
        return [download_file(files, run_id, name, place) for name, place in pairs]
    targets = list(cast("list[object]", paths)) if isinstance(paths, list | tuple) else []
    if len(targets) != len(names):
        raise InvalidValueError(
            f"output_paths names {len(targets)} paths for {len(names)} files "
            f"({', '.join(names[:5])}): give one path a file, or output_directory"
        )
    return [download_file(files, run_id, n, t) for n, t in zip(names, targets, strict=True)]


def _existing(name: object, source: object) -> Path:
    """The path of a file to be kept under a name."""
    if not isinstance(source, str | PurePath):
        raise InvalidValueError(
            f"the file to upload as {name!r} was given as {type(source).__name__} {source!r}: give "
            "its path"
        )
    path = Path(source).expanduser()
    if not path.is_file():
        raise InvalidValueError(
            f"there is no file {str(source)!r} (looked at {path.absolute()}) to upload as "
            f"{name!r}: give the path of a file that exists"
        )
    return path


class _Encoded(io.RawIOBase):
    """A stream of text as one of bytes, a piece at a time."""

    def __init__(self, text: io.TextIOBase) -> None:
        super().__init__()
        self._text = text

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._text.read(size).encode()


def _files_below(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root, followlinks=False):
        for name in names:
            path = Path(folder, name)
            if path.is_file():  # neither a broken link nor a socket
                yield path


def _write(source: BinaryIO, path: Path) -> None:
    """Copy to a path as a whole: what is interrupted leaves what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name[:200]}.{os.urandom(4).hex()}.part")
    try:
        with unfinished.open("xb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
