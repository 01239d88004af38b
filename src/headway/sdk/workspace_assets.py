"""What a workspace has registered: models, environments, datasets and datastores."""

from typing import TYPE_CHECKING

from headway.errors import InvalidValueError
from headway.sdk.data.datastore import Datastore, datastores_of
from headway.sdk.environments.environment import Environment
from headway.sdk.models.model import Model, models_of
from headway.sdk.workspaces.secrets import Keyvault
from headway.sdk.workspaces.services import WorkspaceServices
from headway.sdk.workspaces.workspace import WorkspaceBase

if TYPE_CHECKING:
    from headway.sdk.data.file_dataset import FileDataset
    from headway.sdk.data.tabular_dataset import TabularDataset
    from headway.sdk.submission.compute_targets import ComputeTarget


class WorkspaceAssets(WorkspaceServices, WorkspaceBase):
    """The part of ``Workspace`` about what is registered in it."""

    @property
    def models(self) -> dict[str, Model]:
        """The latest version of each model, by name."""
        return models_of(self)

    @property
    def environments(self) -> dict[str, Environment]:
        """The latest version of each registered environment, by name."""
        return Environment.list(self)

    @property
    def datasets(self) -> "dict[str, TabularDataset | FileDataset]":
        """The latest version of each registered dataset, by name."""
        from headway.sdk.data.dataset import Dataset  # noqa: PLC0415  (brings the readers of tables)

        return Dataset.get_all(self)

    @property
    def datastores(self) -> dict[str, Datastore]:
        """The datastores by name; each workspace has two from the beginning."""
        return datastores_of(self)

    @property
    def compute_targets(self) -> "dict[str, ComputeTarget]":
        """Where runs can be submitted to, by name."""
        from headway.sdk.submission.compute_targets import (  # noqa: PLC0415  (brings the engines)
            targets_of,
        )

        return targets_of(self)

    def get_default_datastore(self) -> Datastore:
        """A folder of the workspace, unless another was chosen."""
        return Datastore(self)

    def set_default_datastore(self, name: str) -> None:
        """Choose which datastore ``get_default_datastore`` returns.

        Raises:
            AssetNotFoundError: There is none of that name.
        """
        Datastore(self, name).set_as_default()

    def get_default_keyvault(self) -> Keyvault:
        """The secrets: environment variables and the system's keyring."""
        return Keyvault(self.name)

    def get_default_compute_target(self, type: str) -> "ComputeTarget":
        """This machine.

        Args:
            type: ``CPU`` or ``GPU``.
        """
        if type not in {"CPU", "GPU"}:
            raise InvalidValueError(f"type was given as {type!r}: give 'CPU' or 'GPU'")
        return self.compute_targets["local"]
