"""What the contract's tests ask for, again and again."""

import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.api import Api
from headway.metrics.drain import journals_of, read
from headway.metrics.journal import JournalWriter
from headway.model import (
    NewRun,
    Run,
    RunQuery,
    Submission,
)

LOG = "user_logs/std_log.txt"
PATIENCE_S = 10.0


def new_run(
    experiment_id: str,
    *,
    name: str | None = None,
    type: str | None = None,
    parent_id: str | None = None,
    owner_id: str | None = None,
    started: bool = False,
    tags: dict[str, str | None] | None = None,
    properties: dict[str, str | None] | None = None,
) -> NewRun:
    """A request with an id of its own."""
    return NewRun(
        id=str(uuid.uuid4()),
        experiment_id=experiment_id,
        name=name,
        type=type,
        parent_id=parent_id,
        owner_id=owner_id,
        started=started,
        tags=tags or {},
        properties=properties or {},
    )


def ids(api: Api, query: RunQuery) -> list[str]:
    """The ids of one page."""
    return [run.id for run in api.runs.list(query).runs]


def submit(api: Api, experiment_id: str, folder: Path, script: str) -> Run:
    """Submit a Python script of a folder."""
    submission = Submission(
        command=[sys.executable, script], source_directory=str(folder), script=script
    )
    return api.runs.submit(new_run(experiment_id), submission)


def follow(api: Api, run_id: str) -> tuple[Run, bytes]:
    """The run after its end, and its whole log."""
    text = b""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        update = api.runs.watch(run_id, log=LOG, offset=len(text), timeout_s=1)
        text += update.log.data
        if update.run.status.ended and not update.log.data:
            return update.run, text
    raise AssertionError(f"run {run_id} did not end in {PATIENCE_S} s; its log: {text!r}")


def log(api: Api, run_id: str, write: Callable[[JournalWriter], None]) -> None:
    """Log to a run as its process would."""
    writer = open_writer(api.metrics.journal_dir, run_id)
    write(writer)
    writer.close()


def open_writer(folder: Path, run_id: str) -> JournalWriter:
    """A journal writer with the limits of the default settings."""
    return JournalWriter(
        folder,
        run_id,
        uuid.uuid4().hex,
        segment_bytes=1 << 16,
        max_text_bytes=1 << 20,
        max_name_chars=255,
        warn=pytest.fail,
    )


def journal_bytes(folder: Path, run_id: str, values: range) -> bytes:
    """The records of a journal with one series."""
    writer = open_writer(folder, run_id)
    for value in values:
        writer.log("x", value)
    [journal] = journals_of(folder, run_id)
    data = b""
    while part := read(folder, journal, len(data), 1 << 20):
        data += part
    writer.close()
    return data
