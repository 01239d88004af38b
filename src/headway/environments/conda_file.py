"""Reading conda environment files."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, cast

import yaml

from headway.environments.pip_file import Requirements, take_line
from headway.environments.spec import check_python, read_file
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec

_ACCEPTED: Final = ("name", "channels", "dependencies", "variables", "prefix")
_EXAMPLE: Final = "accepted is YAML such as 'dependencies: [python=3.11, numpy=1.26, {pip: [six]}]'"
_PACKAGE: Final = re.compile(
    r"(?:[\w./:-]+::)?(?P<name>[A-Za-z0-9_][\w.-]*)\s*(?P<version>|[\s=<>!~\[].*)"
)


class _Place(NamedTuple):
    name: str
    folder: Path | None

    def at(self, node: yaml.Node) -> str:
        return f"{self.name}:{node.start_mark.line + 1}"


def conda_specification_file(path: Path, *, name: str | None = None) -> EnvironmentSpec:
    """What a conda environment file asks for.

    Raises:
        InvalidValueError: It cannot be read; the message names the file and the line.
    """
    text = read_file("conda environment file", path)
    return from_conda_specification(text, name=name, path=path)


def from_conda_specification(
    text: str, *, name: str | None = None, path: Path | None = None
) -> EnvironmentSpec:
    """What the text of a conda environment file asks for.

    Python and pip packages are understood; every other conda package is left to conda.

    Args:
        text: The content.
        name: The environment's name; None for the one in the file.
        path: The file it is from, which local paths in its pip section are relative to.

    Raises:
        InvalidValueError: Something is not accepted; the message names the file and the line.
    """
    place = _Place(str(path or "conda specification"), path.absolute().parent if path else None)
    sections = _sections(_parse(text, place), place)
    packages: list[str] = []
    pip = Requirements([], [], [])
    python: str | None = None
    for node in _items(sections.get("dependencies"), "dependencies", place):
        if isinstance(node, yaml.MappingNode):
            _take_pip(node, place, pip)
            continue
        dependency = _text(node, "a dependency", place)
        package, version = split_dependency(dependency, place.at(node))
        if package == "python":
            python = _python(version, place.at(node)) or python
        elif package != "pip":  # packages of the pip section are installed by uv
            packages.append(dependency)
    named = sections.get("name")
    return EnvironmentSpec(
        name=name or (_text(named, "name", place) if named else "environment"),
        python=python,
        pip_requirements=pip.requirements,
        pip_options=pip.options,
        pip_constraints=pip.constraints,
        conda_dependencies=packages,
        channels=[
            _text(node, "a channel", place)
            for node in _items(sections.get("channels"), "channels", place)
        ],
        environment_variables=_variables(sections.get("variables"), place),
    )


def conda_specification_text(document: Mapping[str, object]) -> str:
    """The text of a conda environment file.

    Args:
        document: Its sections; what is empty is left out.
    """
    sections = {name: content for name, content in document.items() if content}
    return yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)


def _parse(text: str, place: _Place) -> yaml.Node:
    """The document as nodes: texts as they were written (3.10 is no number), with their lines."""
    try:
        node = yaml.SafeLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = error.problem or error.context
        raise InvalidValueError(f"{place.name}:{line}: no YAML: {problem}; {_EXAMPLE}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidValueError(f"{place.name}: no YAML: {error}; {_EXAMPLE}") from error
    if node is None:
        raise InvalidValueError(f"{place.name} is empty; {_EXAMPLE}")
    return node


def _sections(document: yaml.Node, place: _Place) -> dict[str, yaml.Node]:
    sections: dict[str, yaml.Node] = {}
    for key, value in _pairs(document, "the file", place):
        name = _text(key, "a section's name", place)
        if name not in _ACCEPTED or name in sections:
            problem = "stands twice" if name in sections else "is no section"
            raise InvalidValueError(
                f"{place.at(key)}: {name!r} {problem}; accepted are {', '.join(_ACCEPTED)}"
            )
        sections[name] = value
    return sections


def _take_pip(node: yaml.Node, place: _Place, found: Requirements) -> None:
    for key, value in _pairs(node, "a dependency", place):
        if _text(key, "a dependency", place) != "pip":
            raise InvalidValueError(
                f"{place.at(key)}: {key.value!r} is no list of packages; accepted is 'pip'"
            )
        for item in _items(value, "pip", place):
            line = _text(item, "a pip requirement", place).strip()
            take_line(line, place.at(item), place.folder, found)


def split_dependency(dependency: str, where: str) -> tuple[str, str]:
    """The name of a conda package, in small letters, and what is said of its version.

    Raises:
        InvalidValueError: It is no conda package.
    """
    found = _PACKAGE.fullmatch(dependency.strip())
    if found is None:
        raise InvalidValueError(
            f"{where}: {dependency!r} is no conda package; accepted are 'name', 'name=1.2', "
            "'name>=1,<2' and 'channel::name'"
        )
    return found["name"].lower(), found["version"].strip()


def _python(version: str, where: str) -> str | None:
    """What conda's way of naming a version is in uv's; the build of a package is left out."""
    text = re.sub(r"\s*([=<>!~,])\s*", r"\1", version).strip()
    if text in {"", "*"}:
        return None
    if "|" in text or "[" in text:
        raise InvalidValueError(
            f"{where}: python {version!r} is not understood; give a version, such as "
            "'python=3.11', or a range, such as 'python>=3.9,<3.12'"
        )
    if re.match(r"==?(?!=)", text) and "," not in text:
        text = text.lstrip("=").split("=")[0]
    elif text[0].isdigit():
        text = text.split()[0]
    text = text.removesuffix(".*") if text[0].isdigit() else text
    return check_python(text, where)


def _variables(node: yaml.Node | None, place: _Place) -> dict[str, str]:
    if node is None:
        return {}
    pairs = _pairs(node, "variables", place)
    return {_text(k, "a variable", place): _text(v, "a variable", place) for k, v in pairs}


def _pairs(node: yaml.Node, what: str, place: _Place) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        raise InvalidValueError(f"{place.at(node)}: {what} is no mapping; {_EXAMPLE}")
    yield from cast("list[tuple[yaml.Node, yaml.Node]]", node.value)


def _items(node: yaml.Node | None, what: str, place: _Place) -> list[yaml.Node]:
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise InvalidValueError(f"{place.at(node)}: {what} is no list; {_EXAMPLE}")
    return cast("list[yaml.Node]", node.value)


def _text(node: yaml.Node, what: str, place: _Place) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise InvalidValueError(f"{place.at(node)}: {what} is no text; {_EXAMPLE}")
    return str(node.value)
