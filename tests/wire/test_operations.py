"""The table of operations, walked: every row can be asked for, done and described."""

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

from headway import client, wire
from headway.accounts import Scope
from headway.errors import ERROR_CODES
from headway.server.handlers.binding import Streaming, Waiting
from headway.server.handlers.everything import HANDLERS
from headway.server.routing import Routes
from headway.wire.forms import DATA, form_of
from headway.wire.openapi import codes_of, statuses_of
from headway.wire.operation import Body, Operation, Stream
from headway.wire.operations import OPERATIONS

every = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
CLIENT = "\n".join(
    path.read_text("utf-8") for path in sorted(Path(client.__path__[0]).rglob("*.py"))
)


def test_names_and_places_are_given_once() -> None:
    assert len({one.name for one in OPERATIONS}) == len(OPERATIONS)
    assert len({(one.method, one.template) for one in OPERATIONS}) == len(OPERATIONS)


@every
def test_an_operation_has_a_handler_of_its_kind(operation: Operation[Any, Any]) -> None:
    handler = HANDLERS.of(operation)
    assert handler is not None
    assert isinstance(handler, Streaming) == (operation.answer is Stream)
    assert isinstance(handler, Waiting) == operation.waits
    if operation.waits:
        assert "timeout_s" in form_of(operation).rest_names
    if operation.answer is Stream:
        assert operation.gives is Body.BYTES


@every
def test_an_operation_is_found_by_its_path(operation: Operation[Any, Any]) -> None:
    path = re.sub(r"\{(\w+)\}", r"<\1>", operation.template)
    found = Routes(OPERATIONS).find(path.replace("<", "%3C").replace(">", "%3E").encode())
    assert found is not None
    route, values = found
    assert route.methods[operation.method] is operation
    assert values == {name: f"<{name}>" for name in re.findall(r"\{(\w+)\}", operation.template)}


@every
def test_whoever_changes_something_needs_more_than_to_read(operation: Operation[Any, Any]) -> None:
    if operation.name in {"login", "describe"}:  # by which one becomes somebody, or learns how to
        assert operation.scope is None
    elif operation.method in {"PUT", "PATCH", "DELETE"} and operation.name != "logout":
        assert operation.scope in {Scope.WRITE, Scope.ADMIN}
    else:
        assert operation.scope is not None


@every
def test_the_fields_of_the_path_are_texts_of_the_request(operation: Operation[Any, Any]) -> None:
    form = form_of(operation)
    hints = operation.request.__annotations__ if form.in_path else {}
    assert all(hints[name] in (str, "str") for name in form.in_path)
    assert form.has_data == (DATA in operation.request.__struct_fields__)


@every
def test_the_errors_of_an_operation_are_known(operation: Operation[Any, Any]) -> None:
    statuses = statuses_of(operation)
    assert statuses == sorted(set(statuses))
    assert all(codes_of(status) for status in statuses)
    known = {row.http_status for row in ERROR_CODES.values()}
    assert set(statuses) <= known
    assert (401 in statuses) == (operation.scope is not None)


@every
def test_the_client_asks_for_it(operation: Operation[Any, Any]) -> None:
    if operation.name == "describe":
        pytest.skip("for programs that are not Headway's")
    module, constant = place_of(operation)
    used = re.search(rf"\b(?:row|table|{module}_row|{module})\.{constant}\b", CLIENT)
    assert used, f"no call of {module}.{constant} in headway.client"


def place_of(operation: Operation[Any, Any]) -> tuple[str, str]:
    """The module of ``headway.wire`` that has a row, and the name that it has there."""
    for info in pkgutil.iter_modules(wire.__path__):
        module = importlib.import_module(f"headway.wire.{info.name}")
        for name, value in vars(module).items():
            if value is operation:
                return info.name, name
    raise AssertionError(f"{operation.name} stands in no module")
