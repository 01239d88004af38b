"""The operation that tells of all operations."""

from typing import Final

import msgspec

from headway.wire.operation import Operation, Place
from headway.wire.workspace import Nothing

DESCRIBE: Final = Operation(
    name="describe",
    method="GET",
    path="/openapi.json",
    request=Nothing,
    answer=msgspec.Raw,
    scope=None,
    place=Place.SERVER,
    help="All operations, as an OpenAPI 3.1 document.",
)

OPERATIONS: Final = (DESCRIBE,)
