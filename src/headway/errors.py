"""Every error that Headway raises, as one tree.

    HeadwayError
    ├── UserError                    what was given or asked for is wrong, and stays so
    │   ├── InvalidValueError        an argument is not what the call accepts
    │   │   ├── FilterError          a filter expression cannot be read
    │   │   └── TooLargeError        more bytes or items than a server takes in
    │   ├── ConfigurationError       a setting or a config file is wrong
    │   │   └── MissingPackageError  this Python lacks a package that Headway needs for it
    │   ├── NotFoundError            there is no such thing
    │   │   ├── WorkspaceNotFoundError
    │   │   ├── ExperimentNotFoundError
    │   │   ├── RunNotFoundError
    │   │   ├── RunFileNotFoundError
    │   │   ├── MetricNotFoundError
    │   │   ├── ModelPathNotFoundError
    │   │   ├── ComputeTargetNotFoundError
    │   │   └── AssetNotFoundError   no such model, environment, dataset or datastore
    │   │       └── ModelNotFoundError
    │   └── ConflictError            it exists already, or says something else already
    │       ├── RunExistsError
    │       ├── RunFileExistsError
    │       ├── PropertyConflictError
    │       └── RunStateError        the run's status does not allow this
    ├── AccessError                  who asks may not do this
    │   ├── UnauthorizedError        no token, or one that is not valid (any more)
    │   ├── ForbiddenError           the token is valid and its scope too small
    │   └── TooManyAttemptsError     too many wrong tokens came from this address
    ├── RunContextError              there is no submitted run around this process
    ├── UnsupportedError             it needs a service that Headway does not have
    ├── SnapshotError                a source directory cannot be kept
    ├── SubmissionError              a run could not be started or is still being executed
    ├── RunFailedError               the run that was waited for failed
    └── StorageError                 the workspace cannot be read or written
        ├── StorageBusyError         others held the database for too long
        ├── StorageFullError         no space is left
        ├── ServerUnavailableError   the server does not answer, or not now
        ├── StorageCorruptError      what is stored is damaged
        └── StorageVersionError      the database was written by a newer Headway

The message of each says what was given, what is accepted and what to do next. ``ERROR_CODES``
maps each class to the word that programs see, an HTTP status and an exit code of the command.
"""

from typing import Final, NamedTuple


class HeadwayError(Exception):
    """The root of every error raised on purpose.

    Attributes:
        message: The text shown to a person.
        transient: Whether the same call may succeed when it is made again unchanged.
    """

    transient: bool = False

    def __init__(self, message: str, *, inner_exception: BaseException | None = None) -> None:
        super().__init__(message)
        self.message = message
        if inner_exception is not None:  # None too would hide what it was raised while handling
            self.__cause__ = inner_exception

    @property
    def inner_exception(self) -> BaseException | None:
        """The exception that it was raised from, if there was one."""
        return self.__cause__

    @property
    def status_code(self) -> int:
        """The HTTP status that a server answers such an error with."""
        return code_of(self).http_status


class UserError(HeadwayError):
    """What was given or asked for is wrong; the same call fails again."""


class InvalidValueError(UserError, ValueError):
    """An argument is not what the call accepts."""


class FilterError(InvalidValueError):
    """A filter expression cannot be read.

    Attributes:
        position: Where in the expression, counted in characters from 0.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class TooLargeError(InvalidValueError):
    """A request has more bytes or more items than a server takes in."""


class ConfigurationError(UserError):
    """A setting, an environment variable or a config file is wrong."""


class MissingPackageError(ConfigurationError):
    """This Python has not all packages of Headway, and what was asked needs one that is missing."""


class NotFoundError(UserError, LookupError):
    """There is no such thing in this workspace."""


class WorkspaceNotFoundError(NotFoundError):
    """There is no workspace of that name or at that place."""


class ExperimentNotFoundError(NotFoundError):
    """There is no such experiment."""


class RunNotFoundError(NotFoundError):
    """There is no such run."""


class RunFileNotFoundError(NotFoundError):
    """The run has no such file or log."""


class MetricNotFoundError(NotFoundError):
    """The run has no such metric, or the table no such column."""


class ModelPathNotFoundError(NotFoundError):
    """There is no such file or folder to make a model of."""


class ComputeTargetNotFoundError(NotFoundError):
    """There is no such compute target."""


class AssetNotFoundError(NotFoundError):
    """There is no such environment, dataset or datastore, or no such version of it."""


class ModelNotFoundError(AssetNotFoundError):
    """There is no such model, or no such version of it."""


class ConflictError(UserError):
    """It exists already, or says something else already."""


class RunExistsError(ConflictError):
    """A run with this id exists and is not the same."""


class RunFileExistsError(ConflictError):
    """The run has a file of that name already."""


class PropertyConflictError(ConflictError):
    """A property is set once; this one has another value."""


class RunStateError(ConflictError):
    """The run's status does not allow this."""


class AccessError(HeadwayError):
    """Who asks may not do this."""


class UnauthorizedError(AccessError):
    """A server needs a token, and none was sent, or one that is not valid or not any more."""


class ForbiddenError(AccessError):
    """The scope of the token, or of its user in this workspace, is too small for this."""


class TooManyAttemptsError(AccessError):
    """Too many wrong tokens came from this address: this one was not valid either."""


class RunContextError(HeadwayError):
    """This process was not started by a submitted run."""


class UnsupportedError(HeadwayError):
    """It needs a service that Headway does not have; the message names what to do instead."""


class SnapshotError(HeadwayError):
    """A source directory cannot be kept with the run."""


class SubmissionError(HeadwayError):
    """A run could not be started, or waiting for it was interrupted while it goes on."""


class RunFailedError(HeadwayError):
    """The run that was waited for ended as Failed."""


class StorageError(HeadwayError):
    """The workspace cannot be read or written."""


class StorageBusyError(StorageError):
    """Other processes held the database for longer than the patience set."""

    transient = True


class StorageFullError(StorageError):
    """No space is left where the workspace is."""

    transient = True


class ServerUnavailableError(StorageError):
    """The server of the workspace does not answer, or says that it cannot for now."""

    transient = True


class StorageCorruptError(StorageError):
    """What is stored is damaged."""


class StorageVersionError(StorageError):
    """The database was written by a newer Headway than this one."""


class ErrorCode(NamedTuple):
    """How one class of error looks from outside the process."""

    code: str
    """The word in JSON answers; stable for ever."""
    http_status: int
    exit_code: int
    """Exit status of the ``headway`` command."""


ERROR_CODES: Final[dict[type[HeadwayError], ErrorCode]] = {
    HeadwayError: ErrorCode("error", 500, 1),
    UserError: ErrorCode("user_error", 400, 2),
    InvalidValueError: ErrorCode("invalid_value", 400, 2),
    FilterError: ErrorCode("invalid_filter", 400, 2),
    TooLargeError: ErrorCode("too_large", 413, 2),
    ConfigurationError: ErrorCode("invalid_configuration", 400, 3),
    MissingPackageError: ErrorCode("missing_package", 500, 3),
    NotFoundError: ErrorCode("not_found", 404, 4),
    WorkspaceNotFoundError: ErrorCode("workspace_not_found", 404, 4),
    ExperimentNotFoundError: ErrorCode("experiment_not_found", 404, 4),
    RunNotFoundError: ErrorCode("run_not_found", 404, 4),
    RunFileNotFoundError: ErrorCode("file_not_found", 404, 4),
    ModelPathNotFoundError: ErrorCode("model_path_not_found", 404, 4),
    ComputeTargetNotFoundError: ErrorCode("compute_target_not_found", 404, 4),
    AssetNotFoundError: ErrorCode("asset_not_found", 404, 4),
    ModelNotFoundError: ErrorCode("model_not_found", 404, 4),
    MetricNotFoundError: ErrorCode("metric_not_found", 404, 4),
    ConflictError: ErrorCode("conflict", 409, 5),
    RunExistsError: ErrorCode("run_exists", 409, 5),
    RunFileExistsError: ErrorCode("file_exists", 409, 5),
    PropertyConflictError: ErrorCode("property_conflict", 409, 5),
    RunStateError: ErrorCode("run_state", 409, 5),
    AccessError: ErrorCode("access", 403, 9),
    UnauthorizedError: ErrorCode("unauthorized", 401, 9),
    ForbiddenError: ErrorCode("forbidden", 403, 9),
    TooManyAttemptsError: ErrorCode("too_many_attempts", 429, 9),
    RunContextError: ErrorCode("no_run_context", 400, 3),
    UnsupportedError: ErrorCode("unsupported", 501, 3),
    SnapshotError: ErrorCode("snapshot", 400, 6),
    SubmissionError: ErrorCode("submission", 500, 6),
    RunFailedError: ErrorCode("run_failed", 409, 7),
    StorageError: ErrorCode("storage", 500, 8),
    StorageBusyError: ErrorCode("storage_busy", 503, 8),
    StorageFullError: ErrorCode("storage_full", 507, 8),
    ServerUnavailableError: ErrorCode("server_unavailable", 503, 8),
    StorageCorruptError: ErrorCode("storage_corrupt", 500, 8),
    StorageVersionError: ErrorCode("storage_version", 500, 8),
}


def code_of(error: HeadwayError) -> ErrorCode:
    """The outside look of an error, that of its nearest class in the table."""
    for cls in type(error).__mro__:
        if issubclass(cls, HeadwayError) and cls in ERROR_CODES:
            return ERROR_CODES[cls]
    return ERROR_CODES[HeadwayError]
