"""What users log, made into the values that a metric can have."""

import operator
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from types import GeneratorType
from typing import Final, SupportsFloat, SupportsIndex, cast

from headway.errors import InvalidValueError
from headway.metrics.slots import MAX_INT, MAX_INTEGER_BITS, MIN_INT
from headway.model import Scalar

_ACCEPTED: Final = (
    "a float, an int, a bool, a str, None, or one number of NumPy, PyTorch, Decimal or the like"
)
_SEQUENCES: Final = (list, tuple, range, GeneratorType, AbstractSet)
_PLAIN: Final = frozenset({float, int, bool, type(None)})


def to_scalar(name: object, value: object, max_text_bytes: int) -> Scalar:
    """The value as one of the five types of a metric.

    Args:
        name: The metric, for the message.
        value: What was given; anything with ``item()``, ``__index__`` or ``__float__`` will do.
        max_text_bytes: Longest text in UTF-8.

    Raises:
        InvalidValueError: It is not one value; the message names the call that is meant.
    """
    plain = cast("Scalar", value) if value.__class__ in _PLAIN else _plain(value)
    if plain is None and value is not None:
        plain = _from_protocols(name, value)
    if isinstance(plain, str):
        _check_text(name, plain, max_text_bytes)
    elif isinstance(plain, int) and plain.bit_length() > MAX_INTEGER_BITS:
        raise InvalidValueError(
            f"metric {name!r} was given an integer of {plain.bit_length()} bits: at most "
            f"{MAX_INTEGER_BITS} are accepted; log a larger one as a text"
        )
    return plain


def to_scalars(name: object, values: object, max_text_bytes: int) -> list[Scalar]:
    """All elements of a list as values of a metric.

    Raises:
        InvalidValueError: It is no list, or an element is not one value.
    """
    to_list = getattr(values, "tolist", None)  # NumPy and PyTorch: far faster than one by one
    elements: object = to_list() if callable(to_list) else values
    if isinstance(elements, str | bytes | Mapping | AbstractSet) or not isinstance(
        elements, Iterable
    ):
        raise InvalidValueError(
            f"metric {name!r} was given {_what(values)} as its list: give a list, tuple, array or "
            "another ordered iterable of values"
        )
    scalars: list[Scalar] = []
    for index, element in enumerate(cast("Iterable[object]", elements)):
        if element.__class__ not in _PLAIN and isinstance(element, (*_SEQUENCES, Mapping)):
            raise InvalidValueError(
                f"element {index} of the list given to metric {name!r} is "
                f"{_what(cast('object', element))}: each element must be {_ACCEPTED}"
            )
        scalars.append(to_scalar(name, element, max_text_bytes))
    return scalars


def to_cell(name: object, column: object, value: object, max_text_bytes: int) -> Scalar:
    """One value of a row, as ``to_scalar`` makes it.

    Raises:
        InvalidValueError: It is not one value.
    """
    if value.__class__ not in _PLAIN and isinstance(value, (*_SEQUENCES, Mapping)):
        raise InvalidValueError(
            f"Rows cannot contain {_what(cast('object', value))}: give column {column!r} of table "
            f"{name!r} {_ACCEPTED}, or use run.log_table(...) for several rows at once"
        )
    return to_scalar(name, value, max_text_bytes)


def to_step(name: object, step: object) -> int | None:
    """The step as an integer of 64 bits, or None.

    Raises:
        InvalidValueError: It is neither.
    """
    if step is None:
        return None
    number = None if isinstance(step, bool) else _integer(step)
    if number is None or not MIN_INT <= number <= MAX_INT:
        raise InvalidValueError(
            f"the step of metric {name!r} was given as {_what(step)} {_short(step)}: give a whole "
            "number of at most 64 bits, or leave it out to have steps counted"
        )
    return number


def _plain(value: object) -> Scalar:
    """A subclass of a plain type as that type (a float of NumPy is one); None for all else."""
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    return None


def _from_protocols(name: object, value: object) -> Scalar:
    item = getattr(value, "item", None)
    if callable(item):
        try:
            value = item()
        except (TypeError, ValueError, RuntimeError) as error:
            raise InvalidValueError(
                f"metric {name!r} was given {_what(value)} that is not one value: use "
                "run.log_list(...) for several"
            ) from error
        if value.__class__ in _PLAIN or isinstance(value, str):
            return cast("Scalar", value)
    number = _number(value)
    if number is None:
        _refuse_collection(name, value)
        raise InvalidValueError(
            f"metric {name!r} was given {_what(value)} {_short(value)}: give {_ACCEPTED}"
        )
    return number


def _number(value: object) -> float | int | None:
    try:
        if hasattr(value, "__index__"):
            return operator.index(cast("SupportsIndex", value))
        if hasattr(value, "__float__"):
            return float(cast("SupportsFloat", value))
    except (TypeError, ValueError, OverflowError):
        return None
    return None


def _integer(step: object) -> int | None:
    if step.__class__ is int:
        return cast("int", step)
    item = getattr(step, "item", None)
    try:
        number = _number(item() if callable(item) else step)
    except (TypeError, ValueError, RuntimeError):
        return None
    if isinstance(number, float):
        return int(number) if number.is_integer() else None
    return number


def _refuse_collection(name: object, value: object) -> None:
    if isinstance(value, Mapping):
        call = "run.log_row(...) or run.log_table(...)"
    elif isinstance(value, _SEQUENCES):
        call = "run.log_list(...)"
    else:
        return
    raise InvalidValueError(
        f"run.log({name!r}, ...) does not take {_what(cast('object', value))}: use {call}"
    )


def _check_text(name: object, text: str, max_text_bytes: int) -> None:
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidValueError(
            f"metric {name!r} was given a text that holds {text[error.start]!r}, which cannot be "
            "stored as UTF-8: remove it"
        ) from error
    if size > max_text_bytes:
        raise InvalidValueError(
            f"metric {name!r} was given a text of {size} bytes: at most {max_text_bytes} are "
            "accepted; keep longer ones as a file with run.upload_file(...)"
        )


def _what(value: object) -> str:
    word = type(value).__name__
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
