"""How a run ends: completed, failed, canceled, waited for, or with its block of code."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from msgspec.structs import replace

from headway.errors import HeadwayError
from headway.model import CancelOutcome, RunError, Status
from headway.sdk.interactive import run_errors
from headway.sdk.interactive.block import Block
from headway.sdk.interactive.keeping import LOGS
from headway.sdk.interactive.process import say
from headway.sdk.runs import following
from headway.sdk.runs.metrics import RunMetrics

NO_DETAILS: Final = "fail() was called without details"


class RunLife(RunMetrics):
    """The part of ``Run`` about its end."""

    _inner = frozenset({"track"})

    # ------------------------------------------------------------ beginning and ending

    def start(self) -> None:
        """Do nothing: a run is running as soon as it is made."""

    def track(self, outputs: Path | None) -> None:
        """Collect a folder at the end and ``./logs`` as it grows. For Headway's own use.

        Args:
            outputs: The folder, made now; None for none.
        """
        try:
            here = Path.cwd()
            if outputs is not None:
                outputs = here / outputs
                outputs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            say(f"run {self.id}: its outputs and logs are not collected: {error}")
            return
        self._session.keep(self.id, outputs=outputs, logs=here / LOGS)

    def complete(self, _set_status: bool = True) -> None:
        """End it as Completed; what was logged is safe then.

        Raises:
            RunStateError: It is executed by a runner, or ended otherwise.
        """
        if _set_status:
            self._end(Status.COMPLETED, None, "complete() was called")
        else:
            self.flush()

    def fail(
        self,
        error_details: str | BaseException | None = None,
        error_code: str | None = None,
        _set_status: bool = True,
    ) -> None:
        """End it as Failed. A program that is being executed is ended, with all its processes.

        A run that Completed may still be failed: that is a person's judgement.

        Args:
            error_details: A text or an exception.
            error_code: A word for the kind of error; ``UserError`` where none is given.
            _set_status: Whether to end it; if not, only what was logged is moved.
        """
        error = run_errors.run_error(error_details, error_code)
        if not error.message:
            error = RunError(error.code, NO_DETAILS)
        if _set_status:
            self._end(Status.FAILED, error, error.message)
        else:
            self.flush()

    def cancel(self) -> CancelOutcome | None:
        """Cancel it, with all its processes.

        Returns:
            CANCELED, CANCEL_REQUESTED where the program still has its grace period, or
            ALREADY_ENDED where nothing was done. None in the run's own program, which cannot
            cancel itself.
        """
        if not self._session.owns(self.id):
            return self._api.runs.cancel(self.id)
        if self._refresh().status.ended:
            return CancelOutcome.ALREADY_ENDED
        self._end(Status.CANCELED, None, "cancel() was called")
        return CancelOutcome.CANCELED

    def wait_for_completion(
        self,
        show_output: bool = False,
        wait_post_processing: bool = False,
        raise_on_error: bool = True,
    ) -> dict[str, object]:
        """Wait until the run has ended; Ctrl-C leaves it running.

        Args:
            show_output: Whether to show what the program writes, as it writes it.
            wait_post_processing: Ignored: the end is always waited for.
            raise_on_error: Whether a run that failed is an error.

        Returns:
            ``get_details()``.

        Raises:
            RunFailedError: The run failed.
            SubmissionError: Ctrl-C was pressed.
        """
        self._record = following.wait(
            self._api,
            self.id,
            url=self.get_portal_url(),
            log=following.main_log(self._record),
            show=sys.stdout if show_output else None,
            raise_on_error=raise_on_error,
        )
        return self.get_details()

    def _end(self, status: Status, error: RunError | None, reason: str) -> None:
        if self._session.end_run(self.id, status, error=error, reason=reason):
            self._refresh()
        else:  # the server is away, and is told later
            self._record = replace(self._record, status=status, error=error)

    def __enter__(self) -> Self:
        if self._session.owns(self.id):
            self._blocks.append(Block(self._session.keep(self.id).printed))
        return self

    def __exit__(
        self,
        exit_type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if os.getpid() != self._pid:
            return  # a forked child on its way out of a block of its parent
        if self._blocks:
            self._blocks.pop().end(value)
        try:
            self._end_block(value)
        except HeadwayError as error:
            if value is None:
                raise
            say(f"run {self.id} could not be ended: {error}")  # the program's own error goes first

    def _end_block(self, value: BaseException | None) -> None:
        status = self._session.status_at_end(self.id)
        if status.ended:
            self._refresh()
            return
        if value is None or (isinstance(value, SystemExit) and value.code in (None, 0)):
            self._end(Status.COMPLETED, None, "its block ended")
        elif isinstance(value, KeyboardInterrupt) and status is Status.CANCEL_REQUESTED:
            self._end(Status.CANCELED, None, "the process was interrupted")
        else:
            error = run_errors.of_exception(value)
            self._end(Status.FAILED, error, error.message)


class SubmittedLife(RunLife):
    """The run that this process is the program of: its runner, not the program, sets its status."""

    def complete(self, _set_status: bool = True) -> None:
        """Move what was logged; the runner completes the run when the program exits with 0."""
        self.flush()

    def fail(
        self,
        error_details: str | BaseException | None = None,
        error_code: str | None = None,
        _set_status: bool = True,
    ) -> None:
        """Say the error on standard error; exit with another code than 0 to fail the run."""
        error = run_errors.run_error(error_details, error_code)
        say(
            f"run.fail: {error.code}: {error.message or NO_DETAILS}; the status of run "
            f"{self.id} is set by its runner: exit with a code other than 0 to fail it"
        )
        self.flush()

    def cancel(self) -> CancelOutcome | None:
        """Do nothing but say so: a program ends itself by exiting."""
        say(
            f"run.cancel does nothing inside the program of run {self.id}: exit, or cancel it from "
            "outside"
        )
        return None

    def _end_block(self, value: BaseException | None) -> None:
        self.flush()
