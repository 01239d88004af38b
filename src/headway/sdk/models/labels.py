"""The tags and properties by which models are looked for."""

from collections.abc import Mapping, Sequence
from typing import cast

from headway.errors import InvalidValueError
from headway.sdk.labels import as_texts

LabelList = str | Mapping[str, object] | Sequence[object] | None
"""A key, a dict, or a list of keys and of pairs ``[key, value]``."""


def labels_wanted(kind: str, given: LabelList) -> tuple[dict[str, str | None], list[str]]:
    """The labels that must be equal, and the keys that must be there.

    Args:
        kind: "tag" or "property".
        given: What was given.

    Raises:
        InvalidValueError: It is something else.
    """
    if given is None:
        return {}, []
    if isinstance(given, str):
        return {}, [given]
    if isinstance(given, Mapping):
        return as_texts(kind, given), []
    pairs: dict[object, object] = {}
    keys: list[str] = []
    for one in given:
        parts = cast("Sequence[object]", one)
        if isinstance(one, str):
            keys.append(one)
        elif isinstance(one, list | tuple) and len(parts) == 2:
            pairs[parts[0]] = parts[1]
        else:
            raise InvalidValueError(
                f"{kind} {one!r} is not accepted: give a key, or a pair [key, value]"
            )
    return as_texts(kind, pairs), keys
