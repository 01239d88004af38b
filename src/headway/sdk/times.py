"""Times as the matched API writes them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_time(microseconds: int | None) -> str | None:
    """A time as ISO 8601 in UTC, to the microsecond."""
    if microseconds is None:
        return None
    at = _EPOCH + timedelta(microseconds=microseconds)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
