"""What may be asked of an environment: the checks of ``headway.model.EnvironmentSpec``."""

import re
from pathlib import Path
from typing import Final

from headway.checks import check_name
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec

_MAX_TEXT_BYTES: Final = 1 << 20
MAX_LINE_CHARS: Final = 10_000
_MAX_NAME_CHARS: Final = 255
_VERSION: Final = r"\d+(\.\d+){0,2}((a|b|rc)\d+)?"
_ONE_VERSION: Final = re.compile(_VERSION)
_RANGE: Final = re.compile(rf"(==|!=|<=|>=|~=|<|>){_VERSION}(\.\*)?(,(?!$)|$)")
_VARIABLE: Final = re.compile(r"[^=\0]+")


def check_spec(spec: EnvironmentSpec) -> None:
    """See that a specification can be acted upon.

    Raises:
        InvalidValueError: It cannot.
    """
    check_name("environment name", spec.name, _MAX_NAME_CHARS)
    if spec.python is not None:
        check_python(spec.python, f"environment {spec.name!r}")
        if spec.interpreter is not None:
            raise InvalidValueError(
                f"environment {spec.name!r} names both the Python {spec.python!r} and the "
                f"interpreter {spec.interpreter!r}: give one of them"
            )
    lists = {
        "pip requirement": spec.pip_requirements,
        "pip option": spec.pip_options,
        "pip constraint": spec.pip_constraints,
        "conda dependency": spec.conda_dependencies,
        "conda channel": spec.channels,
    }
    for kind, lines in lists.items():
        for line in lines:
            check_name(kind, line, MAX_LINE_CHARS)
    for dependency in (*spec.conda_dependencies, *spec.channels):
        if dependency.startswith("-"):
            raise InvalidValueError(
                f"{dependency!r} is no conda package or channel: give a name, such as "
                "'numpy=1.26' or 'conda-forge'"
            )
    for name, value in spec.environment_variables.items():
        if not _VARIABLE.fullmatch(name) or "\0" in value:
            raise InvalidValueError(
                f"{name!r}={value!r} cannot be an environment variable: give a name without '=' "
                "and texts without NUL"
            )


def check_python(version: str, where: str) -> str:
    """The version or range of Python, as uv takes it."""
    text = version.replace(" ", "")
    rest = text
    while found := _RANGE.match(rest):
        rest = rest[found.end() :]
    if (rest and not _ONE_VERSION.fullmatch(text)) or not text:
        raise InvalidValueError(
            f"{where}: {version!r} is no version of Python; accepted is a version, such as '3.11', "
            "or a range, such as '>=3.9,<3.12'"
        )
    return text


def read_file(kind: str, path: Path) -> str:
    """The text of a file that the user named."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_TEXT_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InvalidValueError(
            f"the {kind} {str(path)!r} cannot be read: {error.strerror}; give the path of a text "
            "file"
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidValueError(
            f"the {kind} {str(path)!r} is not UTF-8 text: save it as that"
        ) from error
    if len(content) > _MAX_TEXT_BYTES:
        raise InvalidValueError(
            f"the {kind} {str(path)!r} is larger than {_MAX_TEXT_BYTES} bytes: give a text file "
            "that lists packages"
        )
    return text
