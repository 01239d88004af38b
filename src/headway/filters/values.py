"""What is written to what is meant: statuses, instants and durations."""

import difflib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from headway.model import Status

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_WRITABLE: Final = range(
    (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND,
    (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND + 1,
)
"""The years 1 to 9999: what can be written as ISO 8601."""
_SPAN: Final = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([a-z]+)\s*", re.IGNORECASE)
_AGO: Final = re.compile(r"(.+)\sago\s*", re.IGNORECASE)
_UNITS: Final = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3_600,
    "hour": 3_600,
    "d": 86_400,
    "day": 86_400,
    "w": 604_800,
    "week": 604_800,
}
_STATUS_BY_WORD: Final = {status.value.lower(): status for status in Status}

TIME_FORMS: Final = "'2026-11-01', '2026-11-01T10:00:00Z', '7 days ago' or 'now'"
DURATION_FORMS: Final = "seconds, or text such as '2 hours' (units: s, min, h, days, weeks)"


def read_status(text: str) -> Status | None:
    """The status of this name, in any case; None where there is none."""
    return _STATUS_BY_WORD.get(text.strip().lower())


def read_instant(text: str, now: int) -> int | None:
    """An instant as microseconds since 1970 UTC; None where the text is none."""
    stripped = text.strip()
    ago = _AGO.fullmatch(stripped)
    if stripped.lower() == "now" or ago is not None:
        span = read_span(ago[1]) if ago is not None else 0.0
        microseconds = None if span is None else now - round(span * 1_000_000)
    else:
        microseconds = _read_iso(stripped)
    if microseconds is None or microseconds not in _WRITABLE:
        return None
    return microseconds


def write_instant(microseconds: int) -> str:
    """The instant as ``read_instant`` takes it."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()


def _read_iso(text: str) -> int | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - _EPOCH) // _MICROSECOND


def read_span(text: str) -> float | None:
    """A length of time in seconds; None where the text is none."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    word = match[2].lower()
    unit = _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))
    return None if unit is None else float(match[1]) * unit


def nearest(word: str, accepted: Iterable[str]) -> str | None:
    """The accepted word that was most likely meant; None where none is like it."""
    by_lower = {name.lower(): name for name in accepted}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None
