"""Reading requirements files, as pip takes them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from headway.checks import check_name
from headway.environments.requirement import check_requirement, expanded, masked
from headway.environments.spec import MAX_LINE_CHARS, read_file
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec

_COMMENT: Final = re.compile(r"(^|\s+)#.*$")
_OPTION: Final = re.compile(r"(?P<name>--[a-z-]+|-[A-Za-z])(?:\s*=\s*|\s*)(?P<value>.*)")
_LONG: Final = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "-f": "--find-links",
}
_WITH_VALUE: Final = {
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--no-binary",
    "--only-binary",
}
_ALONE: Final = {"--no-index", "--pre"}
_ACCEPTED: Final = ", ".join(
    ["--requirement", "--constraint", *sorted(_WITH_VALUE), *sorted(_ALONE)]
)
_DEEPEST: Final = 20


class Requirements(NamedTuple):
    """What one or several files list."""

    requirements: list[str]
    options: list[str]
    constraints: list[str]


class _Place(NamedTuple):
    name: str
    folder: Path | None
    depth: int = 0


def pip_requirements_file(path: Path, *, name: str = "environment") -> EnvironmentSpec:
    """What a requirements file asks for.

    Raises:
        InvalidValueError: It cannot be read; the message names the file and the line.
    """
    return from_pip_requirements(read_file("requirements file", path), name=name, path=path)


def from_pip_requirements(
    text: str, *, name: str = "environment", path: Path | None = None
) -> EnvironmentSpec:
    """What the text of a requirements file asks for.

    Args:
        text: The content.
        name: The environment's name.
        path: The file it is from, which other files and local paths are relative to.

    Raises:
        InvalidValueError: A line is not accepted; the message names the file and the line.
    """
    found = Requirements([], [], [])
    place = _Place(str(path or "requirements"), path.absolute().parent if path else None)
    _read(text, place, found)
    return EnvironmentSpec(
        name=name,
        pip_requirements=found.requirements,
        pip_options=found.options,
        pip_constraints=found.constraints,
    )


def take_line(
    line: str, where: str, folder: Path | None, found: Requirements, *, depth: int = 0
) -> None:
    """Add what one line says, comment and continuations removed.

    Args:
        line: The line.
        where: The file and the line's number, for messages.
        folder: What relative paths start from; None where there is no file.
        found: What to add to.
        depth: How many files include this one.
    """
    line = check_name(f"{where}: the line", line.replace("\t", " "), MAX_LINE_CHARS)
    if not line.startswith("-"):
        found.requirements.append(check_requirement(line, where, folder))
        return
    option = _OPTION.fullmatch(line)
    name = _LONG.get(option["name"], option["name"]) if option else line
    value = option["value"].strip() if option else ""
    if name in {"--requirement", "--constraint"} and value:
        _include(name, value, _Place(where, folder, depth + 1), found)
    elif name == "--editable":
        raise InvalidValueError(
            f"{where}: {masked(line)!r} is not accepted, for what it installs may change after "
            "the run; name a wheel, or 'name @ git+URL@COMMIT', or leave it out and import it "
            "from the source directory, which is kept with the run"
        )
    elif name in _WITH_VALUE and value:
        found.options.append(f"{name} {_absolute(value, folder) if 'links' in name else value}")
    elif name in _ALONE and not value:
        found.options.append(name)
    else:
        raise InvalidValueError(
            f"{where}: {masked(line)!r} is not accepted; accepted are {_ACCEPTED}"
        )


def _read(text: str, place: _Place, found: Requirements) -> None:
    for number, line in _logical_lines(text):
        take_line(line, f"{place.name}:{number}", place.folder, found, depth=place.depth)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, continued ones joined, each with the number of its first."""
    begun: list[str] = []
    first = 0
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.rstrip("\r")
        first = first if begun else number
        # As pip does: a comment line inside a continued one ends it.
        if line.endswith("\\") and not _COMMENT.match(line):
            begun.append(line[:-1])
            continue
        joined = _COMMENT.sub("", "".join([*begun, line])).strip()
        begun = []
        if joined:
            yield first, joined
    if rest := _COMMENT.sub("", "".join(begun)).strip():
        yield first, rest


def _include(option: str, value: str, at: _Place, found: Requirements) -> None:
    shown = masked(value)
    if at.folder is None or "://" in value:
        raise InvalidValueError(
            f"{at.name}: '{option} {shown}' names another file, which cannot be found from here; "
            "give the path of a requirements file beside it, or copy its lines"
        )
    if at.depth > _DEEPEST:
        raise InvalidValueError(
            f"{at.name}: '{option} {shown}' is the {at.depth}th file inside another; do files "
            "include each other?"
        )
    path = at.folder / expanded(value)
    if not path.is_file():
        raise InvalidValueError(
            f"{at.name}: '{option} {shown}' names {str(path)!r}, which does not exist; correct the "
            "path, which is relative to the file"
        )
    text = read_file("requirements file", path)
    inner = Requirements([], [], [])
    _read(text, _Place(str(path), path.parent, at.depth), inner)
    wanted = found.requirements if option == "--requirement" else found.constraints
    wanted += inner.requirements
    found.options.extend(inner.options)
    found.constraints.extend(inner.constraints)


def _absolute(value: str, folder: Path | None) -> str:
    """A folder of archives by its absolute path; what is no folder there is left as it is."""
    if folder is None or "://" in value:
        return value
    return str((folder / expanded(value)).resolve())
