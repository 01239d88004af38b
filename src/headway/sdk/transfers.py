"""Files between this machine's disk and a run."""

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO, cast

from headway.api import Files
from headway.errors import InvalidValueError, RunFileExistsError, RunFileNotFoundError
from headway.model import FileEntry

LOG_PREFIX = "user_logs/"
"""Where the logs of a run are among its files."""


def upload_file(files: Files, run_id: str, name: str, source: object) -> FileEntry:
    """Keep a file, by its path or from an open stream of bytes or text."""
    if isinstance(source, str | PurePath):
        path = Path(source).expanduser()
        if not path.is_file():
            raise InvalidValueError(
                f"there is no file {str(source)!r} (looked at {path.absolute()}) to upload as "
                f"{name!r}: give the path of a file that exists"
            )
        return files.put(run_id, name, path)
    if isinstance(source, io.TextIOBase):
        return files.put(run_id, name, io.BytesIO(source.read().encode()))
    if isinstance(source, io.IOBase) or hasattr(source, "read"):
        return files.put(run_id, name, cast("BinaryIO", source))
    raise InvalidValueError(
        f"path_or_stream was given as {type(source).__name__} {source!r}: give a path or an open "
        "file"
    )


def upload_folder(files: Files, run_id: str, name: str, folder: object) -> list[FileEntry]:
    """Keep every file below a folder, under a prefix. Where one cannot be kept, none is begun."""
    root = Path(folder).expanduser() if isinstance(folder, str | PurePath) else None
    if root is None or not root.is_dir():
        raise InvalidValueError(f"there is no folder {folder!r} to upload as {name!r}: give one")
    prefix = name.rstrip("/") if isinstance(name, str) else name  # pyright: ignore[reportUnnecessaryIsInstance]
    names = {f"{prefix}/{path.relative_to(root).as_posix()}": path for path in _files_below(root)}
    taken = sorted(names.keys() & {entry.path for entry in files.list(run_id, f"{prefix}/")})
    if taken:
        raise RunFileExistsError(
            f"run {run_id} has {', '.join(taken[:5])} already{' ...' * (len(taken) > 5)}: files of "
            "a run are not overwritten; upload under another name"
        )
    return [files.put(run_id, key, path) for key, path in sorted(names.items())]


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
        return [download_file(files, run_id, n, root / k) for n, k in zip(names, kept, strict=True)]
    targets = list(cast("list[object]", paths)) if isinstance(paths, list | tuple) else []
    if len(targets) != len(names):
        raise InvalidValueError(
            f"output_paths names {len(targets)} paths for {len(names)} files "
            f"({', '.join(names[:5])}): give one path a file, or output_directory"
        )
    return [download_file(files, run_id, n, t) for n, t in zip(names, targets, strict=True)]


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
