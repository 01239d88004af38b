"""``headway logs``: what a run wrote, and what it goes on writing."""

from collections.abc import Iterator
from typing import Final

import click

from headway.api import Api
from headway.cli.call import Call, shared_options
from headway.cli.opening import find_run, open_workspace
from headway.cli.output import write_bytes, write_json, write_json_line
from headway.cli.streaming import follow, say_end, say_left
from headway.errors import RunFileNotFoundError
from headway.model import LogPart, Run
from headway.sdk.following import LOG_NAME

_BLOCK_BYTES: Final = 1 << 16


@click.command(name="logs")
@click.argument("run")
@click.option("--follow", "-f", "follow_it", is_flag=True, help="Go on until the run has ended.")
@click.option("--tail", "-n", type=click.IntRange(min=0), metavar="N", help="Only the last lines.")
@click.option("--experiment", "-e", help="Where @N and latest look.")
@shared_options
@click.pass_obj
def command(call: Call, run: str, follow_it: bool, tail: int | None, experiment: str | None) -> int:
    """Print what RUN wrote to standard output and standard error, byte for byte.

    With --follow --json each piece is one line of JSON.
    """
    api = open_workspace(call).api
    found = find_run(api, run, experiment)
    if found.definition is None:
        raise RunFileNotFoundError(
            f"run {found.id} has no log: it is interactive, so its output went to the terminal of "
            "its own process"
        )
    offset = 0 if tail is None else _tail_offset(api, found, tail)
    if follow_it:
        return _follow(call, api, found, offset)
    if call.json:
        text = b"".join(_stretches(api, found, offset)).decode("utf-8", "replace")
        write_json({"run_id": found.id, "log": LOG_NAME, "offset": offset, "text": text})
        return 0
    for data in _stretches(api, found, offset):
        write_bytes(data)
    return 0


def _stretches(api: Api, run: Run, offset: int) -> Iterator[bytes]:
    """The log from an offset to where it ends now."""
    while data := (part := _part(api, run, offset)).data:
        yield data
        offset = part.next_offset


def _part(api: Api, run: Run, offset: int) -> LogPart:
    return api.runs.watch(run.id, log=LOG_NAME, offset=offset, timeout_s=0.0).log


def _tail_offset(api: Api, run: Run, lines: int) -> int:
    """Where the last lines begin; found from the end, however long the log is."""
    end = next((e.size_bytes for e in api.files.list(run.id, LOG_NAME) if e.path == LOG_NAME), 0)
    if not lines:
        return end
    start, wanted = end, lines + 1  # the end of the line before is found, too
    while start:
        before = max(0, start - _BLOCK_BYTES)
        block = _part(api, run, before).data[: start - before]
        if start == end and not block.endswith(b"\n"):
            wanted -= 1  # the last line has no end yet
        at = len(block)
        while wanted and (at := block.rfind(b"\n", 0, at)) >= 0:
            wanted -= 1
        if not wanted:
            return before + at + 1
        start = before
    return 0


def _follow(call: Call, api: Api, run: Run, offset: int) -> int:
    try:
        ended = follow(api, run.id, _write_line if call.json else write_bytes, offset)
    except KeyboardInterrupt:
        return say_left(run.id)
    say_end(ended)
    return 0


def _write_line(data: bytes) -> None:
    write_json_line({"text": data.decode("utf-8", "replace")})
