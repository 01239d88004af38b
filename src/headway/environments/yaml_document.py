"""YAML as plain values, for files that hold nothing where ``3.10`` could be taken for a number."""

from collections.abc import Mapping
from typing import cast

import yaml

from headway.errors import InvalidValueError


def read_document(text: str, where: str) -> Mapping[str, object]:
    """The mapping that a text of YAML holds.

    Args:
        text: The text.
        where: The file, for messages.

    Raises:
        InvalidValueError: It is no YAML, or holds something else.
    """
    try:
        document: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidValueError(f"{where} is no YAML: {error}") from error
    if not isinstance(document, dict) or not all(
        isinstance(key, str) for key in cast("dict[object, object]", document)
    ):
        raise InvalidValueError(f"{where} holds no mapping: give a file that was saved as one")
    return cast("Mapping[str, object]", document)


def document_text(document: Mapping[str, object]) -> str:
    """A mapping of plain values as YAML, in its order."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
