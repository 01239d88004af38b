"""Waiting for a run, with its log shown as it is written."""

import codecs
import json
import sys
from typing import Protocol, TextIO

from headway.api import Files, Runs
from headway.errors import RunFailedError, SubmissionError
from headway.model import Run, Status
from headway.sdk.interactive.keeping import USER_LOG
from headway.sdk.runs.details import error_dict, warnings_of
from headway.sdk.runs.transfers import LOG_PREFIX

LOG_NAME = f"{LOG_PREFIX}std_log.txt"
"""What the program of a submitted run wrote, standard output and standard error together."""

_WATCH_S = 10.0
"""How long one question waits; an answer comes at once when there is something to say."""
_TAIL_BYTES = 4_000
_TAIL_LINES = 20


class Followed(Protocol):
    """The parts of a workspace that following needs."""

    @property
    def runs(self) -> Runs:
        """Its runs."""
        ...

    @property
    def files(self) -> Files:
        """Their files."""
        ...


def main_log(run: Run) -> str:
    """The log that shows what a run prints; of an interactive one, in its block."""
    return USER_LOG if run.definition is None else LOG_NAME


def wait(
    api: Followed,
    run_id: str,
    *,
    url: str = "",
    log: str = LOG_NAME,
    show: TextIO | None = None,
    raise_on_error: bool = True,
) -> Run:
    """Wait until a run has ended, and return it.

    Args:
        api: The workspace.
        run_id: The run.
        url: Where a person can look at the run.
        log: The log that is shown.
        show: Where to write the log as it grows; None to wait in silence.
        raise_on_error: Whether a run that failed is an error.

    Raises:
        RunFailedError: It failed.
        SubmissionError: Ctrl-C was pressed. The run goes on.
    """
    try:
        run = _follow(api, run_id, url, log, show)
    except KeyboardInterrupt as error:
        raise SubmissionError(
            f"The output streaming for the run was interrupted. The run {run_id} is still "
            f"executing: follow it with `headway logs -f {run_id}` or wait_for_completion("
            f"show_output=True), cancel it with `headway cancel {run_id}` or run.cancel()"
        ) from error
    if show is not None:
        _write_summary(show, run, url, with_error=not raise_on_error)
    if run.status is Status.FAILED and raise_on_error:
        raise RunFailedError(_failure(api, run, log))
    return run


def _follow(api: Followed, run_id: str, url: str, log: str, show: TextIO | None) -> Run:
    """Take the log in until it is complete, written on if somebody looks."""
    if show is not None:
        show.write(f"RunId: {run_id}\nWeb View: {url}\n")
        show.flush()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    offset = 0
    while True:
        update = api.runs.watch(run_id, log=log, offset=offset, timeout_s=_WATCH_S)
        if show is not None and update.log.data:
            if not offset:
                title = f"Streaming {log}"
                show.write(f"\n{title}\n{'=' * len(title)}\n\n")
            _write(show, decoder.decode(update.log.data))
        offset = update.log.next_offset
        if update.run.status.ended and not update.log.data:
            if show is not None:
                _write(show, decoder.decode(b"", final=True))
            return update.run


def _write_summary(show: TextIO, run: Run, url: str, *, with_error: bool) -> None:
    show.write(f"\nExecution Summary\n=================\nRunId: {run.id}\nWeb View: {url}\n")
    lost = warnings_of(run)
    if lost:
        show.write(f"\nWarnings:\n{json.dumps(lost, indent=4)}\n")
    if run.error is not None and with_error:
        show.write(f"\nError:\n{json.dumps({'error': error_dict(run.error)}, indent=4)}\n")
    show.write("\n")
    show.flush()


def _failure(api: Followed, run: Run, log: str) -> str:
    code, text = (run.error.code, run.error.message) if run.error else ("", "no reason is known")
    lines = [f"Activity Failed: run {run.id} failed{f' with {code}' if code else ''}: {text}"]
    tail = log_tail(api, run.id, log)
    if tail:
        lines += [f"The last lines of {log}:", *(f"    {line}" for line in tail)]
        lines.append(f"Read all of it with `headway logs {run.id}` or run.get_all_logs()")
    return "\n".join(lines)


def log_tail(api: Followed, run_id: str, log: str) -> list[str]:
    """The last lines of a log."""
    size = next((e.size_bytes for e in api.files.list(run_id, log) if e.path == log), 0)
    start = max(0, size - _TAIL_BYTES)
    part = api.runs.watch(run_id, log=log, offset=start, timeout_s=0.0).log
    lines = part.data.decode("utf-8", "replace").splitlines()
    return lines[1 if start and len(lines) > 1 else 0 :][-_TAIL_LINES:]


def _write(show: TextIO, text: str) -> None:
    """Write a text even where the terminal cannot show all of its characters."""
    try:
        show.write(text)
    except UnicodeEncodeError:
        encoding = show.encoding or sys.getdefaultencoding()
        show.write(text.encode(encoding, "replace").decode(encoding))
    show.flush()
