"""What comes before and around a program: imports, submission, cancellation."""

import subprocess
import time
from typing import Final, cast

from benchmarks.contests.field import Field
from benchmarks.peers.asking import FailedError, Participant, Store, ask
from benchmarks.peers.installing import last_line

PATIENCE_S: Final = 120.0


def imports(field: Field) -> None:
    """A fresh process that imports what a program needs to log, above one that imports nothing."""
    for number in field.rounds(11, 4):
        for one in _without_servers(field):
            with field.attempt(one, "import.above"):
                store = field.store(one)
                bare_s = _python(one, store, "pass")
                took_s = _python(one, store, one.peer.statement)
                if number:  # the first reads the files from the disk, or compiles them
                    field.record(one, "import.above", max(0.0, took_s - bare_s))


def _without_servers(field: Field) -> list[Participant]:
    """A peer's server has no part in imports and programs: it is measured once."""
    return [one for one in field.standing if not one.peer.server]


def _python(one: Participant, store: Store, code: str) -> float:
    started = time.perf_counter()
    try:
        done = subprocess.run(
            [one.python, "-c", code],
            env=one.environment(store),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
    except subprocess.TimeoutExpired as error:
        raise FailedError(f"took longer than {PATIENCE_S:g} s") from error
    if done.returncode:
        raise FailedError(last_line(done.stderr))
    return time.perf_counter() - started


def submit(field: Field) -> None:
    """From the call that starts a script to the first line of the script."""
    _launch(field, "submit", "submit.begins")


def cancel(field: Field) -> None:
    """From the call that cancels a sleeping script until it has returned and the script is gone."""
    _launch(field, "cancel", "cancel.gone")


def _launch(field: Field, verb: str, key: str) -> None:
    for _ in field.rounds(3, 1):
        for one in _without_servers(field):
            with field.attempt(one, key):
                store = field.store(one)
                times = 2 if one.peer.package else 5
                answer = ask(one, store, verb, PATIENCE_S, times=times)
                field.record(one, key, *cast("list[float]", answer["taken_s"]))
