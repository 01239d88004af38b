"""Models as the workspace keeps them: what is asked for, and what is found."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Final, cast

from headway.assets import Asset, AssetQuery, NewAsset
from headway.errors import InvalidValueError
from headway.sdk.labels import as_texts
from headway.sdk.models.labels import LabelList, labels_wanted

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


def new_model(
    name: object,
    tags: Mapping[str, object] | None,
    properties: Mapping[str, object] | None,
    description: str | None,
    definition: Mapping[str, object],
    run_id: str | None = None,
) -> NewAsset:
    """The request for the next version of a model.

    Raises:
        InvalidValueError: The name is not accepted.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidValueError(
            f"model name {name!r} is not accepted: give 1 to 255 letters, digits, '.', '_' and "
            "'-', beginning with a letter or digit"
        )
    return NewAsset(
        id=str(uuid.uuid4()),
        kind="model",
        name=name,
        description=description,
        definition=definition_of(definition),
        tags=as_texts("tag", tags or {}),
        properties=as_texts("property", properties or {}),
        run_id=run_id,
    )


def definition_of(given: Mapping[str, object]) -> dict[str, object]:
    """What is given, as JSON can hold it."""
    return {key: plain(value) for key, value in given.items() if value is not None}


def plain(value: object) -> object:
    """A value as JSON can hold it; an object with an id or a name stands for that."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in cast("Sequence[object]", value)]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    known = getattr(value, "id", None) or getattr(value, "name", None)
    return str(known or value)


def datasets_of(definition: Mapping[str, object]) -> dict[str, list[object]]:
    """The datasets of a model by their purpose."""
    found: dict[str, list[object]] = {}
    for pair in cast("list[object]", definition.get("datasets") or []):
        purpose, dataset = cast("tuple[str, object]", pair)
        found.setdefault(purpose, []).append(dataset)
    return found


def model_query(
    name: str | None,
    tags: LabelList,
    properties: LabelList,
    run_id: str | None,
    *,
    latest: bool = False,
    version: int | None = None,
) -> AssetQuery:
    """Which models are looked for."""
    tag_pairs, tag_keys = labels_wanted("tag", tags)
    property_pairs, property_keys = labels_wanted("property", properties)
    return AssetQuery(
        "model",
        name=name,
        run_id=run_id,
        tags=tag_pairs,
        has_tags=tag_keys,
        properties=property_pairs,
        has_properties=property_keys,
        latest=latest,
        version=version,
    )


def is_of(record: Asset, framework: str | None) -> bool:
    """Whether a model is of a framework; None for any."""
    return framework is None or record.definition.get("framework") == framework
