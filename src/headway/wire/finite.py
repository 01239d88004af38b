"""JSON has no NaN and no infinities: whoever sends one is told, instead of it becoming null."""

import math
from collections.abc import Mapping
from typing import cast

import msgspec
from msgspec import inspect


def may_hold_floats(kind: type) -> bool:
    """Whether a value of this type may have floats somewhere inside."""
    seen: set[type] = set()
    waiting: list[object] = [inspect.type_info(kind)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, inspect.FloatType | inspect.AnyType | inspect.CustomType):
            return True
        if isinstance(one, inspect.StructType):
            if one.cls not in seen:
                seen.add(one.cls)
                waiting += [field.type for field in one.fields]
        elif isinstance(one, inspect.UnionType):
            waiting += one.types
        elif isinstance(one, inspect.ListType):
            waiting.append(one.item_type)
        elif isinstance(one, inspect.DictType):
            waiting.append(one.value_type)
    return False


def all_finite(value: object) -> bool:
    """Whether every number inside is one that JSON has."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, msgspec.Struct):
        return all(all_finite(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, Mapping):
        return all(all_finite(one) for one in cast("Mapping[object, object]", value).values())
    if isinstance(value, list | tuple):
        return all(all_finite(one) for one in cast("list[object]", value))
    return True
