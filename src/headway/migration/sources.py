"""Scripts and notebooks under a folder, read and parsed; nothing of them is executed.

Only those that say ``azureml`` somewhere are parsed. What cannot be read becomes a ``Problem``: a
file of Python 2 among a hundred others must not hide what they use.
"""

import ast
import os
import stat
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from headway.errors import InvalidValueError, NotFoundError
from headway.migration.magics import python_cell, without_magics

SUFFIXES: Final = (".py", ".ipynb")
_SUBJECT: Final = b"azureml"
_MOST_SCRIPT_BYTES: Final = 4 << 20
"""Parsing takes about a hundred times as much memory; nobody writes such a script by hand."""
_MOST_NOTEBOOK_BYTES: Final = 256 << 20
"""Mostly pictures, which are skipped."""
_LANGUAGES: Final = ("", "python", "ipython")
_PASSED_OVER: Final = frozenset({"__pycache__", "node_modules", "site-packages"})


class Problem(msgspec.Struct, frozen=True):
    """Something that could not be read, and why."""

    where: str
    """As in ``train.py:12``."""
    message: str


class Source(msgspec.Struct, frozen=True):
    """Python that belongs together: a script, or the cells of a notebook."""

    path: str
    body: list[ast.stmt]
    cells: tuple[tuple[int, int], ...] = ()
    """The first line of each cell within ``body``, counted from 1, and its number in the notebook.
    Empty for a script."""

    def where(self, line: int) -> str:
        """A line of ``body`` as people look it up: ``a.py:3``, or ``a.ipynb:cell 2:3``."""
        if not self.cells:
            return f"{self.path}:{line}"
        start, number = self.cells[max(bisect_right(self.cells, (line, 1 << 30)) - 1, 0)]
        return f"{self.path}:cell {number}:{line - start + 1}"


class Reading(msgspec.Struct):
    """What was found under a path."""

    files: int = 0
    """Scripts and notebooks that were looked at, whatever they use."""
    sources: list[Source] = msgspec.field(default_factory=list[Source])
    problems: list[Problem] = msgspec.field(default_factory=list[Problem])


class _NotebookCell(msgspec.Struct):
    cell_type: str = ""
    source: str | list[str] = ""
    input: str | list[str] = ""  # as it was called before notebook format 4


class _Worksheet(msgspec.Struct):
    cells: list[_NotebookCell] = msgspec.field(default_factory=list[_NotebookCell])


class _Language(msgspec.Struct):
    name: str = ""


class _Metadata(msgspec.Struct):
    language_info: _Language = msgspec.field(default_factory=_Language)


class _Notebook(_Worksheet):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    worksheets: list[_Worksheet] = msgspec.field(default_factory=list[_Worksheet])


def read_sources(path: Path) -> Reading:
    """Read a script, a notebook, or all of them under a folder.

    Links to folders are not followed. Hidden folders and virtual environments are passed over.

    Raises:
        NotFoundError: There is nothing at the path.
        InvalidValueError: It is another kind of file.
    """
    if not path.exists():
        raise NotFoundError(f"there is no {path}: give a folder, a script or a notebook")
    reading = Reading()
    if path.is_dir():
        for file in _files(path, reading):
            _read(file, file.relative_to(path).as_posix(), reading)
    elif path.suffix in SUFFIXES:
        _read(path, path.name, reading)
    else:
        raise InvalidValueError(f"{path} is neither a folder nor a {' nor a '.join(SUFFIXES)} file")
    return reading


def _files(folder: Path, reading: Reading) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()

    def note(error: OSError) -> None:
        reading.problems.append(_unreadable(_shown(Path(error.filename), folder), error))

    for parent, folders, files in os.walk(folder, onerror=note):
        if parent != str(folder) and "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _PASSED_OVER
        )
        for name in sorted(files):
            file = Path(parent, name)
            if file.suffix in SUFFIXES and (identity := _identity(file)) not in {*seen, None}:
                seen |= {identity} if identity else set()
                yield file


def _identity(file: Path) -> tuple[int, int] | None:
    """What a regular file is whatever it is called; None for anything else."""
    try:
        status = file.stat()
    except OSError:  # a dangling link, or one that leads to itself
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _read(file: Path, shown: str, reading: Reading) -> None:
    reading.files += 1
    notebook = file.suffix == ".ipynb"
    most = _MOST_NOTEBOOK_BYTES if notebook else _MOST_SCRIPT_BYTES
    try:
        with file.open("rb") as stream:
            data = stream.read(most + 1)
    except OSError as error:
        reading.problems.append(_unreadable(shown, error))
        return
    if _SUBJECT not in data:
        return
    if len(data) > most:
        reading.problems.append(Problem(shown, f"not read: it has more than {most >> 20} MiB"))
    elif notebook:
        _read_notebook(data, shown, reading)
    else:
        _read_script(data, shown, reading)


def _read_script(data: bytes, shown: str, reading: Reading) -> None:
    text = _script_text(data)
    try:
        body = parsed(text) if isinstance(text, bytes) else _parsed_cell(text)
    except SyntaxError as error:
        reading.problems.append(Problem(f"{shown}:{error.lineno or 1}", _reason(error)))
    else:
        reading.sources.append(Source(shown, body))


def _script_text(data: bytes) -> str | bytes:
    """The text; bytes where Python has to find out by a line that names the encoding."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:  # names are ASCII, so any encoding that takes all bytes will do
        return data if b"coding" in data[:512] else data.decode("latin-1")


def _read_notebook(data: bytes, shown: str, reading: Reading) -> None:
    try:
        notebook = msgspec.json.decode(data, type=_Notebook, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reading.problems.append(Problem(shown, f"not a notebook: {error}"))
        return
    if notebook.metadata.language_info.name.lower() not in _LANGUAGES:
        return
    body: list[ast.stmt] = []
    cells: list[tuple[int, int]] = []
    line = 1
    everything = [*notebook.cells, *(cell for sheet in notebook.worksheets for cell in sheet.cells)]
    for number, cell in enumerate(everything, 1):
        found = python_cell(_text(cell)) if cell.cell_type == "code" else None
        if found is None:
            continue
        try:
            statements = _parsed_cell(found.text)
        except SyntaxError as error:
            where = f"{shown}:cell {number}:{error.lineno or 1}"
            reading.problems.append(Problem(where, _reason(error)))
            continue
        if found.file:
            reading.sources.append(Source(shown, statements, ((1, number),)))
            continue
        for statement in statements:
            ast.increment_lineno(statement, line - 1)
        body += statements
        cells.append((line, number))
        line += found.text.count("\n") + 1
    reading.sources.append(Source(shown, body, tuple(cells) or ((1, 1),)))


def _text(cell: _NotebookCell) -> str:
    text = cell.source or cell.input
    return text if isinstance(text, str) else "".join(text)


def _parsed_cell(text: str) -> list[ast.stmt]:
    try:
        return parsed(text)
    except SyntaxError:
        return parsed(without_magics(text))


def parsed(text: str | bytes) -> list[ast.stmt]:
    """The statements of a program.

    Raises:
        SyntaxError: It is none, or nested too deeply to be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of its style is not asked
            return ast.parse(text).body
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes; thousands of brackets
        raise SyntaxError(str(error) or type(error).__name__) from error


def _reason(error: SyntaxError) -> str:
    return f"not valid Python: {error.msg}"


def _unreadable(shown: str, error: OSError) -> Problem:
    return Problem(shown, f"not read: {error.strerror or error}")


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
