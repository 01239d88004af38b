"""Checks of what the calls of the SDK are given, where the workspace does not check it itself."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar, cast

from headway.errors import InvalidValueError
from headway.sdk.labels import as_texts

BATCH_CHILD_TAG: Final = "azureml.batch_child_number"
OUTPUTS: Final = "outputs"
"""The folder whose files are collected at the end of a run."""

_T = TypeVar("_T")
_VIEWS: Final = {"ActiveOnly": False, "ArchivedOnly": True, "All": None}
_START_POSITIONAL: Final = ("name", "run_id", "outputs", "snapshot_directory")
_START_KEYWORDS: Final = (*_START_POSITIONAL, "display_name", "description", "tags", "properties")


def checked(value: object, cls: type[_T], name: str) -> _T:
    """The value, which must be of a class."""
    if isinstance(value, cls):
        return value
    raise InvalidValueError(
        f"{name} was given as {type(value).__name__} {value!r}: give a {cls.__name__}"
    )


def id_text(run_id: object) -> str:
    """A run's id."""
    return checked(run_id, str, "run_id")


def optional_text(value: object, name: str) -> str | None:
    """A text or None."""
    return None if value is None else checked(value, str, name)


def archived(view_type: object) -> bool | None:
    """Which experiments a view shows: archived ones, active ones, or both (None)."""
    if isinstance(view_type, str) and view_type in _VIEWS:
        return _VIEWS[view_type]
    raise InvalidValueError(
        f"view_type was given as {view_type!r}: give one of {', '.join(_VIEWS)}"
    )


def start_arguments(args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
    """The arguments of ``start_logging`` by name."""
    given = dict(zip(_START_POSITIONAL, args, strict=False))
    twice = sorted(given.keys() & kwargs.keys())
    unknown = sorted(kwargs.keys() - set(_START_KEYWORDS))
    if len(args) > len(_START_POSITIONAL) or twice or unknown:
        what = ", ".join(twice or unknown) or f"{len(args)} arguments without a name"
        raise InvalidValueError(
            f"start_logging does not take {what}{' twice' if twice else ''}: accepted are "
            f"{', '.join(_START_KEYWORDS)}"
        )
    return {**given, **kwargs}


def outputs_folder(given: object) -> Path | None:
    """The folder that ``outputs`` of ``start_logging`` or ``child_run`` means; None for none.

    None and True stand for ``./outputs``.
    """
    if given is False:
        return None
    if given is None or given is True:
        given = OUTPUTS
    if not isinstance(given, str | Path) or not str(given):
        raise InvalidValueError(
            f"outputs was given as {type(given).__name__} {given!r}: give a folder, or False to "
            "collect nothing"
        )
    return Path(given).expanduser()


def snapshot_directory(args: tuple[object, ...], kwargs: Mapping[str, object]) -> Path | None:
    """What ``start_logging`` was told to take a snapshot of."""
    given = start_arguments(args, kwargs).get("snapshot_directory")
    if given is None:
        return None
    if not isinstance(given, str | Path):
        raise InvalidValueError(
            f"snapshot_directory was given as {type(given).__name__} {given!r}: give a path, or "
            "None for no snapshot"
        )
    return Path(given)


def batch_tags(count: object, tag_key: object, tag_values: object) -> list[dict[str, str | None]]:
    """The tags of each of the children that ``create_children`` makes."""
    if count is None and tag_key is None and tag_values is None:
        raise InvalidValueError("Either count or tag_key and tag_values must be set")
    if count is not None:
        if tag_key is not None or tag_values is not None:
            raise InvalidValueError("count can not be set when tag_key and tag_values are set")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise InvalidValueError(f"count was given as {count!r}: give a whole number, 0 or more")
        return [{BATCH_CHILD_TAG: str(i)} for i in range(count)]
    if tag_key is None:
        raise InvalidValueError("tag_key must not be null when tag_values is set")
    if tag_values is None:
        raise InvalidValueError("tag_values must not be null when tag_key is set")
    if isinstance(tag_values, str) or not isinstance(tag_values, list | tuple | range):
        raise InvalidValueError(
            f"tag_values were given as {type(tag_values).__name__} {tag_values!r}: give a list"
        )
    values = cast("Iterable[object]", tag_values)
    return [as_texts("tag", {tag_key: value}) for value in values]
