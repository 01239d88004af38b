"""What is known of a request while it is answered, for the log and for the counters."""

from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

_KEY: Final = "headway.record"


@dataclass(slots=True)
class Record:
    """One request. Nothing here comes from its query, its body or its headers."""

    operation: str = ""
    """The name of the row in the table; empty where there is none."""
    route: str = ""
    """The path, with ``{field}`` in place of values."""
    workspace: str | None = None
    user: str = ""
    error: str = ""
    """The code of the error that was answered."""


def record_of(scope: Scope) -> Record:
    """The record of a request, made when it is first asked for."""
    record = scope.get(_KEY)
    if not isinstance(record, Record):
        record = scope[_KEY] = Record()
    return record
