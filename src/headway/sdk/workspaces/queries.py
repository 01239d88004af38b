"""From the filters that users write to the queries that a workspace answers."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple, cast

from headway.api import Runs, pages
from headway.errors import InvalidValueError
from headway.filters import parse_filter, parse_order
from headway.model import Run, RunQuery, Status
from headway.sdk.arguments import checked

PAGE_RUNS = 500
"""Most runs asked for at once."""

LabelFilter = str | Mapping[str, str | None] | None
"""A key that must be there, or pairs that must be equal."""
StatusFilter = str | list[str] | None
Since = datetime | str | int | None
"""A time; as an int, microseconds since 1970. Without a zone it is local time."""


class Listing(NamedTuple):
    """What a listing was asked for."""

    type: str | None = None
    tags: LabelFilter = None
    properties: LabelFilter = None
    status: StatusFilter = None
    include_children: bool = False
    since: Since = None
    limit: int | None = None
    order_by: str | None = None
    filter: str | None = None


def run_query(
    listing: Listing,
    *,
    experiment_id: str | None = None,
    parent_id: str | None = None,
    ancestor_id: str | None = None,
) -> RunQuery:
    """The query that a listing means, for one experiment or below one run.

    Raises:
        InvalidValueError: A filter is of a type that cannot be read.
    """
    tags, has_tags = _labels("tags", listing.tags)
    properties, has_properties = _labels("properties", listing.properties)
    include_children = checked(listing.include_children, bool, "include_children")
    condition, order_by = _expressions(listing)
    return RunQuery(
        experiment_id=experiment_id,
        parent_id=parent_id,
        ancestor_id=ancestor_id,
        include_children=include_children or parent_id is not None or ancestor_id is not None,
        type=_text("type", listing.type),
        tags=tags,
        has_tags=has_tags,
        properties=properties,
        has_properties=has_properties,
        statuses=_statuses(listing.status),
        since=_microseconds(listing.since),
        filter=condition,
        order_by=order_by,
        limit=min(_limit(listing.limit) or PAGE_RUNS, PAGE_RUNS),
    )


def matching(runs: Runs, query: RunQuery, limit: int | None = None) -> Iterator[Run]:
    """The runs of a query, a page fetched when the one before is used up."""
    found = (run for page in pages(runs, query) for run in page.runs)
    return found if limit is None else islice(found, limit)


def _labels(kind: str, given: object) -> tuple[dict[str, str | None], list[str]]:
    """Pairs that must be equal, and keys that must be there."""
    if given is None:
        return {}, []
    if isinstance(given, str):
        return {}, [given]
    if isinstance(given, Mapping):
        pairs = cast("Mapping[object, object]", given)
        return {str(k): None if v is None else str(v) for k, v in pairs.items()}, []
    raise InvalidValueError(
        f"Unknown filter type for run {kind}: {type(given)}; give a key as a string, or a dict of "
        "keys and values"
    )


def _expressions(listing: Listing) -> tuple[str, str]:
    """The filter and the order, which are read here so that mistakes show at once."""
    condition = _text("filter", listing.filter) or ""
    if condition.strip():
        parse_filter(condition, now=0)
    order_by = _text("order_by", listing.order_by)
    if order_by is None:
        return condition, RunQuery().order_by
    parse_order(order_by)
    return condition, order_by


def _statuses(given: object) -> list[Status]:
    words = [given] if isinstance(given, str) else given
    if words is None:
        return []
    if not isinstance(words, list | tuple | set | frozenset):
        raise InvalidValueError(
            f"status was given as {given!r}: give one of {_accepted()}, or a list of them"
        )
    by_word = {status.lower(): status for status in Status}
    statuses: list[Status] = []
    for word in cast("Iterable[object]", words):
        if not isinstance(word, str) or word.lower() not in by_word:
            raise InvalidValueError(f"there is no status {word!r}: give one of {_accepted()}")
        statuses.append(by_word[word.lower()])
    return statuses


def _accepted() -> str:
    return ", ".join(Status)


def _microseconds(given: object) -> int | None:
    if given is None or (isinstance(given, int) and not isinstance(given, bool)):
        return given
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError as error:
            raise InvalidValueError(
                f"since was given as {given!r}: give a time as ISO 8601, such as "
                "'2026-07-01T12:00:00+00:00'"
            ) from error
    if isinstance(given, datetime):
        since_epoch = given.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return (
            since_epoch.days * 86_400_000_000
            + since_epoch.seconds * 1_000_000
            + (since_epoch.microseconds)
        )
    raise InvalidValueError(
        f"since was given as {type(given).__name__} {given!r}: give a datetime, a time as ISO 8601 "
        "or microseconds since 1970"
    )


def _limit(given: object) -> int | None:
    if given is None or (isinstance(given, int) and not isinstance(given, bool) and given > 0):
        return given
    raise InvalidValueError(f"limit was given as {given!r}: give a whole number from 1 on, or None")


def _text(kind: str, given: object) -> str | None:
    if given is None or isinstance(given, str):
        return given
    raise InvalidValueError(
        f"{kind} was given as {type(given).__name__} {given!r}: give a string or None"
    )
