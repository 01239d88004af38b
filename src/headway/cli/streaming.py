"""Following a run: what it writes, as it writes it, until it has ended."""

import sys
from collections.abc import Callable
from typing import Final

from headway.api import Api
from headway.cli import times
from headway.cli.output import say
from headway.model import Run, Status
from headway.sdk.runs.following import LOG_NAME

WATCH_S: Final = 10.0
"""How long one question waits; an answer comes at once when there is something to say."""

FAILED: Final = 7
INTERRUPTED: Final = 130


def follow(api: Api, run_id: str, write: Callable[[bytes], None], offset: int = 0) -> Run:
    """Pass on what a run writes from an offset on, until it has ended; return it then."""
    while True:
        update = api.runs.watch(run_id, log=LOG_NAME, offset=offset, timeout_s=WATCH_S)
        if update.log.data:
            write(update.log.data)
        offset = update.log.next_offset
        if update.run.status.ended and not update.log.data:
            return update.run


def ignore(_: bytes) -> None:
    """Write nothing."""


def exit_code(run: Run) -> int:
    """What waiting for a run ends with: 0 if it completed, 7 if not."""
    return 0 if run.status is Status.COMPLETED else FAILED


def say_end(run: Run) -> None:
    """Say how a run ended."""
    say(f"headway: run {run.id}: {ending(run)}")


def ending(run: Run) -> str:
    """How a run ended, in words."""
    text = str(run.status)
    if run.started_at is not None:
        text += f" after {times.took(run, times.now())}"
    return f"{text} ({run.error.message})" if run.error else text


def say_after_interrupt(text: str) -> None:
    """Say something on a line of its own: a terminal shows ^C without an end of line."""
    say(f"\n{text}" if sys.stderr.isatty() else text)


def say_left(run_id: str) -> int:
    """Say that a run goes on although nobody waits for it here any more."""
    say_after_interrupt(
        f"headway: run {run_id} goes on; follow it with 'headway logs -f {run_id}', "
        f"stop it with 'headway cancel {run_id}'"
    )
    return INTERRUPTED
