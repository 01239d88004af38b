"""The OpenAPI document, of this server's own table."""

from functools import cache
from typing import Final

import msgspec

import headway
from headway.server.context import Context
from headway.server.handlers.binding import bind
from headway.wire import description as row
from headway.wire import openapi
from headway.wire.operations import OPERATIONS
from headway.wire.workspace import Nothing


@cache
def _document() -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(openapi.document(OPERATIONS, headway.__version__)))


def _describe(_context: Context, _ask: Nothing) -> msgspec.Raw:
    return _document()


HANDLERS: Final = (bind(row.DESCRIBE, _describe),)
