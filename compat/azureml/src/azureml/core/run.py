"""Runs."""

from typing import Final

from azureml._restclient.constants import RunStatus as RunStatus
from headway import Run as Run
from headway import get_run as get_run
from headway.model import ENDED, Status

# the original exports these two, and scripts ask isinstance(run, _OfflineRun)
from headway.sdk.handles import _OfflineRun as _OfflineRun  # pyright: ignore[reportPrivateUsage]
from headway.sdk.handles import _SubmittedRun as _SubmittedRun  # pyright: ignore[reportPrivateUsage]

RUNNING_STATES: Final = [
    status.value
    for status in Status
    if status not in {*ENDED, Status.CANCEL_REQUESTED, Status.FINALIZING}
]
"""The states of a run that has not ended and is not about to."""
