"""What is kept of the reason for which a run failed."""

import traceback

from headway.errors import HeadwayError, InvalidValueError, code_of
from headway.model import RunError

EXIT_CODE = "ExitCode"
USER_ERROR = "UserError"


def run_error(details: object, code: object = None) -> RunError:
    """The record of what ``Run.fail`` was given.

    Args:
        details: A text, an exception, or None.
        code: A word for the kind of error; None for ``UserError``.

    Raises:
        InvalidValueError: One of them is of another type.
    """
    if code is not None and not isinstance(code, str):
        raise InvalidValueError(
            f"error_code was given as {type(code).__name__} {code!r}: give a string"
        )
    if details is None:
        return RunError(code or USER_ERROR, "")
    if isinstance(details, str):
        return RunError(code or USER_ERROR, details)
    if isinstance(details, BaseException):
        return of_exception(details, code)
    raise InvalidValueError(
        "error_details must be instance of string or BaseException, not "
        f"{type(details).__name__}: give the text or the exception"
    )


def of_exception(error: BaseException, code: str | None = None) -> RunError:
    """The record of an exception that ended a run."""
    if isinstance(error, SystemExit):
        return _of_exit(error, code)
    if isinstance(error, HeadwayError):
        code = code or code_of(error).code
    return RunError(
        code or USER_ERROR,
        f"User program failed with {type(error).__name__}: {error}",
        debug_type=type(error).__name__,
        debug_stack_trace="".join(traceback.format_exception(error)),
    )


def _of_exit(error: SystemExit, code: str | None) -> RunError:
    """``sys.exit(3)`` ends with that code; ``sys.exit("a text")`` with 1, and the text."""
    said = error.code
    number = said if isinstance(said, int) else 0 if said is None else 1
    text = "" if said is None or isinstance(said, int) else f": {said}"
    return RunError(
        code or EXIT_CODE, f"the program exited with code {number}{text}", exit_code=number
    )
