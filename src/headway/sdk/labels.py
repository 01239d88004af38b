"""Tags and properties as users give them: anything with a text, said aloud where it is changed."""

from collections.abc import Iterable, Mapping
from typing import cast

from headway.errors import InvalidValueError
from headway.sdk.warned import warn


def as_texts(kind: str, labels: object) -> dict[str, str | None]:
    """Labels with every value a text or None.

    Args:
        kind: "tag" or "property".
        labels: What was given.

    Raises:
        InvalidValueError: They are no dict, or a key is no text. Lengths and characters are
            checked where they are stored.
    """
    if not isinstance(labels, Mapping):
        raise InvalidValueError(
            f"{_plural(kind)} were given as {type(labels).__name__} {labels!r}: give a dict, such "
            "as {'quality': 'good'}"
        )
    texts: dict[str, str | None] = {}
    for key, value in cast("Mapping[object, object]", labels).items():
        if not isinstance(key, str):
            raise InvalidValueError(
                f"{kind} key was given as {type(key).__name__} {key!r}: give a string"
            )
        texts[key] = value if value is None or isinstance(value, str) else _text(kind, key, value)
    return texts


def as_keys(kind: str, keys: object) -> list[str]:
    """The keys to remove: a list of them, or one."""
    listed = [keys] if isinstance(keys, str) else keys
    if not isinstance(listed, list | tuple | set | frozenset):
        raise InvalidValueError(
            f"{kind} keys were given as {type(keys).__name__} {keys!r}: give a list of strings"
        )
    found = list(cast("Iterable[object]", listed))
    for key in found:
        if not isinstance(key, str):
            raise InvalidValueError(
                f"{kind} key was given as {type(key).__name__} {key!r}: give a string"
            )
    return cast("list[str]", found)


def _text(kind: str, key: str, value: object) -> str:
    text = str(value)
    warn(
        f"the value of {kind} {key!r} is {type(value).__name__} {value!r}; it is kept as the text "
        f"{text!r}"
    )
    return text


def _plural(kind: str) -> str:
    return "properties" if kind == "property" else f"{kind}s"
