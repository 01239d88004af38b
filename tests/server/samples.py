"""A request for any row of the table."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect
from msgspec.structs import fields

from headway.wire.forms import Sent, form_of
from headway.wire.operation import Operation


def sample(
    operation: Operation[Any, Any], texts: Mapping[str, str], workspace: str, *, full: bool = False
) -> Sent:
    """A request of an operation as it is sent.

    Args:
        operation: The row.
        texts: What fields of these names hold, where they are texts, or lists of one.
        workspace: Where it is asked for.
        full: Whether it has the fields too that may be left out.
    """
    return form_of(operation).send(_struct(operation.request, texts, full), workspace)


def _struct(kind: type[Any], texts: Mapping[str, str], full: bool) -> Any:
    values = {
        field.name: _value(inspect.type_info(field.type), field.name, texts, full)
        for field in fields(kind)
        if full or field.required or field.name in texts
    }
    return kind(**values)


def _value(kind: inspect.Type, name: str, texts: Mapping[str, str], full: bool) -> Any:
    if isinstance(kind, inspect.UnionType):
        options = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        return _value(options[0], name, texts, full)
    if isinstance(kind, inspect.StrType):
        return texts.get(name, "x")
    if isinstance(kind, inspect.ListType | inspect.CollectionType):
        return [_value(kind.item_type, name.removesuffix("s"), texts, full)]
    if isinstance(kind, inspect.StructType):
        return _struct(kind.cls, texts, full)
    if isinstance(kind, inspect.EnumType):
        return kind.cls(texts[name]) if name in texts else next(iter(kind.cls))
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    plain: dict[type[inspect.Type], Any] = {
        inspect.IntType: 0,
        inspect.FloatType: 0.0,
        inspect.BoolType: False,
        inspect.BytesType: b"",
        inspect.DictType: {},
        inspect.AnyType: {},
    }
    return plain[type(kind)]


def with_path(sent: Sent, old: str, new: str) -> Sent:
    """The same request with other words in its path, as they are."""
    return msgspec.structs.replace(sent, path=sent.path.replace(old, new))
