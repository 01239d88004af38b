"""Times as people read them. All are microseconds since 1970 UTC."""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, cast

from headway.model import Run

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """The time now."""
    return time.time_ns() // 1000


def age(at: int | None, now_us: int) -> str:
    """How long ago something was; beyond a month, the day."""
    if at is None:
        return "-"
    seconds = (now_us - at) / 1e6
    if seconds < 1:
        return "just now"
    for unit, size, limit in (("s", 1, 120), ("min", _MINUTE, 120), ("h", _HOUR, 48)):
        if seconds < limit * size:
            return f"{int(seconds / size)} {unit} ago"
    if seconds < 30 * _DAY:
        return f"{int(seconds / _DAY)} d ago"
    return moment(at)[:10]


def took(run: Run, now_us: int) -> str:
    """How long a run has been running, or ran."""
    if run.started_at is None:
        return "-"
    return duration(((run.ended_at or now_us) - run.started_at) / 1e6)


def duration(seconds: float) -> str:
    """A time span."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE):02} s"
    hours, rest = divmod(int(seconds), _HOUR)
    if hours < 24:
        return f"{hours} h {rest // _MINUTE:02} min"
    return f"{hours // 24} d {hours % 24} h"


def moment(at: int) -> str:
    """A time of day, in this machine's zone."""
    when = _EPOCH + timedelta(microseconds=at)
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def precise(at: int) -> str:
    """A time of day to the millisecond, in this machine's zone."""
    second, rest = divmod(at, 1_000_000)
    return f"{_local_second(second)}.{rest // 1000:03}"


def iso(at: int) -> str:
    """A time as ISO 8601 in UTC, to the microsecond."""
    second, rest = divmod(at, 1_000_000)
    return f"{_utc_second(second)}.{rest:06}Z"


def dated(document: object) -> object:
    """A document with the moments in it, the numbers of keys that end with ``_at``, as ISO 8601."""
    if isinstance(document, list):
        return [dated(one) for one in cast("list[object]", document)]
    if not isinstance(document, dict):
        return document
    return {
        key: iso(value) if key.endswith("_at") and isinstance(value, int) else dated(value)
        for key, value in cast("dict[str, object]", document).items()
    }


@lru_cache(1024)
def _local_second(second: int) -> str:
    return moment(second * 1_000_000)


@lru_cache(1024)
def _utc_second(second: int) -> str:
    return f"{_EPOCH + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S}"


def size(count: int) -> str:
    """A number of bytes."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return (
                f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
            )
        amount /= 1000
    return f"{amount:.1f} TB"
