"""Errors as they travel: a code, the message, and what else the error holds."""

from typing import Final

import msgspec

from headway.errors import (
    ERROR_CODES,
    FilterError,
    HeadwayError,
    ServerUnavailableError,
    StorageError,
    UserError,
    code_of,
)

_CLASSES: Final = {row.code: cls for cls, row in ERROR_CODES.items()}


class Failure(msgspec.Struct, frozen=True):
    """What went wrong."""

    code: str
    """The word of ``headway.errors.ERROR_CODES``."""
    message: str
    details: dict[str, int] = {}
    """Of ``invalid_filter``, the position of what cannot be read."""


class FailureAnswer(msgspec.Struct, frozen=True):
    """The body of every answer that is not the one asked for."""

    error: Failure
    request_id: str = ""
    """By which the server's log names the request."""


def failure_of(error: HeadwayError) -> Failure:
    """The form in which an error travels."""
    details = {"position": error.position} if isinstance(error, FilterError) else {}
    return Failure(code_of(error).code, error.message, details)


def error_of(failure: Failure, http_status: int) -> HeadwayError:
    """The error that travelled. Of a code that a newer server made up, one that fits the status."""
    cls = _CLASSES.get(failure.code)
    if cls is FilterError:
        return FilterError(failure.message, failure.details.get("position", 0))
    return (cls or _class_by_status(http_status))(failure.message)


def _class_by_status(http_status: int) -> type[HeadwayError]:
    if http_status in {502, 503, 504}:
        return ServerUnavailableError
    for cls, row in ERROR_CODES.items():
        if row.http_status == http_status and http_status not in {400, 500}:
            return cls
    return UserError if http_status < 500 else StorageError
