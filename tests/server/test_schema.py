"""Requests made up from the OpenAPI document, a few of each operation: none breaks the server."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from tests.server.secured import Secured, secured

import headway
from headway.errors import ERROR_CODES
from headway.wire.failures import FailureAnswer
from headway.wire.openapi import document
from headway.wire.operations import OPERATIONS

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
_EXAMPLES: Final = 3
_CODES: Final = {row.code for row in ERROR_CODES.values()}
_SCHEMA: Final[Any] = schemathesis.openapi.from_dict(document(OPERATIONS, headway.__version__))


@schemathesis.serializer("application/msgpack")  # pyright: ignore[reportUntypedFunctionDecorator]
def packed(_context: object, value: object) -> bytes:
    try:
        return msgspec.msgpack.encode(value, enc_hook=repr)
    except OverflowError:  # MessagePack has no integers beyond 64 bits: something else, then
        return msgspec.json.encode(value, enc_hook=repr)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("server")) as server:
        yield server


@_SCHEMA.exclude(operation_id="logout").parametrize()  # which would end the token that asks
@settings(
    max_examples=_EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_no_request_breaks_the_server(case: Any, server: Secured) -> None:
    if case.path_parameters.get("workspace"):
        case.path_parameters["workspace"] = "default"
    headers = {"Authorization": f"Bearer {server.admin}"}
    response = case.call(base_url=server.url, headers=headers)
    assert response.status_code < 500
    if response.status_code >= 400:
        failure = msgspec.json.decode(response.content, type=FailureAnswer)
        assert failure.error.code in _CODES
        assert failure.error.message
        assert failure.request_id
