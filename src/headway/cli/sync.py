"""``headway sync``: send servers what this machine has for them."""

import time
from collections.abc import Iterator
from typing import Final

import click
import msgspec

from headway.cli import times
from headway.cli.call import Call, shared_options
from headway.cli.opening import place_of, settings_of
from headway.cli.output import say, write, write_json, write_json_line
from headway.client.left import Left, Problem, Sender, look
from headway.client.spool import Spool, spools
from headway.client.workspace import RemoteWorkspace, open_remote
from headway.engines.queueing import QueuedLocalEngine, local_compute
from headway.errors import ConfigurationError, HeadwayError, code_of
from headway.hosting.courier import Courier, undelivered
from headway.settings import Settings

_PAUSE_S: Final = 5.0
_REFUSED: Final = 1


class Outcome(msgspec.Struct, frozen=True):
    """What became of what waited for one workspace of a server."""

    location: str
    folder: str
    waited: Left
    waits: Left
    problems: list[Problem] = []
    error: str = ""
    exit_code: int = 0


@click.command(name="sync")
@click.option("--dry-run", is_flag=True, help="Only say what waits; no server is asked.")
@click.option("--watch", is_flag=True, help=f"Go on, every {_PAUSE_S:g} seconds, until Ctrl-C.")
@shared_options
@click.pass_obj
def command(call: Call, dry_run: bool, watch: bool) -> int:
    """Send servers what waits for them on this machine.

    Points, logs, files and ends of runs wait here where a server was away, or where a program was
    killed before it had sent them. Programs that use the same server from here send them too, in
    the background. Any number of these may run at the same time: nothing arrives twice.

    With --workspace only what waits for that one. The exit code is 8 where a server does not
    answer, and 1 where it refuses something for good.
    """
    settings = settings_of(call)
    while True:
        outcomes = [
            _look(spool) if dry_run else _send(spool, settings, quiet=call.json)
            for spool in _chosen(call, settings)
        ]
        _show(call, outcomes, dry_run=dry_run, watch=watch)
        if not watch:
            return max((one.exit_code for one in outcomes), default=0)
        time.sleep(_PAUSE_S)


def _chosen(call: Call, settings: Settings) -> Iterator[Spool]:
    if call.workspace is None:
        yield from spools(settings.home)
        return
    place = place_of(settings)
    if not place.url:
        raise ConfigurationError(
            f"{call.workspace} is a folder: only what is on its way to a server waits; give the "
            "URL of a server, or leave --workspace out"
        )
    if Spool(place.folder).journals.is_dir():
        yield Spool(place.folder)


def _look(spool: Spool) -> Outcome:
    left = look(spool)
    return Outcome(spool.target().location, str(spool.root), left, left)


def _send(spool: Spool, settings: Settings, *, quiet: bool) -> Outcome:
    target = spool.target()
    api = open_remote(target.url, target.workspace, spool.root, settings)
    sender = Sender(api, spool, on_sent=None if quiet else _say_sent)
    waited = look(spool)
    error, code = "", 0
    try:
        if waited.told():
            sender.send_all()
        _deliver_runs(api, spool, settings)
    except HeadwayError as failed:
        error, code = failed.message, code_of(failed).exit_code
    finally:
        api.close()
    code = code or (_REFUSED if sender.problems else 0)
    return Outcome(
        target.location, str(spool.root), waited, look(spool), sender.problems, error, code
    )


def _deliver_runs(api: RemoteWorkspace, spool: Spool, settings: Settings) -> None:
    """Bring over what runs left that were executed on this machine."""
    run_ids = undelivered(spool.layout)
    if run_ids:
        engine = QueuedLocalEngine(local_compute(settings.home), settings.queue_tick_s)
        courier = Courier(api, spool.layout, engine, times.now, api.metrics.drain)
        for run_id in run_ids:
            courier.deliver(run_id)


def _say_sent(text: str) -> None:
    say(f"sent {text}")


def _show(call: Call, outcomes: list[Outcome], *, dry_run: bool, watch: bool) -> None:
    if call.json:
        (write_json_line if watch else write_json)(msgspec.to_builtins(outcomes))
        return
    if not outcomes and not watch:
        write("nothing waits on this machine for a server")
    for one in outcomes:
        if not watch or one.waited.told() or one.error:
            write(f"{one.location}: {_words(one, dry_run=dry_run)}")
        for problem in one.problems:
            say(f"refused: run {problem.run_id}: {problem.what}: {problem.message}")
        if one.error:
            say(f"error: {one.error}")


def _words(one: Outcome, *, dry_run: bool) -> str:
    waits = one.waits.told()
    words = f"waiting: {waits}" if waits else "nothing waits"
    if not dry_run and one.waited.told():
        words = f"still waiting: {waits}" if waits else f"sent {one.waited.told()}"
    if one.waits.refused:
        words += f"; {one.waits.refused} refused by the server, kept in {one.folder}/outbox"
    return words
