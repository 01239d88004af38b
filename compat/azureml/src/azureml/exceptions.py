"""Errors under the names of the original.

Most of them are Headway's own classes, so that ``except UserErrorException`` catches what Headway
raises. Where Headway tells more apart than the original did, a name stands for all of them.
"""

from headway.errors import (
    AccessError,
    ComputeTargetNotFoundError,
    HeadwayError,
    ModelNotFoundError,
    ModelPathNotFoundError,
    RunContextError,
    RunFailedError,
    RunFileExistsError,
    SnapshotError,
    SubmissionError,
    UserError,
)

AzureMLException = HeadwayError
ServiceException = HeadwayError

ActivityFailedException = RunFailedError
AuthenticationException = AccessError
AzureMLAggregatedException = RunFileExistsError
ComputeTargetException = ComputeTargetNotFoundError
ExperimentExecutionException = SubmissionError
ModelNotFoundException = ModelNotFoundError
ModelPathNotFoundException = ModelPathNotFoundError
RunEnvironmentException = RunContextError
SnapshotException = SnapshotError

ProjectSystemException = UserError
RunConfigurationException = UserError
UserErrorException = UserError
WebserviceException = UserError
WorkspaceException = UserError


class DatasetTimestampMissingError(AzureMLException):
    """Datasets have no timestamp columns; never raised."""


class DiscoveryUrlNotFoundException(AzureMLException):
    """There is no service to be discovered; never raised."""


class ParallelRunException(AzureMLException):
    """There are no parallel tasks; never raised."""


class TrainingException(AzureMLException):
    """There are no estimators; never raised."""


class WorkspacePrivateEndpointException(AzureMLException):
    """There are no private endpoints; never raised."""


__all__ = [
    "ActivityFailedException",
    "AuthenticationException",
    "AzureMLAggregatedException",
    "AzureMLException",
    "ComputeTargetException",
    "DatasetTimestampMissingError",
    "DiscoveryUrlNotFoundException",
    "ExperimentExecutionException",
    "ModelNotFoundException",
    "ModelPathNotFoundException",
    "ParallelRunException",
    "ProjectSystemException",
    "RunConfigurationException",
    "RunEnvironmentException",
    "ServiceException",
    "SnapshotException",
    "TrainingException",
    "UserErrorException",
    "WebserviceException",
    "WorkspaceException",
    "WorkspacePrivateEndpointException",
]
