"""The sessions of this process: one for each workspace that it has opened, ended when it ends.

A child made by fork begins with none, opens its own when it needs one, and leaves the runs of its
parent alone when it ends.
"""

import atexit
import os
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from headway.sdk.interactive import run_errors
from headway.sdk.interactive.leaving import Leaving, main_frame
from headway.sdk.interactive.session import Session
from headway.sdk.locations import Location
from headway.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


class _Process:
    """What there is once in a process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sessions: dict[Path, Session] = {}
        self.inherited: list[dict[Path, Session]] = []
        self.hooked = False
        self.uncaught: BaseException | None = None


_process = _Process()


def session_for(place: Location, settings: Settings) -> Session:
    """The session of this process with a workspace, opened now if there is none.

    Args:
        place: Where the workspace is; an embedded one is made if it does not exist.
        settings: The settings for a session opened now.
    """
    session = _process.sessions.get(place.folder)
    if session is not None:
        return session
    with _process.lock:
        session = _process.sessions.get(place.folder)
        if session is None:
            session = _opened(place, settings)
            _process.sessions[place.folder] = session
            _hook()
    return session


def _opened(place: Location, settings: Settings) -> Session:
    if place.url:
        from headway.client.workspace import open_remote  # noqa: PLC0415  (brings urllib3)

        remote = open_remote(place.url, place.name, place.folder, settings, say=say)
        return Session(remote, settings, warn=say, backlog=remote.backlog())
    from headway.service.workspace import open_workspace  # noqa: PLC0415  (brings SQLite)

    api = open_workspace(place.folder, settings, name=place.name, say=say)
    return Session(api, settings, warn=say)


def close_sessions() -> None:
    """End every session, as at the end of the process. New ones may be opened afterwards."""
    while _process.sessions:
        _, session = _process.sessions.popitem()
        error = _process.uncaught
        session.finish(None if error is None else run_errors.of_exception(error))


def say(text: str) -> None:
    """Tell the person at the terminal something in one line."""
    print(f"headway: {text}", file=sys.stderr, flush=True)  # noqa: T201  (meant for people)


def _hook() -> None:
    if _process.hooked:
        return
    _process.hooked = True
    leaving = Leaving(main_frame())
    leaving.watch()
    chained = sys.excepthook

    def end() -> None:
        _process.uncaught = _process.uncaught or leaving.failure()
        close_sessions()

    atexit.register(end)

    def note_and_chain(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        _process.uncaught = error
        chained(kind, error, trace)

    sys.excepthook = note_and_chain


def _begin_anew() -> None:
    # The parent's sessions are kept unused: to collect them would close its SQLite handles.
    _process.inherited.append(_process.sessions)
    _process.sessions = {}
    _process.lock = threading.Lock()
    _process.uncaught = None


os.register_at_fork(after_in_child=_begin_anew)
