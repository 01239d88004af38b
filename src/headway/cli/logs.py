"""``headway logs``: what a run wrote, and what it goes on writing."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from headway.api import Api
from headway.cli import times
from headway.cli.call import Call, shared_options
from headway.cli.log_lines import Line, Lines
from headway.cli.log_reading import LogReader, named
from headway.cli.opening import find_run, open_workspace
from headway.cli.output import write_bytes
from headway.cli.streaming import say_end, say_left
from headway.errors import InvalidValueError, RunFileNotFoundError
from headway.filters.values import read_instant, read_span
from headway.model import LogPart, Run
from headway.sdk.runs.following import LOG_NAME, main_log

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@click.command(name="logs")
@click.argument("run")
@click.option("--follow", "-f", "follow_it", is_flag=True, help="Go on until the run has ended.")
@click.option("--since", metavar="WHEN", help="Only what was written from then on.")
@click.option("--grep", metavar="REGEX", help="Only lines in which this is found.")
@click.option("--tail", "-n", type=click.IntRange(min=0), metavar="N", help="Only the last lines.")
@click.option("--name", metavar="FILE", help=f"Another of its logs. Default: {LOG_NAME}.")
@click.option("--experiment", "-e", help="Where @N and latest look.")
@shared_options
@click.pass_obj
def command(
    call: Call,
    run: str,
    follow_it: bool,
    since: str | None,
    grep: str | None,
    tail: int | None,
    name: str | None,
    experiment: str | None,
) -> int:
    """Print what RUN wrote to standard output and standard error, byte for byte.

    WHEN is a time span, such as 90s, '10 min' or '2 hours', or a time, such as
    2026-11-01T10:30 (of this machine's zone, unless it names one). About a second
    of what was written before is shown too.

    REGEX is a regular expression of Python. Where it is given, --tail counts the
    lines that match. A line longer than 1 MiB is looked at in pieces of that size.

    With --json each line is one line of JSON: where it begins in the log, and its
    text.
    """
    at = None if since is None else _instant(since, times.now())
    pattern = None if grep is None else _pattern(grep)
    api = open_workspace(call).api
    found = find_run(api, run, experiment)
    reader = LogReader(
        api, found, _default(api, found) if name is None else named(api, found, name)
    )
    begin, skip = (0 if at is None else reader.since(at)), 0
    if tail is not None and pattern is not None:
        begin, skip = reader.matching_tail(begin, tail, pattern)
    elif tail is not None:
        begin = reader.tail(begin, tail)
    parts = reader.follow(begin) if follow_it else reader.parts(begin, reader.size())
    try:
        for data in _shown(parts, pattern, skip, as_json=call.json):
            write_bytes(data)
    except KeyboardInterrupt:
        return say_left(found.id)
    if follow_it:
        say_end(reader.run)
    return 0


def _default(api: Api, run: Run) -> str:
    """The log that shows what a run prints."""
    log = main_log(run)
    if run.definition is None and not api.files.list(run.id, log):
        raise RunFileNotFoundError(
            f"run {run.id} has no log: it is interactive, and what such a run prints is kept while "
            "it is in a block, 'with exp.start_logging() as run:'"
        )
    return log


def _shown(
    parts: Iterable[LogPart], pattern: re.Pattern[str] | None, skip: int, *, as_json: bool
) -> Iterator[bytes]:
    """What to write, a piece for each part that has something to show."""
    if pattern is None and not as_json:
        yield from (part.data for part in parts)
        return
    for lines in _groups(parts):
        chosen = [line for line in lines if pattern is None or line.matches(pattern)]
        skipped = min(skip, len(chosen))
        skip -= skipped
        data = b"".join(_json(line) if as_json else line.data for line in chosen[skipped:])
        if data:
            yield data


def _groups(parts: Iterable[LogPart]) -> Iterator[Iterator[Line]]:
    """The lines that become whole with each part, and those left at the end."""
    lines = Lines()
    for part in parts:
        yield lines.feed(part.data, part.next_offset)
    yield lines.rest()


def _json(line: Line) -> bytes:
    return json.dumps({"offset": line.offset, "text": line.text()}).encode() + b"\n"


def _pattern(given: str) -> re.Pattern[str]:
    try:
        return re.compile(given)
    except re.error as error:
        raise InvalidValueError(
            f"--grep {given!r} is no regular expression: {error}; put a backslash before "
            "characters that shall stand for themselves"
        ) from error


def _instant(given: str, now: int) -> int:
    """A time, or one that is so long ago, in microseconds since 1970 UTC."""
    span = read_span(given)
    if span is not None:
        return now - round(span * 1_000_000)
    try:
        return (datetime.fromisoformat(given.strip()).astimezone() - _EPOCH) // timedelta(
            microseconds=1
        )
    except (ValueError, OverflowError) as error:
        instant = read_instant(given, now)  # '2 hours ago'
        if instant is None:
            raise InvalidValueError(
                f"--since {given!r} is no time: give a span, such as '10 min' or '2h', or a time, "
                "such as '2026-11-01T10:30' or '2026-11-01T10:30+01:00'"
            ) from error
        return instant
