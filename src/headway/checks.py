"""Checks of what users give, each with a message that says what is accepted."""

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from headway.errors import InvalidValueError

_REFUSED_CATEGORIES: Final = {
    "Cc": "a control character",
    "Cs": "half of a surrogate pair",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,199}")


def check_name(kind: str, value: object, limit: int) -> str:
    """A name or key: not empty, one line, at most ``limit`` characters.

    Args:
        kind: What it names, as it stands in the message ("experiment name", "tag").
        value: What was given.
        limit: The longest that is accepted, in characters.
    """
    text = _check_string(kind, value)
    if not text.strip():
        raise InvalidValueError(f"{kind} is empty: give 1 to {limit} characters")
    if text.isascii() and text.isprintable():
        found = None
    else:
        found = next((c for c in text if unicodedata.category(c) in _REFUSED_CATEGORIES), None)
    if found is not None:
        what = _REFUSED_CATEGORIES[unicodedata.category(found)]
        raise InvalidValueError(
            f"{kind} {text!r} holds {what} ({found!r}): give one line of printable text"
        )
    _check_length(kind, text, limit)
    return text


def check_text(kind: str, value: object, limit: int) -> str:
    """A free text such as a description: any UTF-8 of at most ``limit`` characters, lines too."""
    text = _check_string(kind, value)
    found = next((c for c in text if unicodedata.category(c) == "Cs" or c == "\0"), None)
    if found is not None:
        raise InvalidValueError(
            f"{kind} holds {found!r}, which cannot be stored as UTF-8 text: remove it"
        )
    _check_length(kind, text, limit)
    return text


def check_labels(
    kind: str, labels: object, *, key_limit: int, value_limit: int
) -> dict[str, str | None]:
    """Tags or properties: a dict of names to texts or None."""
    if not isinstance(labels, Mapping):
        raise InvalidValueError(
            f"{kind}s were given as {type(labels).__name__} {labels!r}: give a dict, "
            f"such as {{'quality': 'good'}}"
        )
    checked: dict[str, str | None] = {}
    for key, value in cast("Mapping[object, object]", labels).items():
        name = check_name(f"{kind} key", key, key_limit)
        checked[name] = (
            None if value is None else check_value(f"value of {kind} {name!r}", value, value_limit)
        )
    return checked


def check_value(kind: str, value: object, limit: int) -> str:
    """The value of a tag or property: a text without control characters, but it may be empty."""
    text = _check_string(kind, value)
    return check_name(kind, text, limit) if text.strip() else text


def check_run_id(value: object) -> str:
    """A run id: letters, digits, ``_``, ``-`` and ``.``, at most 200, beginning with either."""
    text = _check_string("run id", value)
    if not _RUN_ID.fullmatch(text):
        raise InvalidValueError(
            f"run id {text!r} is not accepted: give 1 to 200 ASCII letters, digits, '_', '-' or "
            "'.', beginning with a letter or digit, or leave it out to have one made"
        )
    return text


def check_file_path(value: object, limit: int) -> str:
    """The name of a run's file: relative, with forward slashes, without ``.`` or ``..`` parts."""
    text = check_name("file name", value, limit)
    parts = text.split("/")
    if text.startswith("/") or "\\" in text or any(part in {"", ".", ".."} for part in parts):
        raise InvalidValueError(
            f"file name {text!r} is not accepted: give a relative path with forward slashes and "
            "without '.', '..' or empty parts, such as 'outputs/model.pkl'"
        )
    return text


def path_below(folder: Path, name: str) -> Path:
    """Where a file is written by its name, which another machine may have chosen.

    Raises:
        InvalidValueError: The name leads out of the folder.
    """
    if "\0" in name or any(part in {"", ".", ".."} for part in name.split("/")):
        raise InvalidValueError(
            f"the file {name[:200]!r} is not written, because its name leads out of the folder "
            f"{str(folder)!r}: fetch it under another name"
        )
    return folder / name


def _check_string(kind: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(
            f"{kind} was given as {type(value).__name__} {value!r}: give a string"
        )
    return value


def _check_length(kind: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise InvalidValueError(
            f"{kind} has {len(text)} characters, beginning {text[:40]!r}: at most {limit} are "
            "accepted"
        )
