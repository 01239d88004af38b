"""The table of operations as an OpenAPI 3.1 document."""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from headway.errors import ERROR_CODES
from headway.wire.failures import FailureAnswer
from headway.wire.forms import DATA, Form, form_of
from headway.wire.operation import Operation, Place, Stream

_REF: Final = "#/components/schemas/{name}"
_BYTES: Final[dict[str, object]] = {"type": "string", "format": "binary"}
_BEARER: Final = "token"

ANY_TIME: Final = frozenset({400, 413, 429, 500, 503})
"""Statuses that every operation may answer with."""


def statuses_of(operation: Operation[Any, Any]) -> list[int]:
    """The statuses of errors that an operation may answer with, ascending."""
    found = set(ANY_TIME)
    if operation.scope is not None:
        found |= {401, 403}
    if "{" in operation.template:
        found.add(404)
    if operation.method != "GET":
        found |= {409, 507}
    return sorted(found)


def document(operations: Iterable[Operation[Any, Any]], version: str) -> dict[str, object]:
    """The whole document.

    Args:
        operations: The table.
        version: Of Headway.
    """
    table = list(operations)
    structs = [one for operation in table for one in _structs(operation)]
    schemas, components = msgspec.json.schema_components(
        structs, schema_hook=_any, ref_template=_REF
    )
    shapes = dict(zip(map(id, structs), schemas, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for operation in table:
        entry = _described(operation, form_of(operation), components, shapes)
        paths.setdefault(operation.template, {})[operation.method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Headway",
            "version": version,
            "description": "Errors are JSON: a code that stays, a message for people, the request "
            "id of the server's log.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer"}},
        },
    }


def codes_of(status: int) -> list[str]:
    """The codes of errors with a status."""
    return sorted(row.code for row in ERROR_CODES.values() if row.http_status == status)


def _any(kind: type) -> dict[str, Any]:
    """What ``object`` may be: any JSON."""
    if kind is not object:
        raise NotImplementedError(kind)
    return {"description": "Any JSON."}


def _structs(operation: Operation[Any, Any]) -> list[Any]:
    """What the document describes of an operation."""
    found: list[Any] = [form_of(operation).rest, FailureAnswer]
    return found if operation.answer is Stream else [*found, operation.answer]


def _described(
    operation: Operation[Any, Any],
    form: Form[Any],
    components: dict[str, Any],
    shapes: dict[int, dict[str, Any]],
) -> dict[str, object]:
    failure = {"application/json": {"schema": shapes[id(FailureAnswer)]}}
    responses: dict[str, object] = {
        "200": {"description": "Done.", "content": _answered(operation, shapes)}
    }
    for status in statuses_of(operation):
        codes = ", ".join(codes_of(status))
        responses[str(status)] = {"description": codes, "content": failure}
    rest = components[form.rest.__name__]
    entry: dict[str, object] = {
        "operationId": operation.name,
        "tags": [operation.name.partition(".")[0]],
        "summary": operation.help,
        "description": _needed(operation),
        "parameters": _parameters(operation, form, rest),
        "responses": responses,
        "security": [] if operation.scope is None else [{_BEARER: []}],
    }
    if form.has_data:
        entry["requestBody"] = {"required": True, "content": {operation.sends: {"schema": _BYTES}}}
    elif not operation.in_query:
        content = {operation.sends: {"schema": shapes[id(form.rest)]}}
        entry["requestBody"] = {"required": bool(rest.get("required")), "content": content}
    return entry


def _answered(
    operation: Operation[Any, Any], shapes: dict[int, dict[str, Any]]
) -> dict[str, object]:
    schema = _BYTES if operation.answer is Stream else shapes[id(operation.answer)]
    return {operation.gives: {"schema": schema}}


def _needed(operation: Operation[Any, Any]) -> str:
    if operation.scope is None:
        return "Open to everybody."
    where = "" if operation.place is Place.WORKSPACE else " Of a token for no single workspace."
    return f"Needs the scope {operation.scope}.{where}"


def _parameters(
    operation: Operation[Any, Any], form: Form[Any], rest: dict[str, Any]
) -> list[dict[str, object]]:
    names = re.findall(r"\{(\w+)\}", operation.template)
    found: list[dict[str, object]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]
    if not operation.in_query:
        return found
    required = rest.get("required", ())
    for name, schema in rest.get("properties", {}).items():
        if name != DATA:
            needed = name in required
            found.append({"name": name, "in": "query", "required": needed, "schema": schema})
    return found
