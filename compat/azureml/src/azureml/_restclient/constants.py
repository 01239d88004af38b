"""The words for where a run stands, and for which experiments are listed."""

from typing import Final

from headway.model import Status


class RunStatus:
    """Where a run stands, as plain text: ``run.get_status() == RunStatus.COMPLETED``."""

    NOT_STARTED = Status.NOT_STARTED.value
    QUEUED = Status.QUEUED.value
    PREPARING = Status.PREPARING.value
    PROVISIONING = Status.PROVISIONING.value
    STARTING = Status.STARTING.value
    RUNNING = Status.RUNNING.value
    NOT_RESPONDING = Status.NOT_RESPONDING.value
    FINALIZING = Status.FINALIZING.value
    CANCEL_REQUESTED = Status.CANCEL_REQUESTED.value
    COMPLETED = Status.COMPLETED.value
    FAILED = Status.FAILED.value
    CANCELED = Status.CANCELED.value
    UNAPPROVED = Status.UNAPPROVED.value
    PAUSING = Status.PAUSING.value
    PAUSED = Status.PAUSED.value

    @classmethod
    def list(cls) -> "list[str]":
        """All of them."""
        return [status.value for status in Status]


class ViewType:
    """Which experiments ``Experiment.list`` gives."""

    ActiveOnly: Final = "ActiveOnly"
    ArchivedOnly: Final = "ArchivedOnly"
    All: Final = "All"
